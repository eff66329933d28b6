"""A real PgBouncer of the tests' own, in front of the tests' PostgreSQL: it pools transactions.

Each transaction gets another connection to the server, in turn, so that what is left on one of them and
missed on the next shows. Mark tests that use it with `@pytest.mark.postgresql` and `@pytest.mark.pgbouncer`.
It refuses to run as root, like the server.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import asyncpg

from tests.support.mosquitto import HOST, take_seat
from tests.support.needs import find_system_program
from tests.support.patience import WAIT_SECONDS
from tests.support.postgresql import PASSWORD, POLL_SECONDS, ROLE, unprivileged

if TYPE_CHECKING:
    import socket

    from tests.support.postgresql import PostgreSql

CONNECTIONS: Final = 3
"""That it keeps to the server, for each database."""

CONFIGURATION: Final = """
[databases]
* = host={host} port={server}

[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {connections}
min_pool_size = {connections}
server_round_robin = 1
server_login_retry = 1
"""


class PgBouncer:
    """`with PgBouncer(server) as pooler:`; `url` leads through it."""

    def __init__(self, server: PostgreSql) -> None:
        self._server = server
        self._process: subprocess.Popen[bytes] | None = None
        self._seat: socket.socket | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        try:
            self.port, self._seat = take_seat()
            (self._folder / "users").write_text(f'"{ROLE}" "{PASSWORD}"\n')
            values = {
                "host": HOST,
                "server": self._server.port,
                "port": self.port,
                "folder": self._folder,
                "connections": CONNECTIONS,
            }
            (self._folder / "configuration").write_text(CONFIGURATION.format(**values))
            if os.geteuid() == 0:
                user = unprivileged()
                for path in (self._folder, *self._folder.iterdir()):
                    os.chown(path, user.pw_uid, user.pw_gid)
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.kill()
        if self._seat is not None:
            self._seat.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, direct: str) -> str:
        """The way through the pooler to the database that this URL names."""
        return direct.replace(f":{self._server.port}/", f":{self.port}/")

    def fill(self, url: str) -> None:
        """Has it make all its connections for a database, which are in use in turn from then on."""
        self._server.do(url, lambda connection: _occupy(connection, url))

    def start(self) -> None:
        """Starts it and waits until it takes logins."""
        program = find_system_program("pgbouncer", os.environ.get("PATH", ""))
        assert program is not None, "mark this test with @pytest.mark.pgbouncer"
        user = unprivileged() if os.geteuid() == 0 else None
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, self._folder / "configuration"],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=user and user.pw_uid,
                group=user and user.pw_gid,
                extra_groups=[] if user else None,
                env={"LC_ALL": "C"},
            )
        until = time.monotonic() + WAIT_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"PgBouncer does not start: {self.log}")
            time.sleep(POLL_SECONDS)

    def kill(self) -> None:
        """Ends it at once, and with it all connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(WAIT_SECONDS)
            self._process = None

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            self._server.do(
                self.url(self._server.url("postgres")), lambda connection: connection.execute("SELECT 1")
            )
        except (OSError, asyncpg.PostgresError):
            return False
        return True


async def _occupy(connection: asyncpg.Connection, url: str) -> None:
    """As many transactions at once as there may be connections."""
    others = [await asyncpg.connect(url, statement_cache_size=0) for _ in range(CONNECTIONS - 1)]
    for each in (connection, *others):
        await each.execute("BEGIN; SELECT 1")
    for each in (connection, *others):
        await each.execute("COMMIT")
    for each in others:
        await each.close()
