"""Asks the policy about requests, with what the journal says was used of the operator's limits.

It decides nothing, and changes nothing: it brings the policy what that needs to know, and returns verdicts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.core import policy
from twilio_notifications.core.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.ports import Claimed, Journal

    Verdicts = list[tuple[Claimed, policy.Verdict]]


async def judged(
    claimed: Sequence[Claimed],
    *,
    journal: Journal,
    limits: policy.Limits,
    now: float,
    admit: Callable[[Claimed], policy.Verdict],
) -> tuple[Verdicts, dict[int, tuple[policy.Charge, ...]]]:
    """Each request's verdict, and what those that are admitted use of the limits; `admit` is asked first."""
    tally = await _tally(claimed, journal=journal, limits=limits, now=now)
    verdicts: Verdicts = []
    charged = {}
    for request in claimed:
        verdict = admit(request)
        if isinstance(verdict, policy.Admit):
            verdict = policy.judge(request.notification, limits, tally, now=now)
        if isinstance(verdict, policy.Admit) and limits.counts:
            charged[request.id] = policy.charges(request.notification, limits, now=now)
            tally = tally.plus(charged[request.id])
        verdicts.append((request, verdict))
    return verdicts, charged


async def expired(
    overdue: Sequence[Claimed], *, journal: Journal, limits: policy.Limits, now: float
) -> Verdicts:
    """The end of requests whose lifetime has ended; where a limit kept them, its sentence says which one."""
    kept = [request for request in overdue if request.waiting_reason is Reason.QUOTA_EXCEEDED]
    tally = await _tally(kept, journal=journal, limits=limits, now=now)
    standing = {request.id: policy.standing(request.notification, limits, tally, now=now) for request in kept}
    return [
        (request, policy.expired(waiting(request), now=now, limit=standing.get(request.id)))
        for request in overdue
    ]


def waiting(request: Claimed) -> policy.Waiting:
    """What admission looks at."""
    return policy.Waiting(
        accepted_at=request.accepted_at,
        expires_at=request.expires_at,
        sender_number=request.notification.sender_number,
        waiting_reason=request.waiting_reason,
    )


async def _tally(
    claimed: Sequence[Claimed], *, journal: Journal, limits: policy.Limits, now: float
) -> policy.Tally:
    if not (claimed and limits.counts):
        return policy.Tally({})
    scopes = {scope for request in claimed for scope in policy.scopes(request.notification, limits)}
    return await journal.usage(sorted(scopes), since=now - policy.LONGEST_PERIOD_SECONDS)
