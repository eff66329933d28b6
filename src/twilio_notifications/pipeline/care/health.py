"""Whether the connector is alive, and whether it is ready: what a probe, and a heartbeat, want to know.

Alive: the event loop turns, and the journal's writer answers. A connector that is not alive needs a new
start. Ready: a request can come in, be kept, and go out to Twilio. A connector that is not ready waits for
something outside, and goes on by itself.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from twilio_notifications.ports.conditions import AT_THE_START, CONDITIONS, Condition
from twilio_notifications.ports.events import ConnectorDraining

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.ports import Event, Pulse

PULSE_SECONDS: Final = 4.0
"""How long the journal's writer may take to answer: much longer than a commit, and less than the time within
which a client of the page must have its answer."""

_AMISS: Final[Mapping[Condition, str]] = {
    Condition.BROKER: "there is no session with the broker or the nucleus",
    Condition.JOURNAL: "the journal's disk is full or fails",
    Condition.LOGIN: "Twilio refuses the credentials",
    Condition.TWILIO: "Twilio cannot be reached",
}


class Health:
    """Hears the events, and says how the connector is. Nothing of it is ever about a request."""

    def __init__(self, *, pulse_seconds: float = PULSE_SECONDS) -> None:
        self._pulse_seconds = pulse_seconds
        self._holds = dict(AT_THE_START)
        self._is_ending = False
        self._journal: Pulse | None = None

    def watch(self, journal: Pulse) -> None:
        """From now on, being alive includes that this one answers."""
        self._journal = journal

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
        try:
            async with asyncio.timeout(self._pulse_seconds):
                await self._journal.pulse()
        except TimeoutError:
            return f"the journal's writer has not answered within {self._pulse_seconds:g} s"
        return None
