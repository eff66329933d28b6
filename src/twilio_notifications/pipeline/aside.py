"""Sets a request aside when a defect of the connector keeps it from going on.

A defect that one request causes costs that request: it is answered with InternalError, and the log has the
trace. Where the journal cannot even write that answer down, the journal leaves the request alone until the
next start. Only a journal that is damaged or closed ends a stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import JournalError, Reason
from twilio_notifications.core.model import Rejection
from twilio_notifications.ports import Finish
from twilio_notifications.ports.events import Defect, RequestSetAside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import BrokenRow, Claimed, Clock, Events, Journal, Step

NOT_SENT: Final = "The connector failed on this request, and nothing was sent. Its log has the details"
PERHAPS_SENT: Final = (
    "The connector failed on this request. It may or may not have been sent, and is not sent again: "
    "look into Twilio's console. The connector's log has the details"
)
UNREADABLE: Final = (
    "The connector cannot read this request in its journal any more. What was sent before is not known; "
    "nothing more is sent. Its log has the details"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aside:
    """What every stage does with a request on which it fails."""

    journal: Journal
    statuses: StatusWriter
    clock: Clock
    events: Events

    async def carry_out(self, request: Claimed, step: Awaitable[Step], *, sentence: str) -> Step | None:
        """Takes the step as soon as it is known, and returns it.

        Where a defect keeps it from being made or taken, the request ends with InternalError and `sentence`,
        and that step is returned; None where the journal does not take that one either. Raises JournalError.
        """
        try:
            made = await step
            await self.journal.apply(made)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this request alone
            return await self.answer(request, error, sentence=sentence)
        return made

    async def each(
        self, requests: Sequence[Claimed], do: Callable[[Sequence[Claimed]], Awaitable[None]]
    ) -> None:
        """Does it for all requests at once; where a defect fails that, for each of them alone.

        `do` must have done nothing when it raises. Requests on which it fails alone were not sent, and are
        set aside.
        """
        if not requests:
            return
        try:
            await do(requests)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one of them is the cause, the others must not pay for it
            if len(requests) == 1:
                await self.answer(requests[0], error, sentence=NOT_SENT)
                return
            for request in requests:
                await self.each([request], do)

    async def answer(self, request: Claimed, error: Exception, *, sentence: str) -> Step | None:
        """Ends the request with InternalError; None where the journal does not take that step."""

        def step() -> Finish:
            at = self.clock.now()
            return self.statuses.failed(request, Reason.INTERNAL_ERROR, sentence, at=at, counted=False)

        return await self._finish(request.id, error, step)

    async def answer_broken(self) -> bool:
        """Answers the requests whose rows could not be read since the last call; whether there were any."""
        broken = await self.journal.broken_rows()
        for row in broken:
            await self._answer_row(row)
        return bool(broken)

    async def _answer_row(self, row: BrokenRow) -> None:
        def step() -> Finish:
            at, reason = self.clock.now(), Reason.INTERNAL_ERROR
            rejection = Rejection(request_id=row.request_id, message=UNREADABLE)
            status = self.statuses.rejected(rejection, reason, channel=row.channel, at=at)
            return Finish(id=row.id, at=at, status=status, reason=reason, message=UNREADABLE, counted=False)

        await self._finish(row.id, row.error, step)

    async def _finish(self, id_: int, error: Exception, make: Callable[[], Finish]) -> Finish | None:
        self.events.tell(Defect(name="request_defect", error=error))
        try:
            step = make()
            await self.journal.apply(step)
        except JournalError:
            raise
        except Exception as second:  # noqa: BLE001 - the same: it must not end the connector
            self.events.tell(Defect(name="request_defect", error=second))
            self.journal.set_aside(id_)
            self._tell(id_, answered=False)
            return None
        self._tell(id_, answered=True)
        return step

    def _tell(self, id_: int, *, answered: bool) -> None:
        self.events.tell(RequestSetAside(number=id_, answered=answered))
