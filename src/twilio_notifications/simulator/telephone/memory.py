"""Which texts and calls the telephones show: the latest ones, within a bound."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from twilio_notifications.simulator.resources import INBOUND

if TYPE_CHECKING:
    from twilio_notifications.simulator.resources import Resource

MOST_KEPT: Final = 2_000
"""How many texts and calls all telephones show together; the oldest one makes room for the next."""


class TelephoneMemory:
    """The SIDs of the latest texts and calls of all telephones, and the telephone that each of them is on."""

    def __init__(self) -> None:
        self._latest: deque[tuple[str, str]] = deque(maxlen=MOST_KEPT)

    def add(self, resource: Resource) -> None:
        """Shows a new text or call: one from outside on the telephone from which it comes."""
        self._latest.append((telephone_of(resource), resource.sid))

    def by_number(self) -> dict[str, list[str]]:
        """The SIDs on each telephone, newest first; the telephone with the newest one comes first."""
        found: dict[str, list[str]] = {}
        for number, sid in reversed(self._latest):
            found.setdefault(number, []).append(sid)
        return found


def telephone_of(resource: Resource) -> str:
    """The number of the telephone on which this text or call is."""
    return (resource.sender or "") if resource.direction == INBOUND else resource.to
