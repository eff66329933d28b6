"""Asks Twilio about a login and the default sender number; creates nothing there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications import bootstrap
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.checks.finding import Finding
from twilio_notifications.core.model import Answered, NotSent, Unanswered, Unreadable

if TYPE_CHECKING:
    from twilio_notifications.config import Settings
    from twilio_notifications.core.model import Answer, Login

_OK = 200
_UNAUTHORIZED = frozenset({401, 403})
_NOT_FOUND = 404
_TEST_CREDENTIALS = 20_008


async def twilio(settings: Settings, login: Login, *, whose: str) -> tuple[Finding, list[str]]:
    """Twilio's answer to the login, and remarks where the default sender number may not be usable."""
    async with bootstrap.twilio_sender(settings, clock=SystemClock()) as sender:
        answer = await sender.verify(login)
        works, sentence = _said(answer, settings, whose=whose)
        number = settings.parameters.default_sender_number
        if not (works and number and isinstance(answer, Answered) and answer.http_status == _OK):
            return Finding(subject="twilio", works=works, sentence=sentence), []
        owned = await sender.owns(number, login)
    if owned is True:
        sentence += f", and {number} is one of the account's numbers"
        return Finding(subject="twilio", works=works, sentence=sentence), []
    remark = (
        f"whether the account owns DefaultFromPhoneNumber {number} cannot be seen: {owned.detail}"
        if isinstance(owned, Unreadable)
        else f"DefaultFromPhoneNumber {number} is none of the account's numbers: Twilio refuses it (21606, "
        "21210) unless it is a number that is hosted, verified as a caller ID, or a short code"
    )
    return Finding(subject="twilio", works=works, sentence=sentence), [remark]


def _said(answer: Answer, settings: Settings, *, whose: str) -> tuple[bool, str]:
    where = settings.twilio.base_url
    match answer:
        case Answered(http_status=status) if status == _OK:
            return True, f"{where} accepts the {whose}"
        case Answered(code=code) if code == _TEST_CREDENTIALS:
            return True, f"{where} knows the {whose} as test credentials: nothing that they send arrives"
        case Answered(http_status=status) if status in _UNAUTHORIZED:
            return False, f"{where} refuses the {whose}: check TWILIO_ACCOUNT_SID and the auth token"
        case Answered(http_status=status, message=message):
            remedy = ". Check base_url in [twilio], and TWILIO_ACCOUNT_SID" if status == _NOT_FOUND else ""
            return False, f"{where} answered HTTP {status}: {message or 'is this Twilio?'}{remedy}"
        case NotSent(detail=detail) | Unanswered(detail=detail):
            return False, f"{where} cannot be reached: {detail}"
