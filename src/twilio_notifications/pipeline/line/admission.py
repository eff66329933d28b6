"""Asks the policy about requests, with what the journal says was used of the operator's limits.

It decides nothing: it brings the policy what that needs to know, and returns verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core import policy
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.quiet_hours import QuietHours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.pipeline.alarm import Alarm
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.ports import Clock
    from twilio_notifications.ports.journal import Journal

    Verdicts = list[tuple[Claimed, policy.Verdict]]


@dataclass(slots=True, kw_only=True)
class Admission:
    """The rules in force.

    The operator's limits and quiet hours change as a whole when the configuration is read again.
    """

    journal: Journal
    pacing: Pacing
    clock: Clock
    bell: Alarm
    """Rung when requests are to be judged again."""
    limits: policy.Limits = field(default_factory=policy.Limits)
    quiet_hours: QuietHours = field(default_factory=QuietHours)

    async def change_rules(self, limits: policy.Limits, quiet_hours: QuietHours) -> None:
        """What is attempted from now on is judged by these; what waits for the old ones is judged again."""
        if (limits, quiet_hours) != (self.limits, self.quiet_hours):
            self.pacing.pauses.rules_changed()
        self.limits, self.quiet_hours = limits, quiet_hours
        await self._judge_again()

    async def compare_rules(self) -> None:
        """At a start: where the rules are others than in the last run, what waits for those is judged again.

        Raises JournalError.
        """
        if await self.journal.rules() != policy.fingerprint(self.limits, self.quiet_hours):
            self.pacing.pauses.rules_changed()
            await self._judge_again()

    async def _judge_again(self) -> None:
        for reason in (WaitReason.QUOTA_USED_UP, WaitReason.QUIET_HOURS):
            await self.journal.hasten(reason, now=self.clock.now())
        await self.journal.keep_rules(policy.fingerprint(self.limits, self.quiet_hours))
        self.bell.ring()

    def situation(self, *, now: float, tally: policy.Tally = policy.NOTHING_USED) -> policy.Situation:
        """What the rules look at, besides the request."""
        return policy.Situation(
            now=now,
            pace=self.pacing.pace,
            limits=self.limits,
            tally=tally,
            credential_wait_seconds=self.pacing.timing.credential_wait,
            quiet_hours=self.quiet_hours,
        )

    async def judge(
        self, claimed: Sequence[Claimed], *, now: float
    ) -> tuple[Verdicts, dict[int, tuple[policy.Charge, ...]]]:
        """Each request's verdict, and what those that are admitted use of the limits. Raises JournalError."""
        tally = await self._tally(claimed, now=now)
        verdicts: Verdicts = []
        charged: dict[int, tuple[policy.Charge, ...]] = {}
        for request in claimed:
            verdict = policy.admit(request, self.situation(now=now, tally=tally))
            if isinstance(verdict, policy.Admit) and self.limits.counts:
                charged[request.id] = policy.charges(request.notification, self.limits, now=now)
                tally = tally.plus(charged[request.id])
            verdicts.append((request, verdict))
        return verdicts, charged

    async def expire(self, overdue: Sequence[Claimed], *, now: float) -> Verdicts:
        """The end of requests whose lifetime has ended. Raises JournalError."""
        kept = [request for request in overdue if request.waiting_reason is WaitReason.QUOTA_USED_UP]
        situation = self.situation(now=now, tally=await self._tally(kept, now=now))
        return [(request, policy.expired(request, situation)) for request in overdue]

    async def _tally(self, claimed: Sequence[Claimed], *, now: float) -> policy.Tally:
        if not (claimed and self.limits.counts):
            return policy.NOTHING_USED
        scopes = {scope for request in claimed for scope in policy.scopes(request.notification, self.limits)}
        return await self.journal.usage(sorted(scopes), since=now - policy.LONGEST_PERIOD_SECONDS)
