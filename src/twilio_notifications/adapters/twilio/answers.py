"""Reads one answer of Twilio, or states what is known without an answer.

Proxies, log-in pages and other servers may stand between this program and Twilio. Their answers are marked as
not Twilio's: they say nothing about Twilio's clock, the credentials or the request. Every string that this
module returns is bounded and valid Unicode.
"""

from __future__ import annotations

import json
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from pyreqwest.exceptions import PyreqwestError

from twilio_notifications.core.model import Answered, NotSent, Unanswered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.twilio.client import HttpReply

LONGEST_SID = 64  # Twilio's have 34 characters
LONGEST_STATUS = 32  # Twilio's longest, "partially_delivered", has 19
LONGEST_NUMBER = 32  # "whatsapp:" and a number of E.164 have 25

LONGEST_RETRY_AFTER_SECONDS = 3600.0
"""A longer `Retry-After` counts as one hour: one attempt in an hour does no harm."""

CONNECT_FAILURE = "client error (Connect)"
"""The cause by which the HTTP client says that it had no connection: name resolution, TCP or TLS failed.
The classes of its exceptions do not say so. Measured: ConnectError also covers a connection that was closed
after the request was written, and ConnectTimeoutError an answer that never came. Every failure without this
cause is doubt. If a later version words the cause differently, the result is too much doubt, never a second
text."""

_ERROR_CODES = range(10_000, 1_000_000)
"""Twilio's error codes have five or six digits. Proxies repeat the HTTP status as `code`."""

_URL_IN_A_CAUSE = re.compile(r" for url \(\w+://(?:[^/?#@]*@)?([^/?#)]*).*\)")
"""The HTTP client repeats the whole URL, and the URL of a list holds the recipient's number. People need
only the host."""

_SUCCESS = 2


def read_answer(reply: HttpReply, *, now: float, offset: float | None) -> Answered:
    """The answer to a create request; fields that are missing or cannot be used are None.

    `offset` is the clock offset of its `Date` header, which counts only in an answer of Twilio's.
    """
    fields = json_object(reply)
    sid, status = text(fields, "sid", longest=LONGEST_SID), text(fields, "status", longest=LONGEST_STATUS)
    numbers = text(fields, "from", longest=LONGEST_NUMBER), text(fields, "to", longest=LONGEST_NUMBER)
    if reply.status // 100 == _SUCCESS:
        is_twilios = bool(sid and status) and _are_numbers(fields, numbers)
    else:
        is_twilios = _is_error(reply, fields)
    return Answered(
        http_status=reply.status,
        is_twilios=is_twilios,
        code=_typed(fields, "code", int),
        message=_typed(fields, "message", str),
        sid=sid,
        message_status=status,
        sender_number=numbers[0],
        phone_number=numbers[1],
        retry_after=retry_after_seconds(reply.retry_after, now=now),
        clock_offset=offset if is_twilios else None,
    )


def _are_numbers(fields: Mapping[str, Any], numbers: tuple[str | None, str | None]) -> bool:
    """Whether the resource that was made names no number that cannot be one."""
    return all(
        number is not None or not isinstance(fields.get(name), str)
        for name, number in zip(("from", "to"), numbers, strict=True)
    )


def _is_error(reply: HttpReply, fields: Mapping[str, Any]) -> bool:
    """Whether it is an error body of Twilio's API: a code, a sentence, and the HTTP status again.

    https://www.twilio.com/docs/usage/twilios-response: `status`, `message`, `code` and `more_info`.
    """
    return (
        _typed(fields, "code", int) in _ERROR_CODES
        and isinstance(fields.get("message"), str)
        and fields.get("status", reply.status) == reply.status
    )


def json_object(reply: HttpReply) -> Mapping[str, Any]:
    """The JSON object in the body; empty where the body has none, or has a Content-Encoding.

    The client asks for no encoding, and Twilio uses none. A few encoded bytes can become gigabytes.
    """
    if reply.is_encoded:
        return {}
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def text(fields: Mapping[str, Any], name: str, *, longest: int) -> str | None:
    """The field, if it is a string of at most `longest` printable characters; None for everything else.

    JSON can hold half of a surrogate pair; files and statuses cannot.
    """
    value = fields.get(name)
    return value if isinstance(value, str) and len(value) <= longest and value.isprintable() else None


def _typed(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def retry_after_seconds(header: str | None, *, now: float) -> float | None:
    """`Retry-After` in either of its forms (RFC 9110, 10.2.3), in seconds from `now`, at most one hour.

    None where the header is missing or unreadable.
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header), LONGEST_RETRY_AFTER_SECONDS)
    moment = instant(header)
    return None if moment is None else min(max(0.0, moment - now), LONGEST_RETRY_AFTER_SECONDS)


class DateReader:
    """Reads `Date` headers; the same one comes with all answers of one second, and is read once."""

    def __init__(self) -> None:
        self._read: tuple[str, float | None] = ("", None)

    def offset(self, header: str | None, *, now: float) -> float | None:
        """The other clock minus ours in seconds, by the header (whole seconds); None when unreadable."""
        if header is None:
            return None
        if header != self._read[0]:
            self._read = (header, instant(header))
        moment = self._read[1]
        return None if moment is None else moment - now


def instant(written: str) -> float | None:
    """The instant of a date in the form of HTTP and of Twilio's records; None where it is unreadable."""
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, OverflowError):  # a number in it is too large for a date
        return None
    # A date without a zone is read as UTC: HTTP dates are always GMT (RFC 9110, 5.6.7).
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def failed_answer(error: PyreqwestError) -> NotSent | Unanswered:
    """NotSent where the request certainly did not leave, otherwise Unanswered.

    `detail` holds the causes of the failure; the innermost is the last.
    """
    causes = causes_of(error)
    detail = ": ".join(_URL_IN_A_CAUSE.sub(r" to \1", cause) for cause in causes)
    return NotSent(detail=detail) if CONNECT_FAILURE in causes else Unanswered(detail=detail)


def causes_of(error: Exception) -> list[str]:
    """The causes that the HTTP client names for a failure; the innermost is the last."""
    details = getattr(error, "details", None) or {}
    return [cause["message"] for cause in details.get("causes") or ()] or [
        error.message if isinstance(error, PyreqwestError) else str(error)
    ]
