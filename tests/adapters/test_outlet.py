"""The log's way out: its reader delays no part of the program, and lost lines are counted."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHORT = 0.05
FULL_DISK = "/dev/full"


class Losses:
    """Hears how many lines were lost."""

    def __init__(self, outlet: Outlet) -> None:
        self.counts: list[int] = []
        self.told = threading.Event()
        outlet.on_lost = self.add

    def add(self, lines: int) -> None:
        self.counts.append(lines)
        self.told.set()


@contextmanager
def a_pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        for end in (reader, writer):
            os.close(end)


def what_is_there(reader: int) -> bytes:
    said = b""
    with suppress(BlockingIOError):
        while True:
            said += os.read(reader, 65_536)
    return said


def read_until(reader: int, end: bytes) -> bytes:
    said = b""
    while not said.endswith(end):
        said += os.read(reader, 65_536)
    return said


def test_lines_come_out_whole_and_in_order() -> None:
    with a_pipe() as (reader, writer):
        outlet = Outlet(writer)
        outlet.write("before the start\n")
        outlet.start()
        for number in range(100):
            outlet.write(f"{number} größer\n")
        outlet.close()
        expected = "".join(["before the start\n", *(f"{number} größer\n" for number in range(100))])
        assert expected.encode() == read_until(reader, b"99 gr\xc3\xb6\xc3\x9fer\n")


def test_what_was_written_before_a_start_that_never_came_is_written_at_the_end() -> None:
    with a_pipe() as (reader, writer):
        outlet = Outlet(writer)
        outlet.write("why it could not start\n")
        outlet.close()
        assert b"why it could not start\n" == os.read(reader, 100)


def test_a_pipe_that_nobody_reads_holds_up_neither_a_line_nor_the_end() -> None:
    """Lines that do not fit are counted, and the count is written as soon as a reader reads."""
    with a_pipe() as (reader, writer):
        outlet = Outlet(writer, most_characters=100_000)
        losses = Losses(outlet)
        outlet.start()
        line = "x" * 99 + "\n"
        for _ in range(10_000):
            outlet.write(line)
        outlet.close(SHORT)
        assert [] == losses.counts, "nobody reads yet"
        os.set_blocking(reader, False)
        lines = 0
        while not losses.told.wait(SHORT):
            lines += what_is_there(reader).count(b"\n")
        lines += what_is_there(reader).count(b"\n")
        assert [10_000] == [lines + count for count in losses.counts]
        assert 0 < losses.counts[0] < 10_000


def test_a_pipe_that_another_program_made_non_blocking_loses_nothing() -> None:
    with a_pipe() as (reader, writer):
        os.set_blocking(writer, False)
        outlet = Outlet(writer)
        losses = Losses(outlet)
        outlet.start()
        for _ in range(3_000):
            outlet.write("x" * 99 + "\n")
        outlet.write("the last\n")
        assert 300_009 == len(read_until(reader, b"the last\n"))
        outlet.close()
    assert [] == losses.counts


@pytest.mark.parametrize("descriptor", ["full disk", "closed"])
def test_where_nothing_can_be_written_nothing_is_raised(descriptor: str) -> None:
    number = os.open(FULL_DISK, os.O_WRONLY)
    if descriptor == "closed":
        os.close(number)
    outlet = Outlet(number)
    outlet.start()
    outlet.write("a line\n")
    outlet.close(WAIT_SECONDS)
    assert outlet._thread is not None
    assert not outlet._thread.is_alive()
    if descriptor != "closed":
        os.close(number)


def test_a_disk_that_has_room_again_gets_the_next_line_and_the_count(tmp_path: Path) -> None:
    """Descriptors are exchanged under the outlet, as a disk gets room under a file."""
    log = tmp_path / "log"
    number = os.open(FULL_DISK, os.O_WRONLY)
    outlet = Outlet(number)
    losses = Losses(outlet)
    outlet.start()
    for _ in range(3):
        outlet.write("lost\n")
    while True:
        with outlet._changed:
            if outlet._lost == 3:
                break
    room = os.open(log, os.O_WRONLY | os.O_CREAT)
    os.dup2(room, number)
    os.close(room)
    outlet.write("written\n")
    assert losses.told.wait(WAIT_SECONDS)
    outlet.close()
    os.close(number)
    assert ([3], "written\n") == (losses.counts, log.read_text())
