"""What an answer, or the lack of one, means for an attempt: its outcome, and a sentence for people.

The treatment of each code stands in `twilio_codes`; here it becomes an `Outcome`. Answers that do not come
from Twilio get rules of their own. Nothing here may turn doubt into failure or into another attempt: creating
a message is not idempotent, so what is not certain is `InDoubt`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

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
from twilio_notifications.core.twilio_codes import (
    ACCOUNT_WAITS,
    ADDRESS_WAITS,
    CREDENTIALS_WAIT,
    SETTLE,
    Refuse,
    Settle,
    Treatment,
    Wait,
    treatment_of,
)

if TYPE_CHECKING:
    from twilio_notifications.core.model import Notification

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

_SUCCESS, _REDIRECT = 2, 3

_LOOK_AT_THE_WAY: Final = "check base_url in [twilio], and any proxy on the way"

_CODES: Final = range(1, 1_000_000)
"""Twilio's have five digits. A number that no column would hold is not passed on."""

_LONGEST_MESSAGE: Final = 500  # characters of Twilio's text in a status: several times its longest sentence


def classify(answer: Answer, *, notification: Notification) -> Outcome:
    """What `answer` means for the attempt at `notification`. No answer raises, and none is left out."""
    match answer:
        case Answered() if answer.http_status // 100 == _SUCCESS:
            return _accepted(answer, notification)
        case Answered():
            return _not_accepted(answer)
        case NotSent():
            return Deferred(
                scope=DeferralScope.NETWORK,
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
        sender_number=answer.sender_number or notification.sender,
        phone_number=answer.phone_number or notification.recipient.phone_number,
    )


def _not_accepted(answer: Answered) -> Refused | Deferred | InDoubt:
    code = _code(answer)
    treatment = _treatment(answer)
    message = _sentence(answer, code)
    match treatment:
        case Refuse():
            return Refused(reason=treatment.reason, message=message, code=code)
        case Wait():
            return Deferred(
                scope=treatment.scope,
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
    """The treatment of an answer that is no success."""
    if answer.is_twilios:
        return treatment_of(http_status=answer.http_status, code=_code(answer))
    match answer.http_status:
        case 429:
            return ACCOUNT_WAITS  # whichever server counts, the request was not passed on
        case status if status in TURNED_AWAY or status // 100 == _REDIRECT:
            return ADDRESS_WAITS
        case _:
            return SETTLE


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
