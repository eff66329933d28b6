"""What the end of a delivery means: it arrived, or why it did not, in words with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core.delivery.results import CallResult, result
from twilio_notifications.core.delivery.states import is_final
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Channel
from twilio_notifications.core.twilio_codes import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.delivery.states import Delivery


class Certainty(StrEnum):
    """How well it is known that a notification arrived."""

    CERTAIN = "certain"
    """The carrier, the recipient's telephone or a person confirmed it."""
    PROBABLE = "probable"
    """Sent, and no receipt came; or a call was completed, and nothing says who answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEnd:
    """The end of a delivery: `certainty` of a success, or `reason` with `message`, a sentence for people."""

    certainty: Certainty | None = None
    reason: Reason | None = None
    message: str = ""


NO_RECEIPT: Final = "no-receipt"
"""The result of a delivery whose following ended without a last word."""


def result_word(delivery: Delivery) -> str | None:
    """In one word what became of it: Twilio's last word for a text, the result of a call, or NO_RECEIPT.

    None while it goes on.
    """
    if ending(delivery) is None:
        return None
    if not is_final(delivery):
        return NO_RECEIPT
    return delivery.state if delivery.channel is Channel.SMS else result(delivery)


_CANCELLED: Final = DeliveryEnd(
    reason=Reason.CANCELLED, message="Twilio cancelled it by order of this connector"
)

_NOT_REACHED: Final[Mapping[CallResult, str]] = MappingProxyType(
    {
        CallResult.MACHINE: "A machine answered the call. Call again later, or try another person.",
        CallResult.BUSY: "The line was busy. Call again in some minutes, or send a text.",
        CallResult.NO_ANSWER: "The call was not answered. Call again later, or try another person.",
        CallResult.FAILED: "The call could not be connected. Check the number, or send a text.",
        CallResult.CANCELED: "The call was cancelled at Twilio, and not by this connector. "
        "Look in the Twilio Console who cancelled it.",
        CallResult.VOICE_DOCUMENT_FAILED: "The voice document could not be played.",
    }
)

_UNDELIVERED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "undelivered": "Twilio reports that the text did not arrive and gives no code. "
        "Send it again, or choose another way.",
        "failed": "Twilio could not send the text and gives no code. Send it again, or choose another way.",
        "canceled": "The text was cancelled at Twilio, and not by this connector. "
        "Look in the Twilio Console who cancelled it.",
        "partially_delivered": "Only a part of the text arrived. Send a shorter one, or choose another way.",
    }
)

_CERTAIN: Final = DeliveryEnd(certainty=Certainty.CERTAIN)
_PROBABLE: Final = DeliveryEnd(certainty=Certainty.PROBABLE)


def ending(delivery: Delivery) -> DeliveryEnd | None:
    """How the delivery ended; None while it goes on, or while the result of a call is not known."""
    if not is_final(delivery):
        return None if delivery.given_up_at is None else _without_a_last_word(delivery)
    if delivery.state == "canceled" and delivery.cancelled_by_us:
        return _CANCELLED
    match delivery.channel:
        case Channel.SMS:
            return _of_a_text(delivery)
        case Channel.CALL:
            return _of_a_call(delivery)
        case _:
            assert_never(delivery.channel)


def _of_a_text(delivery: Delivery) -> DeliveryEnd:
    if delivery.state not in _UNDELIVERED:
        return _CERTAIN
    message = _UNDELIVERED[delivery.state] if delivery.code is None else sentence(delivery.code)
    return DeliveryEnd(reason=Reason.UNDELIVERED, message=message)


def _of_a_call(delivery: Delivery) -> DeliveryEnd | None:
    match result(delivery):
        case None:
            return None
        case CallResult.PERSON:
            return _CERTAIN
        case CallResult.UNKNOWN:
            return _PROBABLE
        case CallResult.VOICE_DOCUMENT_FAILED | CallResult.FAILED as missed:
            code = delivery.document_code or delivery.code
            message = _NOT_REACHED[missed] if code is None else sentence(code)
            return DeliveryEnd(reason=Reason.NOT_REACHED, message=message)
        case missed:
            return DeliveryEnd(reason=Reason.NOT_REACHED, message=_NOT_REACHED[missed])


def _without_a_last_word(delivery: Delivery) -> DeliveryEnd:
    # "sent" may be the last word that a carrier ever gives. Anything earlier may not have left Twilio.
    if delivery.channel is Channel.SMS and delivery.state == "sent":
        return _PROBABLE
    return DeliveryEnd(
        reason=Reason.OUTCOME_UNKNOWN,
        message=f"Twilio's last word is {delivery.state}, and the connector stopped asking. "
        "Look it up in the Twilio Console.",
    )
