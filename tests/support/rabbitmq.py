"""A real RabbitMQ with its MQTT plugin, on the loopback, for the tests that need a broker of another kind.

RabbitMQ 3 speaks MQTT 3.1.1 only, and numbers the packets of a session again on each connection.
It starts in about ten seconds, so the fixture `rabbitmq` shares one server among the tests of a session:
each of them takes a `client_id` and a `topic_prefix` of its own.
All files stay in the given folder, and the class ends no process but the two that it started.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Self

from tests.support.mosquitto import HOST, take_seat
from tests.support.needs import epmd_program, rabbitmq_program
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

POLL_SECONDS = 0.05


class RabbitMq:
    """`with RabbitMq(folder) as broker:`; `broker.url` is where MQTT clients find it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seats: list[socket.socket] = []
        self._running: list[subprocess.Popen[bytes]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self.port}"

    @property
    def log(self) -> str:
        """Everything that the server has said."""
        path = self._folder / "rabbitmq.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Starts it and waits until it accepts MQTT connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self.port, names, distribution = (self._take_seat() for _ in range(3))
        self._configure()
        # Erlang's port mapper would be started as a daemon and outlive the server, so the test owns it too.
        self._spawn(epmd_program(), "-address", HOST, "-port", str(names), environ=self._environment(names))
        environ = self._environment(names) | {"RABBITMQ_DIST_PORT": str(distribution)}
        self._spawn(rabbitmq_program(), environ=environ)
        self._wait_until_it_accepts()

    def close(self) -> None:
        """Ends the server first, then the port mapper, and gives the ports back."""
        while self._running:
            program = self._running.pop()
            program.send_signal(signal.SIGTERM)
            try:
                program.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        while self._seats:
            self._seats.pop().close()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_seat(self) -> int:
        port, seat = take_seat()
        if seat is not None:
            self._seats.append(seat)
        return port

    def _configure(self) -> None:
        (self._folder / "rabbitmq.conf").write_text(
            "listeners.tcp = none\n"
            f"mqtt.listeners.tcp.1 = {HOST}:{self.port}\n"
            "mqtt.allow_anonymous = true\n"
            "vm_memory_high_watermark.absolute = 1GB\n"
            "disk_free_limit.absolute = 1MB\n"
        )
        (self._folder / "enabled_plugins").write_text("[rabbitmq_mqtt].\n")

    def _environment(self, names: int) -> dict[str, str]:
        absent = str(self._folder / "absent")  # keeps what the machine has configured out
        return {
            "PATH": os.environ.get("PATH", ""),
            "LANG": "C.UTF-8",
            "HOME": str(self._folder),  # for Erlang's cookie
            "ERL_EPMD_ADDRESS": HOST,
            "ERL_EPMD_PORT": str(names),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_MNESIA_BASE": str(self._folder / "data"),
            "RABBITMQ_LOG_BASE": str(self._folder),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(self._folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": absent,
            "RABBITMQ_CONF_ENV_FILE": absent,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._folder / "enabled_plugins"),
            "RABBITMQ_ALLOW_INPUT": "1",  # its script then becomes the server, so that we know its process
            # No busy waiting (+sbwt) on a machine that others use too.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none"
            ),
        }

    def _spawn(self, program: str, *arguments: str, environ: Mapping[str, str]) -> None:
        with (self._folder / "rabbitmq.log").open("ab") as log:
            self._running.append(
                subprocess.Popen(
                    [program, *arguments],
                    cwd=self._folder,
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,  # Ctrl-C on the tests does not end it first
                )
            )

    def _wait_until_it_accepts(self) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not self._accepts():
            if any(program.poll() is not None for program in self._running):
                raise AssertionError(f"RabbitMQ ended at its start; it said:\n{self.log}")
            if time.monotonic() > deadline:
                raise AssertionError(f"RabbitMQ did not listen in {WAIT_SECONDS} s; it said:\n{self.log}")
            time.sleep(POLL_SECONDS)

    def _accepts(self) -> bool:
        # The plugin listens a moment before the server has started all of it.
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((HOST, self.port), 1):
            return "Server startup complete" in self.log
        return False
