"""Twilio's refusals: the codes and sentences of its error catalogue that the simulator gives, and their JSON.

A refusal is a value, not an exception: a function that reads parameters returns one instead of what was asked
for.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A request that is answered with an error."""

    code: int
    message: str
    status: int = HTTPStatus.BAD_REQUEST


AUTHENTICATE = Refusal(code=20003, message="Authenticate", status=HTTPStatus.UNAUTHORIZED)
METHOD_NOT_ALLOWED = Refusal(code=20004, message="Method not allowed", status=HTTPStatus.METHOD_NOT_ALLOWED)
PAGE_SIZE_TOO_LARGE = Refusal(code=20007, message="Page size too large")
NOT_COMPLETE = Refusal(
    code=20009, message="Cannot delete this resource before it is complete", status=HTTPStatus.CONFLICT
)
TOO_MANY_REQUESTS = Refusal(code=20429, message="Too Many Requests", status=HTTPStatus.TOO_MANY_REQUESTS)

TEXT_TO_MISSING = Refusal(code=21604, message="A 'To' phone number is required.")
TEXT_FROM_MISSING = Refusal(code=21603, message="A 'From' phone number is required.")
TEXT_BODY_MISSING = Refusal(code=21602, message="Message body is required.")
TEXT_TOO_LONG = Refusal(code=21617, message="The concatenated message body exceeds the 1600 character limit.")
TEXT_TOO_MANY_MEDIA = Refusal(code=21623, message="Number of media files exceeds allowed limit")
TEXT_BAD_MEDIA = Refusal(code=21620, message="Invalid media URL(s)")
TEXT_CONTENT_MISSING = Refusal(code=21654, message="ContentSid Required")
TEXT_SERVICE_INVALID = Refusal(code=21705, message="The Messaging Service is invalid")
TEXT_SCHEDULE_KIND = Refusal(
    code=35126, message="The ScheduleType value provided is not supported for this channel"
)
TEXT_SCHEDULE_NO_SERVICE = Refusal(
    code=35118, message="MessagingServiceSid is required to schedule a message"
)
TEXT_SCHEDULE_NO_INSTANT = Refusal(code=35111, message="SendAt timestamp is missing")
TEXT_SCHEDULE_INSTANT = Refusal(code=35114, message="Scheduling does not support this timestamp")
TEXT_VALIDITY = Refusal(code=90007, message="ValidityPeriod must be between 1 and 36000")
TEXT_OPTED_OUT = Refusal(code=21610, message="Attempt to send to unsubscribed recipient")
TEXT_NOT_SCHEDULED = Refusal(
    code=30409, message="This message cannot be canceled", status=HTTPStatus.CONFLICT
)

CALL_TO_MISSING = Refusal(code=21201, message="No 'To' number is specified")
CALL_FROM_MISSING = Refusal(code=21213, message="No 'From' number is specified")
CALL_URL_MISSING = Refusal(code=21205, message="Url parameter is required.")
CALL_TIMEOUT = Refusal(code=21208, message="Invalid Timeout")
CALL_NOT_IN_PROGRESS = Refusal(code=21220, message="Call is not in-progress. Cannot redirect.")


def to_invalid(number: str) -> Refusal:
    """The recipient is no phone number (texts and calls)."""
    return Refusal(code=21211, message=f"Invalid 'To' Phone Number: {_partly_hidden(number)}")


def from_invalid(number: str) -> Refusal:
    """The sender is no phone number (texts and calls)."""
    return Refusal(code=21212, message=f"Invalid From Number (caller ID): {_partly_hidden(number)}")


def callback_invalid(url: str) -> Refusal:
    """The address for status callbacks cannot be one that Twilio reaches."""
    return Refusal(code=21609, message=f"The 'StatusCallback' URL {url} is not a valid URL.")


def url_invalid(url: str) -> Refusal:
    """The address of a call's TwiML is no http or https URL."""
    return Refusal(code=21205, message=f"Url is not a valid URL: {url}")


def not_found(path: str) -> Refusal:
    """There is no such resource, or it belongs to another account."""
    message = f"The requested resource {path} was not found"
    return Refusal(code=20404, message=message, status=HTTPStatus.NOT_FOUND)


def parameter_invalid(name: str, value: str) -> Refusal:
    """A parameter without a code of its own has a value that cannot be read."""
    return Refusal(code=20001, message=f"Invalid value for parameter {name}: {value}")


def server_error(status: int) -> Refusal:
    """A 5xx answer, with the code Twilio gives to that status (20500, 20503, …)."""
    return Refusal(code=20_000 + status, message=HTTPStatus(status).phrase, status=status)


def render_refusal(refusal: Refusal) -> bytes:
    """The error body of Twilio's 2010-04-01 API."""
    return msgspec.json.encode(
        {
            "code": refusal.code,
            "message": refusal.message,
            "more_info": f"https://www.twilio.com/docs/errors/{refusal.code}",
            "status": refusal.status,
        }
    )


def _partly_hidden(number: str) -> str:
    """Twilio hides the last four digits in this sentence."""
    return number[:-4] + "XXXX" if len(number) > 4 else number  # noqa: PLR2004 - the four hidden ones
