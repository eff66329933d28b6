"""A Twilio that delivers what it accepts, by a hand-turned clock, and says so when it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.factories import accepted
from tests.support.fakes import ScriptedSender
from twilio_notifications.core.delivery import DeliveryReceipt, NoReceipt, Notices, ReceiptPage
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from tests.support.clock import HandClock
    from twilio_notifications.core.delivery import CallbackUrls
    from twilio_notifications.core.model import Answer, InboundPage, Login, Notification, Unreadable

PAGE_SIZE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What becomes of a text or call: its words with the age at which each comes, in seconds."""

    words: tuple[tuple[float, str], ...]
    code: int | None = None
    """Of an error; it comes with the last word."""
    answered_by: str | None = None
    notices: tuple[int, ...] = ()
    notices_after: float = 0.0
    """How long after the last word Twilio's notifications of it can be read."""

    @property
    def last(self) -> str:
        return self.words[-1][1]


DELIVERED = Course(words=((0.5, "sent"), (3.0, "delivered")))
UNDELIVERED = Course(words=((0.5, "sent"), (8.0, "undelivered")), code=30_003)
NEVER_RECEIPTED = Course(words=((0.5, "sent"),))
COMPLETED = Course(words=((0.2, "ringing"), (4.0, "in-progress"), (20.0, "completed")))
BUSY = Course(words=((0.2, "ringing"), (3.0, "busy")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A text or call that this Twilio has accepted."""

    sid: str
    channel: Channel
    notification: Notification
    at: float
    course: Course


class DeliveringTwilio(ScriptedSender):
    """Accepts everything, unless scripted, and delivers it as `course` says."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.course: Callable[[Notification], Course] = lambda _: DELIVERED
        self.taken: dict[str, Taken] = {}
        self.asked_at: list[float] = []
        """When it was asked about deliveries, whatever was asked."""
        self.unreadable: Unreadable | None = None
        """What it answers instead, while it is set."""
        self.notices_unreadable: Unreadable | None = None
        """The same for the notifications of calls."""
        self.deleted: set[str] = set()
        self.stalled: asyncio.Event | None = None
        """Looks hang until it is set; None: they do not."""
        self.inbox_stalled: asyncio.Event | None = None
        """The same for the lists of what came in."""

    async def send(
        self,
        notification: Notification,
        login: Login | None = None,
        *,
        seconds_left: float | None = None,
        callbacks: CallbackUrls | None = None,
    ) -> Answer:
        answer = await super().send(notification, login, seconds_left=seconds_left, callbacks=callbacks)
        sid = getattr(answer, "sid", None)
        if sid is None:
            return answer
        prefix = "SM" if notification.channel is Channel.SMS else "CA"
        sid = f"{prefix}{sid[2:]}"
        self.taken[sid] = Taken(
            sid=sid,
            channel=notification.channel,
            notification=notification,
            at=self.clock.now(),
            course=self.course(notification),
        )
        return accepted(sid)

    async def fetch(
        self, channel: Channel, sid: str, *, login: Login | None = None
    ) -> DeliveryReceipt | NoReceipt | Unreadable:
        await self._note(channel, sid, login)
        if self.unreadable is not None:
            return self.unreadable
        taken = self.taken.get(sid)
        return NoReceipt() if taken is None or sid in self.deleted else self.receipt(taken)

    async def receipts(
        self, channel: Channel, path: str | None, *, login: Login | None = None
    ) -> ReceiptPage | Unreadable:
        await self._note(channel, path, login)
        if self.unreadable is not None:
            return self.unreadable
        begin = int(path or 0)
        newest = sorted(self._listed(channel), key=lambda taken: taken.at, reverse=True)
        page = newest[begin : begin + PAGE_SIZE]
        more = len(newest) > begin + PAGE_SIZE
        return ReceiptPage(
            receipts=tuple(map(self.receipt, page)), next_path=str(begin + PAGE_SIZE) if more else None
        )

    async def notices(self, sid: str, *, login: Login | None = None) -> Notices | Unreadable:
        await self._note(Channel.CALL, f"notices of {sid}", login)
        unreadable = self.unreadable or self.notices_unreadable
        if unreadable is not None:
            return unreadable
        taken = self.taken[sid]
        readable_at = taken.at + taken.course.words[-1][0] + taken.course.notices_after
        return Notices(codes=taken.course.notices if self.clock.now() >= readable_at else ())

    def receipt(self, taken: Taken) -> DeliveryReceipt:
        """What its resource shows now."""
        age = self.clock.now() - taken.at
        state = next((word for at, word in reversed(taken.course.words) if at <= age), "queued")
        is_over = state == taken.course.last
        return DeliveryReceipt(
            sid=taken.sid,
            state=state,
            code=taken.course.code if is_over else None,
            answered_by=taken.course.answered_by if is_over else None,
            sender_number=taken.notification.sender_number,
            phone_number=taken.notification.recipient.phone_number,
            created_at=float(int(taken.at)),
        )

    def _listed(self, channel: Channel) -> Iterable[Taken]:
        return [
            taken
            for taken in self.taken.values()
            if taken.channel is channel and taken.sid not in self.deleted
        ]

    async def _note(self, channel: Channel, what: str | None, login: Login | None) -> None:
        self.asked_at.append(self.clock.now())
        self.looks.append((channel, what, login))
        if self.stalled is not None:
            await self.stalled.wait()

    async def came_back(
        self, channel: Channel, *, to: str | None, path: str | None = None, login: Login | None = None
    ) -> InboundPage | Unreadable:
        self.asked_at.append(self.clock.now())
        if self.inbox_stalled is not None:
            await self.inbox_stalled.wait()
        return await super().came_back(channel, to=to, path=path, login=login)
