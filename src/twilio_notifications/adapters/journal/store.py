"""What the parts of the journal share: the writer, the reading connection, and what is kept in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.adapters.journal.engine import ReadFailed
from twilio_notifications.adapters.journal.grouping import GroupRedelivery
from twilio_notifications.adapters.journal.lanes import NO_LANES
from twilio_notifications.core.errors import JournalError
from twilio_notifications.ports.events import Defect, RequestSetAside, StatusLeftAlone

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.journal.aside import SetAside
    from twilio_notifications.adapters.journal.attempting import Opener
    from twilio_notifications.adapters.journal.carrying import Carrying
    from twilio_notifications.adapters.journal.chaining import Chaining
    from twilio_notifications.adapters.journal.charging import Charging
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.disk import Disk
    from twilio_notifications.adapters.journal.duplicates import Duplicates
    from twilio_notifications.adapters.journal.engine import Reads
    from twilio_notifications.adapters.journal.grouping import AnyRedelivery
    from twilio_notifications.adapters.journal.lanes import Lanes
    from twilio_notifications.adapters.journal.memory import Memory
    from twilio_notifications.adapters.journal.paces import Paces
    from twilio_notifications.adapters.journal.recording import Recorder
    from twilio_notifications.adapters.journal.reporting import Reports
    from twilio_notifications.adapters.journal.room import Room
    from twilio_notifications.adapters.journal.sharing import Sharing
    from twilio_notifications.adapters.journal.taking import Taker
    from twilio_notifications.adapters.journal.wishing import Wishing
    from twilio_notifications.adapters.journal.writer import Writer
    from twilio_notifications.ports import Events

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What is kept in memory about the journal, and so must follow its transactions."""

    memory: Memory
    duplicates: Duplicates
    redelivery: AnyRedelivery
    paces: Paces
    sharing: Sharing
    charging: Charging

    def load(self, connection: Connection) -> None:
        """Reads what an earlier run left; `paces` have been loaded before."""
        self.memory.load(connection)
        self.duplicates.load(connection)
        self.redelivery.load(connection)

    def begun(self, connection: Connection, lanes: Lanes | None) -> None:
        """Reads what other connectors have written, in a transaction that has just begun."""
        self.sharing.begun(whole=lanes is None)
        self.charging.begun(lanes)
        self.memory.numbers.begun(connection)
        if self.sharing.is_shared:
            self.paces.reload(connection)
            self.duplicates.load(connection)

    def committed(self) -> None:
        self.memory.committed()
        self.duplicates.committed()
        self.redelivery.committed()
        self.paces.committed()
        self.charging.committed()

    def rolled_back(self) -> None:
        self.memory.rolled_back()
        self.duplicates.rolled_back()
        self.redelivery.rolled_back()
        self.paces.rolled_back()
        self.charging.rolled_back()

    def is_empty(self) -> bool:
        """Whether nothing waits, neither for Twilio nor to be reported."""
        return self.memory.is_empty()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJournal:
    """An open journal. Its methods are for the event loop."""

    writer: Writer
    disk: Disk
    reads: Reads | None
    """None for a journal in memory, which has one connection."""
    room: Room
    aside: SetAside
    ledger: Ledger
    events: Events
    monotonic: Callable[[], float]
    recorder: Recorder
    taker: Taker
    settling: Taker
    """The same for the steps of attempts in doubt, which are the leader's."""
    opener: Opener
    chaining: Chaining
    wishing: Wishing
    carrying: Carrying
    reports: Reports
    maximum_waiting: int

    def lead(self, operation: Callable[[Connection], R], *, arrival: bool = False) -> asyncio.Future[R]:
        """The same as the writer's `submit`, for the leader alone; the future may raise NotLeading."""
        sharing = self.ledger.sharing

        def operation_of_leader(connection: Connection) -> R:
            sharing.require_leadership(connection)
            return operation(connection)

        return self.writer.submit(operation_of_leader, arrival=arrival)

    def take_in(self, operation: Callable[[Connection], R]) -> asyncio.Future[R]:
        """For what is about this connector's own connection to the broker; keeps its order among arrivals."""
        if isinstance(self.ledger.redelivery, GroupRedelivery):
            return self.writer.submit(operation, arrival=True)
        return self.lead(operation, arrival=True)

    async def read(self, operation: Callable[[Connection], R]) -> R:
        """Reads what is committed. Where that fails, the writer reads, and waits until it can."""
        self.writer.require_sound()
        if self.reads is not None:
            try:
                return await self.reads.read(operation)
            except ReadFailed:
                pass  # the writer knows what to do with a disk that fails, and meets the same fault
        return await self.writer.submit(operation, lanes=NO_LANES)

    async def select(
        self, statement: str, bound: float, make: Callable[[tuple[Any, ...]], R], *, limit: int
    ) -> list[R]:
        """The first rows as values, without those that are set aside."""
        aside = self.aside
        return await self.read(
            lambda connection: aside.values(
                connection.execute(statement, (bound, aside.limit(limit))), make, wanted=limit
            )
        )

    async def each(
        self,
        keys: Sequence[int],
        operation: Callable[[Connection, Sequence[int]], object],
        *,
        leave: Callable[[int], None],
    ) -> None:
        """In one transaction, or where a defect fails that, in one each; `leave` gets what fails alone."""
        try:
            await self.writer.submit(lambda connection: operation(connection, keys))
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one of them is the cause
            if len(keys) > 1:
                for key in keys:
                    await self.each([key], operation, leave=leave)
                return
            self.events.tell(Defect(name="request_defect", error=error))
            leave(keys[0])

    def leave_request(self, id_: int) -> None:
        """Sets a request aside, and says so."""
        self.aside.add(id_)
        self.events.tell(RequestSetAside(number=id_, answered=False))

    def leave_status(self, position: int) -> None:
        """Sets a status aside, and says so."""
        self.aside.add_status(position)
        self.events.tell(StatusLeftAlone(position=position))
