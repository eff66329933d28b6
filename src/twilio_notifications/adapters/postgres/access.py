"""Implements Access on a database."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.postgres.faults import ERRORS
from twilio_notifications.adapters.postgres.opening import is_in_use, open_to_read
from twilio_notifications.adapters.postgres.place import place_of, refusal
from twilio_notifications.adapters.postgres.session import Session

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    import asyncpg


@dataclass(frozen=True, slots=True)
class PostgresAccess:
    """Each call connects, and ends the connection."""

    url: str = field(repr=False)
    """It may hold a password."""

    @property
    def name(self) -> str:
        return place_of(self.url)

    @contextmanager
    def reading(self, *, glance: bool = False) -> Iterator[Session]:
        del glance  # a connection to a server costs the same either way
        with self._connected("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY") as session:
            yield session

    @contextmanager
    def ordering(self) -> Iterator[Session]:
        with self._connected("BEGIN") as session:
            yield session

    def is_running(self) -> bool:
        with self._connected("BEGIN READ ONLY") as session:
            return session.run(is_in_use)

    def last_written(self) -> tuple[int, ...]:
        """No number tells of each change without a connection."""
        return (0,)

    @contextmanager
    def _connected(self, beginning: str) -> Iterator[Session]:
        """In a thread with an event loop of its own: the caller may stand in one that turns."""
        with closing(asyncio.new_event_loop()) as loop, ThreadPoolExecutor(1) as thread:

            def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
                return thread.submit(loop.run_until_complete, coroutine).result()

            session = Session(self.url, run=run, row=_as_it_is, on_connect=open_to_read)
            try:
                session.command(beginning)
                yield session
                session.command("COMMIT")
            except ERRORS as error:
                raise refusal(self.url, error) from error
            finally:
                session.close()


def _as_it_is(record: asyncpg.Record) -> asyncpg.Record:
    """Rows that people read have names."""
    return record
