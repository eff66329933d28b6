"""Which follow-up status a change of a delivery calls for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from twilio_notifications.core import contract
from twilio_notifications.core.delivery.endings import ending
from twilio_notifications.core.delivery.states import is_final
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from twilio_notifications.core.delivery.states import Delivery


class FollowUp(StrEnum):
    """Which statuses follow the first one."""

    NONE = "none"
    FINAL = "final"
    """One more, when the delivery is over."""
    ALL = "all"
    """One for each change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The numbers and the name in a follow-up: those of the first status, or Twilio's newer ones."""

    sender_number: str
    phone_number: str
    name: str


def follow_up(
    before: Delivery, after: Delivery, *, mode: FollowUp, who: Who
) -> contract.Success | contract.LateFailure | None:
    """The content of the status that the change from `before` to `after` calls for; None: no status.

    A call that is completed waits for its result, so its last word is published once, with its meaning.
    """
    if mode is FollowUp.NONE:
        return None
    end = ending(after)
    is_over = end is not None and ending(before) is None
    if is_over and end is not None and end.reason is not None:
        return contract.LateFailure(reason=end.reason, message=end.message, delivery=_success(after, who))
    if mode is FollowUp.FINAL or (after.channel is Channel.CALL and is_final(after)):
        return _success(after, who) if is_over else None
    failed = end is not None and end.reason is not None
    # Where following ends with "sent", that word has been published when it came.
    return _success(after, who) if after.state != before.state and not failed else None


def _success(delivery: Delivery, who: Who) -> contract.Success:
    return contract.Success(
        message_status=delivery.state,
        sender_number=who.sender_number,
        phone_number=who.phone_number,
        name=who.name,
    )
