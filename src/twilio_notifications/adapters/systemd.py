"""Reports the connector's state to systemd, or to another supervisor that set NOTIFY_SOCKET (sd_notify(3)).

It never waits: a supervisor that does not read must not delay a notification. The constructor connects the
socket, so it must run before the process is confined. A confined process cannot reach an abstract socket,
but a connected socket stays connected.
"""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

from twilio_notifications.ports.events import SupervisorUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.ports import Events

_MICROSECONDS = 1_000_000


class SystemdSupervisor:
    """The supervisor that `environ` names; without one, it sends nothing."""

    def __init__(self, environ: Mapping[str, str], *, pid: int, events: Events) -> None:
        self.watchdog_seconds = _watchdog_seconds(environ, pid=pid)
        self._events = events
        self._failing = False
        self._socket = self._connected(environ.get("NOTIFY_SOCKET", ""))

    def ready(self) -> None:
        self._tell("READY=1")

    def reloading(self) -> None:
        # systemd needs the instant to tell this reload from one that it asks for later (Type=notify-reload).
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1_000}")

    def stopping(self) -> None:
        self._tell("STOPPING=1")

    def alive(self) -> None:
        self._tell("WATCHDOG=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _connected(self, address: str) -> socket.socket | None:
        if not address:
            return None
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        channel.setblocking(False)  # noqa: FBT003 - the socket module's own signature
        try:
            # The "@" of an abstract socket stands for a zero byte.
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
        except OSError as error:
            channel.close()
            self._fail(error)
            return None
        return channel

    def _tell(self, state: str) -> None:
        if self._socket is None:
            return
        try:
            self._socket.send(state.encode())
        except OSError as error:
            self._fail(error)
        else:
            self._failing = False

    def _fail(self, error: OSError) -> None:
        if not self._failing:
            self._failing = True
            self._events.tell(SupervisorUnreachable(error=str(error)))


def _watchdog_seconds(environ: Mapping[str, str], *, pid: int) -> float | None:
    """The seconds within which systemd expects a sign of life; None: no limit, or one for another process."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    return int(microseconds) / _MICROSECONDS or None
