"""Opens a journal file: lock, integrity, migrations.

It refuses rather than repairs: a file that is damaged, foreign or of a later version is left exactly as it
was, and the error names the file and what to do.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import care
from twilio_notifications.adapters.sqlite.place import (
    PRIVATE,
    look,
    real,
    require_folder,
    require_readable,
    require_whole,
)
from twilio_notifications.adapters.sqlite.reserve import Reserve
from twilio_notifications.adapters.sqlite.takeover import require_room, take_over
from twilio_notifications.core.errors import JournalDamaged, JournalError, JournalLocked, JournalTooNew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Progress = Callable[[int, int], None]

LONGEST_ROW_BYTES = 1_000_000
"""The most bytes of a text, status or row that is written. A request of the largest size makes less than half
of it. What is longer comes of a defect: it fails as an operation of one request and does not fill the disk.
"""

APPLICATION_ID = 0x54774E6F
"""Says "a journal of this program" in the file's header (SQLite's application_id), so that no other
SQLite file is taken for one by mistake. Reads "TwNo"."""


ORDER_SECONDS = 10.0
"""How long an order waits for a transaction of the connector to end."""

NARROW_TABLES = 6
"""The version whose script is followed by a takeover of all rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    version: int
    name: str
    script: str


def migrations() -> Iterator[Migration]:
    """The numbered SQL files in their order."""
    folder = resources.files(__package__) / "migrations"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            yield Migration(version=int(number), name=name, script=file.read_text("utf-8"))


def newest_version() -> int:
    """The version that this program writes."""
    return max(migration.version for migration in migrations())


def lock_file(journal: Path) -> Path:
    """Where the lock of a journal stands; links are resolved already."""
    return journal.with_name(journal.name + ".lock")


class FileLock:
    """Held while a connector owns a journal; the kernel releases it when the process ends, however it ends.

    The lock is a file next to the journal and not the journal itself: SQLite's own locks live on the file,
    and POSIX drops all of a process's locks on a file as soon as any descriptor of it is closed.
    """

    def __init__(self, journal: Path, *, create: bool = True) -> None:
        require_folder(journal)
        journal = real(journal)  # however it was reached: SQLite follows links too
        self._path = lock_file(journal)
        created = os.O_CREAT if create else 0
        flags = os.O_RDWR | created | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._descriptor = os.open(self._path, flags, 0o600)
        except OSError as error:
            raise JournalError(
                f"the journal's lock file {self._path} cannot be opened: {error.strerror}. "
                "It must be a file, not a link, and its folder must exist and be writable."
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise JournalLocked(
                f"the journal {journal} is in use by another connector. "
                "Stop that one, or give this one a journal of its own ([journal] url)."
            ) from None

    def release(self) -> None:
        os.close(self._descriptor)


def open_connection(
    path: Path | None, *, progress: Progress = lambda _taken, _of: None
) -> sqlite3.Connection:
    """A connection to a journal of the current version; None stands for one in memory.

    Only for the owner of the journal's lock: on a full disk it gives the reserve up, and a journal of an
    earlier version is brought up to date. `progress` hears now and then how many requests that has moved, and
    of about how many.
    """
    if path is None:
        return _opened(None, progress)
    require_whole(path)
    try:
        return _opened(path, progress)
    except JournalError as error:
        if isinstance(error, JournalDamaged | JournalTooNew):
            raise
        Reserve(real(path)).give_up()  # the disk may be full; if it is not, this changes nothing
        return _opened(path, progress)


def _opened(path: Path | None, progress: Progress) -> sqlite3.Connection:
    name = ":memory:" if path is None else str(path)
    if path is not None and look(path) is not None:
        # By a connection that cannot write: closing any other one would move a write-ahead log that an
        # earlier run left into the file, and a file that is refused must stay as it was.
        _open_any_version(path).close()
    try:
        if path is not None:
            # It holds message texts and phone numbers: for its owner alone, like what SQLite puts next to it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE))
        # One thread at a time uses it, though not always the same one: the writer, and the one that closes
        # it.
        connection = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.OperationalError) as error:
        raise JournalError(
            f"the journal {name} cannot be opened: {error}. Its folder must exist and be writable."
        ) from error
    try:
        _prepare(connection, path, progress)
    except sqlite3.OperationalError as error:
        connection.close()
        raise JournalError(f"the journal {name} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise JournalDamaged(_damaged(name, str(error))) from error
    except BaseException:
        connection.close()
        raise
    return connection


def inspect(path: Path) -> str:
    """What a start would find at `path`, in a sentence; raises what it would raise. Changes nothing."""
    require_folder(path)
    require_whole(path)
    if look(path) is None:
        return f"{path}: will be created"
    resolved = real(path)
    # A connector never removes its lock file: where there is none, none is running.
    lock = FileLock(path, create=False) if lock_file(resolved).exists() else None
    try:
        return _inspected(path, resolved)
    finally:
        if lock is not None:
            lock.release()


def _inspected(path: Path, resolved: Path) -> str:
    """With the lock held, if there is one, so that no connector starts meanwhile."""
    log, memory = (resolved.with_name(resolved.name + suffix) for suffix in ("-wal", "-shm"))
    companions = {file for file in (log, memory) if file.exists()}
    try:
        # SQLite puts files next to a journal to read it; not where there is no log that has to be read, too.
        with closing(_open_any_version(path, unchanging=log not in companions)) as connection:
            version = _version(connection)
            if version == 0:
                # What a first start leaves that ends before its first commit.
                return f"{path}: an empty file, which will become the journal"
            if version < newest_version():
                return f"{path}: of version {version}; the next start brings it to version {newest_version()}"
            return f"{path}: {_contents(connection)}"
    finally:
        for file in {log, memory} - companions:
            file.unlink(missing_ok=True)


def inspect_used(path: Path) -> str:
    """What a journal holds that a running connector uses, in a few words; the connector is not disturbed."""
    with closing(open_for_reading(path)) as connection:
        return _contents(connection)


def _contents(connection: sqlite3.Connection) -> str:
    unfinished, unreported = (
        connection.execute(statement).fetchone()[0]
        for statement in (care.COUNT_UNFINISHED, care.COUNT_UNREPORTED)
    )
    return f"unfinished requests: {unfinished}, statuses that are not reported yet: {unreported}"


def open_for_reading(path: Path, *, thoroughly: bool = True) -> sqlite3.Connection:
    """A connection that cannot change anything; it may be used next to a running connector.

    Not `thoroughly`: damage is found where what is read is damaged, and a large journal is open at once.
    """
    connection = _open_any_version(path, thoroughly=thoroughly)
    version = _version(connection)
    if version < newest_version():
        connection.close()
        raise JournalError(
            f"the journal {path} has version {version}, this program reads version {newest_version()}: start "
            "a connector of this version once, which brings it up to date."
        )
    return connection


def open_for_writing(path: Path) -> sqlite3.Connection:
    """A connection that adds rows of people's orders next to a running connector, and changes no others."""
    # Raises what is wrong with the file, or with its version.
    open_for_reading(path, thoroughly=False).close()
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=ORDER_SECONDS
    )
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _open_any_version(path: Path, *, unchanging: bool = False, thoroughly: bool = True) -> sqlite3.Connection:
    """The same also for a journal of an earlier version.

    With `unchanging` no process writes meanwhile and there is no log: then no file is created to read it.
    """
    require_whole(path)
    if look(path) is None:
        raise JournalError(f"there is no journal {path}. It is created when a connector first starts.")
    require_readable(path)
    connection = read_beside(path, unchanging=unchanging)
    try:
        _verify(connection, str(path), thoroughly=thoroughly)
    except sqlite3.OperationalError as error:
        connection.close()
        raise _unreadable(path, error) from error
    except sqlite3.DatabaseError as error:
        connection.close()
        raise JournalDamaged(_damaged(str(path), str(error))) from error
    except BaseException:
        connection.close()
        raise
    return connection


def read_beside(path: Path, *, unchanging: bool = False) -> sqlite3.Connection:
    """A connection that cannot change anything, to a journal that was looked at already."""
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if unchanging else "")
        return sqlite3.connect(uri, uri=True, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise _unreadable(path, error) from error


def _prepare(connection: sqlite3.Connection, path: Path | None, progress: Progress) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit is on the disk when it returns. NORMAL would lose the last commits in a power cut,
    # and with them requests that the broker has already forgotten.
    connection.execute("PRAGMA synchronous = FULL")
    # A large index or update would spill into /var/tmp, which is out of reach of a confined connector.
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA journal_size_limit = 8388608")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_ROW_BYTES)
    _migrate(connection, path, progress)
    connection.execute("PRAGMA foreign_keys = ON")


def _verify(connection: sqlite3.Connection, name: str, *, thoroughly: bool) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (objects,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    if objects and application != APPLICATION_ID:
        raise JournalDamaged(f"{name} is an SQLite file, but no journal of this program. Name another file.")
    if version > newest_version():
        raise JournalTooNew(
            f"the journal {name} has version {version}, this program knows versions up to "
            f"{newest_version()}. Start the newer program that wrote it, or name another file."
        )
    fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if thoroughly else "ok"
    if fault != "ok":
        raise JournalDamaged(_damaged(name, fault))


def _unreadable(path: Path, error: sqlite3.OperationalError) -> JournalError:
    return JournalError(
        f"the journal {path} cannot be read: {error}. Try again; where its folder was replaced meanwhile, "
        "start this program again, and otherwise see that its user may read and write that folder."
    )


def _damaged(name: str, fault: str) -> str:
    return (
        f"the journal {name} is damaged ({fault}). Nothing was changed. Keep a copy, then either recover it "
        f"(sqlite3 {name} .recover | sqlite3 recovered.db) or move it away to begin an empty one; "
        "requests that it held and that were not answered must then be sent again by their senders."
    )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _migrate(connection: sqlite3.Connection, path: Path | None, progress: Progress) -> None:
    """Each version in one transaction, with its number: a crash leaves the old version or the new one."""
    version = _version(connection)
    pending = [migration for migration in migrations() if migration.version > version]
    if path is not None and 0 < version < NARROW_TABLES:
        require_room(connection, path)
    # Foreign keys are not enforced yet, and those of other tables still name `requests` when it is renamed.
    connection.execute("PRAGMA legacy_alter_table = ON")
    for migration in pending:
        connection.executescript(f"BEGIN IMMEDIATE; {migration.script}")
        try:
            if migration.version == NARROW_TABLES:
                take_over(connection, progress=progress)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {migration.version}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    connection.execute("PRAGMA legacy_alter_table = OFF")
    if pending:
        # The log of a takeover is as large as the journal; its room on the disk is needed again.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
