"""Whether the connector is alive, and whether it is ready: what a probe, and a heartbeat, want to know.

Alive: the event loop turns, and the journal's writer answers. A connector that is not alive needs a new
start. Ready: a request can come in, be kept, and go out to Twilio. A connector that is not ready waits for
something outside, and goes on by itself.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import JournalClosed
from twilio_notifications.ports.conditions import AT_THE_START, CONDITIONS, Condition
from twilio_notifications.ports.events import ConnectorDraining

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.ports import Event, Pulse

PULSE_SECONDS: Final = 4.0
"""How long the journal's writer may take to answer: much longer than a commit, and less than the time within
which a client of the page must have its answer."""

SERVER_SECONDS: Final = 60.0
"""The same where the server of a database keeps the journal: longer than the writer waits for a connection
and for an answer. A server that says nothing is no reason for a new start: that would wait for it as well."""

_AMISS: Final[Mapping[Condition, str]] = {
    Condition.BROKER: "there is no session with the broker or the nucleus",
    Condition.JOURNAL: "the journal's disk is full or fails, or its server is away",
    Condition.LOGIN: "Twilio refuses the credentials",
    Condition.TWILIO: "Twilio cannot be reached",
}


class Health:
    """Hears the events, and says how the connector is. Nothing of it is ever about a request."""

    def __init__(self, *, pulse_seconds: float = PULSE_SECONDS) -> None:
        self._pulse_seconds = pulse_seconds
        self._holds = dict(AT_THE_START)
        self._is_ending = False
        self._patience_seconds = 0.0
        self._journal: Pulse | None = None
        self._answer: asyncio.Task[None] | None = None
        self._asked_at = 0.0

    def watch(self, journal: Pulse, *, patience_seconds: float = 0.0) -> None:
        """From now on, being alive includes that this one answers, at the latest after `patience_seconds`."""
        self._journal = journal
        self._patience_seconds = patience_seconds

    def tell(self, event: Event) -> None:
        """Keeps what the event says of the present."""
        kind = type(event)
        if kind in CONDITIONS:
            condition, holds = CONDITIONS[kind]
            self._holds[condition] = holds
        elif kind is ConnectorDraining:
            self._is_ending = True

    def hindrances(self) -> tuple[str, ...]:
        """Why the connector is not ready, one sentence for each reason; empty: it is."""
        ending = ("the connector is ending",) if self._is_ending else ()
        return (*ending, *(_AMISS[each] for each, holds in self._holds.items() if not holds))

    async def stall(self) -> str | None:
        """Why the connector is not alive; None: it is."""
        if self._journal is None:
            return None
        now = asyncio.get_running_loop().time
        if self._answer is None or self._answer.done():
            self._answer, self._asked_at = asyncio.create_task(_pulse(self._journal)), now()
        await asyncio.wait({self._answer}, timeout=self._pulse_seconds)
        if self._answer.done() or now() - self._asked_at < self._patience_seconds:
            return None
        seconds = max(self._pulse_seconds, self._patience_seconds)
        return f"the journal's writer has not answered within {seconds:g} s"


async def _pulse(journal: Pulse) -> None:
    with suppress(JournalClosed):  # the connector is ending
        await journal.pulse()
