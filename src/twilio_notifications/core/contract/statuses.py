"""Outcomes become status bytes: the names and the order of the published output, and nothing beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core.contract.request_ids import echoed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.errors import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Success:
    """Twilio took the request. `message_status` is its own word; the numbers are those it will use."""

    message_status: str
    sender_number: str
    phone_number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The request came to nothing: the reason for programs, a sentence for people."""

    reason: Reason
    message: str


StatusContent = Success | Failure


def render(
    content: StatusContent,
    *,
    request_id: str | float | bool,
    detail: Mapping[str, object] | None = None,
) -> bytes:
    """The published document as compact UTF-8 JSON, its keys in the published order.

    `detail` follows the published keys of `response`; values that JSON does not know are written as strings,
    and numbers in it must be finite.
    """
    response = _response(content)
    if detail is not None:
        response["detail"] = dict(detail)
    document = {"response": response, "id": echoed(request_id)}
    # For half a surrogate pair `backslashreplace` writes \udXXX, which is JSON's own escape for it: so an id
    # comes back as it came in.
    return _ENCODER.encode(document).encode("utf-8", "backslashreplace")


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=str)


def _response(content: StatusContent) -> dict[str, object]:
    match content:
        case Success():
            person = {"to_number": content.phone_number, "name": content.name}
            messages = {"message_status": content.message_status, **person}
            return {
                "status": "success",
                "payload": {"from_number": content.sender_number, "messages": messages},
            }
        case Failure():
            error = {"error_message": content.message, "error": content.reason}
            return {"status": "fail", **error, "payload": None}
        case _:
            assert_never(content)
