"""Tells when requests begin to wait, until when, and when they go on: one line for each beginning and end.

It decides nothing: it gets the dispatcher's decisions, and knows which lines the log already has. The journal
keeps each pause, so that a person can read later why a request waited, and so that the next start neither
tells a pause again nor forgets its end.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core import policy
from twilio_notifications.core.errors import JournalError, WaitReason
from twilio_notifications.core.model import DeferralScope
from twilio_notifications.core.wording import instant
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.line.limiter import Limiter
from twilio_notifications.ports.events import (
    CredentialsAccepted,
    CredentialsRefused,
    Defect,
    LimitFreeAgain,
    LimitUsedUp,
    OperatorPauseBegan,
    OperatorPauseEnded,
    PausesChanged,
    QuietHoursBegan,
    QuietHoursEnded,
    SenderPaused,
    SenderResumed,
    SendingPaused,
    SendingResumed,
    TwilioReachable,
    TwilioUnreachable,
)
from twilio_notifications.ports.journal import Pause

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twilio_notifications.core.model import Deferred
    from twilio_notifications.core.pace import PacedSender
    from twilio_notifications.ports import Clock, Event, Events
    from twilio_notifications.ports.journal import Waits

LINES_A_MINUTE: Final = 6
"""The most lines about pauses for Twilio's rate: at full speed such pauses begin and end each second."""

MOST_TOLD: Final = 100
"""The most pauses of one reason that have lines: so many senders, limits or windows."""

LONG_SECONDS: Final = 60.0
"""A pause for Twilio's rate that is longer is always told: it cannot come more often than each minute."""

QUEUE_WAS_FULL: Final = "the sender number's queue at Twilio was full"
REFUSED: Final = "Twilio refuses the account SID or the secret; requests wait for a new one"

_FOUND_OUT_AGAIN: Final = frozenset(
    {WaitReason.TWILIO_UNREACHABLE, WaitReason.CREDENTIALS_REFUSED, WaitReason.JOURNAL_DISK}
)
"""A start ends these: its first attempt, or its first commit, finds out whether they last."""

_OF_RULES: Final = frozenset({WaitReason.QUOTA_USED_UP, WaitReason.QUIET_HOURS})


@dataclass(slots=True, kw_only=True)
class Pauses:
    """The pauses that the log has told."""

    events: Events
    clock: Clock
    _limiter: Limiter = field(init=False)
    _lasting: dict[tuple[WaitReason, str], Pause] = field(init=False, default_factory=dict)
    _unwritten: dict[tuple[WaitReason, str, float], Pause] = field(init=False, default_factory=dict)
    """What the journal does not have yet."""
    _alarm: Alarm = field(init=False)

    def __post_init__(self) -> None:
        self._limiter = Limiter(clock=self.clock, most=LINES_A_MINUTE)
        self._alarm = Alarm(self.clock)

    async def run(self, journal: Waits) -> None:
        """Tells each end in its time and writes down what changed, until cancelled. Raises JournalError."""
        journal.watch_disk(
            on_fault=lambda fault: self._begin(WaitReason.JOURNAL_DISK, until=None, message=fault),
            on_recovery=lambda: self._end_all(reason=WaitReason.JOURNAL_DISK),
        )
        while True:
            self.passed()
            changed, self._unwritten = self._unwritten, {}
            if changed:
                await self._write(journal, list(changed.values()))
            else:
                ends = [one.until for one in self._lasting.values() if one.reason not in _FOUND_OUT_AGAIN]
                await self._alarm.wait(min((end for end in ends if end is not None), default=None))

    async def _write(self, journal: Waits, changed: Sequence[Pause]) -> None:
        try:
            await journal.keep_pauses(changed)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - then the time line lacks it, and requests go on
            self.events.tell(Defect(name="journal_step_failed", error=error))

    def resume(self, lasting: Iterable[Pause], *, stalled: Mapping[PacedSender, float]) -> None:
        """The pauses that lasted when an earlier run ended: the log has their beginnings.

        Of a sender in `stalled` it has none where the earlier run was cut off, or the clock was set back.
        """
        for pause in lasting:
            self._lasting[pause.reason, pause.about] = pause
            # A clock that was set back ends no pause that a person ordered.
            is_ordered = pause.reason is WaitReason.OPERATOR_PAUSE
            if pause.reason in _FOUND_OUT_AGAIN or (pause.begun_at > self.clock.now() and not is_ordered):
                self._end(pause, is_told=False)
            else:
                self._count(pause.reason)
        for sender, until in stalled.items():
            if (WaitReason.SENDER_QUEUE_FULL, _about(sender)) not in self._lasting:
                self.sender_stalled(sender, until=until, error=QUEUE_WAS_FULL)

    def began(
        self,
        deferred: Deferred,
        *,
        before: policy.Pace,
        after: policy.Pace,
        sender: PacedSender,
        fails_at: float,
    ) -> None:
        """Tells that a deferral changed the pace. Requests with refused credentials fail at `fails_at`."""
        reason = deferred.reason
        match deferred.scope:
            case DeferralScope.NETWORK:
                if not before.offline:
                    self._begin(reason, until=None, message=deferred.message)
            case DeferralScope.ADDRESS:
                self._begin(reason, until=after.closed_until, message=deferred.message)
            case DeferralScope.CREDENTIALS:
                if before.refused_since is None:
                    self._begin(reason, until=fails_at, message=REFUSED, again=True)
            case DeferralScope.ACCOUNT:
                self._account(deferred, until=after.closed_until)
            case DeferralScope.SENDER:
                self.sender_stalled(sender, until=after.senders.get(sender, 0.0), error=deferred.message)
            case _:
                assert_never(deferred.scope)

    def sender_stalled(self, sender: PacedSender, *, until: float, error: str) -> None:
        """Tells that the queue of a sender at Twilio is full."""
        self._begin(WaitReason.SENDER_QUEUE_FULL, about=_about(sender), until=until, message=error)

    def _account(self, deferred: Deferred, *, until: float) -> None:
        known = self._lasting.get((deferred.reason, ""))
        known_until = 0.0 if known is None or known.until is None else known.until
        longer = until - max(known_until, self.clock.now())
        if longer <= 0:
            return
        is_told = longer > LONG_SECONDS or self._limiter.admits()
        if is_told or known is not None:
            self._begin(deferred.reason, until=until, message=deferred.message, again=is_told)

    def kept(self, verdict: policy.Verdict) -> None:
        """Tells that a request was not admitted because of a limit or a window; each of them has one line."""
        match verdict:
            case policy.Defer(
                until=until, reason=(WaitReason.QUOTA_USED_UP | WaitReason.QUIET_HOURS) as reason
            ):
                about = verdict.about or verdict.message
                known = self._lasting.get((reason, about))
                # A window ends later for a contact for whom another one follows it: the latest end counts.
                if known is not None and known.until is not None and known.until >= until:
                    return
                self._begin(reason, about=about, until=until, message=verdict.message)
            case _:
                pass

    def ordered(self, pause: Pause) -> None:
        """Tells that a pause began, changed or ended by a person's order; the journal has it already."""
        known = self._lasting.pop((pause.reason, pause.about), None)
        if pause.ended_at is not None:
            event = _ending(pause)
        else:
            self._lasting[pause.reason, pause.about] = pause
            event = None if pause == known else _beginning(pause)
        self._count(pause.reason)
        self._alarm.ring()
        if event is not None:
            self.events.tell(event)

    def resumed(self) -> None:
        """Another connector has carried out a person's order that requests leave again."""
        pause = self._lasting.get((WaitReason.OPERATOR_PAUSE, ""))
        if pause is not None:
            self.ordered(replace(pause, ended_at=max(self.clock.now(), pause.begun_at)))

    def answered(self) -> None:
        """Tells the end of pauses after Twilio accepted or refused a request: the login works then."""
        self.reached()
        self._end_all(reason=WaitReason.CREDENTIALS_REFUSED)

    def reached(self) -> None:
        """Tells that Twilio can be reached again."""
        self._end_all(reason=WaitReason.TWILIO_UNREACHABLE)

    def rules_changed(self) -> None:
        """The operator's limits or windows are others now: what waits for the old ones is judged again."""
        for pause in [pause for pause in self._lasting.values() if pause.reason in _OF_RULES]:
            self._end(pause)

    def passed(self) -> None:
        """Tells the end of each pause whose time has passed."""
        now = self.clock.now()
        for pause in [*self._lasting.values()]:
            # Whether Twilio can be reached, and takes the login, is known from its next answer only.
            if pause.reason not in _FOUND_OUT_AGAIN and pause.until is not None and now >= pause.until:
                self._end(pause)

    def _begin(
        self,
        reason: WaitReason,
        *,
        about: str = "",
        until: float | None,
        message: str,
        again: bool = False,
    ) -> None:
        """Tells a beginning; of a pause that lasts already, only `again`: otherwise its end is moved."""
        known = self._lasting.get((reason, about))
        if known is None and sum(one.reason is reason for one in self._lasting.values()) >= MOST_TOLD:
            return
        if known is None:
            pause = Pause(reason=reason, about=about, message=message, begun_at=self.clock.now(), until=until)
        else:
            pause = replace(known, message=message, until=until)
        if pause == known:
            return
        self._lasting[reason, about] = pause
        self._note(pause)
        if (known is None or again) and (event := _beginning(pause)) is not None:
            self.events.tell(event)

    def _end_all(self, *, reason: WaitReason) -> None:
        if self._lasting:
            for pause in [pause for pause in self._lasting.values() if pause.reason is reason]:
                self._end(pause)

    def _end(self, pause: Pause, *, is_told: bool = True) -> None:
        del self._lasting[pause.reason, pause.about]
        # Not before its beginning, which may have been written before the clock was set back.
        self._note(replace(pause, ended_at=max(self.clock.now(), pause.begun_at)))
        if is_told and (event := _ending(pause)) is not None:
            self.events.tell(event)

    def _note(self, pause: Pause) -> None:
        self._unwritten[pause.reason, pause.about, pause.begun_at] = pause
        self._alarm.ring()
        self._count(pause.reason)

    def _count(self, reason: WaitReason) -> None:
        ends = [each.until for each in self._lasting.values() if each.reason is reason]
        until = max((end for end in ends if end is not None), default=None)
        self.events.tell(PausesChanged(reason=reason, count=len(ends), until=until))


def _about(sender: PacedSender) -> str:
    """Texts and calls of a number have queues of their own at Twilio."""
    return f"{sender.channel} {sender.number}"


def _beginning(pause: Pause) -> Event | None:
    """None: the journal itself has told that its disk fails."""
    until = None if pause.until is None else instant(pause.until)
    match pause.reason:
        case WaitReason.TWILIO_UNREACHABLE:
            return TwilioUnreachable(until=until, error=pause.message)
        case WaitReason.CREDENTIALS_REFUSED:
            return CredentialsRefused(until=until or "", error=pause.message)
        case WaitReason.SENDER_QUEUE_FULL:
            channel, _, number = pause.about.rpartition(" ")
            return SenderPaused(until=until or "", error=pause.message, sender_number=number, channel=channel)
        case WaitReason.QUOTA_USED_UP:
            return LimitUsedUp(until=until or "", error=pause.message)
        case WaitReason.OPERATOR_PAUSE:
            return OperatorPauseBegan(until=until, error=pause.message)
        case WaitReason.QUIET_HOURS:
            return QuietHoursBegan(until=until or "", window=pause.about)
        case WaitReason.JOURNAL_DISK:
            return None
        case _:
            return SendingPaused(until=until or "", error=pause.message)


def _ending(pause: Pause) -> Event | None:
    match pause.reason:
        case WaitReason.TWILIO_UNREACHABLE:
            return TwilioReachable()
        case WaitReason.CREDENTIALS_REFUSED:
            return CredentialsAccepted()
        case WaitReason.SENDER_QUEUE_FULL:
            channel, _, number = pause.about.rpartition(" ")
            return SenderResumed(sender_number=number, channel=channel)
        case WaitReason.QUOTA_USED_UP:
            return LimitFreeAgain(limit=pause.about)
        case WaitReason.OPERATOR_PAUSE:
            return OperatorPauseEnded()
        case WaitReason.QUIET_HOURS:
            return QuietHoursEnded(window=pause.about)
        case WaitReason.JOURNAL_DISK:
            return None
        case _:
            return SendingResumed()
