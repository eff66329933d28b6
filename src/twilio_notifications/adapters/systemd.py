"""Tells systemd, or whatever else set NOTIFY_SOCKET, how the connector is: sd_notify(3), without its library.

It only speaks, and never waits: a supervisor that does not listen must not hold up a notification. The socket
is connected when this is made, which must be before the process is confined: an abstract one is out of reach
afterwards, and a connected one stays connected.
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
    """The supervisor that `environ` names; with none, no message goes anywhere."""

    def __init__(self, environ: Mapping[str, str], *, pid: int, events: Events) -> None:
        self.watchdog_seconds = _watchdog_seconds(environ, pid=pid)
        self._events = events
        self._failing = False
        self._socket = self._connected(environ.get("NOTIFY_SOCKET", ""))

    def ready(self) -> None:
        self._tell("READY=1")

    def reloading(self) -> None:
        # systemd wants to know when, to tell this from a reload that it asked for later (Type=notify-reload).
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
            # An abstract socket is written with "@" and has a zero byte there.
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
    """The limit, if there is one and it is meant for this process and not for one that started it."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    return int(microseconds) / _MICROSECONDS or None
