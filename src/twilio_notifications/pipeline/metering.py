"""What the stages tell whoever counts: each call once, after the commit of what it tells of.

Counting is no event of the log: it happens for each request, so it takes the values that are at hand and
nothing is made for it. Where nobody counts, `Unmetered` costs a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twilio_notifications.ports import Claimed, Inbound, NewRejection, NewRequest, Recording, Step


class Meter(Protocol):
    """Counts; must neither wait nor fail."""

    def recorded(
        self, inbound: Inbound, arrival: NewRequest | NewRejection, recording: Recording
    ) -> None: ...

    def attempted(self, request: Claimed, step: Step) -> None: ...

    def turned_away(self, request: Claimed, step: Step) -> None: ...

    def settled(self, request: Claimed, step: Step) -> None:
        """Also where the step is to look again."""


class Unmetered:
    """Nobody counts."""

    def recorded(self, inbound: Inbound, arrival: NewRequest | NewRejection, recording: Recording) -> None:
        pass

    def attempted(self, request: Claimed, step: Step) -> None:
        pass

    def turned_away(self, request: Claimed, step: Step) -> None:
        pass

    def settled(self, request: Claimed, step: Step) -> None:
        pass
