"""Whom a call reached: Twilio's "completed" says only that something answered."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.delivery.following import LAST_NOTIFICATION_LOOK
from twilio_notifications.core.delivery.states import is_final
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from twilio_notifications.core.delivery.states import Delivery


class CallResult(StrEnum):
    """Whom or what a call reached."""

    PERSON = "person"
    """A key was pressed, or machine detection says that a human answered."""
    MACHINE = "machine"
    UNKNOWN = "unknown"
    """Completed, and nothing says more."""
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"
    VOICE_DOCUMENT_FAILED = "voice-document-failed"
    """The telephone rang, and what was to be heard could not be fetched or read."""


_COMPLETED: Final = "completed"

_MACHINES: Final = ("machine", "fax")
"""Beginnings of Twilio's words for machines: a call resource has "machine", a callback finer ones."""


def result(delivery: Delivery) -> CallResult | None:
    """The result of a call; None while it is not known, and always for a text."""
    if delivery.channel is not Channel.CALL or not is_final(delivery):
        return None
    if delivery.state != _COMPLETED:
        return CallResult(delivery.state)
    if delivery.key_pressed:
        return CallResult.PERSON
    if delivery.document_code is not None:
        return CallResult.VOICE_DOCUMENT_FAILED
    answered_by = delivery.answered_by or ""
    if answered_by.startswith("human"):
        return CallResult.PERSON
    if answered_by.startswith(_MACHINES):
        return CallResult.MACHINE
    looked_enough = delivery.notification_looks >= LAST_NOTIFICATION_LOOK or delivery.given_up_at is not None
    return CallResult.UNKNOWN if looked_enough else None
