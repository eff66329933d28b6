"""Decides which messages are copies that come from the subscriptions of an earlier client.

A broker keeps the subscriptions of a session. An earlier program with our client identifier may have left
`twilio/#` there, and a broker of MQTT 5 then delivers a request once for each matching subscription
(MQTT 5, 3.3.4). Our own subscriptions have an identifier, and so has each message that they bring.
Pure: this module acknowledges nothing.
"""

from __future__ import annotations

from itertools import combinations, islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.adapters.mqtt.protocol import Publish

OURS = 175_201_913
"""The identifier of our subscriptions: a number that other programs are unlikely to choose."""


class Neighbours:
    """Suspects copies where messages have no identifiers, as with MQTT 3.1.1: equal messages in one read.

    A client may send the same message twice, so a suspicion drops no message.
    """

    def __init__(self) -> None:
        self._last: tuple[str, bytes, float] | None = None

    def is_suspect(self, message: Publish, *, read_at: float) -> bool:
        """Whether the message equals the one before it, and both came in one read (at `read_at`)."""
        last, self._last = self._last, (message.topic, message.payload, read_at)
        return last == self._last and not message.redelivered


class Copies:
    """Judges the messages of one connection, in their order.

    A message without our identifier is not always a copy: the session may have kept it from a time when our
    subscriptions had no identifier, as with MQTT 3.1.1. The messages of one topic come in the order of their
    publication (MQTT 5, 4.6). So after a message with our identifier, the broker got every further message of
    its topic after our subscription, and one without our identifier is a copy. Before that, a message is a
    copy only if the message before it was the same.
    """

    def __init__(self) -> None:
        self._proven: set[str] = set()
        self._executed: tuple[str, bytes] | None = None
        """The topic and payload of the last message without our identifier that was no copy."""

    def is_copy(self, message: Publish) -> bool:
        """Whether the same message has come, or will come, through one of our subscriptions."""
        if message.identifiers is None or message.redelivered:
            # Mosquitto 2.0 leaves the identifier out when it delivers a message again. The journal recognises
            # such a repetition; a message that the journal does not hold must not be lost here.
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
"""The most filters that are tried: more than match a topic of four levels. The likelier filters come
first."""

FILTERS_AT_ONCE: Final = 8
"""The most filters that AWS IoT Core takes in one packet."""

_LONGEST_TOPIC: Final = 1024
"""Characters. For a longer topic, the packets could be larger than the broker takes."""


def filters_with_wildcards(topic: str) -> Iterator[tuple[str, ...]]:
    """The filters for `topic` to which an earlier client may be subscribed, in groups for one packet each."""
    if len(topic) <= _LONGEST_TOPIC:
        filters = islice(_filters(topic.split("/")), MOST_FILTERS)
        while some := tuple(islice(filters, FILTERS_AT_ONCE)):
            yield some


def _filters(levels: list[str]) -> Iterator[str]:
    """All filters with a wildcard that match the levels, each once, those with fewer wildcards first."""
    for count in range(len(levels) + 1):
        for places in combinations(range(len(levels)), count):
            written = ["+" if at in places else level for at, level in enumerate(levels)]
            if count:
                yield "/".join(written)
            for depth in range(max(places, default=-1) + 1, len(levels) + 1):
                yield "/".join((*written[:depth], "#"))
