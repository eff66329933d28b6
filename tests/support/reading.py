"""Words of tests that look at a journal as people do."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tests.support.factories import START
from twilio_notifications.adapters.sqlite.access import sqlite_reader
from twilio_notifications.ports.journal.reader import Only, Search

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.ports.journal.reader import Entry
    from twilio_notifications.ports.journal.timeline import Moment

Kind = TypeVar("Kind")


def numbers(path: Path, only: Only = Only.ALL, *, limit: int = 100, now: float = START) -> list[int]:
    """The newest requests of the list, the newest first."""
    return [entry.number for entry in entries(path, only, limit=limit, now=now)]


def entries(path: Path, only: Only = Only.ALL, *, limit: int = 100, now: float = START) -> list[Entry]:
    """The same, with all that a list shows of them."""
    return list(sqlite_reader(path).entries(Search(only=only, limit=limit), now=now, reveal=True).entries)


def entry(path: Path, number: int, *, now: float = START) -> Entry:
    """One request, with whole numbers and names."""
    return sqlite_reader(path).timeline(number, now=now, reveal=True).entry


def moments(path: Path, number: int, *, now: float = START) -> list[Moment]:
    """All that happened to the request, the oldest first."""
    return list(sqlite_reader(path).timeline(number, now=now, reveal=True).moments)


def of_kind(path: Path, number: int, kind: type[Kind], *, now: float = START) -> list[Kind]:
    """What of this kind happened to the request, the oldest first."""
    return [moment for moment in moments(path, number, now=now) if isinstance(moment, kind)]
