"""Words of tests that look at a journal as people do."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tests.support.engines import reader_of
from tests.support.factories import START
from twilio_notifications.ports.journal.reader import Only, Search

if TYPE_CHECKING:
    from tests.support.engines import Place
    from twilio_notifications.ports.journal.reader import Entry
    from twilio_notifications.ports.journal.timeline import Moment

Kind = TypeVar("Kind")


def numbers(path: Place, only: Only = Only.ALL, *, limit: int = 100, now: float = START) -> list[int]:
    """The newest requests of the list, the newest first."""
    return [entry.number for entry in entries(path, only, limit=limit, now=now)]


def entries(path: Place, only: Only = Only.ALL, *, limit: int = 100, now: float = START) -> list[Entry]:
    """The same, with all that a list shows of them."""
    return list(reader_of(path).entries(Search(only=only, limit=limit), now=now, reveal=True).entries)


def entry(path: Place, number: int, *, now: float = START) -> Entry:
    """One request, with whole numbers and names."""
    return reader_of(path).timeline(number, now=now, reveal=True).entry


def moments(path: Place, number: int, *, now: float = START) -> list[Moment]:
    """All that happened to the request, the oldest first."""
    return list(reader_of(path).timeline(number, now=now, reveal=True).moments)


def of_kind(path: Place, number: int, kind: type[Kind], *, now: float = START) -> list[Kind]:
    """What of this kind happened to the request, the oldest first."""
    return [moment for moment in moments(path, number, now=now) if isinstance(moment, kind)]
