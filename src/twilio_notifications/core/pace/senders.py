"""Which senders are paced, and what a request takes of its sender's rate."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.model import Channel, Text
from twilio_notifications.core.segments import count_segments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.model import Notification
    from twilio_notifications.core.pace.rates import Rate

_TOLL_FREE: Final = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")
_LONGEST_SHORT_CODE: Final = 6
_NATIONAL_DIGITS: Final = 10
"""Of a telephone number of the United States or Canada without the country code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderRates:
    """The rates of one sender: texts in segments, calls in calls."""

    texts: Rate
    calls: Rate


NO_PACES: Final[Mapping[str, SenderRates]] = MappingProxyType({})
"""Rates by sender number or SID of a Messaging Service. None are paced: a wrong rate is worse than none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedSender:
    """What has a rate of its own: a number's texts and its calls do not slow each other."""

    number: str
    """A telephone number, or the SID of a Messaging Service."""
    channel: Channel


def sender_of(notification: Notification) -> PacedSender:
    """What the request leaves from, whether or not it is paced.

    A request with a number and a Messaging Service leaves from the number, so the number's rate counts.
    """
    return PacedSender(number=notification.sender_number, channel=notification.channel)


def rate_of(sender: PacedSender, paces: Mapping[str, SenderRates]) -> Rate:
    """The rate of a sender that is paced."""
    rates = paces[sender.number]
    return rates.texts if sender.channel is Channel.SMS else rates.calls


def amount(notification: Notification) -> int:
    """What the request takes of the rate: the segments of a text, 1 for a call and for pictures alone."""
    match notification.content:
        case Text(body=body, media_urls=()):
            return count_segments(body)
        case _:
            return 1


def usual_segments_per_second(sender_number: str) -> int:
    """What Twilio usually allows such a number.

    A US or Canadian long code has 1, also where it is written without its country code, a toll-free number 3,
    a short code 100, a number of another country 10; registered US numbers may have more.
    """
    if len(sender_number) <= _LONGEST_SHORT_CODE and not sender_number.startswith("+"):
        return 100
    if len(sender_number) == _NATIONAL_DIGITS and not sender_number.startswith("+"):
        sender_number = f"+1{sender_number}"
    if sender_number.startswith(_TOLL_FREE):
        return 3
    return 1 if sender_number.startswith("+1") else 10
