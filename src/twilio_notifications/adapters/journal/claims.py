"""Finds the requests that may be claimed, and when the next one may be; reads only those that can leave."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.rows import RANKS, claimed
from twilio_notifications.adapters.journal.statements import paces as paced
from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.core import policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twilio_notifications.adapters.journal.aside import SetAside
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.paces import Allowances
    from twilio_notifications.core.model import Priority
    from twilio_notifications.core.policy import Head
    from twilio_notifications.core.steps import Claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """One read of the journal."""

    connection: Connection
    aside: SetAside
    allowances: Allowances

    def due(
        self, *, due_before: float, limit: int, place: int = 0, pace_at: float | None = None
    ) -> list[Claimed]:
        """By priority, then the one that is due first; see ports.Work.claim."""
        found: dict[Priority, Sequence[Claimed]] = {}
        of_senders = self._of_senders(due_before=due_before, limit=limit, pace_at=pace_at)
        left = limit
        # One query for each priority: a single one ordered by priority would have to read past all urgent
        # requests that are not due yet before it found a normal one that is.
        for priority, rank in RANKS.items():
            wanted = max(left, policy.reserved(priority, place=place, limit=limit))
            if wanted:
                rows = self.connection.execute(sql.CLAIM, (rank, due_before, self.aside.limit(wanted)))
                found[priority] = self.aside.values(rows, claimed, wanted=wanted)
                if priority in of_senders:
                    both = [*found[priority], *of_senders[priority]]
                    found[priority] = sorted(both, key=lambda one: (one.due_at, one.id))[:wanted]
                left = max(0, left - len(found[priority]))
        return policy.interleaved(found, place=place, limit=limit)

    def next_due(self) -> float | None:
        """When something may leave; None: nothing waits that could."""
        count = self.aside.limit(1)
        dues = [
            self.aside.earliest(self.connection.execute(sql.NEXT_DUE, (rank, count)))
            for rank in RANKS.values()
        ]
        known = [due for due in dues if due is not None]
        if self.allowances.order:
            departure = self._next_departure(min(known, default=math.inf))
            known += [] if departure is None else [departure]
        return min(known, default=None)

    # Paced senders.

    def _of_senders(
        self, *, due_before: float, limit: int, pace_at: float | None
    ) -> Mapping[Priority, Sequence[Claimed]]:
        """The due requests of paced senders; unless `pace_at` is None, only what has room then."""
        if not self.allowances.order:
            return {}
        if pace_at is None:
            heads = self._whatever_the_pace(due_before=due_before, limit=limit)
        else:
            heads = self._with_room(due_before=due_before, limit=limit, now=pace_at)
        if not heads:
            return {}
        ids = json.dumps([head.request for _, head in heads])
        rows = self.connection.execute(paced.CLAIMED, (ids,))
        found: dict[Priority, list[Claimed]] = {}
        for request in self.aside.values(rows, claimed, wanted=len(heads)):
            found.setdefault(request.notification.priority, []).append(request)
        return found

    def _with_room(self, *, due_before: float, limit: int, now: float) -> list[tuple[Priority, Head]]:
        free = self.allowances.free(now=now)
        if not free:
            return []
        for sender in free:
            self.allowances.readings.pop(sender, None)  # what is claimed is not known any more
        leaving: list[tuple[Priority, Head]] = []
        for sender, first in self._heads(free, due_before=due_before).items():
            allowance = self.allowances.senders[sender]
            # What may leave at once, in requests of one segment.
            most = min(limit, allowance.rate.at_once)
            queues: Mapping[Priority, Sequence[Head]] = {priority: [head] for priority, head in first.items()}
            if most > 1:
                queues = {
                    priority: self._queue(sender, priority, due_before=due_before, limit=most)
                    for priority in first
                }
            leaving += policy.departing(allowance, queues, now=now)
        return leaving

    def _whatever_the_pace(self, *, due_before: float, limit: int) -> list[tuple[Priority, Head]]:
        senders = [sender for _, sender in self.allowances.order]
        found: dict[Priority, list[Head]] = {}
        for sender, first in self._heads(senders, due_before=due_before).items():
            for priority in first:
                queue = self._queue(sender, priority, due_before=due_before, limit=limit)
                found.setdefault(priority, []).extend(queue)
        # Only the first ones are read whole: there may be so many of each sender.
        return [
            (priority, head)
            for priority, heads in found.items()
            for head in nsmallest(limit, heads, key=lambda one: (one.due_at, one.request))
        ]

    def _next_departure(self, bound: float) -> float | None:
        """The first departure of a paced sender that may come before `bound`; None where none does."""
        best: float | None = None
        for room_at, sender in self.allowances.order:
            if room_at >= (bound if best is None else min(best, bound)):
                break
            known = self.allowances.known(sender)
            departure = self._read_departure(sender) if known is None else known.departure
            if departure is not None and (best is None or departure < best):
                best = departure
        return best

    def _read_departure(self, sender: int) -> float | None:
        """When the next request of this sender leaves, and keeps it; None where nothing waits."""
        first = self._heads([sender], due_before=math.inf).get(sender, {})
        departure = policy.next_departure(self.allowances.senders[sender], first)
        self.allowances.read(sender, departure)
        return departure

    def _heads(self, senders: Iterable[int], *, due_before: float) -> Mapping[int, Mapping[Priority, Head]]:
        """The first request of each class of these senders; without senders for which none is due."""
        values = {"senders": json.dumps(list(senders)), "due_before": due_before, "aside": self.aside.ids}
        found: dict[int, dict[Priority, Head]] = {}
        for priority, rank in RANKS.items():
            rows = self.connection.execute(paced.HEADS, {**values, "priority": rank})
            for request, sender, due_at, amount in rows:
                head = policy.Head(request=request, due_at=due_at, amount=amount)
                found.setdefault(sender, {})[priority] = head
        return found

    def _queue(self, sender: int, priority: Priority, *, due_before: float, limit: int) -> list[Head]:
        values = {
            "sender": sender,
            "priority": RANKS[priority],
            "due_before": due_before,
            "aside": self.aside.ids,
            "limit": limit,
        }
        return [
            policy.Head(request=request, due_at=due_at, amount=amount)
            for request, due_at, amount in self.connection.execute(paced.QUEUE, values)
        ]
