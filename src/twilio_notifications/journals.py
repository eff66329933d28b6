"""The journal of the configuration, whichever engine keeps it.

PostgreSQL needs an extra, and is imported only where the configuration names it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Unpack

from twilio_notifications.adapters.journal.backlog import SqlBacklog
from twilio_notifications.adapters.journal.desk import SqlOrderDesk
from twilio_notifications.adapters.journal.reading.reader import SqlReader
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.extras import not_installed

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.access import Access
    from twilio_notifications.adapters.journal.journal import JournalOptions, SqlJournal
    from twilio_notifications.config import JournalSettings
    from twilio_notifications.ports import Events


def problems(settings: JournalSettings) -> list[str]:
    """What the configuration wants of the journal and this installation does not have."""
    if settings.database is None or find_spec("asyncpg") is not None:
        return []
    return [not_installed("asyncpg", needed_by="[journal] url", extra="postgres")]


def journal(
    settings: JournalSettings, *, events: Events, member: str, **options: Unpack[JournalOptions]
) -> SqlJournal:
    """The journal, not opened yet. `member` is the name of this connector among those that share it."""
    options |= {"maximum_waiting": settings.maximum_waiting}
    if settings.database is None:
        from twilio_notifications.adapters.sqlite import SqliteJournal  # noqa: PLC0415 - one of the two

        return SqliteJournal(settings.path, events=events, maximum_bytes=settings.maximum_bytes, **options)
    from twilio_notifications.adapters.postgres.journal import PostgresJournal  # noqa: PLC0415 - needs the extra

    return PostgresJournal(
        settings.database.whole.reveal(),
        events=events,
        member=member,
        lease_seconds=settings.lease_seconds,
        **options,
    )


def reader(settings: JournalSettings) -> SqlReader:
    """What people read of the journal."""
    return SqlReader(access(settings))


def desk(settings: JournalSettings) -> SqlOrderDesk:
    """Where people order of the connector of the journal."""
    return SqlOrderDesk(access(settings))


def backlog(settings: JournalSettings) -> SqlBacklog:
    """What waits in the journal, which is open."""
    return SqlBacklog(access(settings))


def purge(settings: JournalSettings, *, finished_before: float) -> int:
    """Removes what was reported before that instant, where no connector runs; how many requests."""
    if settings.database is None:
        from twilio_notifications.adapters.sqlite.purging import JournalFile  # noqa: PLC0415 - one of the two

        return JournalFile(settings.path).purge(finished_before=finished_before)
    _require_extra(settings)
    from twilio_notifications.adapters.postgres.purging import purge as purge_database  # noqa: PLC0415 - extra

    return purge_database(settings.database.whole.reveal(), finished_before=finished_before)


def database_state(settings: JournalSettings) -> str:
    """What a start would find in the database, in a sentence; raises what it would raise."""
    assert settings.database is not None, "a file is looked at by checks/machine.py"
    _require_extra(settings)
    from twilio_notifications.adapters.postgres.inspecting import inspect  # noqa: PLC0415 - needs the extra

    return inspect(settings.database.whole.reveal())


def is_in_use(settings: JournalSettings) -> bool:
    """Whether a connector runs on the journal."""
    return access(settings).is_running()


def access(settings: JournalSettings) -> Access:
    """The way to the journal for people. Raises ConfigurationError where the extra is missing."""
    if settings.database is None:
        from twilio_notifications.adapters.sqlite.access import SqliteAccess  # noqa: PLC0415 - one of the two

        return SqliteAccess(settings.path)
    _require_extra(settings)
    from twilio_notifications.adapters.postgres.access import PostgresAccess  # noqa: PLC0415 - needs the extra

    return PostgresAccess(settings.database.whole.reveal())


def _require_extra(settings: JournalSettings) -> None:
    found = problems(settings)
    if found:
        raise ConfigurationError(found)
