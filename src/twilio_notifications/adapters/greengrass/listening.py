"""Keeps the subscriptions over one connection open, and tests them with probes.

A subscription can end while its connection stays. It can also stay open but bring no more messages, as
with nucleus lite after a restart of its daemon for local messages (its issue 1172 is of that kind). Only a
probe that does not come back shows that.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.greengrass.connection import ConnectionOver
from twilio_notifications.core.errors import NucleusRefused, TransportError
from twilio_notifications.ports import Origin
from twilio_notifications.ports.events import (
    MessageUnreadable,
    ProbeRefused,
    SubscriptionClosed,
    SubscriptionRefused,
    WishTopicsRefused,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence

    from twilio_notifications.adapters.greengrass.configuration import ConfigurationWatch
    from twilio_notifications.adapters.greengrass.inflow import Inflow
    from twilio_notifications.adapters.greengrass.messages import Message
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus, Stream
    from twilio_notifications.ports import Clock, Events

SLOWER_BY_IOT_CORE = 10
"""How many times longer the period of probes is at AWS IoT Core, which charges for messages, and whose
connection has a keep-alive of its own."""


_WITHOUT: Final = (
    "Until then no client can cancel a request or acknowledge an escalation there; requests are carried out "
    "all the same"
)

STEADY_SECONDS = 10.0
"""After a subscription that lasted this long, the next one comes without a pause: messages in a pause are
lost."""


@dataclass(slots=True, kw_only=True)
class Listening:
    """The subscriptions over one connection of `nucleus`.

    After the nucleus has answered for all topics, Listening calls `on_ready` with each answer, if at least
    one topic of requests is granted: a refused side must not delay the other one.
    """

    nucleus: Nucleus
    sides: Sequence[Origin]
    topics: Sequence[str]
    wish_topics: Collection[str] = ()
    """Those of `topics` without which the connector works all the same: of cancellations and
    acknowledgements, which an access control from before them does not name."""
    probe_topic: str
    probe_seconds: float
    clock: Clock
    events: Events
    pause: Callable[[int], float]
    inflow: Inflow
    on_ready: Callable[[], None]
    configuration: ConfigurationWatch | None
    """None: Listening does not watch the configuration."""
    on_silence: Callable[[Origin], None]
    """Called when a probe has not come back."""
    on_delivery: Callable[[Origin], None]
    """Called when a probe has come back, and every subscription that had to be renewed is granted."""
    on_deaf: Callable[[Origin, str], Awaitable[None]]
    """Called when no probe has come back, not even over a new subscription."""
    _unanswered: set[tuple[Origin, str]] = field(init=False)
    _is_any_granted: bool = field(init=False, default=False)
    _open: dict[tuple[Origin, str], _OpenSubscription] = field(init=False, default_factory=dict)
    _subscriptions: int = field(init=False, default=0)
    """The number of subscriptions that were granted so far; the last one has this number."""
    _probe_answered: dict[Origin, asyncio.Event] = field(init=False)
    """Set when the nucleus has granted or refused the subscription to the probes of a side."""
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
        """The coroutines that must run as long as the connection stands."""
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
        """Subscribes after the subscription to probes, so that a returning probe proves this one too."""
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
            # One line for each kind of error over this connection: otherwise a sender could fill the log.
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
                self._open[side, topic] = _OpenSubscription(
                    stream=stream, closed=closed, number=self._subscriptions
                )

        return self._keep(topic, subscribe, on_answer=partial(self._note_answer, side, topic))

    async def _watch(self, configuration: ConfigurationWatch, closed: _End) -> None:
        """Has the nucleus report later changes; a look finds the earlier ones."""
        stream = await self.nucleus.watch_configuration(
            on_update=configuration.on_change, on_closed=closed.set
        )
        self._watched = (stream, closed)
        await configuration.look()

    async def _compare(self, configuration: ConfigurationWatch) -> None:
        """Looks on a period.

        After a change that the nucleus has not reported, it replaces the stream of reports.
        """
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
        """Keeps a subscription: subscribes again when it ends.

        The topic "" means the component's configuration.
        """
        tries, told = 0, ""
        while True:
            closed = _End()
            try:
                await subscribe(closed)
            except TransportError as error:
                if str(error) != told and not isinstance(error, ConnectionOver):
                    told = str(error)
                    self.events.tell(
                        WishTopicsRefused(error=f"{told}. {_WITHOUT}")
                        if topic in self.wish_topics
                        else SubscriptionRefused(error=told)
                    )
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

    def _note_answer(self, side: Origin, topic: str, *, granted: bool) -> None:
        if topic == self.probe_topic:
            self._probe_answered[side].set()
            return
        self._unanswered.discard((side, topic))
        self._is_any_granted |= granted and topic not in self.wish_topics
        if self._is_any_granted and not self._unanswered:
            self._granted.set()
            self.on_ready()

    def _renew(self, side: Origin, topics: Sequence[str]) -> None:
        """Ends these subscriptions of one side, so that `_keep` makes new ones.

        The other side must lose nothing.
        """
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
                # Without a network, nothing comes from AWS IoT Core either. A new connection would not help
                # then, and would lose the local requests that are sent meanwhile.
                if side is Origin.LOCAL or self._deaf_sides >= set(self.sides):
                    await self.on_deaf(side, f"the nucleus delivers no more messages ({side})")
            await self.clock.sleep(period)

    async def _delivers_anew(self, side: Origin) -> bool | None:
        """Like `_delivers`, over a new subscription to probes.

        If that does not help, the other subscriptions stay: without a network they could not be renewed,
        and the messages that AWS IoT Core keeps for the device come with the network, to the open
        subscriptions.
        """
        self.on_silence(side)
        self._renew(side, [self.probe_topic])
        await self._until_open(side, [self.probe_topic])
        return await self._delivers(side)

    async def _renew_unproved(self, side: Origin) -> None:
        """Renews the subscriptions that are older than that to probes: a probe proves only newer ones."""
        probe = self._open.get((side, self.probe_topic))
        topics = [topic for topic in self.topics if (side, topic) in self._open]
        unproved = [
            topic for topic in topics if probe is not None and self._open[side, topic].number < probe.number
        ]
        if unproved:
            self._renew(side, unproved)
            await self._until_open(side, unproved)

    async def _delivers(self, side: Origin) -> bool | None:
        """Whether a probe comes back; None where the nucleus refuses it, or there is no connection."""
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
            return None  # the transport notices that without a probe
        except (TransportError, TimeoutError):
            return False
        finally:
            del self._awaited[payload]
        return True

    def _came_back(self, message: Message) -> None:
        if message.payload in self._awaited:
            self._awaited[message.payload].set()

    async def _until_open(self, side: Origin, topics: Sequence[str]) -> None:
        """Waits for the new subscriptions, at most `answer_seconds`."""
        deadline = self.clock.now() + self.nucleus.answer_seconds
        wanted = {(side, topic) for topic in topics}
        while not wanted <= self._open.keys() and self.clock.now() < deadline:
            await self.clock.sleep(self.pause(1))


class _End(asyncio.Event):
    """Set when a subscription has ended."""

    is_ours: bool = False
    """We have ended it in order to make a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OpenSubscription:
    """A granted subscription; `number` counts the subscriptions over one connection."""

    stream: Stream
    closed: _End
    number: int


def _end(stream: Stream, closed: _End) -> None:
    closed.is_ours = True
    stream.close()
    closed.set()


def _unheard(**_: object) -> None:
    """Does nothing with an answer for which no caller waits."""
