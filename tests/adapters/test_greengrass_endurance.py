"""How often the process may end itself: told by timelines, without waiting."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from twilio_notifications.adapters.greengrass.endurance import (
    LEAST_FAILURES,
    REST_SECONDS,
    Endurance,
    remembered_start,
)

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3600.0
STARTS_IN_AN_HOUR = 3
"""What the nucleus lite bears before it gives a component up until the next deployment."""
ENDS_IN_A_ROW = 3
"""At which the classic nucleus gives a component up, where no hour lies between two of them."""

START = 1_700_000_000.0
PAUSE = 1.0
"""The nucleus's, before it starts a component again."""


@pytest.mark.parametrize(
    ("before", "seconds", "failures", "is_over"),
    [
        (None, 0, LEAST_FAILURES, True),
        (None, 0, LEAST_FAILURES - 1, False),
        (START - REST_SECONDS, 0, LEAST_FAILURES, True),
        (START - REST_SECONDS + 0.1, 0, LEAST_FAILURES, False),
        (START - 1, REST_SECONDS - 0.1, 1_000_000, False),
        (START - 1, REST_SECONDS, LEAST_FAILURES, True),
        (START - 1, 1e9, 0, False),
        (START + 1e6, 0, LEAST_FAILURES, True),
    ],
    ids=["first", "too few", "rested", "unrested", "hopeless", "at last", "old and well", "clock set back"],
)
def test_a_run_ends_itself_after_enough_failures_and_enough_rest(
    before: float | None, seconds: float, failures: int, *, is_over: bool
) -> None:
    endurance = Endurance(started_at=START, started_before=before)
    assert is_over == endurance.is_over(now=START + seconds, failures=failures)


def test_a_nucleus_that_never_lets_us_in_never_starts_us_too_often() -> None:
    """Whatever happens, no hour holds more starts than nucleus lite bears."""
    starts, _ = hopeless_runs(30)
    for first, last in zip(starts, starts[STARTS_IN_AN_HOUR:], strict=False):
        assert last - first > HOUR


def test_the_classic_nucleus_never_counts_three_ends_together() -> None:
    _, ends = hopeless_runs(30)
    in_a_row = 1
    for one, next_one in pairwise(ends):
        in_a_row = 1 if next_one - one > HOUR else in_a_row + 1
        assert in_a_row < ENDS_IN_A_ROW


def test_the_first_trouble_after_a_good_time_is_mended_at_once() -> None:
    starts, ends = hopeless_runs(2)
    assert (ends[0], ends[1] - starts[1]) == (starts[0], REST_SECONDS)


def hopeless_runs(number: int) -> tuple[list[float], list[float]]:
    """When so many runs began and ended that failed all the time, after a good one of a day."""
    starts, ends, now, before = [], [], START, START - 24 * HOUR
    for _ in range(number):
        starts.append(now)
        endurance = Endurance(started_at=now, started_before=before)
        while not endurance.is_over(now=now, failures=LEAST_FAILURES):
            now += 1.0
        ends.append(now)
        before, now = starts[-1], now + PAUSE
    return starts, ends


# What is remembered.


def test_a_run_knows_when_the_last_one_began(tmp_path: Path) -> None:
    path = tmp_path / "last-start"
    assert None is remembered_start(path, now=START)
    assert START == remembered_start(path, now=START + 0.25)
    assert START + 0.25 == remembered_start(path, now=START + 9)


def test_what_cannot_be_remembered_counts_as_a_start_a_moment_ago(tmp_path: Path) -> None:
    """To end too seldom costs a wait, to end too often costs the component."""
    (tmp_path / "last-start").write_text("yesterday")
    assert START == remembered_start(tmp_path / "last-start", now=START)
    assert START == remembered_start(tmp_path / "no such folder" / "last-start", now=START)
    (tmp_path / "folder").mkdir()
    assert START == remembered_start(tmp_path / "folder", now=START)
