"""Puts together the stages that send: each is given its news when it is made, and none afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core import policy
from twilio_notifications.core.delivery import AttemptName, CallbackUrls, callback_url
from twilio_notifications.core.lifecycle import State
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.line.admission import Admission
from twilio_notifications.pipeline.line.aside import Aside
from twilio_notifications.pipeline.line.attempts import Attempts
from twilio_notifications.pipeline.line.callbacks import Callbacks
from twilio_notifications.pipeline.line.dispatcher import Dispatcher
from twilio_notifications.pipeline.line.leave import Leave
from twilio_notifications.pipeline.line.proofs import Proofs
from twilio_notifications.pipeline.line.settler import Settler
from twilio_notifications.pipeline.line.sightings import Sightings
from twilio_notifications.pipeline.line.taking import StepTaker
from twilio_notifications.pipeline.line.tracker import Tracker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from twilio_notifications.core.quiet_hours import QuietHours
    from twilio_notifications.core.steps import Claimed, Finish
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.pipeline.line.slots import Slots
    from twilio_notifications.ports import Clock, DeliveryReceipts, Sender
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Journal, Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNeeds:
    """What the stages that send are given from outside."""

    journal: Journal
    sender: Sender
    clock: Clock
    events: Events
    bells: Bells
    pacing: Pacing
    failures: Failures
    limits: policy.Limits
    quiet_hours: QuietHours
    on_written: Callable[[Sequence[Unreported]], None]
    """Is given the statuses that are in the outbox now."""
    on_followed_up: Callable[[Sequence[Unreported]], None]
    """Is given those of requests that have earlier ones, which another connector may have written."""
    receipts: DeliveryReceipts
    looks_per_minute: int
    """The most requests a minute about deliveries."""
    calling: Calling
    on_key: Callable[[int], Awaitable[object]]
    """Hears that a key was pressed in the call of a request."""
    slots: Slots
    leads: Callable[[], bool] = lambda: True
    """Whether this connector does what is for the account as a whole; one that is alone does."""
    may_attempt: Callable[[], bool] = lambda: True
    """Whether the leases of open attempts last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calling:
    """How Twilio calls back."""

    public_url: str | None = None
    """How Twilio reaches this connector; None: not at all."""
    secret: bytes = field(default=b"", repr=False)
    """The journal's, of which the keys in the URLs are made."""

    reports: bool = True
    """Whether Twilio reports each change; otherwise it calls for keys alone."""

    def urls_of(self, request: Claimed) -> CallbackUrls | None:
        """Where Twilio calls about the open attempt of this request; None: nowhere."""
        if self.public_url is None:
            return None
        name = AttemptName(request=request.id, attempt=request.attempt)
        url = callback_url(self.public_url, name, secret=self.secret)
        # Only where a person can acknowledge does a call wait for a key.
        return CallbackUrls(
            report=url if self.reports else None, key=url if request.chain is not None else None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The stages that send, and the parts of them that others use too."""

    admission: Admission
    attempts: Attempts
    dispatcher: Dispatcher
    settler: Settler
    tracker: Tracker
    callbacks: Callbacks
    on_followed: Callable[[Finish], None]
    """Hears of each accepted request whose delivery is followed from now on."""

    @property
    def leave(self) -> Leave:
        """When Twilio may be asked what became of messages, and what came in."""
        return self.tracker.leave


def build_line(given: LineNeeds) -> Line:
    """Dispatcher and settler, with everything that they share."""
    slots, wake = given.slots, _waker(given)
    admission = _admission(given)
    aside = Aside(
        journal=given.journal,
        statuses=given.pacing.statuses,
        clock=given.clock,
        events=given.events,
        on_written=given.on_written,
    )
    follower = _follower(given, slots)
    taker = _taker(given, aside, slots, wake=wake, follower=follower)
    attempts = _attempts(given, admission, slots, taker, wake=wake)
    dispatcher = Dispatcher(
        journal=given.journal,
        sender=given.sender,
        clock=given.clock,
        events=given.events,
        bells=given.bells,
        pacing=given.pacing,
        admission=admission,
        slots=slots,
        attempts=attempts,
        taker=taker,
        aside=aside,
        leads=given.leads,
        may_attempt=given.may_attempt,
    )
    settler = _settler(given, aside, taker, follower.callbacks.proofs)
    return Line(
        admission=admission,
        attempts=attempts,
        dispatcher=dispatcher,
        settler=settler,
        tracker=follower.tracker,
        callbacks=follower.callbacks,
        on_followed=follower.begin,
    )


def _admission(given: LineNeeds) -> Admission:
    return Admission(
        journal=given.journal,
        pacing=given.pacing,
        clock=given.clock,
        bell=given.bells.work,
        limits=given.limits,
        quiet_hours=given.quiet_hours,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Follower:
    """Those that hear of each accepted request whose delivery is followed."""

    tracker: Tracker
    callbacks: Callbacks

    def begin(self, step: Finish) -> None:
        assert step.follow is not None, "it tells of what is followed"
        self.tracker.expect(step.follow.look_at)
        self.callbacks.proofs.forget(step.id)
        self.callbacks.accepted(step)


def _taker(
    given: LineNeeds, aside: Aside, slots: Slots, *, wake: Callable[[], None], follower: _Follower
) -> StepTaker:
    return StepTaker(
        journal=given.journal,
        aside=aside,
        slots=slots,
        wake=wake,
        doubts=given.bells.doubts,
        events=given.events,
        failures=given.failures,
        failing=Alarm(given.clock),
        on_followed=follower.begin,
    )


def _attempts(
    given: LineNeeds, admission: Admission, slots: Slots, taker: StepTaker, *, wake: Callable[[], None]
) -> Attempts:
    return Attempts(
        sender=given.sender,
        pacing=given.pacing,
        admission=admission,
        slots=slots,
        taker=taker,
        clock=given.clock,
        events=given.events,
        wake=wake,
        callback_urls=given.calling.urls_of,
        may_attempt=given.may_attempt,
    )


def _follower(given: LineNeeds, slots: Slots) -> _Follower:
    pacing, clock, events = given.pacing, given.clock, given.events

    def has_room(*, in_flight: int) -> bool:
        # While a person lets all requests wait, what was sent is followed and answered all the same.
        pace = policy.paused(pacing.pace, until=0.0)
        return policy.room(pace, now=clock.now(), in_flight=in_flight) > 0

    sightings = Sightings(
        journal=given.journal,
        failures=given.failures,
        events=events,
        bell=given.bells.deliveries,
        on_written=given.on_followed_up,
        on_stalled=pacing.overflowed,
    )
    tracker = Tracker(
        journal=given.journal,
        receipts=given.receipts,
        sightings=sightings,
        leave=Leave(
            per_minute=given.looks_per_minute,
            is_free=lambda: has_room(in_flight=slots.in_flight),
            is_open=lambda: has_room(in_flight=0),
            clock=clock,
            events=events,
        ),
        statuses=pacing.statuses,
        clock=clock,
        events=events,
        bell=given.bells.deliveries,
    )
    callbacks = Callbacks(
        journal=given.journal,
        sightings=sightings,
        statuses=pacing.statuses,
        proofs=Proofs(doubts=given.bells.doubts),
        clock=clock,
        events=events,
        bell=given.bells.callbacks,
        on_key=given.on_key,
        secret=given.calling.secret,
    )
    return _Follower(tracker=tracker, callbacks=callbacks)


def _settler(given: LineNeeds, aside: Aside, taker: StepTaker, proofs: Proofs) -> Settler:
    return Settler(
        journal=given.journal,
        sender=given.sender,
        clock=given.clock,
        events=given.events,
        bells=given.bells,
        statuses=given.pacing.statuses,
        failures=given.failures,
        timing=given.pacing.timing,
        jitter=given.pacing.jitter,
        aside=aside,
        taker=taker,
        proofs=proofs,
    )


def _waker(given: LineNeeds) -> Callable[[], None]:
    def wake() -> None:
        """The dispatcher has nothing to do while no request waits, and the network is there."""
        if given.journal.by_state()[State.WAITING] or given.pacing.pace.offline:
            given.bells.work.ring()

    return wake
