"""The subscriptions over one connection: each is kept open by itself, and probed by messages to ourselves.

A subscription can end while its connection stays, and it can stay open while nothing comes any more, as with
nucleus lite when its daemon for local messages is restarted (its issue 1172 is of that kind).
Only a message that does not come back tells.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.connection import ConnectionOver
from twilio_notifications.core.errors import NucleusRefused, TransportError
from twilio_notifications.ports import Origin
from twilio_notifications.ports.events import (
    MessageUnreadable,
    ProbeRefused,
    SubscriptionClosed,
    SubscriptionRefused,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence

    from twilio_notifications.adapters.greengrass.configuration import ConfigurationWatch
    from twilio_notifications.adapters.greengrass.inflow import Inflow
    from twilio_notifications.adapters.greengrass.messages import Message
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus, Stream
    from twilio_notifications.ports import Clock, Events

SLOWER_BY_IOT_CORE = 10
"""AWS charges for messages by IoT Core, and that connection has a keep-alive of its own."""


STEADY_SECONDS = 10.0
"""A subscription that lasted this long is made again without a pause: what is sent in a pause is lost."""


@dataclass(slots=True, kw_only=True)
class Listening:
    """Over one connection of `nucleus`.

    `on_ready` is called at each topic that is granted once the nucleus has answered for all of them: a side
    that it refuses is no reason for the other one to wait.
    """

    nucleus: Nucleus
    sides: Sequence[Origin]
    topics: Sequence[str]
    probe_topic: str
    probe_seconds: float
    clock: Clock
    events: Events
    pause: Callable[[int], float]
    inflow: Inflow
    on_ready: Callable[[], None]
    configuration: ConfigurationWatch | None
    """None: the configuration is not watched here."""
    on_silence: Callable[[Origin], None]
    """A message to ourselves has not come back."""
    on_delivery: Callable[[Origin], None]
    """One has, and all subscriptions that were made again for its sake are granted."""
    on_deaf: Callable[[Origin, str], Awaitable[None]]
    """None has, not even over a new subscription."""
    _unanswered: set[tuple[Origin, str]] = field(init=False)
    _is_any_granted: bool = field(init=False, default=False)
    _open: dict[tuple[Origin, str], _Open] = field(init=False, default_factory=dict)
    _subscriptions: int = field(init=False, default=0)
    """How many were granted so far: the number of the last one."""
    _probe_answered: dict[Origin, asyncio.Event] = field(init=False)
    """Whether the nucleus has granted or refused the subscription to our own messages."""
    _watched: tuple[Stream, _End] | None = field(init=False, default=None)
    _granted: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _probes: int = field(init=False, default=0)
    _refused_probes: set[str] = field(init=False, default_factory=set)
    _deaf_sides: set[Origin] = field(init=False, default_factory=set)
    _awaited: dict[bytes, asyncio.Event] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._probe_answered = {side: asyncio.Event() for side in self.sides}
        self._unanswered = {(side, topic) for side in self.sides for topic in self.topics}

    def stages(self) -> Iterator[Coroutine[None, None, None]]:
        """All that has to run as long as the connection stands."""
        for side, topic in sorted(self._unanswered):
            yield self._keep_request_topic(side, topic)
        if self.configuration is not None:
            yield self._keep("", partial(self._watch, self.configuration), on_answer=_unheard)
            yield self._compare(self.configuration)
        if self.probe_seconds:
            for side in self.sides:
                yield self._keep_topic(side, self.probe_topic, on_message=self._came_back)
                yield self._probe(side)

    # Subscriptions.

    async def _keep_request_topic(self, side: Origin, topic: str) -> None:
        """After the probe's, so that a probe which comes back has proved this subscription too."""
        if self.probe_seconds:
            await self._probe_answered[side].wait()

        def received(message: Message) -> None:
            self.inflow.receive(topic, message, origin=side)

        await self._keep_topic(side, topic, on_message=received)

    def _keep_topic(
        self, side: Origin, topic: str, *, on_message: Callable[[Message], None]
    ) -> Coroutine[None, None, None]:
        told: set[str] = set()

        def unreadable(error: str) -> None:
            # Once over this connection: a line for each would let a sender fill the log.
            if error not in told:
                told.add(error)
                self.events.tell(MessageUnreadable(topic=topic, error=error))

        async def subscribe(closed: _End) -> None:
            def gone() -> None:
                closed.set()
                found = self._open.get((side, topic))
                if found is not None and found.closed is closed:
                    del self._open[side, topic]

            stream = await self.nucleus.subscribe(
                side, topic, on_message=on_message, on_unreadable=unreadable, on_closed=gone
            )
            if not closed.is_set():
                self._subscriptions += 1
                self._open[side, topic] = _Open(stream=stream, closed=closed, number=self._subscriptions)

        return self._keep(topic, subscribe, on_answer=partial(self._answered, side, topic))

    async def _watch(self, configuration: ConfigurationWatch, closed: _End) -> None:
        """From now on the nucleus tells of changes; those before are found by a look."""
        stream = await self.nucleus.watch_configuration(
            on_update=configuration.on_change, on_closed=closed.set
        )
        self._watched = (stream, closed)
        await configuration.look()

    async def _compare(self, configuration: ConfigurationWatch) -> None:
        """A change of which the nucleus has not told: its stream may be dead, so there is a new one."""
        while True:
            await self.clock.sleep(configuration.every_seconds)
            if await configuration.look() and self._watched is not None:
                _end(*self._watched)

    async def _keep(
        self,
        topic: str,
        subscribe: Callable[[_End], Awaitable[None]],
        *,
        on_answer: Callable[..., None],
    ) -> None:
        """Subscribes, and again whenever that ends; without a topic it is the component's configuration."""
        tries, told = 0, ""
        while True:
            closed = _End()
            try:
                await subscribe(closed)
            except TransportError as error:
                if str(error) != told and not isinstance(error, ConnectionOver):
                    told = str(error)
                    self.events.tell(SubscriptionRefused(error=told))
                    on_answer(granted=False)
            else:
                told, began = "", self.clock.now()
                on_answer(granted=True)
                await closed.wait()
                if self.nucleus.is_connected and not closed.is_ours:
                    self.events.tell(SubscriptionClosed(topic=topic))
                if self.clock.now() - began >= STEADY_SECONDS:
                    tries = 0
                    continue
            tries += 1
            await self.clock.sleep(self.pause(tries))

    def _answered(self, side: Origin, topic: str, *, granted: bool) -> None:
        if topic == self.probe_topic:
            self._probe_answered[side].set()
            return
        self._unanswered.discard((side, topic))
        self._is_any_granted |= granted
        if self._is_any_granted and not self._unanswered:
            self._granted.set()
            self.on_ready()

    def _renew(self, side: Origin, topics: Sequence[str]) -> None:
        """Only of this side: what is sent to the other one meanwhile would be lost."""
        for topic in topics:
            if (found := self._open.pop((side, topic), None)) is not None:
                _end(found.stream, found.closed)

    # Probes.

    async def _probe(self, side: Origin) -> None:
        period = self.probe_seconds * (SLOWER_BY_IOT_CORE if side is Origin.IOT_CORE else 1)
        await self._granted.wait()
        while True:
            delivers = await self._delivers(side)
            if delivers is False:
                delivers = await self._delivers_anew(side)
            if delivers is not False:
                self._deaf_sides.discard(side)
                if delivers:
                    await self._renew_unproved(side)
                    self.on_delivery(side)
            else:
                self._deaf_sides.add(side)
                if self._is_the_nucleus_to_blame(side):
                    await self.on_deaf(side, f"the nucleus delivers nothing any more ({side})")
            await self.clock.sleep(period)

    async def _delivers_anew(self, side: Origin) -> bool | None:
        """As `_delivers`, by a new subscription to our own messages.

        Where that does not help, the others stay: without a network none could be had, and what AWS IoT Core
        has kept for the device comes with the network, to who is subscribed then.
        """
        self.on_silence(side)
        self._renew(side, [self.probe_topic])
        await self._until_open(side, [self.probe_topic])
        return await self._delivers(side)

    async def _renew_unproved(self, side: Origin) -> None:
        """A probe proves what was subscribed to after it. Of an older one, the nucleus may have forgotten."""
        probe = self._open.get((side, self.probe_topic))
        topics = [topic for topic in self.topics if (side, topic) in self._open]
        unproved = [
            topic for topic in topics if probe is not None and self._open[side, topic].number < probe.number
        ]
        if unproved:
            self._renew(side, unproved)
            await self._until_open(side, unproved)

    def _is_the_nucleus_to_blame(self, side: Origin) -> bool:
        """From AWS IoT Core nothing comes either where the device has no network.

        A new connection would not help then, and would cost the local requests that are sent meanwhile.
        """
        return side is Origin.LOCAL or self._deaf_sides >= set(self.sides)

    async def _delivers(self, side: Origin) -> bool | None:
        """Whether a message to ourselves comes back; None where the nucleus does not let us try."""
        if (side, self.probe_topic) not in self._open:
            return None
        self._probes += 1
        payload = f"{self.clock.now()} {self._probes}".encode()
        back = self._awaited[payload] = asyncio.Event()
        try:
            await self.nucleus.publish(side, self.probe_topic, payload)
            async with asyncio.timeout(self.nucleus.answer_seconds):
                await back.wait()
        except NucleusRefused as error:
            if str(error) not in self._refused_probes:
                self._refused_probes.add(str(error))
                self.events.tell(ProbeRefused(error=str(error)))
            return None
        except ConnectionOver:
            return None  # which is noticed without a probe
        except (TransportError, TimeoutError):
            return False
        finally:
            del self._awaited[payload]
        return True

    def _came_back(self, message: Message) -> None:
        if message.payload in self._awaited:
            self._awaited[message.payload].set()

    async def _until_open(self, side: Origin, topics: Sequence[str]) -> None:
        """Waits for the new subscriptions, as long as the nucleus may take to answer."""
        deadline = self.clock.now() + self.nucleus.answer_seconds
        wanted = {(side, topic) for topic in topics}
        while not wanted <= self._open.keys() and self.clock.now() < deadline:
            await self.clock.sleep(self.pause(1))


class _End(asyncio.Event):
    """Set when a subscription has ended."""

    is_ours: bool = False
    """We have ended it, for a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A subscription that was granted; those over one connection are numbered."""

    stream: Stream
    closed: _End
    number: int


def _end(stream: Stream, closed: _End) -> None:
    closed.is_ours = True
    stream.close()
    closed.set()


def _unheard(**_: object) -> None:
    """Takes the answer where no caller waits for it."""
