"""Keeps the connector subscribed at a Greengrass V2 nucleus: on its local side, at AWS IoT Core, or both.

The SDK neither reconnects nor subscribes again. This module does both, with growing pauses and one line in
the log for each change. If the nucleus has forgotten this process, or delivers no more messages, the
process must end, so that the nucleus starts the component again. `endurance` says when it may end.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.endurance import LEAST_FAILURES
from twilio_notifications.adapters.greengrass.inflow import Inflow
from twilio_notifications.adapters.greengrass.iot_core import IotCorePublisher
from twilio_notifications.adapters.greengrass.listening import STEADY_SECONDS, Listening
from twilio_notifications.adapters.greengrass.outflow import Outflow
from twilio_notifications.config import PubSub
from twilio_notifications.core import wording
from twilio_notifications.core.contract import PROBE_TOPIC
from twilio_notifications.core.errors import NucleusLost, NucleusRefused, TransportError
from twilio_notifications.core.waits import backoff_ceiling
from twilio_notifications.ports import Envelope, Origin
from twilio_notifications.ports.events import (
    ComponentEndPostponed,
    NucleusDeaf,
    NucleusDeliversAgain,
    transports,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.adapters.greengrass.configuration import ConfigurationWatch
    from twilio_notifications.adapters.greengrass.endurance import Endurance
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.config import GreengrassSettings
    from twilio_notifications.ports import Clock, Event, Events, Inbound

SIDES: Mapping[PubSub, Sequence[Origin]] = {
    PubSub.LOCAL: (Origin.LOCAL,),
    PubSub.IOT_CORE: (Origin.IOT_CORE,),
    PubSub.BOTH: (Origin.LOCAL, Origin.IOT_CORE),
}


@dataclass(slots=True, kw_only=True)
class GreengrassTransport:
    """The transport over a nucleus. `configuration` None: it watches no configuration for changes."""

    settings: GreengrassSettings
    nucleus: Nucleus
    clock: Clock
    events: Events
    jitter: Callable[[], float]
    endurance: Endurance
    configuration: ConfigurationWatch | None = None
    topics: Sequence[str] = ()
    """The topics to subscribe to in place of those of requests; empty: those of requests."""
    _outflow: Outflow = field(init=False)
    _refusals: int = field(init=False, default=0)
    """The number of connections in a row that the nucleus has refused."""
    _silences: Counter[Origin] = field(init=False, default_factory=Counter)
    """The number of connections in a row that delivered no message, by side."""
    _deaf_sides: set[Origin] = field(init=False, default_factory=set)
    """The sides that the log calls deaf, and that have delivered no message since."""
    _postponed: set[Origin | None] = field(init=False, default_factory=set)
    """The reasons for an end that is not allowed yet: a deaf side, or None for a forgotten token."""
    _last_told: Event | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._outflow = Outflow(
            nucleus=self.nucleus,
            iot_core=IotCorePublisher(nucleus=self.nucleus, clock=self.clock, jitter=self.jitter),
            sides=SIDES[self.settings.pubsub],
            statuses_to=self.settings.statuses_to,
            events=self.events,
        )

    async def run(
        self,
        *,
        on_inbound: Callable[[Inbound], None],
        on_ready: Callable[[], None],
        on_connection_ended: Callable[[], None] = lambda: None,  # noqa: ARG002 - a nucleus repeats nothing
    ) -> None:
        """Stays subscribed until cancelled; raises NucleusLost where only a restart of the process helps."""
        inflow = Inflow(events=self.events, on_inbound=on_inbound)
        tries = 0
        while True:
            ended = await self._connect()
            if ended is not None:
                tries, began = 0, self.clock.now()
                await self._stay(ended, inflow, on_ready)
                if self.clock.now() - began >= STEADY_SECONDS:
                    continue
            tries += 1
            await self.clock.sleep(self._pause(tries))

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        origin: Origin | None = None,
        envelope: Envelope | None = None,  # noqa: ARG002 - a nucleus passes none on
    ) -> asyncio.Future[None]:
        """A future that is done when the nucleus has taken the status on every side where it belongs."""
        return self._outflow.publish(topic, payload, origin=origin)

    async def close(self) -> None:
        """Ends the connection. Local messages that clients publish afterwards are lost."""
        await self.nucleus.close()

    async def _connect(self) -> asyncio.Future[str] | None:
        """The end of the connection, which may be open since the secret was read.

        None where there is none.
        """
        if self.nucleus.is_connected:
            return self.nucleus.ended
        try:
            ended = await self.nucleus.connect()
        except NucleusRefused as error:
            self._tell(transports.NucleusRefused(error=str(error)))
            self._refusals += 1
            self._give_up_in_time(self._refusals, str(error), side=None)
        except TransportError as error:
            self._tell(transports.NucleusUnreachable(error=str(error)))
        else:
            self._refusals = 0
            self._postponed.discard(None)
            return ended
        return None

    async def _stay(self, ended: asyncio.Future[str], inflow: Inflow, on_ready: Callable[[], None]) -> None:
        """Returns when the connection has ended."""

        def ready() -> None:
            self._tell(transports.NucleusConnected(pubsub=self.settings.pubsub))
            on_ready()

        try:
            reason = await _listen(self._listening(inflow, ready), ended)
        except ExceptionGroup as group:
            lost, others = group.split(NucleusLost)
            if lost is None or others is not None:
                raise
            raise lost.exceptions[0] from None
        self._tell(transports.NucleusLost(error=reason))

    def _listening(self, inflow: Inflow, on_ready: Callable[[], None]) -> Listening:
        topics = self.settings.topics
        return Listening(
            nucleus=self.nucleus,
            sides=SIDES[self.settings.pubsub],
            topics=self.topics or topics.inbound,
            wish_topics=() if self.topics else topics.wishes,
            probe_topic=self.settings.topic_prefix + PROBE_TOPIC,
            probe_seconds=self.settings.probe_seconds,
            clock=self.clock,
            events=self.events,
            pause=self._pause,
            inflow=inflow,
            on_ready=on_ready,
            configuration=self.configuration,
            on_silence=self._note_silence,
            on_delivery=self._note_delivery,
            on_deaf=self._end_deaf_connection,
        )

    def _note_silence(self, side: Origin) -> None:
        self._deaf_sides.add(side)
        self.events.tell(NucleusDeaf(side=side))

    def _note_delivery(self, side: Origin) -> None:
        self._silences[side] = 0
        self._postponed.discard(side)
        if side in self._deaf_sides:
            self._deaf_sides.remove(side)
            self.events.tell(NucleusDeliversAgain(side=side))

    async def _end_deaf_connection(self, side: Origin, sentence: str) -> None:
        """Ends the connection, because a new one may help; after a few of them, only a restart helps."""
        self._silences[side] += 1
        self._give_up_in_time(self._silences[side], sentence, side=side)
        await self.nucleus.close()

    def _give_up_in_time(self, failures: int, sentence: str, *, side: Origin | None) -> None:
        """Raises NucleusLost after enough failures; where the process must not end yet, tells until when."""
        if self.endurance.is_over(now=self.clock.now(), failures=failures):
            raise NucleusLost(f"{sentence}. The component ends, so that the nucleus starts it again")
        if failures >= LEAST_FAILURES and side not in self._postponed:
            self._postponed.add(side)
            until = wording.instant(self.endurance.may_end_at)
            self.events.tell(ComponentEndPostponed(until=until, error=sentence))

    def _pause(self, tries: int) -> float:
        """Seconds until the next attempt: they double up to the maximum, and half of them is random."""
        settings = self.settings
        initial, maximum = settings.reconnect_initial_seconds, settings.reconnect_maximum_seconds
        ceiling = backoff_ceiling(count=tries, initial=initial, maximum=maximum)
        return ceiling * (0.5 + 0.5 * self.jitter())

    def _tell(self, event: Event) -> None:
        """Tells the event, unless it equals the last one."""
        if event != self._last_told:
            self.events.tell(event)
        self._last_told = event


async def _listen(listening: Listening, ended: asyncio.Future[str]) -> str:
    """Runs the stages of `listening` until the connection has ended; returns the reason of the end."""
    async with asyncio.TaskGroup() as group:
        stages = [
            group.create_task(stage, name="twilio_notifications.nucleus") for stage in listening.stages()
        ]
        reason = await asyncio.shield(ended)
        for stage in stages:
            stage.cancel()
    return reason
