"""Tells the events of the connection to the broker: one log line for each change, not one for each attempt.

A connection that is lost repeatedly for the same reason is one state with one line. Until a connection
lasts, the events of its changes have the level DEBUG; the metrics count them all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt.connection import CLOSED_BY_BROKER
from twilio_notifications.adapters.mqtt.protocol import Version
from twilio_notifications.ports import Level
from twilio_notifications.ports.events import (
    AvailabilityRefused,
    BrokerConnected,
    BrokerDeaf,
    BrokerGrantsLess,
    BrokerLost,
    BrokerUnreachable,
    BrokerUnsteady,
    ProbeRefused,
    ResponseRefused,
    WishTopicsRefused,
)

if TYPE_CHECKING:
    from twilio_notifications.ports import Events

LASTING_SECONDS = 600.0
"""A connection that lasts this long ends a series of short connections."""

_HUNG_UP = (
    ". If the network is sound, another client with the same client_id may take the session over, or the "
    "broker hangs up for a reason of its own: see the broker's log"
)
"""Some brokers end a connection without saying why."""

_NAMES = {Version.V5: "MQTT 5", Version.V311: "MQTT 3.1.1"}


class Telling:
    """Tells the events of one broker."""

    def __init__(self, events: Events, broker: str) -> None:
        self._events = events
        self._broker = broker
        self._unreachable: set[str] = set()
        """The reasons of failed attempts that have an event since the last connection."""
        self._lost = ""
        self._losses = 0
        """The number of connections in a row that did not last and were lost for the same reason."""
        self._shortfalls: set[str] = set()
        self._wishes = ""
        """Why the topics of cancellations and acknowledgements are refused; "": they are not."""

    @property
    def is_unsteady(self) -> bool:
        """Whether no connection has lasted since the last event `broker_unsteady`."""
        return self._losses > 1

    def connected(self, version: Version) -> None:
        self._unreachable.clear()
        level = Level.DEBUG if self.is_unsteady else Level.INFO
        self._events.tell(BrokerConnected(level=level, broker=self._broker, protocol=_NAMES[version]))

    def lasted(self, version: Version) -> None:
        """The connection has lasted for LASTING_SECONDS: the series of short ones is over."""
        was_unsteady, self._losses = self.is_unsteady, 0
        if was_unsteady:
            self.connected(version)

    def lost(self, error: str) -> None:
        self._losses = self._losses + 1 if error == self._lost else 1
        self._lost = error
        level = Level.DEBUG if self.is_unsteady else Level.WARNING
        self._events.tell(BrokerLost(level=level, broker=self._broker, error=error))
        if self._losses == 2:  # noqa: PLR2004 - the second loss for one reason makes a series
            advice = _HUNG_UP if error.startswith(CLOSED_BY_BROKER) else ""
            self._events.tell(BrokerUnsteady(broker=self._broker, error=f"{error}{advice}"))

    def unreachable(self, error: str) -> None:
        if error not in self._unreachable:
            self._unreachable.add(error)
            self._events.tell(BrokerUnreachable(broker=self._broker, error=error))

    def short(self, sentence: str) -> None:
        """The broker grants less than the connector promises; each sentence has one event."""
        if sentence not in self._shortfalls:
            self._shortfalls.add(sentence)
            self._events.tell(BrokerGrantsLess(broker=self._broker, error=sentence))

    def deaf(self, error: str) -> None:
        """A probe has not come back."""
        self._events.tell(BrokerDeaf(broker=self._broker, error=error))

    def probe_refused(self, error: str) -> None:
        """The broker refuses a probe."""
        self._events.tell(ProbeRefused(error=error))

    def availability_refused(self, error: str) -> None:
        """The availability cannot be kept at the broker; each sentence has one event."""
        if error not in self._shortfalls:
            self._shortfalls.add(error)
            self._events.tell(AvailabilityRefused(error=f"{error} ([transport] availability_topic)"))

    def response_refused(self, topic: str, error: str, *, level: Level = Level.WARNING) -> None:
        """A client's response topic gets nothing."""
        self._events.tell(ResponseRefused(level=level, topic=topic, error=error))

    def wishes_refused(self, error: str) -> None:
        """The broker refuses cancellations or acknowledgements; each sentence has one event."""
        if error != self._wishes:
            self._wishes = error
            self._events.tell(WishTopicsRefused(error=error))

    def wishes_granted(self) -> None:
        """The broker grants these topics, so the next refusal is an event again."""
        self._wishes = ""
