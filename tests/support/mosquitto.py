"""A real Mosquitto broker for one test: started on the loopback, stopped, killed and started again at will.

It keeps all its files in the folder it is given, keeps its port from the first start to the last,
and ends no process but its own. Mark tests that use it with `@pytest.mark.mosquitto`.
Nothing here is used by the package itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from typing import IO, TYPE_CHECKING, Self
from urllib.parse import quote

from tests.support.needs import mosquitto_program
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tests.support.certificates import Certificates

HOST = "127.0.0.1"
POLL_SECONDS = 0.005


class Mosquitto:
    """`with Mosquitto(tmp_path) as broker:` — or `async with`, which leaves the event loop free meanwhile.

    `persistence` keeps sessions, waiting and retained messages from one start to the next, `kill` included.
    `certificates` makes the listener speak TLS; `require_client_certificate` asks clients for theirs.
    `users` maps names to passwords, and shuts out all other users.
    `settings` are further lines of mosquitto.conf(5), as they stand there.
    """

    def __init__(
        self,
        folder: Path,
        *,
        persistence: bool = False,
        certificates: Certificates | None = None,
        require_client_certificate: bool = False,
        users: Mapping[str, str] | None = None,
        max_inflight_messages: int | None = None,
        settings: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._persistence = persistence
        self._certificates = certificates
        self._require_client_certificate = require_client_certificate
        self._users = dict(users or {})
        self._max_inflight_messages = max_inflight_messages
        self._settings = tuple(settings)
        self._seat: socket.socket | None = None
        self._broker: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where clients find it: `mqtt://127.0.0.1:<port>`, or `mqtts://…` with certificates."""
        return f"{self._scheme}://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        return self._broker is not None and self._broker.poll() is None

    @property
    def log(self) -> str:
        """Everything the broker has said since its first start."""
        path = self._folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def connected_at(self, client_id: str) -> list[float]:
        """When a client of this name connected, in whole seconds since the epoch, in their order."""
        said = rf"^([0-9]+): New client connected from \S+ as {re.escape(client_id)} "
        return [float(found[1]) for found in re.finditer(said, self.log, re.MULTILINE)]

    def url_as(self, user: str) -> str:
        """The address with the name and password of one of `users`."""
        return (
            f"{self._scheme}://{quote(user, safe='')}:{quote(self._users[user], safe='')}@{HOST}:{self.port}"
        )

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        assert not self.running, "the broker is running already"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._take_seat()
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text("\n".join(self._configuration()) + "\n")
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._broker = _spawn(configuration, log)
        self._wait_until(lambda: _accepts(self.port), "listen")

    def stop(self) -> None:
        """Let it end in good order (SIGTERM), as when the machine is shut down."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it without warning (SIGKILL), as when the power fails; with `persistence`, after saving.

        Mosquitto acknowledges before it saves, so a killed one may forget what it promised. That is not what
        our tests are about: here the broker keeps its word, and only its connections break.
        """
        if self._persistence and self.running:
            self.save()
        self._end(signal.SIGKILL)

    def save(self) -> None:
        """Have it write everything it knows to its file, and wait until that is done; needs `persistence`."""
        assert self._broker is not None, "the broker is not running"
        before = self._saved_version()
        self._broker.send_signal(signal.SIGUSR1)
        self._wait_until(lambda: self._saved_version() != before, "save")

    def restart(self) -> None:
        """Stop it and start it again, at the same address; sessions come back with `persistence` only."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop it if it runs, and give its port back."""
        self.stop()
        if self._seat is not None:
            self._seat.close()
            self._seat = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    @property
    def _scheme(self) -> str:
        return "mqtt" if self._certificates is None else "mqtts"

    def _take_seat(self) -> None:
        """Choose the port once, and keep others from it while the broker is down."""
        if self._seat is None and not self.port:
            self.port, self._seat = take_seat()

    def _configuration(self) -> list[str]:
        lines = [
            f"listener {self.port} {HOST}",
            f"allow_anonymous {'false' if self._users else 'true'}",
            "log_dest stderr",
            "log_type all",
            "sys_interval 0",
            "set_tcp_nodelay true",
            "max_queued_messages 0",  # without bound: a test that loses messages shall lose them elsewhere
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # or it would become the user `mosquitto`, who may not enter the folder
        if self._max_inflight_messages is not None:
            lines.append(f"max_inflight_messages {self._max_inflight_messages}")
        return [*lines, *self._persistence_lines(), *self._tls_lines(), *self._user_lines(), *self._settings]

    def _persistence_lines(self) -> list[str]:
        if not self._persistence:
            return ["persistence false"]
        return [
            "persistence true",
            f"persistence_location {self._folder}/",
            "autosave_interval 0",  # only at its end and when told to, so that tests know what it has saved
        ]

    def _tls_lines(self) -> list[str]:
        if self._certificates is None:
            return []
        return [
            f"cafile {self._certificates.ca_file}",
            f"certfile {self._certificates.server_certificate_file}",
            f"keyfile {self._certificates.server_key_file}",
            f"require_certificate {'true' if self._require_client_certificate else 'false'}",
        ]

    def _user_lines(self) -> list[str]:
        if not self._users:
            return []
        path = self._folder / "users"
        path.touch(mode=0o600)
        for name, password in self._users.items():
            # -b takes the password as an argument: in a plain file (-U) it could hold no colon.
            command = ["mosquitto_passwd", "-b", str(path), name, password]
            subprocess.run(command, check=True, capture_output=True, timeout=WAIT_SECONDS)
        return [f"password_file {path}"]

    def _saved_version(self) -> tuple[int, int] | None:
        """Changes when the broker puts a new file in the place of the old one, at the end of a save."""
        try:
            status = (self._folder / "mosquitto.db").stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _wait_until(self, done: Callable[[], bool], what: str) -> None:
        assert self._broker is not None
        deadline = time.monotonic() + WAIT_SECONDS
        while not done():
            if self._broker.poll() is not None:
                raise AssertionError(
                    f"mosquitto ended with code {self._broker.returncode}; it said:\n{self.log}"
                )
            if time.monotonic() > deadline:
                self._end(signal.SIGKILL)
                raise AssertionError(
                    f"mosquitto did not {what} within {WAIT_SECONDS} s; it said:\n{self.log}"
                )
            time.sleep(POLL_SECONDS)

    def _end(self, how: signal.Signals) -> None:
        broker, self._broker = self._broker, None
        if broker is None:
            return
        broker.send_signal(how)
        try:
            broker.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            broker.kill()
            broker.wait()
            raise AssertionError(
                f"mosquitto did not end within {WAIT_SECONDS} s; it said:\n{self.log}"
            ) from None


def take_seat() -> tuple[int, socket.socket | None]:
    """A free port of the loopback for a server that cannot report one, and what keeps others from it.

    On Linux a socket that is bound but does not listen lets the server bind to the same port (both reuse the
    address), while the system gives that port to no other process. macOS refuses the server then, so there
    the second value is None and the port is only remembered.
    """
    seat = socket.socket()
    seat.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    seat.bind((HOST, 0))
    port = int(seat.getsockname()[1])
    if sys.platform == "linux":
        return port, seat
    seat.close()
    return port, None


def _spawn(configuration: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the broker in a session of its own, so that Ctrl-C on the tests does not end it first."""
    return subprocess.Popen(
        [mosquitto_program(), "-c", configuration],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _accepts(port: int) -> bool:
    with (
        contextlib.suppress(ConnectionRefusedError),
        socket.create_connection((HOST, port), timeout=WAIT_SECONDS),
    ):
        return True
    return False
