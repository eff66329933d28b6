"""When to look at a delivery next. Instants are seconds since the epoch, durations are seconds.

The pauses grow with the age of the delivery. They depend on its age alone, so a restart changes nothing.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.delivery.states import is_final
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from twilio_notifications.core.delivery.states import Delivery


class Following(StrEnum):
    """How deliveries are followed."""

    POLL = "poll"
    CALLBACK = "callback"
    """Twilio calls; polling goes on behind it, because Twilio repeats a lost callback for 15 s at most."""
    OFF = "off"


_PAUSES: Final = (1, 3, 12, 60, 180, 720, 2880)
"""Pauses between two looks, in units of the first one; the last one repeats."""

_PAUSES_BEHIND_CALLBACKS: Final = _PAUSES[2:]

_HALF_A_UNIT: Final = 0.5
"""A look is never punctual, and a float is never exact: an age that is this near counts as reached."""

_NOTIFICATION_LOOKS: Final = (1, 12)
"""How long after the end of a call its notifications are read: Twilio does not say how late they come."""

LAST_NOTIFICATION_LOOK: Final = len(_NOTIFICATION_LOOKS)


def next_look(
    *, accepted_at: float, now: float, initial: float, give_up_after: float, following: Following
) -> float | None:
    """The instant of the next look at a delivery without a last word; None: following ends now.

    `initial` is the first pause of polling, `give_up_after` the age at which following ends.
    """
    if following is Following.OFF or now - accepted_at >= give_up_after:
        return None
    pauses = _PAUSES_BEHIND_CALLBACKS if following is Following.CALLBACK else _PAUSES
    age = (now - accepted_at) / initial
    reached = sum(due <= age + _HALF_A_UNIT for due in accumulate(pauses))
    pause = pauses[min(reached, len(pauses) - 1)]
    return min(now + pause * initial, accepted_at + give_up_after)


def next_notification_look(delivery: Delivery, *, initial: float) -> float | None:
    """When to read Twilio's notifications of a call; None where they are not needed, or not any more."""
    wanted = delivery.channel is Channel.CALL and is_final(delivery)
    if not wanted or delivery.notification_looks >= LAST_NOTIFICATION_LOOK:
        return None
    return delivery.changed_at + _NOTIFICATION_LOOKS[delivery.notification_looks] * initial
