"""What the configuration says about following deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.delivery.follow_ups import FollowUp
from twilio_notifications.core.delivery.following import Following, next_look
from twilio_notifications.core.delivery.states import accepted, is_final
from twilio_notifications.core.model import Channel
from twilio_notifications.core.steps import Follow

if TYPE_CHECKING:
    from twilio_notifications.core.model import Accepted, Notification

_FIRST_WORDS = {Channel.SMS: "accepted", Channel.CALL: "queued"}


def first_word(channel: Channel) -> str:
    """Twilio's word of the lowest rank: after it, every other word is a change."""
    return _FIRST_WORDS[channel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """How deliveries are followed, and which statuses tell of it. Durations are seconds."""

    following: Following = Following.OFF
    initial: float = 5.0
    """The first pause of polling."""
    give_up_after: float = 129_600.0
    """The age of a delivery at which following ends without a last word."""
    follow_up: FollowUp = FollowUp.NONE

    def begin(self, notification: Notification, taken: Accepted, *, at: float) -> Follow | None:
        """What is followed of a request that Twilio accepted at `at`; None: nothing."""
        look = next_look(
            accepted_at=at,
            now=at,
            initial=self.initial,
            give_up_after=self.give_up_after,
            following=self.following,
        )
        if look is None or not taken.sid:
            return None
        word = taken.message_status
        if is_final(accepted(notification.channel, state=word, at=at)):
            # Twilio's records had its last word already. Another look tells of its end.
            word, look = first_word(notification.channel), at
        sender, phone = taken.sender_number, taken.phone_number
        return Follow(
            word=word,
            look_at=look,
            sender_number=None if sender == notification.sender else sender,
            phone_number=None if phone == notification.recipient.phone_number else phone,
        )
