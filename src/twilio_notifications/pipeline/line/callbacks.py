"""Takes Twilio's callbacks: each is a sighting of a delivery, or proof that an attempt was carried out.

Twilio may call before it has answered the POST. Such a callback waits here for the SID to become known, for
some minutes and within a bound; what is lost of that with the process, polling finds out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.conclusions import Numbers, conclude_sighting
from twilio_notifications.core.delivery import LearnedFrom, Sighting, named_attempt
from twilio_notifications.core.model import Record
from twilio_notifications.pipeline.line.limiter import Limiter
from twilio_notifications.ports.events import CallbackAnswered, CallbackForbidden, CallbackReceived

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.core.conclusions import StatusWriter
    from twilio_notifications.core.delivery import Change, Followed
    from twilio_notifications.core.steps import Finish
    from twilio_notifications.pipeline.alarm import Alarm
    from twilio_notifications.pipeline.line.proofs import Proofs
    from twilio_notifications.pipeline.line.sightings import Sightings
    from twilio_notifications.ports import Callback, Clock
    from twilio_notifications.ports.events import CallbackResult, Events
    from twilio_notifications.ports.journal import Journal

KEPT_SECONDS: Final = 300.0
"""How long a callback waits for its SID: the answer to a POST comes within half a minute."""
MOST_KEPT: Final = 1000
"""SIDs whose callbacks wait. Beyond, the one that waits longest is given up."""
MOST_OF_ONE: Final = 16
"""Callbacks kept for one SID: a call has five states, each told twice."""
FORBIDDEN_SECONDS: Final = 600.0
"""Between two lines about wrong signatures."""

_FORBIDDEN: Final = (
    "the signature is not that of this account. If it was Twilio that called, compare [tracking] public_url "
    "with the URL that Twilio calls, and the auth token with the account's primary one"
)


@dataclass(slots=True, kw_only=True)
class Callbacks:
    """What the endpoint hands over."""

    journal: Journal
    sightings: Sightings
    statuses: StatusWriter
    proofs: Proofs
    clock: Clock
    events: Events
    bell: Alarm
    """Rung when the SID of a callback that was kept is known."""
    on_key: Callable[[int], Awaitable[object]]
    """Hears that a key was pressed in the call of a request; returns when that is on disk."""
    secret: bytes
    """The journal's, of which the keys in the URLs are made."""
    _kept: OrderedDict[str, tuple[float, list[Callback]]] = field(init=False, default_factory=OrderedDict)
    _known: list[tuple[int, list[Callback]]] = field(init=False, default_factory=list)
    """What was kept, with the request whose SID is known by now."""
    _forbidden: Limiter = field(init=False)

    def __post_init__(self) -> None:
        self._forbidden = Limiter(clock=self.clock, most=1, period_seconds=FORBIDDEN_SECONDS)

    async def take(self, callback: Callback) -> None:
        """Returns when the journal knows what the callback says, or it is kept. Raises JournalError."""
        self.events.tell(CallbackReceived(sid=callback.sid))
        followed = await self.journal.delivery_of(callback.sid)
        known = followed is not None or bool(await self.journal.known_sids([callback.sid]))
        if known:
            # Where the SID became known only now, its delivery did as well.
            followed = followed or await self.journal.delivery_of(callback.sid)
            if callback.key_pressed:
                await self._press(callback, followed)
            taken = followed is not None and await self._take(callback, followed)
            self._tell_result("taken" if taken else "nothing_new")
            return
        self._keep(callback)
        if callback.key_pressed:
            await self._press(callback, None)
        name = named_attempt(callback.query, secret=self.secret)
        if name is not None:
            self.proofs.put(name, self._record(callback))
        self._tell_result("kept")

    async def _press(self, callback: Callback, followed: Followed | None) -> None:
        """A key ends the chain of its call, on disk before Twilio has its answer."""
        name = named_attempt(callback.query, secret=self.secret)
        if followed is not None:
            await self.on_key(followed.request.id)
        elif name is not None:
            await self.on_key(name.request)

    def forbidden(self) -> None:
        """A callback had a wrong signature."""
        self._tell_result("forbidden")
        if self._forbidden.admits():
            self.events.tell(CallbackForbidden(left_out=self._forbidden.take_count(), error=_FORBIDDEN))

    def unreadable(self) -> None:
        """A request with a right signature was no callback."""
        self._tell_result("unreadable")

    def accepted(self, step: Finish) -> None:
        """The journal follows this SID from now on: what was kept for it is taken."""
        if step.sid is None or step.sid not in self._kept:
            return
        _, kept = self._kept.pop(step.sid)
        self._known.append((step.id, kept))
        self.bell.ring()

    async def run(self) -> None:
        """Takes what was kept, until cancelled. Raises JournalError."""
        while True:
            await self.bell.wait()
            known, self._known = self._known, []
            for request, kept in known:
                for callback in kept:
                    followed = await self.journal.delivery(request)
                    if followed is not None:
                        await self._take(callback, followed)

    async def _take(self, callback: Callback, followed: Followed) -> bool:
        return await self.sightings.take([(followed, partial(self._conclude, callback))])

    def _conclude(self, callback: Callback, followed: Followed) -> Change | None:
        now = self.clock.now()
        return conclude_sighting(
            followed,
            Sighting(
                state=callback.state or followed.delivery.state,
                at=now,
                code=callback.code,
                answered_by=callback.answered_by,
                key_pressed=callback.key_pressed,
            ),
            source=LearnedFrom.CALLBACK,
            statuses=self.statuses,
            now=now,
            numbers=Numbers(sender_number=callback.sender_number, phone_number=callback.phone_number),
        )

    def _keep(self, callback: Callback) -> None:
        now = self.clock.now()
        while self._kept and next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)
        _, kept = self._kept.setdefault(callback.sid, (now + KEPT_SECONDS, []))
        if len(kept) < MOST_OF_ONE:
            kept.append(callback)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _record(self, callback: Callback) -> Record:
        return Record(
            sid=callback.sid,
            phone_number=callback.phone_number or "",
            sender_number=callback.sender_number,
            message_status=callback.state or "queued",
            created_at=self.clock.now(),
        )

    def _tell_result(self, result: CallbackResult) -> None:
        self.events.tell(CallbackAnswered(result=result))
