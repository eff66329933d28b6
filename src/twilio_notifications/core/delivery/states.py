"""The states of texts and calls at Twilio, with their ranks, and what each sighting changes.

Twilio's callbacks come in any order, twice, or not at all, and those of texts have no sequence number. So a
state has a rank, and only a higher rank changes it. Twilio's words are kept as they are; a word that the
table does not know has no rank and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.model import Channel
from twilio_notifications.core.twilio_codes import about_a_voice_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RANKS: Final[Mapping[Channel, Mapping[str, int]]] = MappingProxyType(
    {
        Channel.SMS: MappingProxyType(
            {
                "accepted": 0,
                "queued": 1,
                "scheduled": 1,
                "receiving": 1,
                "sending": 2,
                "sent": 3,
                "delivered": 4,
                "undelivered": 4,
                "failed": 4,
                "canceled": 4,
                "partially_delivered": 4,
                "read": 5,
            }
        ),
        Channel.CALL: MappingProxyType(
            {
                "queued": 0,
                "initiated": 1,
                "ringing": 2,
                "in-progress": 3,
                "completed": 4,
                "busy": 4,
                "no-answer": 4,
                "failed": 4,
                "canceled": 4,
            }
        ),
    }
)

_FINAL: Final = 4
_UNKNOWN: Final = -1
_READ: Final = "read"
_ARRIVED: Final = frozenset({"delivered", "partially_delivered", _READ})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What one poll or one callback says. `at` is an instant, by our clock."""

    state: str
    at: float
    code: int | None = None
    answered_by: str | None = None
    """What machine detection says of a call; None: nothing."""
    key_pressed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What is known of one text or call at Twilio. `code` is None where Twilio has named none."""

    channel: Channel
    state: str
    changed_at: float
    code: int | None = None
    answered_by: str | None = None
    key_pressed: bool = False
    document_code: int | None = None
    """The error of the voice document in Twilio's notifications of the call; None: no such error is known."""
    notification_looks: int = 0
    """How often Twilio's notifications of the call were read since its end."""
    given_up_at: float | None = None
    """When following ended without a final state; None: it did not."""
    cancelled_by_us: bool = False
    """Whether the connector itself ordered Twilio to cancel."""


def accepted(channel: Channel, *, state: str, at: float) -> Delivery:
    """The delivery of what Twilio accepted with the word `state`."""
    return Delivery(channel=channel, state=state, changed_at=at)


def is_final(delivery: Delivery) -> bool:
    """Whether Twilio's word is a last one. The result of a call may still be open."""
    return _rank(delivery.channel, delivery.state) >= _FINAL


def advance(delivery: Delivery, sighting: Sighting) -> Delivery:
    """The delivery after `sighting`; the same value where the sighting says nothing new.

    What was learned once stays: a later sighting without a code, a key or a detection does not erase it.
    """
    if contradicts(delivery, sighting):
        return delivery
    known = _with_details(delivery, sighting)
    if _rank(delivery.channel, sighting.state) <= _rank(delivery.channel, delivery.state):
        return known
    code = delivery.code if sighting.code is None else sighting.code
    return replace(known, state=sighting.state, changed_at=sighting.at, code=code)


def contradicts(delivery: Delivery, sighting: Sighting) -> bool:
    """Whether the sighting has another last word than the delivery: the first one stays.

    "read" is no contradiction to "delivered", and one to "undelivered".
    """
    if not is_final(delivery) or _rank(delivery.channel, sighting.state) < _FINAL:
        return False
    words = {delivery.state, sighting.state}
    return len(words) > 1 and not (_READ in words and words <= _ARRIVED)


def notifications_read(delivery: Delivery, codes: Iterable[int]) -> Delivery:
    """The delivery of a call after a look at Twilio's notifications of it, which name `codes`."""
    found = next((code for code in codes if about_a_voice_document(code)), None)
    return replace(
        delivery,
        document_code=found if delivery.document_code is None else delivery.document_code,
        notification_looks=delivery.notification_looks + 1,
    )


def given_up(delivery: Delivery, *, at: float) -> Delivery:
    """The delivery whose following ends at `at` without a last word."""
    return replace(delivery, given_up_at=at)


def _rank(channel: Channel, state: str) -> int:
    return RANKS[channel].get(state, _UNKNOWN)


def _with_details(delivery: Delivery, sighting: Sighting) -> Delivery:
    code = sighting.code if delivery.code is None else delivery.code
    answered_by = delivery.answered_by or sighting.answered_by
    key_pressed = delivery.key_pressed or sighting.key_pressed
    if (code, answered_by, key_pressed) == (delivery.code, delivery.answered_by, delivery.key_pressed):
        return delivery
    return replace(delivery, code=code, answered_by=answered_by, key_pressed=key_pressed)
