"""[[pace]]: how fast single senders may send. The settings are values of the core."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from twilio_notifications.config.keys import Key, Section
from twilio_notifications.config.kinds import Number, Tables, Written
from twilio_notifications.core.pace import FASTEST, SLOWEST, Rate, SenderRates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.config.keys import Values

_SENDER: Final = re.compile(r"\+?[0-9]{3,15}|MG[0-9a-fA-F]{32}")
_USUAL: Final = 1
_RATE = Number(minimum=SLOWEST, maximum=FASTEST)

PACE_KEYS: Mapping[str, Key] = {
    "sender": Key(
        kind=Written(
            description='a sender number, as in "+14255550123", or the SID of a Messaging Service',
            read=lambda text: text if _SENDER.fullmatch(text) else None,
        ),
        text="""The sender number as requests and DefaultFromPhoneNumber have it, or the SID of a Messaging
        Service. Required.""",
        example="+15005550006",
        is_required=True,
    ),
    "segments_per_second": Key(
        kind=_RATE,
        text="""How many segments of texts a second. Twilio allows a long code of the United States or
        Canada 1, a toll-free number 3, most other numbers 10, a short code 100, and a Messaging Service what
        its numbers have together. A registered number may have more.""",
        default=_USUAL,
    ),
    "calls_per_second": Key(
        kind=_RATE, text="How many calls a second. Twilio allows 1 unless you ask for more.", default=_USUAL
    ),
}


def _read_sender(values: Values) -> tuple[str, SenderRates]:
    texts, calls = (
        Rate.per_second(_USUAL if values[name] is None else values[name])
        for name in ("segments_per_second", "calls_per_second")
    )
    return values["sender"], SenderRates(texts=texts, calls=calls)


PACE = Section(
    name="pace",
    text="""How fast a sender may send: a [[pace]] for each one, none by default. Twilio itself queues what it
    gets faster than a number may send, and a text in its queue can no longer be overtaken, expire or be
    cancelled. A sender without [[pace]] is not slowed: a wrong rate is worse than none.""",
    keys=PACE_KEYS,
    whole=Key(
        kind=Tables(noun="sender", keys=PACE_KEYS, read=_read_sender),
        text="All senders that are paced.",
        default=[],
    ),
)


def paces(values: Values) -> dict[str, SenderRates]:
    """The rates by sender number or SID of a Messaging Service."""
    return dict(values["pace"])
