"""Decides which callbacks are made now, and what happens to each one: late, repeated, out of order, or lost.

It makes no request; `sender` takes what is due and records here what came of it.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import msgspec

from twilio_notifications.simulator.callbacks import OutgoingCallback, callbacks_of
from twilio_notifications.simulator.ledger import KeptLedger

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.simulator.resources import Resource


class CallbackTreatment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to each callback from now on.

    It is made `copies` times (0: not at all). Each copy is lost with the chance `lost`, and comes
    `delay_seconds` and up to `shuffle_seconds` more after its event, so that callbacks overtake each other.
    With `early`, the first callback of a new resource comes before the answer to the POST that creates it.
    A `seed` makes the chances repeatable.
    """

    copies: Annotated[int, msgspec.Meta(ge=0, le=10)] = 1
    lost: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    delay_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    shuffle_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    early: bool = False
    seed: int | None = None


@dataclass(slots=True, kw_only=True)
class CallbackEntry:
    """One callback that was made or lost. `status` is the HTTP answer; None before it, and without one.

    `failure` says why there was no answer. `answer` holds the beginning of the body that came back.
    """

    callback: OutgoingCallback
    lost: bool = False
    requests: int = 0
    status: int | None = None
    failure: str | None = None
    answer: str = field(default="", repr=False)


class Announcer:
    """The callbacks to come, and the ledger of those that were made or lost, the latest `keep` at least.

    `find` gives a resource as it stands, or None where it was deleted or forgotten: then its callbacks end.
    """

    def __init__(
        self, *, find: Callable[[str], Resource | None], chance: random.Random, keep: int | None = None
    ) -> None:
        self._find = find
        self._keep = keep
        self._default_chance = self._chance = chance
        self._next: list[tuple[float, str]] = []
        self._outgoing: list[tuple[float, int, OutgoingCallback]] = []
        self._made: dict[str, set[tuple[object, ...]]] = {}
        self._ties = itertools.count()  # callbacks of the same instant stay in order
        self.treatment = CallbackTreatment()
        self.entries: KeptLedger[CallbackEntry] = KeptLedger(keep=keep)

    @property
    def ledger(self) -> list[CallbackEntry]:
        """The callbacks that were made or lost and are kept, in order."""
        return self.entries.entries

    def set_treatment(self, treatment: CallbackTreatment) -> None:
        """Treats each callback whose event is still to come in this way from now on."""
        self.treatment = treatment
        seed = treatment.seed
        # a seed makes a run repeatable, nothing here is secret
        self._chance = self._default_chance if seed is None else random.Random(seed)  # noqa: S311

    @property
    def next_at(self) -> float | None:
        """The instant at which `take_due` has something to do; None where nothing is to come."""
        return min((queue[0][0] for queue in (self._next, self._outgoing) if queue), default=None)

    def begin(self, resource: Resource, *, now: float) -> bool:
        """Announces a new resource's events from now on.

        Returns whether its first callback is to come before the answer to its create.
        """
        coming = callbacks_of(resource)
        if not coming:
            return False
        self._made[resource.sid] = set()
        if self._keep is not None and len(self._made) > 3 * self._keep:
            # So many texts, so many calls, and as many again before they are looked through.
            self._made = {sid: made for sid, made in self._made.items() if self._find(sid) is not None}
        first = coming[0]
        early = self.treatment.early and self.treatment.copies > 0 and first.state not in resource.finals
        if early:
            self._made[resource.sid].add(first.key)
            for _ in range(self.treatment.copies):
                self._put(replace(first, due_at=now))
        self.follow(resource)
        return early

    def follow(self, resource: Resource) -> None:
        """Announces the events of a resource that has changed."""
        coming = self._coming(resource)
        if coming:
            heapq.heappush(self._next, (coming[0].due_at, resource.sid))

    def take_due(self, now: float) -> list[CallbackEntry]:
        """The callbacks to make now, in order; the lost ones among those due go to the ledger only."""
        while self._next and self._next[0][0] <= now:
            _, sid = heapq.heappop(self._next)
            self._announce(sid, now)
        due = []
        while self._outgoing and self._outgoing[0][0] <= now:
            entry = CallbackEntry(callback=heapq.heappop(self._outgoing)[2])
            entry.lost = self._chance.random() < self.treatment.lost
            self.entries.add(entry)
            if not entry.lost:
                due.append(entry)
        return due

    def _announce(self, sid: str, now: float) -> None:
        resource = self._find(sid)
        if resource is None:
            return
        coming = self._coming(resource)
        for callback in coming:
            if callback.due_at > now:
                heapq.heappush(self._next, (callback.due_at, sid))
                return
            self._treat(callback)

    def _coming(self, resource: Resource) -> tuple[OutgoingCallback, ...]:
        made = self._made.get(resource.sid, set())
        return tuple(callback for callback in callbacks_of(resource) if callback.key not in made)

    def _treat(self, callback: OutgoingCallback) -> None:
        self._made.setdefault(callback.sid, set()).add(callback.key)
        treatment = self.treatment
        for _ in range(treatment.copies):
            due_at = callback.due_at + treatment.delay_seconds
            if treatment.shuffle_seconds:
                due_at += self._chance.uniform(0, treatment.shuffle_seconds)
            self._put(replace(callback, due_at=due_at))

    def _put(self, callback: OutgoingCallback) -> None:
        heapq.heappush(self._outgoing, (callback.due_at, next(self._ties), callback))
