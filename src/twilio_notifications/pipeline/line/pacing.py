"""Keeps the pace that Twilio's answers allow; the log says when requests begin and cease to wait for it.

It decides nothing: the core concludes, and this keeps what was concluded for the next attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core import policy
from twilio_notifications.core.conclusions import conclude
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import Accepted, Deferred, Refused
from twilio_notifications.core.pace import PacedSender, sender_of
from twilio_notifications.pipeline.line.pauses import QUEUE_WAS_FULL, Pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.core.conclusions import Conclusion, StatusWriter, Timing
    from twilio_notifications.core.model import Answer
    from twilio_notifications.core.steps import Claimed, Stall, Step
    from twilio_notifications.ports import Clock, Pause
    from twilio_notifications.ports.events import Events

AHEAD_OF_A_FILE = 1 / 8
AHEAD_OF_A_DATABASE = 1 / 2
"""At full speed, this share of the maximum is open beyond what may run, so that no slot waits for a commit. A
commit in a database takes some times as long: with an eighth, 200 slots at 150 ms made 790 attempts a second,
with a half 1,115. A crash leaves them in doubt too; the next start makes them again without counting a retry.
"""


@dataclass(slots=True, kw_only=True)
class Pacing:
    """The pace of all attempts; `jitter` draws a share from 0 to 1."""

    pace: policy.Pace
    timing: Timing
    statuses: StatusWriter
    clock: Clock
    events: Events
    jitter: Callable[[], float]
    ahead_share: float = AHEAD_OF_A_FILE
    pauses: Pauses = field(init=False)

    def __post_init__(self) -> None:
        self.pauses = Pauses(events=self.events, clock=self.clock)

    def conclude(self, request: Claimed, answer: Answer) -> Step:
        """The step that follows from Twilio's answer; the pace of the next attempts follows with it."""
        before, now = self.pace, self.clock.now()
        conclusion = conclude(
            request,
            answer,
            before,
            statuses=self.statuses,
            timing=self.timing,
            now=now,
            jitter=self.jitter(),
        )
        self.pace = conclusion.pace
        self._log(request, conclusion, before, now=now)
        return conclusion.step

    def resume(self, lasting: Sequence[Pause]) -> None:
        """The pauses that lasted when an earlier run ended; one that Twilio asked for goes on."""
        self.pauses.resume(lasting, stalled=self.pace.senders)
        now = self.clock.now()
        for pause in lasting:
            if pause.reason is WaitReason.OPERATOR_PAUSE:
                self.pace = policy.paused(self.pace, until=pause.until)
            if pause.reason is not WaitReason.ACCOUNT_SLOWED or pause.until is None:
                continue
            # Where the clock was set back since, how long it lasts is not known: the next answer says it.
            if pause.begun_at <= now < pause.until:
                self.pace = policy.closed_still(self.pace, now=now, until=pause.until)

    def adopt(self, lasting: Sequence[Pause], *, stalled: Mapping[PacedSender, float]) -> None:
        """The pauses that last, as all connectors of this journal know them."""
        now = self.clock.now()
        self.recover(stalled)
        ordered = [pause for pause in lasting if pause.reason is WaitReason.OPERATOR_PAUSE]
        for pause in ordered:
            self.order_pause(pause)
        if not ordered:
            self.pace = policy.paused(self.pace, until=0.0)
            self.pauses.resumed()
        for pause in lasting:
            if pause.reason is WaitReason.ACCOUNT_SLOWED and pause.until is not None:
                until = max(self.pace.closed_until, pause.until)
                if now < until:
                    self.pace = policy.closed_still(self.pace, now=now, until=until)

    def resize(self, places: int) -> None:
        """So many attempts may be made at once from now on."""
        self.pace = policy.resized(self.pace, places)

    def order_pause(self, pause: Pause) -> None:
        """A person ordered that all requests wait, or that they leave again."""
        self.pace = policy.paused(self.pace, until=0.0 if pause.ended_at is not None else pause.until)
        self.pauses.ordered(pause)

    def renew_credentials(self) -> None:
        """There is a login that Twilio has not refused: no request need wait for the next probe."""
        self.pace = policy.credentials_renewed(self.pace)

    def go_online(self) -> None:
        """The network is back."""
        self.pace = policy.online(self.pace)
        self.pauses.reached()

    def recover(self, stalled: Mapping[PacedSender, float]) -> None:
        """The queues at Twilio that were full when an earlier run ended, and until when they are.

        `resume` tells of those that the log does not have yet.
        """
        now = self.clock.now()
        for sender, until in stalled.items():
            self.pace = policy.sender_stalled(self.pace, sender, now=now, until=until)

    def overflowed(self, stall: Stall) -> None:
        """Twilio had accepted a text, and then its queue for the sender was full."""
        sender = PacedSender(number=stall.sender_number, channel=stall.channel)
        self.pace = policy.sender_stalled(self.pace, sender, now=self.clock.now(), until=stall.until)
        self.pauses.sender_stalled(sender, until=self.pace.senders[sender], error=QUEUE_WAS_FULL)

    @property
    def ahead(self) -> int:
        """How many attempts may be open beyond those that are made: some at full speed, otherwise none."""
        pace = self.pace
        full_speed = pace.allowed >= pace.maximum and pace.refused_since is None
        return int(pace.maximum * self.ahead_share) if full_speed else 0

    def _log(self, request: Claimed, conclusion: Conclusion, before: policy.Pace, *, now: float) -> None:
        match conclusion.outcome:
            case Accepted() | Refused():
                self.pauses.answered()
            case Deferred() as deferred:
                self.pauses.began(
                    deferred,
                    before=before,
                    after=conclusion.pace,
                    sender=sender_of(request.notification),
                    fails_at=now + self.timing.credential_wait,
                )
            case _:
                pass
