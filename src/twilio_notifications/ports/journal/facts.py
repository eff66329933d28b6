"""What a running connector writes down of itself, for people who read its journal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class FactName(StrEnum):
    """What a fact is about. The journal holds one of each."""

    CONNECTOR = "connector"
    CONNECTION = "connection"
    CREDENTIALS = "credentials"


class FactWord(StrEnum):
    """How something stands."""

    RUNNING = "running"
    ENDED = "ended"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """How something stands, and since when."""

    name: FactName
    word: FactWord
    about: str = ""
    """The version of the connector; the broker or the nucleus."""
    detail: str = ""
    """A sentence for people, such as why the broker refuses the connection; empty: there is none."""
    since: float
    """Since when it is that word, in seconds since the epoch."""


class Facts(Protocol):
    """What the connector's own notes need of the journal.

    A call raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved where
    its files cannot be used any more. A failing disk is waited for.
    """

    async def keep_facts(self, facts: Sequence[Fact], *, at: float) -> None:
        """Keeps each in place of the last one of its name; returns when that is on disk. `at` is now."""
