"""The engines that keep a journal, for the tests that run on each of them.

A journal is named by its place: the path of a file, or the URL of a database of PostgreSQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, cast

import pytest

from tests.support.factories import START
from tests.support.fakes import RecordingEvents
from twilio_notifications.adapters.journal.desk import SqlOrderDesk
from twilio_notifications.adapters.journal.reading.reader import SqlReader
from twilio_notifications.adapters.journal.sharing import Shared
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.access import SqliteAccess

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from typing import Self

    from tests.support.journals import OpenJournal
    from twilio_notifications.adapters.journal.access import Access
    from twilio_notifications.adapters.journal.journal import JournalOptions, SqlJournal
    from twilio_notifications.adapters.postgres.journal import PostgresJournal
    from twilio_notifications.ports import Events, Journal

Place = Path | str

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))

ON_EACH_ENGINE = pytest.mark.parametrize("journal_settings", ENGINES, indirect=True)
"""Marks tests that start connectors; see the fixture of that name in tests/reliability/conftest.py."""


def place_of(request: pytest.FixtureRequest, folder: Path) -> Place:
    """A new journal of the engine that is the parameter of a fixture."""
    if request.param == "sqlite":
        return folder / "journal.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


def journal_of(place: Place, *, events: Events, **options: Unpack[JournalOptions]) -> SqlJournal:
    """The journal, not opened yet."""
    if isinstance(place, Path):
        return SqliteJournal(place, events=events, **options)
    return in_database(place, events=events, **options)


def in_database(url: str, *, events: Events, **options: Any) -> PostgresJournal:
    """Of a connector that leads as soon as it is open, and whose lease has ended when the next one comes."""
    from twilio_notifications.adapters.postgres.journal import PostgresJournal  # noqa: PLC0415 - needs asyncpg

    class LeadersJournal(PostgresJournal):
        async def __aenter__(self) -> Self:
            await super().__aenter__()
            await self.beat(places=1000, in_use=0, at=START)
            return self

    named = {"member": "one", "lease_seconds": 0.0, **options}
    return LeadersJournal(url, events=events, **named)


async def extend_lease(journal: SqlJournal, *, seconds: float) -> None:
    """From now on its lease lasts for so long from each beat; on SQLite the lock of the file is the lease."""
    sharing = journal._sharing
    if isinstance(sharing, Shared):
        sharing.lease_seconds = seconds
        await journal.beat(places=1000, in_use=0, at=START)


def access_of(place: Place) -> Access:
    """The way to the journal for people, and for another program that reads or writes it."""
    if isinstance(place, Path):
        return SqliteAccess(place)
    from twilio_notifications.adapters.postgres.access import PostgresAccess  # noqa: PLC0415 - needs asyncpg

    return PostgresAccess(place)


def reader_of(place: Place) -> SqlReader:
    return SqlReader(access_of(place))


def desk_of(place: Place) -> SqlOrderDesk:
    return SqlOrderDesk(access_of(place))


def lasting(place: Place) -> OpenJournal:
    """Opens the journal; a report waits for no other call, unless the test says how long it may."""

    def opened(**options: Any) -> AbstractAsyncContextManager[Journal]:
        journal = journal_of(place, events=RecordingEvents(), **{"report_seconds": 0.0, **options})
        return cast("AbstractAsyncContextManager[Journal]", journal)

    return opened
