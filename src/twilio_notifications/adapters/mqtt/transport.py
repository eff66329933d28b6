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
from twilio_notifications.adapters.mqtt.protocol import Version
from twilio_notifications.core.errors import NotAcknowledged, TransportError
from twilio_notifications.core.retry import backoff_ceiling
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.config import TransportSettings
    from twilio_notifications.ports import Clock, Inbound, Observer, Origin

STEADY_SECONDS = 10.0
"""A connection that lasted this long was a good one: the next pause is the shortest again. Two connectors
with one client_id, each throwing out the other, stay below it and slow down."""


class MqttTransport:
    """The transport over MQTT, for one client identifier."""

    def __init__(  # noqa: PLR0913 - two of them are who is told of what
        self,
        settings: TransportSettings,
        *,
        topics: Sequence[str],
        clock: Clock,
        observer: Observer,
        jitter: Callable[[], float],
        on_new_session: Callable[[], asyncio.Future[None] | None] = nothing_follows,
        on_connection_ended: Callable[[], None] = nothing_follows,
    ) -> None:
        """`on_new_session`: the broker has no session of ours; the packets of the last one are over.

        What it returns is waited for, within a bound, before anything can arrive.
        `on_connection_ended` is called between two connections: nothing of the last one arrives after it,
        and nothing of the next one before it.
        """
        self._settings = settings
        self._topics = topics
        self._clock = clock
        self._observer = observer
        self._jitter = jitter
        self._on_new_session = on_new_session
        self._on_connection_ended = on_connection_ended
        self._versions = versions(settings.protocol)
        self._session: Session | None = None
        self._last_told = ""

    async def run(self, *, on_inbound: Callable[[Inbound], None], on_ready: Callable[[], None]) -> None:
        """Stays connected until cancelled."""
        failures = 0
        while True:
            started = self._clock.now()
            try:
                session = await self._connect(on_inbound)
            except (OSError, TransportError) as error:
                self._tell("broker_unreachable", error=describe(error, self._settings))
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
        self._tell("broker_connected", protocol=_NAMES[session.version])
        on_ready()
        reason = await asyncio.shield(session.ended)
        if self._session is session:  # otherwise we closed it ourselves
            self._session = None
            self._tell("broker_lost", error=reason)
        await session.close()

    async def _connect(self, on_inbound: Callable[[Inbound], None]) -> Session:
        client = connector_client(
            self._settings,
            on_inbound=on_inbound,
            on_new_session=self._on_new_session,
            observer=self._observer,
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

    def _tell(self, event: str, **fields: object) -> None:
        told = f"{event} {fields}"
        if told != self._last_told:
            level = Level.INFO if event == "broker_connected" else Level.WARNING
            self._observer.event(event, level=level, broker=self._settings.address, **fields)
        self._last_told = told


_NAMES = {Version.V5: "MQTT 5", Version.V311: "MQTT 3.1.1"}
