"""Keeps a session with the broker: connects, falls back to MQTT 3.1.1, and reconnects with growing pauses.

It waits for an absent broker without a time limit; the log has one line for each change, not one for each
attempt. It hands messages over at once; the intake decides when to acknowledge them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt.availability import Availability
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
from twilio_notifications.adapters.mqtt.responses import Responses
from twilio_notifications.adapters.mqtt.telling import LASTING_SECONDS, Telling
from twilio_notifications.adapters.mqtt.wish_topics import WishTopics
from twilio_notifications.core.errors import BrokerRefused, NotAcknowledged, TransportError
from twilio_notifications.core.waits import backoff_ceiling

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.config import MqttSettings
    from twilio_notifications.ports import Clock, Envelope, Events, Inbound, Origin

STEADY_SECONDS = 10.0
"""After a connection that lasted this long, the next pause is the shortest again. Two connectors with the
same client_id, each ending the other's connection, stay below this time and so slow down."""


class MqttTransport:
    """The transport over MQTT, with one client identifier."""

    def __init__(  # noqa: PLR0913 - two of the arguments are callbacks
        self,
        settings: MqttSettings,
        *,
        topics: Sequence[str],
        wish_topics: Sequence[str] = (),
        clock: Clock,
        events: Events,
        jitter: Callable[[], float],
        probe_topic: str | None = None,
        on_new_session: Callable[[], asyncio.Future[None] | None] = nothing_follows,
    ) -> None:
        """`topics` are those of requests, and a connection needs them.

        `wish_topics` are those of cancellations and acknowledgements: where the broker refuses them, requests
        are carried out all the same.

        `probe_topic` is the topic of the probe that each connection sends; None: no probes.

        `on_new_session` is called when the broker has no session of ours, so that the packets of the last
        session will not come again. Before any message can arrive, the session waits for the future that
        it returns, for a limited time.
        """
        self._settings = settings
        self._topics = topics
        self._probe_topic = probe_topic if settings.broker_probe_seconds else None
        self._clock = clock
        self._events = events
        self._jitter = jitter
        self._on_new_session = on_new_session
        self._versions = versions(settings.protocol, shared=bool(settings.shared_group))
        self._session: Session | None = None
        self._telling = Telling(events, settings.address)
        self._availability = Availability(topic=settings.availability, telling=self._telling)
        own = (*topics, *wish_topics, settings.topics.status, settings.availability, probe_topic)
        self._responses = Responses(
            self._telling,
            allowed=settings.response_topics,
            own=[topic for topic in own if topic is not None],
        )
        wish_filters = [settings.subscribed(topic) for topic in wish_topics]
        self._wish_topics = WishTopics(wish_filters, self._telling, client_id=settings.client_id)
        self._publishes_without_acknowledgement = False
        self._is_deaf = False

    async def run(
        self,
        *,
        on_inbound: Callable[[Inbound], None],
        on_ready: Callable[[], None],
        on_connection_ended: Callable[[], None] = nothing_follows,
    ) -> None:
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
            on_connection_ended()
            failures += 1
            await self._clock.sleep(self._pause(failures))

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        origin: Origin | None = None,  # noqa: ARG002 - a broker has one side
        envelope: Envelope | None = None,
    ) -> asyncio.Future[None]:
        """A future that is done with the broker's acknowledgement.

        It fails with NotAcknowledged when the broker refuses, or there is no connection. The response that
        the envelope asks for leaves before it.
        """
        if self._session is not None:
            if envelope is not None:
                self._responses.publish(self._session, envelope, payload)
            return self._session.publish(topic, payload)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(NotAcknowledged("there is no connection to the broker"))
        return future

    async def close(self) -> None:
        """Closes the connection; the broker keeps the session and the messages that arrive for it."""
        if self._session is not None:
            session, self._session = self._session, None
            self._availability.go(session)
            await session.close()

    async def _stay(self, session: Session, on_ready: Callable[[], None]) -> None:
        self._session = session
        self._telling.connected(session.version)
        for sentence in shortfalls(session):
            self._telling.short(sentence)
        if self._publishes_without_acknowledgement:
            session.publish_without_acknowledgement()
        self._availability.come(session)
        stands = await self._wish_topics.subscribe(session)
        watching = asyncio.ensure_future(self._watch(session))  # the probe leaves before the first status
        await asyncio.sleep(0)
        if stands:
            on_ready()
        try:
            reason = await asyncio.shield(session.ended)
        finally:
            watching.cancel()
        if self._session is session:  # otherwise `close` has ended it
            self._session = None
            self._telling.lost(reason)
            self._learn_from(session)
        self._availability.go(session)  # a DISCONNECT takes the will away
        await session.close()

    async def _watch(self, session: Session) -> None:
        """Sends a probe, and waits to see whether the connection lasts."""
        if self._probe_topic is not None:
            await self._probe(session, self._probe_topic)
        if self._telling.is_unsteady:
            await self._clock.sleep(LASTING_SECONDS)
            self._telling.lasted(session.version)

    async def _probe(self, session: Session, topic: str) -> None:
        """Tells when the broker grants subscriptions but delivers nothing, as its access list may cause."""
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
        """Notes what the end of a session means for the next one."""
        if refuses_acknowledgements(session):
            self._publishes_without_acknowledgement = True
            self._telling.short(NO_ACKNOWLEDGEMENTS)
        if self._probe_topic is not None and session.is_probing:
            # AWS IoT Core and some versions of Mosquitto end the connection because of a forbidden topic.
            self._telling.probe_refused(
                f"the connection ended while the connector's message to itself on {self._probe_topic} was "
                "under way, so the connector sends no more of them, and cannot know whether requests arrive: "
                f"{self._advice(self._probe_topic)}, or set [transport] broker_probe_seconds to 0"
            )
            self._probe_topic = None

    async def _connect(self, on_inbound: Callable[[Inbound], None]) -> Session:
        client = connector_client(
            self._settings,
            on_inbound=on_inbound,
            on_new_session=self._on_new_session,
            events=self._events,
            envelope=self._responses.envelope,
        )
        topics = [self._settings.subscribed(topic) for topic in self._topics]
        session = await open_session(self._settings, client, topics=topics, wanted=self._versions)
        # The broker answered this version, so it comes first next time. A replaced broker may need the
        # others.
        others = (version for version in self._versions if version is not session.version)
        self._versions = (session.version, *others)
        return session

    def _pause(self, failures: int) -> float:
        """Seconds until the next attempt: they double up to the maximum.

        Half of them is random, so that the connectors of a fleet do not connect at the same instant.
        """
        settings = self._settings
        initial, maximum = settings.reconnect_initial_seconds, settings.reconnect_maximum_seconds
        ceiling = backoff_ceiling(count=failures, initial=initial, maximum=maximum)
        return ceiling * (0.5 + 0.5 * self._jitter())

    def _advice(self, probe_topic: str) -> str:
        return (
            f"in the broker's access list, let {self._settings.client_id} read {', '.join(self._topics)} and "
            f"{probe_topic}, and write {probe_topic}"
        )
