"""Arrivals on SQLite: what the broker delivered."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.recording import RecordCall
from twilio_notifications.adapters.journal.room import YET_TO_COME_BYTES
from twilio_notifications.adapters.journal.rows import size_of
from twilio_notifications.core.lifecycle import UNFINISHED

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.ports import Arrival, Opening, Recordings

LARGEST_ARRIVAL_BYTES = 32 * 1024
"""More than the rows of any request take: its texts are bounded by the contract."""


class SqlArrivals:
    """Implements ports.Arrivals."""

    _store: OpenJournal

    def record(
        self, arrivals: Sequence[Arrival], *, opening: Opening | None = None
    ) -> asyncio.Future[Recordings]:
        """What became of each arrival, once all of them are on disk, in one transaction."""
        store = self._store
        sizes = tuple([size_of(arrival) for arrival in arrivals])
        record = RecordCall(arrivals=tuple(arrivals), sizes=sizes, opening=opening, now=store.monotonic())
        return store.writer.give(
            store.recorder,
            record,
            arrival=True,
            size=sum(sizes) + len(sizes) * YET_TO_COME_BYTES,
            members=len(arrivals),
        )

    def is_roomy(self, count: int) -> bool:
        """Whether `count` more requests surely fit; from memory, at no cost."""
        store = self._store
        more = store.writer.queued + count
        by_state = store.ledger.memory.committed_by_state
        waiting = sum(by_state[state] for state in UNFINISHED) + store.ledger.duplicates.count + more
        return waiting <= store.maximum_waiting * 9 // 10 and more * LARGEST_ARRIVAL_BYTES <= store.room.left

    def forget_packets(self) -> asyncio.Future[None]:
        """The broker has a new session for us: nothing that came over the last one is delivered again."""
        # Like an arrival, because it must not overtake those that came before it.
        forgotten = self._store.take_in(self._store.ledger.redelivery.forget)
        forgotten.add_done_callback(_mark_seen)
        return forgotten

    def connection_ended(self) -> None:
        """What came over it may be delivered again over the next one."""
        ended = partial(self._store.ledger.redelivery.connection_ended, now=self._store.monotonic())
        self._store.take_in(ended).add_done_callback(_mark_seen)


def _mark_seen(done: asyncio.Future[None]) -> None:
    """Marks an error as seen: everything that waits for the journal gets it too."""
    if not done.cancelled():
        done.exception()
