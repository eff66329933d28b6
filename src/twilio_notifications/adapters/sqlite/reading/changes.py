"""What has changed in a journal since a mark."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.sqlite.place import real
from twilio_notifications.adapters.sqlite.statements import reading as sql
from twilio_notifications.ports.journal.reader import Changes, Mark

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

MOST_CHANGED = 1_000
"""Requests that one call names, the newest ones."""

_COARSE_NANOSECONDS: Final = 100_000_000
"""Two changes of a file within one tick of the kernel's clock have one time; no tick is so long."""

_FILES: Final = 2

NOTHING: Final = 1
"""In place of the time of a file that holds nothing."""


def changes(
    path: Path, after: Mark | None, read: Callable[[], AbstractContextManager[sqlite3.Connection]]
) -> Changes:
    """What has changed; where no file has, the journal is not opened."""
    now, journal = time.time_ns(), real(path)
    log = journal.with_name(f"{journal.name}-wal")
    written = tuple(_last_written(file, now) for file in (journal, log))
    if after is not None and after.places[:_FILES] == written and all(written):
        return Changes(mark=after, anything=False, requests=())
    with read() as connection:
        places = tuple(connection.execute(sql.PLACES).fetchone())
        if after is None:
            return Changes(mark=Mark((*written, *places)), anything=True, requests=())
        since = (*after.places[_FILES:], MOST_CHANGED)
        requests = [number for (number,) in connection.execute(sql.CHANGED, since)]
    return Changes(mark=Mark((*written, *places)), anything=True, requests=requests)


def _last_written(file: Path, now: int) -> int:
    """When it was written to, in nanoseconds; 0: so recently that it may be again at the same time."""
    try:
        found = file.stat()
    except FileNotFoundError:  # there is no log after the last connection was closed
        return NOTHING
    except OSError:  # opening it says what is wrong
        return 0
    if not found.st_size:  # as a reader leaves it
        return NOTHING
    return 0 if abs(now - found.st_mtime_ns) < _COARSE_NANOSECONDS else found.st_mtime_ns
