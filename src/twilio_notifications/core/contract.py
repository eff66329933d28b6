"""The published JSON: bytes from the request topics become a notification, outcomes become status bytes.

The only file that knows the names, the order and the sentences of the published document.
Whatever arrives is answered: `parse` returns a value for every payload and raises for none.
It must never guess: what the contract does not allow is rejected, never mended.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, assert_never

from twilio_notifications.core.model import (
    Channel,
    Content,
    Notification,
    Priority,
    Recipient,
    Rejection,
    Text,
    VoiceLocation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.errors import Reason

MAXIMUM_PAYLOAD_BYTES: Final = 128 * 1024
"""The largest message of AWS IoT Core, so no sender of the original could exceed it."""

MAXIMUM_TEXT_CHARACTERS: Final = 1600
"""Twilio's limit (error 21617), in code points, the fewest that its word "characters" could mean. What Twilio
would take is never refused here; where it counts more (an emoji as two UTF-16 units), it refuses itself."""

MAXIMUM_DEPTH: Final = 128
"""Levels of nesting, of which a request needs three. RFC 8259, section 9, leaves the limit to the reader:
serde_json has 128, Ruby 100, .NET 64. Without one it would be whatever stack the caller has left."""

MAXIMUM_RETRIES: Final = 1_000_000_000
"""More count as this many: no lifetime is long enough to notice, and any integer column holds it plus one."""

_MAXIMUM_LIFETIME: Final = 86_400  # seconds
_MAXIMUM_DIGITS: Final = 40  # of an integer: every bound that is compared with has far fewer
_ECHOED_INTEGERS: Final = range(-(2**63), 2**63)  # what a database column holds, and most JSON readers
_LONGEST_QUOTATION: Final = 100  # characters of a wrong phone number repeated to its sender


class Sentence(StrEnum):
    """What a rejection says to people, word for word as documented; the braces are filled in."""

    TOO_LARGE = "Input message is {size} bytes long, the limit is {limit}"
    NOT_JSON = "Input message is not valid JSON: {where}"
    NOT_AN_OBJECT = "{label} must be an object"
    IS_NONE = "{label} cannot be None"
    NOT_A_STRING = "{label} must be a string"
    NOT_UNICODE = "{label} must be valid Unicode text, it holds half of a surrogate pair"
    IS_EMPTY = "{label} cannot be empty"
    ONE_RECIPIENT = "Only one recipient is supported"
    NOT_E164 = "{label} {value} is not a valid E.164 number"
    TEXT_TOO_LONG = "Message is {length} characters long, Twilio accepts {limit}"
    NOT_A_URL = "Voice message location is not an http or https URL"
    ONE_CONTENT = "Only one of message and voice_message_location can be specified"
    VOICE_ON_TEXT = "Voice messages are not supported on twilio/txt, use twilio/call"
    TEXT_ON_VOICE = "Text messages are not supported on twilio/call, use twilio/txt"
    WRONG_RETRIES = "Retries must be a non-negative integer"
    WRONG_PRIORITY = "Priority must be urgent, normal or low"
    WRONG_LIFETIME = "Valid for seconds must be a number from 1 to 86400"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The three published topics, each behind the operator's prefix."""

    text: str
    call: str
    status: str

    @classmethod
    def with_prefix(cls, prefix: str) -> Topics:
        """Their full names; `""` gives the published ones, and a prefix brings its own slash (`site7/`)."""
        return cls(
            text=f"{prefix}twilio/txt", call=f"{prefix}twilio/call", status=f"{prefix}twilio/message/status"
        )

    def channel_of(self, topic: str) -> Channel | None:
        """The channel that `topic` asks for; None where it is no request topic."""
        if topic == self.text:
            return Channel.SMS
        return Channel.CALL if topic == self.call else None


def parse(payload: bytes, *, channel: Channel, default_sender_number: str | None) -> Notification | Rejection:
    """The request in `payload`, or the first rule that it breaks, with the id to answer to (`""`: none)."""
    request_id: str | int | float = ""
    try:
        document = _document(payload)
        request_id = _echoed(document.get("id"))
        return _notification(document, channel=channel, default_sender_number=default_sender_number)
    except _Flaw as flaw:
        return Rejection(request_id=request_id, message=flaw.message)


class _Flaw(Exception):
    """A broken rule, raised so that checks in a row read as a row; it never leaves `parse`."""

    def __init__(self, sentence: Sentence, **words: object) -> None:
        super().__init__(sentence)
        self.message = sentence.value.format(**words)


def _document(payload: bytes) -> dict[str, Any]:
    document = _decoded(payload)
    if not isinstance(document, dict):
        raise _Flaw(Sentence.NOT_AN_OBJECT, label="Input message")
    return document


def _notification(
    document: dict[str, Any], *, channel: Channel, default_sender_number: str | None
) -> Notification:
    # Arguments are evaluated from top to bottom, which is the published order of the checks.
    request_id = _filled(document.get("id"), "Id")
    request = _object(document.get("request"), "Request")
    recipient = _recipient(request.get("recipient"))
    return Notification(
        request_id=request_id,
        channel=channel,
        recipient=Recipient(
            name=_name(recipient.get("name"), channel),
            phone_number=_phone_number(recipient.get("phone_number"), "Recipient phone number"),
        ),
        content=_content(recipient, channel),
        sender_number=_sender_number(request.get("from_number"), default_sender_number),
        retries=_retries(request.get("retries")),
        priority=_priority(request.get("priority")),
        valid_for_seconds=_lifetime(request.get("valid_for_seconds")),
    )


def _recipient(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        raise _Flaw(Sentence.ONE_RECIPIENT)
    return _object(value, "Recipient")


def _name(value: Any, channel: Channel) -> str:
    # The document allows "" for texts (`.*`) and not for calls (`.+`).
    return (_string if channel is Channel.SMS else _filled)(value, "Recipient name")


# ASCII digits only: `\d` would let other scripts' digits pass. Matched to the end, so no newline may follow.
_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")


def _phone_number(value: Any, label: str) -> str:
    number = _string(value, label)
    if not _E164.fullmatch(number):
        quoted = number if len(number) <= _LONGEST_QUOTATION else number[:_LONGEST_QUOTATION] + "…"
        raise _Flaw(Sentence.NOT_E164, label=label, value=quoted)
    return number


def _sender_number(value: Any, default: str | None) -> str:
    # The default is the operator's word and passes as it is: published examples write it without its plus.
    return default if value is None and default else _phone_number(value, "From number")


def _content(recipient: dict[str, Any], channel: Channel) -> Content:
    text, location = recipient.get("message"), recipient.get("voice_message_location")
    if text is not None and location is not None:
        raise _Flaw(Sentence.ONE_CONTENT)
    match channel:
        case Channel.SMS:
            return _text(text, other=location)
        case Channel.CALL:
            return _voice_location(location, other=text)
        case _:
            assert_never(channel)


def _text(value: Any, *, other: Any) -> Text:
    if other is not None:
        raise _Flaw(Sentence.VOICE_ON_TEXT)
    body = _filled(value, "Message")
    if len(body) > MAXIMUM_TEXT_CHARACTERS:
        raise _Flaw(Sentence.TEXT_TOO_LONG, length=len(body), limit=MAXIMUM_TEXT_CHARACTERS)
    return Text(body=body)


# Not urllib, which drops newlines and raises for some hosts. What follows the host is Twilio's to judge.
_URL: Final = re.compile(
    r"""https?://
        (?:[^\s/?#@\\]*@)?                      # user:password@
        (?:\[[0-9a-f:.]+\]|[^\s/?#@:\[\]\\]+)   # an address in brackets, or a name
        (?::[0-9]*)?
        (?:[/?#]\S*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _voice_location(value: Any, *, other: Any) -> VoiceLocation:
    if other is not None:
        raise _Flaw(Sentence.TEXT_ON_VOICE)
    url = _filled(value, "Voice message location")
    if _CONTROL.search(url) or not _URL.fullmatch(url):
        raise _Flaw(Sentence.NOT_A_URL)
    return VoiceLocation(url=url)


def _retries(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Flaw(Sentence.WRONG_RETRIES)
    return min(value, MAXIMUM_RETRIES)


_PRIORITIES: Final[frozenset[str]] = frozenset(Priority)


def _priority(value: Any) -> Priority:
    if value is None:
        return Priority.NORMAL
    if not isinstance(value, str) or value not in _PRIORITIES:
        raise _Flaw(Sentence.WRONG_PRIORITY)
    return Priority(value)


def _lifetime(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= _MAXIMUM_LIFETIME:
        return float(value)
    raise _Flaw(Sentence.WRONG_LIFETIME)


def _object(value: Any, label: str) -> dict[str, Any]:
    if value is None:
        raise _Flaw(Sentence.IS_NONE, label=label)
    if not isinstance(value, dict):
        raise _Flaw(Sentence.NOT_AN_OBJECT, label=label)
    return value


_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


def _string(value: Any, label: str) -> str:
    if value is None:
        raise _Flaw(Sentence.IS_NONE, label=label)
    if not isinstance(value, str):
        raise _Flaw(Sentence.NOT_A_STRING, label=label)
    # "\ud800" alone is JSON, but has no UTF-8: neither Twilio nor the journal could be given it.
    if _HALF_PAIR.search(value):
        raise _Flaw(Sentence.NOT_UNICODE, label=label)
    return value


def _filled(value: Any, label: str) -> str:
    text = _string(value, label)
    if not text:
        raise _Flaw(Sentence.IS_EMPTY, label=label)
    return text


def _echoed(value: object) -> str | int | float:
    """The id under which to answer: a bad one too, as long as every reader and the journal can hold it."""
    match value:
        case str():
            return value
        case int() if value in _ECHOED_INTEGERS:
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            return ""


def _decoded(payload: bytes) -> object:
    if len(payload) > MAXIMUM_PAYLOAD_BYTES:
        raise _Flaw(Sentence.TOO_LARGE, size=len(payload), limit=MAXIMUM_PAYLOAD_BYTES)
    try:
        text = payload.decode().removeprefix("\N{BYTE ORDER MARK}")
    except UnicodeDecodeError as error:
        raise _Flaw(Sentence.NOT_JSON, where=f"byte {error.start + 1} is not UTF-8") from None
    _check_depth(text)
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
    except ValueError:
        where = _constant_place(text)
    raise _Flaw(Sentence.NOT_JSON, where=where)


def _refused_constant(word: str) -> float:
    raise ValueError(word)  # the decoder does not say where it met it


def _bounded_integer(digits: str) -> int:
    # Python raises for integers of some thousand digits. What is cut off here is beyond every bound anyway.
    return int(digits[:_MAXIMUM_DIGITS])


# Of two equal keys the last one counts: RFC 8259 leaves it open, and the original was written in Python, too.
_DECODER: Final = json.JSONDecoder(parse_int=_bounded_integer, parse_constant=_refused_constant)

# Nothing is tried twice (`++`, `*+`, `"?`): backslashes and quotes would otherwise take quadratic time.
_STRING: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_CONSTANT: Final = re.compile(r"NaN|-?Infinity")
_STEPS: Final[Mapping[str, int]] = {"[": 1, "{": 1, "]": -1, "}": -1}


def _without_strings(text: str) -> str:
    return _STRING.sub(lambda string: " " * len(string[0]), text)


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAXIMUM_DEPTH:
        return  # every honest request ends here
    depth = max(accumulate(_STEPS.get(each, 0) for each in _without_strings(text)))
    if depth > MAXIMUM_DEPTH:
        where = f"it is nested {depth} levels deep, the limit is {MAXIMUM_DEPTH}"
        raise _Flaw(Sentence.NOT_JSON, where=where)


def _constant_place(text: str) -> str:
    found = _CONSTANT.search(_without_strings(text))
    assert found, "the decoder has met one"
    error = json.JSONDecodeError("", text, found.start())  # counts lines and columns as for all other flaws
    return f"line {error.lineno} column {error.colno}, {found[0]} is not a JSON number"


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
    document = {"response": response, "id": _echoed(request_id)}
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
