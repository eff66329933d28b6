"""Statuses for the response topics of clients (MQTT 5, 4.10), next to those on the status topic.

A response is published just before its status, over the same connection. A broker acknowledges in order
(MQTT 5, 4.6), so once the status is acknowledged, the broker has the response, and nothing is kept of it.
What a broker refuses to a client's topic never holds up the status.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import NotAcknowledged
from twilio_notifications.core.traceparent import read_traceparent
from twilio_notifications.ports import Envelope, Level

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from twilio_notifications.adapters.mqtt.protocol import RequestProperties
    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.adapters.mqtt.telling import Telling

LONGEST_TOPIC_BYTES: Final = 1024
LONGEST_CORRELATION_BYTES: Final = 1024
"""Each is kept with its request. MQTT allows 64 KiB, which no client needs to recognise its answer."""

MOST_ENDS: Final = 3
"""After so many connections in a row that ended while a response to one topic was unacknowledged, the topic
is left out: some brokers end the connection because of a topic that is not allowed."""

LEFT_OUT_SECONDS: Final = 600.0
"""How long a topic is left out that the broker refuses: Mosquitto 2.0.11 refuses, and then ends the
connection all the same. The broker's access list may be corrected meanwhile."""

MOST_TOPICS: Final = 1000
"""Topics that are remembered; clients choose them."""


class Responses:
    """Reads what clients ask for, and publishes it."""

    def __init__(self, telling: Telling, *, allowed: Sequence[str], own: Collection[str]) -> None:
        """`allowed` are filters of the topics that clients may name, `own` are the connector's own topics."""
        self._telling = telling
        self._allowed = [each.split("/") for each in allowed]
        self._own = frozenset(own)
        self._told: set[str] = set()
        """The sentences that have a WARNING; bounded."""
        self._ends: dict[str, int] = {}
        """By topic, the connections in a row that ended with a response under way; the oldest topic first."""
        self._left_out: dict[str, float] = {}
        """Until when a topic gets nothing, by the loop's clock; the oldest topic first."""

    def envelope(self, asked: RequestProperties) -> Envelope | None:
        """The properties that are kept with the request; None: none of them can be used."""
        topic, traceparent = asked.response_topic, asked.traceparent
        if topic is not None:
            wrong = self._problem(topic, asked.correlation)
            if wrong is not None:
                self._tell(topic, wrong)
                topic = None
        if traceparent is not None and read_traceparent(traceparent) is None:
            traceparent = None
        if topic is None and traceparent is None:
            return None
        correlation = None if topic is None else asked.correlation
        return Envelope(response_topic=topic, correlation=correlation, traceparent=traceparent)

    def publish(self, session: Session, envelope: Envelope, payload: bytes) -> None:
        """Publishes the status on the client's topic, if it named one that may have it."""
        topic = envelope.response_topic
        now = asyncio.get_running_loop().time()
        if topic is None or now < self._left_out.get(topic, now):
            return
        published = session.publish(topic, payload, correlation=envelope.correlation)
        published.add_done_callback(partial(self._hear, topic))

    def _hear(self, topic: str, published: asyncio.Future[None]) -> None:
        error = None if published.cancelled() else published.exception()
        if not isinstance(error, NotAcknowledged):
            self._ends.pop(topic, None)
        elif error.refused:
            self._leave_out(topic, str(error))
        else:
            self._note_end(topic)

    def _note_end(self, topic: str) -> None:
        self._ends[topic] = self._ends.pop(topic, 0) + 1
        _keep_newest(self._ends)
        if self._ends[topic] == MOST_ENDS:
            del self._ends[topic]
            self._leave_out(
                topic,
                f"{MOST_ENDS} connections in a row ended while a status for it was under way: allow it in the"
                " broker's access list",
            )

    def _leave_out(self, topic: str, error: str) -> None:
        self._left_out.pop(topic, None)
        self._left_out[topic] = asyncio.get_running_loop().time() + LEFT_OUT_SECONDS
        _keep_newest(self._left_out)
        self._tell(topic, f"{error} (no status is published there for {LEFT_OUT_SECONDS / 60:.0f} minutes)")

    def _problem(self, topic: str, correlation: bytes | None) -> str | None:
        """Why this topic gets no statuses; None: it may."""
        if topic == "" or set(topic) & set("+#\0\ufffd"):
            return "it is not the name of a topic"
        if topic.startswith("$") or topic in self._own:
            return "it belongs to the broker or to the connector"
        if len(topic.encode("utf-8", "surrogatepass")) > LONGEST_TOPIC_BYTES:
            return f"it has more than {LONGEST_TOPIC_BYTES} bytes"
        if correlation is not None and len(correlation) > LONGEST_CORRELATION_BYTES:
            return f"the correlation has more than {LONGEST_CORRELATION_BYTES} bytes"
        if not any(_matches(each, topic.split("/")) for each in self._allowed):
            return "[transport] response_topics does not allow it"
        return None

    def _tell(self, topic: str, error: str) -> None:
        """A WARNING for each reason, and DEBUG from then on: clients could fill the log with topics."""
        level = Level.DEBUG if error in self._told else Level.WARNING
        if len(self._told) < MOST_TOPICS:
            self._told.add(error)
        self._telling.response_refused(topic[:LONGEST_TOPIC_BYTES], error, level=level)


def _keep_newest(topics: dict[str, float] | dict[str, int]) -> None:
    """Clients choose the topics, so that there may be any number of them."""
    while len(topics) > MOST_TOPICS:
        del topics[next(iter(topics))]


def _matches(levels: Sequence[str], topic: Sequence[str]) -> bool:
    """Whether the filter with these levels matches the topic with those (MQTT 5, section 4.7.1)."""
    if levels[-1] == "#":
        above = levels[:-1]
        return len(topic) >= len(above) and _matches([*above, *topic[len(above) :]], topic)
    return len(levels) == len(topic) and all(
        wanted in {"+", level} for wanted, level in zip(levels, topic, strict=True)
    )
