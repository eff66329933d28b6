"""Carries out the verdicts on requests that are not admitted: postpones some, and ends the others.

It decides nothing: the policy has, and each request is turned away without an attempt.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import policy
from twilio_notifications.pipeline.aside import NOT_SENT
from twilio_notifications.ports import Doubt, Finish, Postpone
from twilio_notifications.ports.events import AttemptInDoubt, RequestFinished, RequestPostponed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_notifications.pipeline.aside import Aside
    from twilio_notifications.pipeline.failures import Failures
    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import Claimed, Events, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class TurningAway:
    """All of one call share a commit; a request on which that fails is set aside alone."""

    aside: Aside
    statuses: StatusWriter
    events: Events
    failures: Failures

    async def carry_out(self, verdicts: Iterable[tuple[Claimed, policy.Verdict]], now: float) -> bool:
        """Turns away what is not admitted; whether that was any."""
        turned = [
            (request, verdict) for request, verdict in verdicts if not isinstance(verdict, policy.Admit)
        ]
        steps = await asyncio.gather(
            *(
                self.aside.carry_out(request, self._step(request, verdict, now), sentence=NOT_SENT)
                for request, verdict in turned
            )
        )
        for (request, _), step in zip(turned, steps, strict=True):
            if step is not None:
                tell(request, step, attempted=False, events=self.events, failures=self.failures)
        return bool(turned)

    async def _step(self, request: Claimed, verdict: policy.Defer | policy.Decline, now: float) -> Step:
        match verdict:
            case policy.Defer(until=until, reason=reason, message=message):
                return Postpone(id=request.id, at=now, due_at=until, reason=reason, message=message)
            case policy.Decline(reason=reason, message=message):
                return self.statuses.failed(request, reason, message, at=now, counted=False)
            case _:
                assert_never(verdict)


def tell(request: Claimed, step: Step, *, attempted: bool, events: Events, failures: Failures) -> None:
    """Tells what became of a request."""
    match step:
        case Finish():
            if step.reason is not None:
                failures.failed(request, step)
            events.tell(RequestFinished(request=request, step=step, attempted=attempted))
        case Postpone():
            events.tell(RequestPostponed(request=request, step=step, attempted=attempted))
        case Doubt():
            events.tell(AttemptInDoubt(request=request, step=step))
        case _:
            assert_never(step)
