"""Events of the journal and its disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from twilio_notifications.ports.events.event import Event, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalOpened(Event):
    """The journal is recovered; the numbers are what an earlier run left."""

    level: ClassVar[Level] = Level.INFO
    waiting: int
    in_doubt: int
    unreported: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalUpgrading(Event):
    """A journal of an earlier version is brought up to date; of about so many requests, so many are done."""

    level: ClassVar[Level] = Level.INFO
    journal: str
    requests: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalUnavailable(Event):
    """The disk, or the database server, fails; nothing is acknowledged until it works."""

    level: ClassVar[Level] = Level.ERROR
    journal: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalAvailable(Event):
    """The disk, or the database server, works again."""

    level: ClassVar[Level] = Level.INFO
    journal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationsSilent(Event):
    """The database passes no notification on, so that what other processes write is found by polling."""

    level: ClassVar[Level] = Level.WARNING
    journal: str
    remark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFull(Event):
    """As many requests wait as may; new ones are rejected."""

    level: ClassVar[Level] = Level.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLimited(Event):
    """The journal may take so many bytes, which is less than the configuration says."""

    level: ClassVar[Level] = Level.INFO
    journal: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalTrimmed(Event):
    """The journal came near its limit of so many bytes; reported requests were removed early."""

    level: ClassVar[Level] = Level.WARNING
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalPurged(Event):
    """So many requests that were reported long ago were removed."""

    level: ClassVar[Level] = Level.INFO
    requests: int
