"""Metrics hooks of the stages; each is called once per event, after its commit.

Counting is no event of the log: it happens for each request, so it takes the values that are at hand and
nothing is made for it. With metrics off, `Unmetered` costs a call.
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
    """The hooks where metrics are off."""

    def recorded(self, inbound: Inbound, arrival: NewRequest | NewRejection, recording: Recording) -> None:
        pass

    def attempted(self, request: Claimed, step: Step) -> None:
        pass

    def turned_away(self, request: Claimed, step: Step) -> None:
        pass

    def settled(self, request: Claimed, step: Step) -> None:
        pass
