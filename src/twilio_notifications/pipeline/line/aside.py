"""Sets a request aside when a defect of the connector keeps it from going on.

A defect that one request causes costs that request: it is answered with InternalError, and the log has the
trace. Where the journal cannot write that answer either, the journal leaves the request alone until the next
start. Only a journal that is damaged or closed ends a stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from twilio_notifications.core.conclusions import NOT_SENT, end_broken, end_with_defect
from twilio_notifications.core.errors import JournalError
from twilio_notifications.ports.events import Defect, RequestSetAside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from twilio_notifications.core.conclusions import StatusWriter
    from twilio_notifications.core.steps import AttemptOutcome, Claimed, Finish
    from twilio_notifications.ports import Clock
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import BrokenRow, Journal, Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What every stage does with a request on which it fails."""

    journal: Journal
    statuses: StatusWriter
    clock: Clock
    events: Events
    on_written: Callable[[Sequence[Unreported]], None]
    """Is given the statuses that are in the outbox now."""

    async def each(
        self, requests: Sequence[Claimed], do: Callable[[Sequence[Claimed]], Awaitable[None]]
    ) -> None:
        """Does it for all requests at once; where a defect fails that, for each of them alone.

        `do` must have done nothing when it raises. Requests on which it fails alone were not sent, and are
        set aside. Raises JournalError.
        """
        if not requests:
            return
        try:
            await do(requests)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one of them is the cause, the others must not pay for it
            if len(requests) == 1:
                await self.answer(requests[0], error, sentence=NOT_SENT, outcome=None)
                return
            for request in requests:
                await self.each([request], do)

    async def answer(
        self,
        request: Claimed,
        error: Exception,
        *,
        sentence: str,
        outcome: AttemptOutcome | None,
        leads: bool = False,
    ) -> Finish | None:
        """Ends the request with InternalError; None where the journal does not take that step.

        `outcome` is that of the request's open attempt; one in doubt is the leader's (`leads`).
        Raises JournalError.
        """

        def make() -> Finish:
            return end_with_defect(
                request, sentence, outcome=outcome, statuses=self.statuses, now=self.clock.now()
            )

        return await self._finish(request.id, error, make, leads=leads)

    async def answer_broken(self) -> None:
        """Answers the requests whose rows could not be read since the last call. Raises JournalError."""
        for row in await self.journal.broken_rows():
            await self._finish(row.id, row.error, partial(self._end_broken, row))

    def _end_broken(self, row: BrokenRow) -> Finish:
        now = self.clock.now()
        return end_broken(row.id, row.request_id, row.channel, statuses=self.statuses, now=now)

    async def _finish(
        self, id_: int, error: Exception, make: Callable[[], Finish], *, leads: bool = False
    ) -> Finish | None:
        self.events.tell(Defect(name="request_defect", error=error))
        try:
            step = make()
            taken = await self.journal.take([step], leads=leads)
            if id_ in taken.failed:
                raise taken.failed[id_]  # noqa: TRY301 - one way for a step that cannot be made or taken
        except JournalError:
            raise
        except Exception as second:  # noqa: BLE001 - the same: it must not end the connector
            self.events.tell(Defect(name="request_defect", error=second))
            self.journal.set_aside(id_)
            self.events.tell(RequestSetAside(number=id_, answered=False))
            return None
        if id_ in taken.lapsed:  # another connector has it, or has answered it
            return None
        self.on_written(taken.written)
        self.events.tell(RequestSetAside(number=id_, answered=True))
        return step
