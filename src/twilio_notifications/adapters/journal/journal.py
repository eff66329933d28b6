"""The journal in SQL: one class for each narrow port, committed in groups by the writer.

It never decides: what a step means was decided in the core. It does enforce: an update names the states that
core/lifecycle.py allows, and a step that finds its request in another state fails as a defect.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, Self, TypedDict

from twilio_notifications.adapters.journal.arrivals import SqlArrivals
from twilio_notifications.adapters.journal.aside import SetAside
from twilio_notifications.adapters.journal.attempting import Opener
from twilio_notifications.adapters.journal.care import SqlCare
from twilio_notifications.adapters.journal.carrying import Carrying
from twilio_notifications.adapters.journal.chaining import Chaining
from twilio_notifications.adapters.journal.chains import SqlChains
from twilio_notifications.adapters.journal.charging import ChargedAlone
from twilio_notifications.adapters.journal.deliveries import SqlDeliveries
from twilio_notifications.adapters.journal.disk import Disk
from twilio_notifications.adapters.journal.doubts import SqlDoubts
from twilio_notifications.adapters.journal.duplicates import Duplicates
from twilio_notifications.adapters.journal.facts import SqlFacts
from twilio_notifications.adapters.journal.grouping import Group, GroupRedelivery
from twilio_notifications.adapters.journal.membership import SqlMembership
from twilio_notifications.adapters.journal.memory import Memory
from twilio_notifications.adapters.journal.orders import SqlOrders
from twilio_notifications.adapters.journal.outbox import SqlOutbox
from twilio_notifications.adapters.journal.paces import Paces
from twilio_notifications.adapters.journal.recording import Recorder
from twilio_notifications.adapters.journal.redelivery import Redelivery
from twilio_notifications.adapters.journal.reporting import Reports
from twilio_notifications.adapters.journal.sharing import Alone
from twilio_notifications.adapters.journal.statements import arrivals, work
from twilio_notifications.adapters.journal.store import Ledger, OpenJournal
from twilio_notifications.adapters.journal.taking import Taker
from twilio_notifications.adapters.journal.turns import Turns
from twilio_notifications.adapters.journal.usage import SqlUsage
from twilio_notifications.adapters.journal.waits import SqlWaits
from twilio_notifications.adapters.journal.wishing import Wishing
from twilio_notifications.adapters.journal.work import SqlWork
from twilio_notifications.adapters.journal.writer import Writer
from twilio_notifications.adapters.journal.writing_limits import REPORT_SECONDS
from twilio_notifications.core.pace import NO_PACES
from twilio_notifications.ports.events import Defect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from twilio_notifications.adapters.journal.charging import Charging
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.engine import DatabaseEngine, Reads
    from twilio_notifications.adapters.journal.grouping import AnyRedelivery
    from twilio_notifications.adapters.journal.room import BoundingRoom
    from twilio_notifications.adapters.journal.sharing import Sharing
    from twilio_notifications.core.pace import SenderRates
    from twilio_notifications.ports import Events

Ordering = Literal["recipient", "none"]


class JournalOptions(TypedDict, total=False):
    """What the configuration says of a journal, on whichever engine; see SqlJournal."""

    ordering: Ordering
    maximum_waiting: int
    deduplicate_seconds: float
    sure_seconds: float
    monotonic: Callable[[], float]
    report_seconds: float
    paces: Mapping[str, SenderRates]
    group: Group | None


class SqlJournal(
    SqlArrivals,
    SqlWork,
    SqlDoubts,
    SqlUsage,
    SqlOutbox,
    SqlDeliveries,
    SqlChains,
    SqlOrders,
    SqlWaits,
    SqlFacts,
    SqlCare,
    SqlMembership,
    ABC,
):
    """What the journals of all engines have in common; an engine opens and closes it."""

    def __init__(  # noqa: PLR0913 - what the configuration says of it, each with its default
        self,
        name: str,
        *,
        events: Events,
        ordering: Ordering = "recipient",
        maximum_waiting: int = 1_000_000,
        deduplicate_seconds: float = 0.0,
        sure_seconds: float = 210.0,
        monotonic: Callable[[], float] = time.monotonic,
        report_seconds: float = REPORT_SECONDS,
        paces: Mapping[str, SenderRates] = NO_PACES,
        group: Group | None = None,
        sharing: Sharing | None = None,
        charging: Charging | None = None,
    ) -> None:
        """`name` is how the journal is called in sentences for people.

        `sure_seconds`: a PUBACK that a connection outlived by so much has surely reached the broker.

        `report_seconds`: how long a report waits for another transaction to ride with.
        `paces`: the senders whose requests leave only as fast as their rates allow.
        `group`: connectors that take requests in together; None: the one that leads takes all in.
        `sharing`, `charging`: how it shares the journal, and the limits, with other connectors; None: not at
        all.
        """
        self._name = name
        self._events = events
        self._monotonic = monotonic
        self._maximum_waiting = maximum_waiting
        self._deduplicate_seconds = deduplicate_seconds
        self._report_seconds = report_seconds
        self._sharing = sharing or Alone()
        memory = Memory(numbers=self._sharing.numbers(), is_shared=self._sharing.is_shared)
        redelivery: AnyRedelivery = Redelivery(
            sharing=self._sharing, sure_seconds=sure_seconds, monotonic=monotonic
        )
        if group is not None:
            redelivery = GroupRedelivery(
                group=group, sharing=self._sharing, sure_seconds=sure_seconds, monotonic=monotonic
            )
        self._ledger = Ledger(
            memory=memory,
            duplicates=Duplicates(memory, most=maximum_waiting),
            redelivery=redelivery,
            paces=Paces(paces),
            sharing=self._sharing,
            charging=charging or ChargedAlone(),
        )
        self._turns = Turns(memory=memory, paces=self._ledger.paces, overtaking=ordering == "none")
        self._taker = Taker(
            memory=memory,
            duplicates=self._ledger.duplicates,
            turns=self._turns,
            paces=self._ledger.paces,
            sharing=self._sharing,
            charging=self._ledger.charging,
        )

    @property
    def name(self) -> str:
        """How the journal is called in sentences for people."""
        return self._name

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Opens it; raises a JournalError that names it and says what to do."""

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Writes what waits, and closes it."""

    def _create_wanted_indexes(self, connection: Connection) -> None:
        """Those that only some configurations need, and that are not worth their cost to the others."""
        if self._deduplicate_seconds > 0:
            connection.execute(arrivals.INDEX_REQUEST_IDS)
        if self._turns.overtaking:
            connection.execute(work.INDEX_DUE)

    def _assembled(self, engine: DatabaseEngine, reads: Reads | None, room: BoundingRoom) -> OpenJournal:
        ledger, memory = self._ledger, self._ledger.memory
        taker = self._taker
        chaining = Chaining(memory=memory, turns=self._turns, taker=taker)
        aside, disk = SetAside(is_passing=engine.is_passing), Disk(journal=self._name, events=self._events)
        wishing = Wishing(chaining=chaining, aside=aside)
        return OpenJournal(
            writer=Writer(
                engine,
                ledger=ledger,
                on_disk_fault=disk.failed,
                on_disk_recovery=disk.recovered,
                room=room,
                ride_seconds=self._report_seconds,
            ),
            disk=disk,
            reads=reads,
            room=room,
            aside=aside,
            ledger=ledger,
            events=self._events,
            monotonic=self._monotonic,
            recorder=Recorder(
                memory=memory,
                duplicates=ledger.duplicates,
                redelivery=ledger.redelivery,
                turns=self._turns,
                fitting=room,
                paces=ledger.paces,
                chaining=chaining,
                wishing=wishing,
                sharing=self._sharing,
                maximum_waiting=self._maximum_waiting,
                deduplicate_seconds=self._deduplicate_seconds,
            ),
            taker=taker,
            settling=replace(taker, leads=True),
            chaining=chaining,
            wishing=wishing,
            carrying=Carrying(
                memory=memory,
                duplicates=ledger.duplicates,
                paces=ledger.paces,
                chaining=chaining,
                fitting=room,
                maximum_waiting=self._maximum_waiting,
            ),
            opener=Opener(ledger=ledger, overtaking=self._turns.overtaking),
            reports=Reports(
                memory=memory,
                redelivery=ledger.redelivery,
                sharing=self._sharing,
                on_failed=self._not_reported,
            ),
            maximum_waiting=self._maximum_waiting,
        )

    def _not_reported(self, failed: Mapping[int, Exception]) -> None:
        for position, error in failed.items():
            self._events.tell(Defect(name="request_defect", error=error))
            self._store.leave_status(position)
