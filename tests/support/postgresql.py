"""A real PostgreSQL of the tests' own, on the loopback: started, ended, killed and started again at will.

It takes about a second to start, so the fixture `postgresql` shares one server among the tests of a
session, and each of them gets a database of its own from `database`.
Mark tests that use it with `@pytest.mark.postgresql`.
The server refuses to run as root: then it runs as another user, in a folder of that user.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import asyncpg

from tests.support.mosquitto import HOST, take_seat
from tests.support.needs import postgresql_programs
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.postgres.opening import migrate

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Iterator, Sequence

POLL_SECONDS: Final = 0.02
PASSWORD: Final = "word-of-the-tests"
ROLE: Final = "connector"
TEMPLATE: Final = "journal_template"

FAST: Final = (
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=60",
    "max_wal_size=128MB",
    "min_wal_size=32MB",
)
"""The tests do not cut the power: what the server has written survives its end all the same."""


class PostgreSql:
    """`with PostgreSql() as server:`; all its files lie in a folder that is removed at the end."""

    def __init__(self, settings: Sequence[str] = FAST) -> None:
        self._settings = settings
        self._programs = postgresql_programs()
        self._numbers = count(1)
        self._server: subprocess.Popen[bytes] | None = None
        self._seat: socket.socket | None = None
        self._has_template = False
        self.port = 0

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        try:
            if os.geteuid() == 0:
                user = unprivileged()
                os.chown(self._folder, user.pw_uid, user.pw_gid)
            self.port, self._seat = take_seat()
            self._initialize()
            self.start()
            self.ask(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the server at once and removes its files."""
        self.kill()
        if self._seat is not None:
            self._seat.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # Databases.

    def url(self, database: str, *, role: str = ROLE, password: str = PASSWORD) -> str:
        return f"postgresql://{role}:{password}@{HOST}:{self.port}/{database}"

    @contextmanager
    def database(self, *, empty: bool = False) -> Iterator[str]:
        """The URL of a new database with the tables of a journal, or without any; gone afterwards."""
        if not empty and not self._has_template:
            self.ask(f"CREATE DATABASE {TEMPLATE} OWNER {ROLE}")
            self.do(self.url(TEMPLATE), migrate)
            self._has_template = True
        name = f"journal_{next(self._numbers)}"
        template = "template1" if empty else TEMPLATE
        self.ask(f"CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}")
        try:
            yield self.url(name)
        finally:
            if self.is_running():
                self.ask(f"DROP DATABASE {name} WITH (FORCE)")

    def ask(self, statement: str, url: str | None = None) -> Any:
        """The first value that a statement of the superuser brings, in the database of `url`."""
        database = "postgres" if url is None else url.rpartition("/")[2]
        own = self.url(database, role="postgres")
        return self.do(own, lambda connection: connection.fetchval(statement))

    def do(self, url: str, action: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
        """What the action brings on a connection of its own; the caller may stand in an event loop."""

        async def connected() -> Any:
            connection = await asyncpg.connect(url, statement_cache_size=0)
            try:
                return await action(connection)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, connected()).result()

    # The server.

    def is_running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def start(self) -> None:
        """Starts it and waits until it accepts connections."""
        arguments = [argument for setting in self._settings for argument in ("-c", setting)]
        self._server = self._spawn(
            "postgres", "-D", self._data, "-h", HOST, "-p", str(self.port), "-k", self._folder, *arguments
        )
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self.ask("SELECT 1")
            except (OSError, asyncpg.PostgresError):
                if not self.is_running() or time.monotonic() > until:
                    raise AssertionError(f"PostgreSQL does not start: {self.log}") from None
                time.sleep(POLL_SECONDS)
            else:
                return

    def stop(self) -> None:
        """Ends it in order, and with it all connections."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends it at once, as a crash would; the next start recovers."""
        self._end(signal.SIGQUIT)

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def _end(self, how: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(WAIT_SECONDS)
            self._server = None

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _initialize(self) -> None:
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        login = ("--auth=scram-sha-256", "--username=postgres", f"--pwfile={password}")
        encoding = ("--encoding=UTF8", "--no-locale", "--no-sync")
        made = self._spawn("initdb", "-D", self._data, *login, *encoding)
        assert 0 == made.wait(WAIT_SECONDS), self.log

    def _spawn(self, program: str, *arguments: str | Path) -> subprocess.Popen[bytes]:
        as_root = os.geteuid() == 0
        user = unprivileged()
        with (self._folder / "log").open("ab") as log:
            return subprocess.Popen(
                [self._programs / program, *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user.pw_uid if as_root else None,
                group=user.pw_gid if as_root else None,
                extra_groups=[] if as_root else None,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
            )


def unprivileged() -> pwd.struct_passwd:
    """The user as whom root runs what refuses to run as root."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
