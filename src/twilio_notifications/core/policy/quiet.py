"""The rule that people are left alone in quiet hours (contract, section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Priority
from twilio_notifications.core.policy.verdicts import Decline, Defer
from twilio_notifications.core.quiet_hours import InQuietHours, quiet_at
from twilio_notifications.core.wording import instant

if TYPE_CHECKING:
    from twilio_notifications.core.policy.situation import Situation
    from twilio_notifications.core.steps import Claimed


def quiet_hours(request: Claimed, situation: Situation) -> Defer | Decline | None:
    """Normal and low requests wait for the end of the window; urgent ones and steps of a chain pass.

    A request that would expire before the end is declined at once: it could only be answered later.
    """
    hours = situation.quiet_hours
    if request.is_step or request.notification.priority is Priority.URGENT:
        return None
    quiet = quiet_at(hours.of(request.notification.recipient.phone_number), situation.now)
    if quiet is None:
        return None
    until = instant(quiet.until)
    if hours.then is InQuietHours.REFUSE:
        sentence = f"Quiet hours ({quiet.window}) until {until}: only urgent requests are sent"
        return Decline(reason=Reason.NOT_ALLOWED, message=sentence)
    if request.expires_at <= quiet.until:
        sentence = (
            f"Quiet hours ({quiet.window}) until {until}: the request would expire before, at "
            f"{instant(request.expires_at)}"
        )
        return Decline(reason=Reason.EXPIRED, message=sentence)
    sentence = f"quiet hours ({quiet.window}): the request waits until {until}"
    return Defer(until=quiet.until, reason=WaitReason.QUIET_HOURS, message=sentence, about=str(quiet.window))
