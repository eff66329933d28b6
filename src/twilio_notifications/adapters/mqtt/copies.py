"""Which of the messages that arrive are copies, made by subscriptions that an earlier client left behind.

A broker keeps the subscriptions of a session. An earlier program under our client identifier may have left
`twilio/#` there, and then a broker of MQTT 5 delivers each request once for each of them (MQTT 5, 3.3.4).
Our own subscriptions carry an identifier, and so does each message that they bring.
Pure: decides, and acknowledges nothing.
"""

from __future__ import annotations

from itertools import combinations, islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.adapters.mqtt.protocol import Publish

OURS = 175_201_913
"""The identifier of our subscriptions: one that no other program is likely to choose."""


class Neighbours:
    """Suspects copies where there are no identifiers, as with MQTT 3.1.1: equal messages of one read.

    A client may also send the same twice, so nothing is passed over for it.
    """

    def __init__(self) -> None:
        self._last: tuple[str, bytes, float] | None = None

    def is_suspect(self, message: Publish, *, read_at: float) -> bool:
        """Whether it equals the message before it, and both came with one read."""
        last, self._last = self._last, (message.topic, message.payload, read_at)
        return last == self._last and not message.redelivered


class Copies:
    """Judges the messages of one connection, in their order.

    A message without our identifier is no copy for certain: the session may have kept it from a time when
    nothing carried one, as with MQTT 3.1.1. Messages of one topic come in the order in which they were
    published (MQTT 5, 4.6), so on a topic where a message with our identifier has come, all that follow were
    published after our subscription, and one without it is a copy. Before that only its neighbour can tell.
    """

    def __init__(self) -> None:
        self._proven: set[str] = set()
        self._executed: tuple[str, bytes] | None = None
        """The last message before any proof that was no copy."""

    def is_copy(self, message: Publish) -> bool:
        """Whether the same message has come, or will come, by a subscription of ours."""
        if message.identifiers is None or message.redelivered:
            # Mosquitto 2.0 delivers again without the identifier that it sent before. The journal tells
            # whether it holds what is delivered again; what it does not hold must not be lost here.
            return False
        topic, is_ours = message.topic, OURS in message.identifiers
        if topic in self._proven:
            return not is_ours
        if is_ours:
            self._proven.add(topic)
            return self._executed == (topic, message.payload)
        self._executed = (topic, message.payload)
        return False


MOST_FILTERS: Final = 64
"""More than match a topic of four levels; the likelier ones come first."""

FILTERS_AT_ONCE: Final = 8
"""AWS IoT Core takes no more in one packet."""

_LONGEST_TOPIC: Final = 1024
"""Characters; a longer topic would need packets that a broker may not take."""


def filters_with_wildcards(topic: str) -> Iterator[tuple[str, ...]]:
    """What an earlier client may have subscribed to, so that it matches `topic`, in packets of a few."""
    if len(topic) <= _LONGEST_TOPIC:
        filters = islice(_filters(topic.split("/")), MOST_FILTERS)
        while some := tuple(islice(filters, FILTERS_AT_ONCE)):
            yield some


def _filters(levels: list[str]) -> Iterator[str]:
    """Those with few wildcards first, each of them once."""
    for count in range(len(levels) + 1):
        for places in combinations(range(len(levels)), count):
            written = ["+" if at in places else level for at, level in enumerate(levels)]
            if count:
                yield "/".join(written)
            for depth in range(max(places, default=-1) + 1, len(levels) + 1):
                yield "/".join((*written[:depth], "#"))
