"""Turns an outcome into the bytes of a status, with the names and the order of the published output."""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, assert_never

from twilio_notifications.core.contract.request_ids import echoed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.core.errors import Reason

SHORTENED: Final = "… (shortened)"
"""The mark at the end of a text that was cut so that the status fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """Twilio accepted the request. `message_status` and the numbers are those in Twilio's answer."""

    message_status: str
    sender_number: str
    phone_number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The request failed: `reason` is for programs, `message` is a sentence for people."""

    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFailure:
    """Twilio accepted the request, and it did not arrive: a failure that has the object of a success."""

    reason: Reason
    message: str
    delivery: Success


StatusContent = Success | Failure | LateFailure


def render(
    content: StatusContent,
    *,
    request_id: str | float | bool,
    detail: Mapping[str, object] | None = None,
) -> bytes:
    """The published document as compact UTF-8 JSON, with its keys in the published order.

    `detail` follows the published keys of `response`; None leaves it out. Its values that JSON does not know
    become strings; its numbers must be finite.
    """
    response = _response(content)
    if detail is not None:
        response["detail"] = dict(detail)
    return _encoded({"response": response, "id": echoed(request_id)})


def shortened(status: bytes, *, limit: int) -> bytes | None:
    """The same status in at most `limit` bytes; None where it cannot be made so short.

    The sentence is cut first, then the name, then the id, each only as far as necessary. Each cut text
    ends with the mark `SHORTENED`.
    """
    try:
        document = json.loads(status)
        for place, key in _places(document):
            if len(_encoded(document)) <= limit:
                break
            _cut(document, place, key, limit=limit)
    except (ValueError, TypeError, KeyError):  # another version of this program wrote it
        return None
    fitting = _encoded(document)
    return fitting if len(fitting) <= limit else None


def _encoded(document: dict[str, Any]) -> bytes:
    # `backslashreplace` writes half a surrogate pair as \udXXX, which is also JSON's escape for it. So the
    # status has the id as the client sent it.
    return _ENCODER.encode(document).encode("utf-8", "backslashreplace")


def _places(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects and keys of the texts that may be cut, in the order of cutting."""
    response = document["response"]
    if "error_message" in response:
        yield response, "error_message"
    if response["payload"] is not None:
        yield response["payload"]["messages"], "name"
    yield document, "id"


def _cut(document: dict[str, Any], place: dict[str, Any], key: str, *, limit: int) -> None:
    """Keeps as many characters as fit before the mark; none where the mark itself does not fit."""
    text = place[key]
    if not isinstance(text, str):
        return

    def size_with(count: int) -> int:
        place[key] = text[:count] + SHORTENED
        return len(_encoded(document))

    fitting = bisect_right(range(len(text)), limit, key=size_with)
    short = text[: max(0, fitting - 1)] + SHORTENED
    place[key] = short if len(_encoded({key: short})) < len(_encoded({key: text})) else text


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


def _response(content: StatusContent) -> dict[str, object]:
    match content:
        case Success():
            return {"status": "success", "payload": _payload(content)}
        case Failure():
            return _failure(content.reason, content.message, payload=None)
        case LateFailure():
            return _failure(content.reason, content.message, payload=_payload(content.delivery))
        case _:
            assert_never(content)


def _payload(success: Success) -> dict[str, object]:
    person = {"to_number": success.phone_number, "name": success.name}
    messages = {"message_status": success.message_status, **person}
    return {"from_number": success.sender_number, "messages": messages}


def _failure(reason: Reason, message: str, *, payload: dict[str, object] | None) -> dict[str, object]:
    return {"status": "fail", "error_message": message, "error": reason, "payload": payload}
