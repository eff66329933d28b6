"""A file that a confined process has lost is noticed; one that is only away for a moment is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from twilio_notifications.adapters.isolation import FileWatch, is_forbidden
from twilio_notifications.adapters.isolation.watch import INTERVAL_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.touch()
    return file


async def test_a_file_that_may_not_be_read_any_more_is_named(file: Path) -> None:
    clock = HandClock()
    forbidden: set[Path] = set()
    watch = FileWatch([file], clock=clock, is_forbidden=forbidden.__contains__)
    watching = asyncio.ensure_future(watch.replaced())
    await clock.advance(INTERVAL_SECONDS * 3)
    assert not watching.done()
    forbidden.add(file)
    await clock.advance(INTERVAL_SECONDS)
    assert file == await watching


async def test_a_file_that_was_never_there_or_never_readable_is_not_watched(file: Path) -> None:
    clock = HandClock()
    forbidden = {file, file.with_name("absent")}
    watch = FileWatch(forbidden, clock=clock, is_forbidden=forbidden.__contains__)
    watching = asyncio.ensure_future(watch.replaced())
    await clock.advance(INTERVAL_SECONDS * 3)
    assert not watching.done()
    watching.cancel()


def test_a_file_that_is_away_for_a_moment_is_not_forbidden(file: Path) -> None:
    assert not is_forbidden(file)
    file.unlink()
    assert not is_forbidden(file)
