"""Keeps a session with the broker: connects, falls back to MQTT 3.1.1, connects again with growing pauses.

A broker that is absent or goes away is waited for as long as it takes; the log has one line for each change,
not one for each try. What arrives is handed over at once; acknowledging it is the receiver's decision.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt.inflow import nothing_follows
from twilio_notifications.adapters.mqtt.opening import (
    connector_client,
    describe,
    open_session,
    versions,
)
from twilio_notifications.adapters.mqtt.promises import (
    NO_ACKNOWLEDGEMENTS,
    refuses_acknowledgements,
    shortfalls,
)
from twilio_notifications.adapters.mqtt.telling import LASTING_SECONDS, Telling
from twilio_notifications.core.errors import BrokerRefused, NotAcknowledged, TransportError
from twilio_notifications.core.waits import backoff_ceiling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.config import MqttSettings
    from twilio_notifications.ports import Clock, Events, Inbound, Origin

STEADY_SECONDS = 10.0
"""A connection that lasted this long was a good one: the next pause is the shortest again. Two connectors
with one client_id, each throwing out the other, stay below it and slow down."""


class MqttTransport:
    """The transport over MQTT, for one client identifier."""

    def __init__(  # noqa: PLR0913 - two of them are listeners
        self,
        settings: MqttSettings,
        *,
        topics: Sequence[str],
        clock: Clock,
        events: Events,
        jitter: Callable[[], float],
        probe_topic: str | None = None,
        on_new_session: Callable[[], asyncio.Future[None] | None] = nothing_follows,
        on_connection_ended: Callable[[], None] = nothing_follows,
    ) -> None:
        """`probe_topic`: where a message to ourselves is sent over each connection; None sends none.

        `on_new_session`: the broker has no session of ours; the packets of the last one are over.

        What it returns is waited for, within a bound, before anything can arrive.
        `on_connection_ended` is called between two connections: nothing of the last one arrives after it,
        and nothing of the next one before it.
        """
        self._settings = settings
        self._topics = topics
        self._probe_topic = probe_topic if settings.broker_probe_seconds else None
        self._clock = clock
        self._events = events
        self._jitter = jitter
        self._on_new_session = on_new_session
        self._on_connection_ended = on_connection_ended
        self._versions = versions(settings.protocol)
        self._session: Session | None = None
        self._telling = Telling(events, settings.address)
        self._publishes_without_acknowledgement = False
        self._is_deaf = False

    async def run(self, *, on_inbound: Callable[[Inbound], None], on_ready: Callable[[], None]) -> None:
        """Stays connected until cancelled."""
        failures = 0
        while True:
            started = self._clock.now()
            try:
                session = await self._connect(on_inbound)
            except (OSError, TransportError) as error:
                self._telling.unreachable(describe(error, self._settings))
            else:
                await self._stay(session, on_ready)
                if self._clock.now() - started >= STEADY_SECONDS:
                    failures = 0
            self._on_connection_ended()
            failures += 1
            await self._clock.sleep(self._pause(failures))

    def publish(self, topic: str, payload: bytes, *, origin: Origin | None = None) -> asyncio.Future[None]:  # noqa: ARG002 - a broker has one side
        """Done with the broker's acknowledgement; fails with NotAcknowledged while there is no connection."""
        if self._session is not None:
            return self._session.publish(topic, payload)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(NotAcknowledged("there is no connection to the broker"))
        return future

    async def close(self) -> None:
        """Says goodbye; the broker keeps the session and what arrives for it."""
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def _stay(self, session: Session, on_ready: Callable[[], None]) -> None:
        self._session = session
        self._telling.connected(session.version)
        for sentence in shortfalls(session):
            self._telling.short(sentence)
        if self._publishes_without_acknowledgement:
            session.publish_without_acknowledgement()
        watching = asyncio.ensure_future(self._watch(session))  # its probe goes out before the first status
        await asyncio.sleep(0)
        on_ready()
        try:
            reason = await asyncio.shield(session.ended)
        finally:
            watching.cancel()
        if self._session is session:  # otherwise we closed it ourselves
            self._session = None
            self._telling.lost(reason)
            self._learn_from(session)
        await session.close()

    async def _watch(self, session: Session) -> None:
        """What is found out about a connection while it stands."""
        if self._probe_topic is not None:
            await self._probe(session, self._probe_topic)
        if self._telling.is_unsteady:
            await self._clock.sleep(LASTING_SECONDS)
            self._telling.lasted(session.version)

    async def _probe(self, session: Session, topic: str) -> None:
        """Says where the broker grants subscriptions and delivers nothing, as its access list may have it."""
        seconds = self._settings.broker_probe_seconds
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(session.probe(topic))
        except BrokerRefused as error:
            self._probe_topic = None
            self._telling.probe_refused(f"the connector's message to itself on {topic}: {error}")
        except TimeoutError:
            if not self._is_deaf:
                self._telling.deaf(
                    f"the connector's message to itself on {topic} did not come back within {seconds:g} s, "
                    f"so perhaps no request arrives either: {self._advice(topic)}"
                )
            self._is_deaf = True
        else:
            self._is_deaf = False

    def _learn_from(self, session: Session) -> None:
        """What the end of a session says about the next one."""
        if refuses_acknowledgements(session):
            self._publishes_without_acknowledgement = True
            self._telling.short(NO_ACKNOWLEDGEMENTS)
        if self._probe_topic is not None and session.is_probing:
            # AWS IoT Core and some versions of Mosquitto do so over a topic that they do not allow.
            self._telling.probe_refused(
                f"the connection ended while the connector's message to itself on {self._probe_topic} was "
                "under way, so it sends none any more, and whether requests arrive is not known: "
                f"{self._advice(self._probe_topic)}, or set [transport] broker_probe_seconds to 0"
            )
            self._probe_topic = None

    async def _connect(self, on_inbound: Callable[[Inbound], None]) -> Session:
        client = connector_client(
            self._settings,
            on_inbound=on_inbound,
            on_new_session=self._on_new_session,
            events=self._events,
        )
        session = await open_session(self._settings, client, topics=self._topics, wanted=self._versions)
        # It answered: do not ask in vain at each reconnection. The others stay, for the day it is replaced.
        others = (version for version in self._versions if version is not session.version)
        self._versions = (session.version, *others)
        return session

    def _pause(self, failures: int) -> float:
        """Doubling up to the maximum; half of it at random, so that a fleet does not knock at once."""
        settings = self._settings
        initial, maximum = settings.reconnect_initial_seconds, settings.reconnect_maximum_seconds
        ceiling = backoff_ceiling(count=failures, initial=initial, maximum=maximum)
        return ceiling * (0.5 + 0.5 * self._jitter())

    def _advice(self, probe_topic: str) -> str:
        return (
            f"in the broker's access list, let {self._settings.client_id} read {', '.join(self._topics)} and "
            f"{probe_topic}, and write {probe_topic}"
        )
