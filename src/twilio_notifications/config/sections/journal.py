"""[journal]: where requests and statuses are kept, and how many of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any, Final

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Seconds, WholeNumber, Written
from twilio_notifications.config.urls import DatabaseAddress, read_journal_url

DEFAULT_PLACE = PurePath("journal", "journal.db")
"""The place of the journal below the folder from which relative paths start."""


class JournalPlace(StrEnum):
    """Why the journal is where it is: by default, by the default of an earlier version, or as named."""

    DEFAULT = "default"
    EARLIER_DEFAULT = "earlier default"
    NAMED = "named"
    DATABASE = "database"


_URL: Final[Written[Any]] = Written(
    description="an sqlite:/// or postgresql:// URL", read=read_journal_url, is_shown=False
)
"""Read, it is a path or a DatabaseAddress; of that, the settings have a field of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """The journal's file, as an absolute path; 0 for `retention_seconds` keeps no finished request.

    The folder of a journal at its default place is made where it is missing. Of a journal on PostgreSQL the
    path is that of the default, next to which a connector may keep other files; no journal is there.
    """

    path: Path = key(
        _URL,
        """"sqlite:///journal/journal.db" is relative,
        "sqlite:////var/lib/twilio-notifications/journal.db" absolute. The connector can change everything
        in the journal's folder, also while it is confined, so give the journal a folder of its own. The
        connector makes the folder of the default. Left out, it still uses a journal.db next to the
        configuration file, where an earlier version put it by default.
        "postgresql://user:password@host/database" is a database of PostgreSQL, of its own; it needs the
        extra postgres.""",
        default=f"sqlite:///{DEFAULT_PLACE}",
        name="url",
    )
    retention_seconds: float = key(
        Seconds(minimum=0),
        """How long finished requests are kept to be looked at: 30 days. 0 keeps none. What was rejected
        is kept for a day at most.""",
        default=2592000,
    )
    maximum_waiting: int = key(
        WholeNumber(minimum=1, maximum=1_000_000_000),
        """How many unfinished requests the journal takes; beyond it, requests are answered with
        QueueFull.""",
        default=1000000,
    )
    maximum_bytes: int = key(
        WholeNumber(minimum=1_000_000, maximum=1_000_000_000_000_000),
        """How many bytes the journal's files may take together, and at most half of what is free on their
        file system at the start. Near it, what was reported is removed, oldest first, before
        retention_seconds are over. Where only unfinished requests and statuses that are not reported yet
        are left, requests are answered with QueueFull. Of a journal in PostgreSQL, its server bounds the
        bytes: when its disk is full, the connector waits.""",
        default=2000000000,
    )
    lease_seconds: float = key(
        Seconds(minimum=0.5, maximum=600),
        """Where several connectors share the journal: how long one of them may be silent before the others
        take over what it has under way, and one of them the broker. Restarts of the database must be
        shorter.""",
        default=10,
    )
    place: JournalPlace
    database: DatabaseAddress | None
    """None: the journal is a file."""


JOURNAL = Section(
    name="journal",
    text="Where the connector keeps requests and statuses, on disk.",
    keys=keys_of(JournalSettings),
)
