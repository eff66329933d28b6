"""The ports for tests: a subscriber that remembers, a sender with a script, a transport by hand.

They implement the ports and nothing of our own code; what they were asked stands in plain lists.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.clock import HandClock
from tests.support.crash_points import CrashPoint
from tests.support.factories import a_notification, accepted
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.delivery import NoReceipt, Notices, ReceiptPage
from twilio_notifications.core.errors import NotAcknowledged, NucleusLost, SecretUnavailable
from twilio_notifications.core.model import (
    Answered,
    CameBack,
    Channel,
    InboundPage,
    Records,
    Secret,
    Unreadable,
)
from twilio_notifications.ports.events import Defect, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from twilio_notifications.adapters.sqlite import SqliteJournal
    from twilio_notifications.core.delivery import CallbackUrls, DeliveryReceipt
    from twilio_notifications.core.model import Answer, Login, Notification
    from twilio_notifications.ports import Envelope, Event, Inbound, Level, Origin


@dataclass(frozen=True, slots=True)
class Told:
    """The line of an event in the log."""

    name: str
    level: Level
    fields: dict[str, object]


class RecordingEvents:
    """Remembers the events; does at the next one of a name what a test wants."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self._wanted: dict[str, Callable[[], None]] = {}

    def tell(self, event: Event) -> None:
        self.told.append(event)
        self._wanted.pop(name_of(type(event)), nothing)()

    def on(self, name: str, wanted: Callable[[], None]) -> None:
        """Sets it when an event of this name happens the next time."""
        self._wanted[name] = wanted

    @property
    def lines(self) -> list[Told]:
        """The events with a line in the log, without defects."""
        return [
            Told(name_of(type(event)), event.level, dict(event.fields()))
            for event in self.told
            if event.level is not None and not isinstance(event, Defect)
        ]

    @property
    def defects(self) -> list[tuple[str, BaseException]]:
        return [(event.name, event.error) for event in self.told if isinstance(event, Defect)]

    @property
    def points(self) -> list[CrashPoint]:
        """The events at which a test may end the process, in the order in which they happened."""
        names = [name_of(type(event)) for event in self.told]
        return [CrashPoint(name) for name in names if name in set(CrashPoint)]

    def count(self, name: str) -> int:
        return sum(told.name == name for told in self.lines)

    def named(self, name: str) -> list[Told]:
        return [told for told in self.lines if told.name == name]


class AwaitedEvents(RecordingEvents):
    """Can be waited for: events come from the journal's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._arrived = threading.Condition()

    def tell(self, event: Event) -> None:
        with self._arrived:
            super().tell(event)
            self._arrived.notify_all()

    async def heard(self, name: str) -> None:
        def wait() -> bool:
            with self._arrived:
                return self._arrived.wait_for(lambda: self.count(name) > 0, WAIT_SECONDS)

        assert await asyncio.to_thread(wait), f"{name} did not come"


def nothing() -> None:
    """Is called where nothing is to be done."""


class WatchedJournal:
    """Passes every call on to a journal and knows which are under way: how a test waits for a thread."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self._under_way: set[asyncio.Future[Any]] = set()
        self._reports: set[asyncio.Future[Any]] = set()
        """They ride along with another transaction, so that waiting for them would take a second."""
        self.moves = 0
        """Calls that began and calls that ended."""
        self.calls: list[str] = []
        """The names of the calls that a caller waits for, in their order."""

    @property
    def is_shared(self) -> bool:
        return bool(self._journal.is_shared)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._journal, name)

        def watched(*arguments: Any, **named: Any) -> Any:
            answer = operation(*arguments, **named)
            if not inspect.isawaitable(answer):  # by_state, is_roomy, set_aside: from memory, at once
                return answer
            future: asyncio.Future[Any] = asyncio.ensure_future(answer)
            self.moves += 1
            self.calls.append(name)
            (self._reports if name == "report" else self._under_way).add(future)
            future.add_done_callback(self._ended)
            return future

        return watched

    def count(self, *names: str) -> int:
        """How many calls of these names there were."""
        return sum(name in names for name in self.calls)

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self.moves += 1
        self._under_way.discard(future)
        self._reports.discard(future)

    async def rest(self) -> None:
        """Returns when nothing is under way and every report is on disk."""
        while self._under_way or self._reports:
            if self._under_way:
                await asyncio.wait(set(self._under_way))
            else:
                await self._journal.flush()


@contextmanager
def stalled(journal: SqliteJournal) -> Iterator[None]:
    """Within it the journal commits nothing, as on a disk that is full or very slow."""
    gate, event_loop = threading.Event(), threading.get_ident()

    def stall(_connection: object) -> None:
        if threading.get_ident() == event_loop:
            raise RuntimeError("what fails here is done again by the writer's thread")
        gate.wait()

    journal._store.writer.submit(stall)
    try:
        yield
    finally:
        gate.set()


class LineClock(HandClock):
    """A hand-turned clock whose `settle` also waits for the journal's thread."""

    def __init__(self) -> None:
        super().__init__()
        self.journal: WatchedJournal | None = None
        self.naps = 0
        """How often anybody went to sleep."""

    async def sleep(self, seconds: float) -> None:
        self.naps += 1
        await super().sleep(seconds)

    async def settle(self) -> None:
        """Lets all coroutines run until nothing moves any more in the event loop and in the journal."""
        await super().settle()
        moves = -1
        while self.journal is not None and moves != self.journal.moves:
            moves = self.journal.moves
            await self.journal.rest()
            await super().settle()


@dataclass(frozen=True, slots=True)
class Sent:
    at: float
    notification: Notification
    login: Login | None = None


class ScriptedSender:
    """Answers each recipient from a queue of answers, and accepts once the queue is empty.

    With a login it is Twilio, without one it is a sender.
    """

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock
        self.sent: list[Sent] = []
        self.callback_urls: list[str | None] = []
        self.key_urls: list[str | None] = []
        self.seconds_left: list[float | None] = []
        """What was left of the lifetime of each attempt's request."""
        self.looks: list[tuple[Channel, str | None, Login | None]] = []
        """What was asked about deliveries: a SID, or the path of a page."""
        self.online = True
        self.clock_offset: float | None = None
        self.records: Records | Unreadable = Records(found=(), clock_offset=None)
        self.lookups: list[Sent] = []
        self.under_way = 0
        self.most_under_way = 0
        self.probes: list[float] = []
        self.verified: list[Sent] = []
        self.verdicts: deque[Answer] = deque([Answered(http_status=200)])
        self._answers: defaultdict[str, deque[Answer | Exception]] = defaultdict(deque)
        self._held: dict[str, asyncio.Event] = {}
        self.inbox: dict[Channel, list[CameBack] | Unreadable] = {Channel.SMS: [], Channel.CALL: []}
        self.inbox_looks: list[tuple[Channel, str | None, float]] = []
        self.inbox_page_size = 1000
        self.hung_up: list[str] = []
        self.logins: list[Login | None] = []
        """With which of them inbound lists were read, and calls ended."""

    def script(self, phone_number: str, *answers: Answer | Exception) -> None:
        """What the next attempts for this recipient are answered."""
        self._answers[phone_number].extend(answers)

    def hold(self, phone_number: str) -> None:
        """Attempts for this recipient wait until `release`."""
        self._held[phone_number] = asyncio.Event()

    def release(self, phone_number: str) -> None:
        self._held.pop(phone_number).set()

    async def send(
        self,
        notification: Notification,
        login: Login | None = None,
        *,
        seconds_left: float | None = None,
        callbacks: CallbackUrls | None = None,
    ) -> Answer:
        self.callback_urls.append(None if callbacks is None else callbacks.report)
        self.key_urls.append(None if callbacks is None else callbacks.key)
        self.seconds_left.append(seconds_left)
        self.sent.append(Sent(self.clock.now(), notification, login))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._answer(notification.recipient.phone_number)
        finally:
            self.under_way -= 1

    async def _answer(self, phone_number: str) -> Answer:
        if phone_number in self._held:
            await self._held[phone_number].wait()
        script = self._answers[phone_number]
        answer = script.popleft() if script else accepted(f"SM{len(self.sent):032x}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def verify(self, login: Login | None = None) -> Answer:
        """What the test scripted for the next checks of the login, in order; the last one stays."""
        self.verified.append(Sent(self.clock.now(), a_notification(), login))
        return self.verdicts.popleft() if len(self.verdicts) > 1 else self.verdicts[0]

    async def came_back(
        self, channel: Channel, *, to: str | None, path: str | None = None, login: Login | None = None
    ) -> InboundPage | Unreadable:
        self.logins.append(login)
        self.inbox_looks.append((channel, to, self.clock.now()))
        found = self.inbox[channel]
        if isinstance(found, Unreadable):
            return found
        begin = int(path or 0)
        newest_first = sorted(found, key=lambda one: one.created_at, reverse=True)[begin:]
        shown = newest_first[: self.inbox_page_size]
        oldest = min((one.created_at for one in shown), default=None)
        more = len(shown) < len(newest_first)
        return InboundPage(
            found=tuple(shown), oldest_at=oldest, next_path=str(begin + len(shown)) if more else None
        )

    async def hang_up(self, sid: str, login: Login | None = None) -> Answer:
        self.logins.append(login)
        self.hung_up.append(sid)
        return Answered(http_status=200, sid=sid, message_status="canceled")

    async def reachable(self) -> bool:
        self.probes.append(self.clock.now())
        return self.online

    async def look_up(
        self, notification: Notification, *, since: float, login: Login | None = None
    ) -> Records | Unreadable:
        self.lookups.append(Sent(since, notification, login))
        return self.records

    async def fetch(
        self, channel: Channel, sid: str, *, login: Login | None = None
    ) -> DeliveryReceipt | NoReceipt | Unreadable:
        """Nothing became of it: a test that is about that has a Twilio of its own."""
        self.looks.append((channel, sid, login))
        return NoReceipt()

    async def receipts(
        self, channel: Channel, path: str | None, *, login: Login | None = None
    ) -> ReceiptPage | Unreadable:
        self.looks.append((channel, path, login))
        return ReceiptPage(receipts=(), next_path=None)

    async def notices(self, sid: str, *, login: Login | None = None) -> Notices | Unreadable:
        self.looks.append((Channel.CALL, sid, login))
        return Notices(codes=())

    def ids(self) -> list[str]:
        """The ids of the requests in the order of their attempts."""
        return [sent.notification.request_id for sent in self.sent]

    def to(self, phone_number: str) -> list[Sent]:
        """The attempts for one recipient."""
        return [sent for sent in self.sent if sent.notification.recipient.phone_number == phone_number]

    def instants(self) -> list[float]:
        return [sent.at for sent in self.sent]


@dataclass(frozen=True, slots=True)
class Published:
    topic: str
    payload: bytes
    acknowledged: asyncio.Future[None]
    origin: Origin | None = None
    envelope: Envelope | None = None


@dataclass(slots=True)
class HandTransport:
    """A broker by hand: the test delivers, acknowledges, refuses and hangs up."""

    published: list[Published] = field(default_factory=list)
    connected: bool = True
    closed: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    """Set it, and the transport gives up for good."""
    loses_cancellations: int = 0
    """So many cancellations do not reach it, as if a library had lost them."""
    _on_inbound: Callable[[Inbound], None] | None = None
    _on_ready: Callable[[], None] | None = None

    async def run(
        self,
        *,
        on_inbound: Callable[[Inbound], None],
        on_ready: Callable[[], None],
        on_connection_ended: Callable[[], None] = lambda: None,  # noqa: ARG002 - it has one connection
    ) -> None:
        self._on_inbound, self._on_ready = on_inbound, on_ready
        if self.connected:
            on_ready()
        while not self.lost.is_set():
            try:
                await self.lost.wait()
            except asyncio.CancelledError:
                if not self.loses_cancellations:
                    raise
                self.loses_cancellations -= 1
        self.lose()
        raise NucleusLost("the nucleus must start this anew")

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        origin: Origin | None = None,
        envelope: Envelope | None = None,
    ) -> asyncio.Future[None]:
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.connected:
            self.published.append(Published(topic, payload, acknowledged, origin, envelope))
        else:
            acknowledged.set_exception(NotAcknowledged("there is no connection to the broker"))
        return acknowledged

    async def close(self) -> None:
        self.lose()
        self.closed = True

    def deliver(self, inbound: Inbound) -> None:
        assert self._on_inbound is not None
        self._on_inbound(inbound)

    def open(self) -> list[Published]:
        """What is published and not acknowledged yet."""
        return [publication for publication in self.published if not publication.acknowledged.done()]

    def acknowledge(self) -> None:
        """Acknowledges everything that is open."""
        for publication in self.open():
            publication.acknowledged.set_result(None)

    def refuse(self) -> None:
        """Says no to everything that is open; the connection stands."""
        for publication in self.open():
            publication.acknowledged.set_exception(NotAcknowledged("quota exceeded", refused=True))

    def refuse_larger(self, largest: int) -> None:
        """Says no to what is open and larger, and how much would have fitted."""
        for publication in self.open():
            if len(publication.payload) > largest:
                too_large = NotAcknowledged("too large", refused=True, largest=largest)
                publication.acknowledged.set_exception(too_large)

    def lose(self) -> None:
        """The connection ends."""
        self.connected = False
        for publication in self.open():
            publication.acknowledged.set_exception(NotAcknowledged("the connection ended"))

    def connect(self) -> None:
        """There is a connection again."""
        self.connected = True
        if self._on_ready is not None:
            self._on_ready()


class ScriptedSecret:
    """A secret that a test changes or takes away."""

    def __init__(self, value: str | None = "old") -> None:
        self.value: str | None = value
        self.trouble = SecretUnavailable("the file is gone; put it back")
        """What is raised where there is no value."""
        self.reads = 0
        self._held: asyncio.Event | None = None

    def hold(self) -> None:
        """Readings wait until `release`."""
        self._held = asyncio.Event()

    def release(self) -> None:
        assert self._held is not None
        self._held.set()
        self._held = None

    async def read(self) -> Secret:
        self.reads += 1
        if self._held is not None:
            await self._held.wait()
        if self.value is None:
            raise self.trouble
        return Secret(self.value)
