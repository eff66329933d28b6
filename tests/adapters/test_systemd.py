"""The supervisor hears what sd_notify(3) prescribes, and one that does not listen delays no caller."""

from __future__ import annotations

import os
import socket
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.fakes import RecordingEvents
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.systemd import SystemdSupervisor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PID = 4711


@contextmanager
def hearing(address: str) -> Iterator[socket.socket]:
    """The socket of a supervisor."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as ear:
        ear.settimeout(WAIT_SECONDS)
        ear.bind("\0" + address[1:] if address.startswith("@") else address)
        yield ear


@contextmanager
def supervisor(events: RecordingEvents | None = None, **environ: str) -> Iterator[SystemdSupervisor]:
    made = SystemdSupervisor(environ, pid=PID, events=events or RecordingEvents())
    with closing(made):
        yield made


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file, or a name with "@" for one that begins with a zero byte."""
    if request.param == "path":
        return str(tmp_path / "notify")
    if not hasattr(socket, "SOCK_CLOEXEC"):
        pytest.skip("only Linux has abstract sockets")
    return f"@twilio-notifications-{os.getpid()}"


def test_each_state_is_one_datagram(address: str) -> None:
    with hearing(address) as ear, supervisor(NOTIFY_SOCKET=address) as told:
        told.ready()
        told.alive()
        told.stopping()
        assert [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"] == [ear.recv(100) for _ in range(3)]


def test_a_reload_says_when_it_began(tmp_path: Path) -> None:
    """systemd compares it with the moment at which it asked for one."""
    address = str(tmp_path / "notify")
    with hearing(address) as ear, supervisor(NOTIFY_SOCKET=address) as told:
        told.reloading()
        first, second = ear.recv(100).decode().splitlines()
    assert "RELOADING=1" == first
    name, _, microseconds = second.partition("=")
    assert "MONOTONIC_USEC" == name
    assert int(microseconds) > 0


def test_without_a_supervisor_nobody_is_told() -> None:
    events = RecordingEvents()
    with supervisor(events) as told:
        told.ready()
        told.alive()
    assert [] == events.lines


def test_a_supervisor_that_is_not_there_is_told_of_once(tmp_path: Path) -> None:
    events = RecordingEvents()
    with supervisor(events, NOTIFY_SOCKET=str(tmp_path / "absent")) as told:
        told.ready()
        told.alive()
    assert ["supervisor_unreachable"] == [event.name for event in events.lines]


def test_a_supervisor_that_does_not_listen_holds_nobody_up(tmp_path: Path) -> None:
    """Its buffer is full long before; what does not fit is left out."""
    events, address = RecordingEvents(), str(tmp_path / "notify")
    with hearing(address) as ear, supervisor(events, NOTIFY_SOCKET=address) as told:
        for _ in range(10_000):
            told.alive()
        assert 1 == events.count("supervisor_unreachable")
        _empty(ear)
        told.alive()
        assert b"WATCHDOG=1" == ear.recv(100)


def _empty(ear: socket.socket) -> None:
    ear.settimeout(0)
    with suppress(BlockingIOError):
        while True:
            ear.recv(100)


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(PID)}, 0.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdogs_limit_is_the_one_for_this_process(
    environ: dict[str, str], seconds: float | None
) -> None:
    with closing(SystemdSupervisor(environ, pid=PID, events=RecordingEvents())) as told:
        assert seconds == told.watchdog_seconds
