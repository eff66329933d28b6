"""What an answer of Twilio's means for an attempt, and how long a request waits before the next one.

The table of codes and the table of HTTP statuses are all there is to know; the functions only look up.
Nothing here may turn doubt into failure or into another attempt: creating a message is not idempotent, so
what is not certain is `InDoubt`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import (
    Accepted,
    Answer,
    Answered,
    DeferralScope,
    Deferred,
    InDoubt,
    NotSent,
    Outcome,
    Refused,
    Unanswered,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.model import Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Twilio would say no again."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Certainly not carried out, and it may be later."""

    scope: DeferralScope
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """It may have been carried out: only Twilio's records can tell."""


Treatment = Refuse | Wait | Settle

REFUSE: Final = Refuse(reason=Reason.INVALID_PARAMETER)
OPTED_OUT: Final = Refuse(reason=Reason.RECIPIENT_OPTED_OUT)
ACCOUNT_WAITS: Final = Wait(scope=DeferralScope.ACCOUNT, reason=Reason.RATE_LIMITED)
SENDER_WAITS: Final = Wait(scope=DeferralScope.SENDER, reason=Reason.RATE_LIMITED)
ADDRESS_WAITS: Final = Wait(scope=DeferralScope.ADDRESS, reason=Reason.TWILIO_UNAVAILABLE)
CREDENTIALS_WAIT: Final = Wait(scope=DeferralScope.CREDENTIALS, reason=Reason.UNAUTHORIZED)
SETTLE: Final = Settle()

# A 4xx answer is judged by its code, where the code is known; what is not listed is refused.
BY_CODE: Final[Mapping[int, Treatment]] = MappingProxyType(
    {
        # The account is at a limit that time lifts.
        20429: ACCOUNT_WAITS,  # too many requests
        10004: ACCOUNT_WAITS,  # too many calls at once
        30023: ACCOUNT_WAITS,  # the brand's messages for this day are used up (10DLC)
        63018: ACCOUNT_WAITS,  # the channel's rate limit
        63038: ACCOUNT_WAITS,  # the account's messages for this day are used up
        # The queue of one sender number is full; other numbers go on.
        21611: SENDER_WAITS,  # texts: as many as the number can send in 10 hours are queued
        22005: SENDER_WAITS,  # calls: more than 24 hours of them are queued
        30001: SENDER_WAITS,  # a messaging service's queue is full
        # Nothing of this account will work until a person corrects it or a new secret comes.
        10001: CREDENTIALS_WAIT,  # the account is not active
        20003: CREDENTIALS_WAIT,  # user name or token is wrong, or may not do this
        20005: CREDENTIALS_WAIT,  # the account is not active
        20006: CREDENTIALS_WAIT,  # access denied
        20008: CREDENTIALS_WAIT,  # test credentials where live ones are needed
        20010: CREDENTIALS_WAIT,  # the action is disabled for the account
        20403: CREDENTIALS_WAIT,  # forbidden
        30002: CREDENTIALS_WAIT,  # the account is suspended
        90010: CREDENTIALS_WAIT,  # the account is not active
        # The address is not this account's place at Twilio: base_url, or the account's SID, is wrong.
        20004: ADDRESS_WAITS,  # nothing can be created there
        20404: ADDRESS_WAITS,  # there is nothing there
        # The recipient's number will not do.
        21610: OPTED_OUT,  # the recipient has answered STOP; only the recipient can take that back
        13223: REFUSE,  # calls: no phone number
        13224: REFUSE,  # calls: the number cannot be called
        13225: REFUSE,  # calls: the number is on Twilio's block list
        21211: REFUSE,  # `To` is no phone number
        21214: REFUSE,  # `To` cannot be reached
        21215: REFUSE,  # calls to that region are not switched on for the account
        21216: REFUSE,  # calls to that number are blocked by Twilio
        21217: REFUSE,  # `To` does not look like a phone number
        21219: REFUSE,  # trial account: `To` is not verified (calls)
        21408: REFUSE,  # texts to that region are not switched on for the account
        21608: REFUSE,  # trial account: `To` is not verified (texts)
        21612: REFUSE,  # there is no way from this sender to that recipient
        21614: REFUSE,  # `To` is no mobile number
        # The sender number will not do.
        21210: REFUSE,  # `From` does not belong to the account (calls)
        21212: REFUSE,  # `From` is no phone number
        21603: REFUSE,  # there is no `From`
        21606: REFUSE,  # `From` does not belong to the account, or cannot send texts there
        21607: REFUSE,  # trial account: `From` must be the trial number
        21616: REFUSE,  # `From` matches several numbers of the account
        21659: REFUSE,  # `From` is no number or short code of Twilio's in that country
        21660: REFUSE,  # `From` belongs to another account
        21703: REFUSE,  # the messaging service has no number for this text
        21704: REFUSE,  # the messaging service has no number at all
        21705: REFUSE,  # there is no such messaging service
        21712: REFUSE,  # the number belongs to another messaging service
        # The content will not do.
        21205: REFUSE,  # calls: the URL of the TwiML document is not valid
        21602: REFUSE,  # there is no `Body`
        21604: REFUSE,  # there is no `To`
        21605: REFUSE,  # the text is too long for the old endpoint
        21609: REFUSE,  # the status callback's URL is not valid
        21617: REFUSE,  # the text is longer than 1,600 characters
        21618: REFUSE,  # the text cannot be sent
        21619: REFUSE,  # the message cannot be made
        21620: REFUSE,  # a media URL is not valid
        21623: REFUSE,  # too many media files
        21654: REFUSE,  # content variables without a content SID
        21655: REFUSE,  # the content SID is not valid
        30010: REFUSE,  # the text costs more than the request allows; waiting makes it no cheaper
        90007: REFUSE,  # the validity period is not valid
        # Twilio failed, wherever the number appears: it may have failed after it had sent.
        20500: SETTLE,  # internal error
        20503: SETTLE,  # service unavailable
    }
)

BY_STATUS: Final[Mapping[int, Treatment]] = MappingProxyType(
    {
        401: CREDENTIALS_WAIT,
        403: CREDENTIALS_WAIT,  # with a code from 21000 up it is about the request: see `treatment_of`
        404: ADDRESS_WAITS,  # every request goes to the account's own address, so no request is to blame
        # Twilio sends neither of these two: something in between does, and cannot know what Twilio did.
        408: SETTLE,
        425: SETTLE,
        429: ACCOUNT_WAITS,  # never processed, says Twilio
    }
)

BY_CLASS: Final[Mapping[int, Treatment]] = MappingProxyType(
    {
        3: ADDRESS_WAITS,  # redirects are not followed, so nothing was carried out
        4: REFUSE,
    }
)
"""By the first digit of the HTTP status; what is not here (1xx, 5xx, no HTTP at all) needs settling."""

TURNED_AWAY: Final = frozenset(
    {
        *(400, 401, 402, 403, 404, 405, 406, 407, 410, 411),
        *(413, 414, 415, 417, 421, 426, 428, 431, 451),
    }
)
"""With these a server between this program and Twilio says that it does not pass the request on.

The 4xx that are missing here can also come after it was passed on, or mean nothing that is agreed upon: 408,
425, 499 and 460 (the time or the connection ended first), 409, 422 and all unknown ones. They are doubt, as
every 2xx (a log-in page; a proxy that replaced Twilio's answer) and every 5xx (a gateway that lost it) are.
"""

_SUCCESS, _REDIRECT, _CLIENT_ERROR = 2, 3, 4

_LOOK_AT_THE_WAY: Final = "check base_url in [twilio], and any proxy on the way"

_CODES: Final = range(1, 1_000_000)
"""Twilio's have five digits. A number that no column would hold is not passed on."""

_FIRST_CODE_OF_A_REQUEST: Final = 21_000
"""Codes below are about accounts (10xxx), running calls (11xxx to 16xxx) and the API itself (20xxx)."""

_LONGEST_MESSAGE: Final = 500  # characters of Twilio's text in a status: several times its longest sentence


def classify(answer: Answer, *, notification: Notification) -> Outcome:
    """What `answer` means for the attempt at `notification`. No answer raises, and none is left out."""
    match answer:
        case Answered() if answer.http_status // 100 == _SUCCESS:
            return _accepted(answer, notification)
        case Answered():
            return _declined(answer)
        case NotSent():
            return Deferred(
                scope=DeferralScope.NETWORK,
                reason=Reason.TWILIO_UNAVAILABLE,
                message=f"Twilio could not be reached: {_clean(answer.detail)}",
            )
        case Unanswered():
            return InDoubt(message=f"Twilio did not answer: {_clean(answer.detail)}")
        case _:
            assert_never(answer)


def refuses_login(answer: Answer) -> bool:
    """Whether the request was certainly not carried out, and another login may be what it needs."""
    match answer:
        case Answered() if answer.http_status // 100 != _SUCCESS:
            return _treatment(answer) is CREDENTIALS_WAIT
        case _:
            return False


def _accepted(answer: Answered, notification: Notification) -> Accepted | InDoubt:
    if not (answer.is_twilios and answer.sid and answer.message_status):
        # Most likely sent, but without a SID that cannot be proved; the records have the SID.
        if not answer.is_twilios:
            return InDoubt(message=_sentence(answer, None))
        return InDoubt(message=f"Twilio answered HTTP {answer.http_status} without a SID and a status")
    return Accepted(
        sid=answer.sid,
        message_status=answer.message_status,
        sender_number=answer.sender_number or notification.sender_number,
        phone_number=answer.phone_number or notification.recipient.phone_number,
    )


def _declined(answer: Answered) -> Refused | Deferred | InDoubt:
    code = _code(answer)
    treatment = _treatment(answer)
    message = _sentence(answer, code)
    match treatment:
        case Refuse():
            return Refused(reason=treatment.reason, message=message, code=code)
        case Wait():
            return Deferred(
                scope=treatment.scope,
                reason=treatment.reason,
                message=message,
                code=code,
                retry_after=answer.retry_after,
            )
        case Settle():
            return InDoubt(message=message)
        case _:
            assert_never(treatment)


def _code(answer: Answered) -> int | None:
    return answer.code if answer.code in _CODES else None


def _treatment(answer: Answered) -> Treatment:
    """The row that applies to an answer which is no success."""
    if answer.is_twilios:
        return treatment_of(http_status=answer.http_status, code=_code(answer))
    match answer.http_status:
        case 429:
            return ACCOUNT_WAITS  # whichever server counts, the request was not passed on
        case status if status in TURNED_AWAY or status // 100 == _REDIRECT:
            return ADDRESS_WAITS
        case _:
            return SETTLE


def treatment_of(*, http_status: int, code: int | None) -> Treatment:
    """The row that applies to an answer of Twilio's which is no success."""
    known = None if code is None else BY_CODE.get(code)
    about_the_request = code is not None and code >= _FIRST_CODE_OF_A_REQUEST
    match http_status:
        case 429 if known is SENDER_WAITS:
            return SENDER_WAITS  # one number's full queue is no matter of the whole account
        case 401 | 429:
            return BY_STATUS[http_status]  # whatever the code says, the request was not looked at
        case 403 | 404 if known is None and about_the_request:
            # One bad recipient must not stop every request, as refused credentials and a wrong address do.
            return REFUSE
        case status if status // 100 == _CLIENT_ERROR:
            return known or BY_STATUS.get(status, REFUSE)
        case status:
            return BY_CLASS.get(status // 100, SETTLE)


def _sentence(answer: Answered, code: int | None) -> str:
    """Twilio's own code and text, and where our configuration is the likely cause, what to look at.

    The text of an answer that is not Twilio's is a page for a browser, and is left out.
    """
    if not answer.is_twilios:
        return f"HTTP {answer.http_status} was answered, and not in Twilio's form ({_LOOK_AT_THE_WAY})"
    said = _clean(answer.message or "")
    who = f"Twilio answered HTTP {answer.http_status}" if code is None else f"Twilio error {code}"
    sentence = f"{who}: {said}" if said else who
    if answer.http_status // 100 == _REDIRECT:
        return f"{sentence} (redirects are not followed; check base_url in [twilio])"
    if _treatment(answer) is ADDRESS_WAITS:
        return f"{sentence} (check TWILIO_ACCOUNT_SID, and base_url in [twilio])"
    return sentence


def _clean(text: str) -> str:
    """One line of bounded length without control characters: it goes into logs and into the status."""
    start = text[:_LONGEST_MESSAGE]
    line = " ".join("".join(c if c.isprintable() else " " for c in start).split())
    return line if start == text else line + "…"


# Waiting

MAXIMUM_RETRY_AFTER_SECONDS: Final = 3600.0
"""A longer `Retry-After` counts as an hour: one try an hour does no harm, and a broken header parks
nothing."""

SENDER_QUEUE_FACTOR: Final = 30
"""How much longer a full queue waits: a US number sends a segment a second, so that many places are free."""

_ENOUGH_DOUBLINGS: Final = 1000  # 2.0**1024 overflows, and every maximum is reached long before


def backoff_ceiling(*, count: int, initial: float, maximum: float) -> float:
    """Seconds before attempt `count` + 1 at the latest: `initial`, doubled each time, at most `maximum`."""
    doublings = min(max(count - 1, 0), _ENOUGH_DOUBLINGS)
    return min(initial * 2.0**doublings, maximum)


def backoff_seconds(*, count: int, initial: float, maximum: float, jitter: float) -> float:
    """The wait after failure number `count`: "full jitter", any share (`jitter`, 0 to 1) of the ceiling."""
    return jitter * backoff_ceiling(count=count, initial=initial, maximum=maximum)


def deferral_seconds(
    deferred: Deferred, *, count: int, initial: float, maximum: float, jitter: float
) -> float:
    """The wait after deferral number `count`: what Twilio asked for, or else a backoff of our own."""
    if deferred.retry_after is not None and deferred.retry_after > 0:
        # Never earlier than asked, and not all at the same instant.
        return min(deferred.retry_after, MAXIMUM_RETRY_AFTER_SECONDS) + jitter * initial
    if deferred.scope is DeferralScope.SENDER:
        ceiling = backoff_ceiling(count=count, initial=initial, maximum=maximum)
        # Half of it is certain: a share near nothing would not let the queue drain.
        return SENDER_QUEUE_FACTOR * ceiling * (1 + jitter) / 2
    return backoff_seconds(count=count, initial=initial, maximum=maximum, jitter=jitter)
