"""How often the process may end itself: told by timelines, without waiting."""

from __future__ import annotations

from itertools import pairwise

import pytest

from twilio_notifications.adapters.greengrass.endurance import (
    LEAST_FAILURES,
    LEAST_RUN_SECONDS,
    Endurance,
)

HOUR = 3600.0
STARTS_IN_AN_HOUR = 3
"""What the nucleus lite bears before it gives a component up until the next deployment."""

START = 1_700_000_000.0


@pytest.mark.parametrize(
    ("seconds", "failures", "is_over"),
    [
        (LEAST_RUN_SECONDS, LEAST_FAILURES, True),
        (LEAST_RUN_SECONDS - 0.1, LEAST_FAILURES, False),
        (LEAST_RUN_SECONDS, LEAST_FAILURES - 1, False),
        (0, 1_000_000, False),
        (1e9, 0, False),
        (1e9, 1_000_000, True),
    ],
    ids=["at last", "too soon", "too few", "hopeless and young", "old and well", "old and hopeless"],
)
def test_a_run_ends_itself_after_enough_failures_and_enough_time(
    seconds: float, failures: int, *, is_over: bool
) -> None:
    endurance = Endurance(started_at=START)
    assert is_over == endurance.is_over(now=START + seconds, failures=failures)


def test_a_nucleus_that_never_lets_us_in_never_starts_us_too_often() -> None:
    """Whatever happens, no hour holds more starts than nucleus lite bears."""
    starts, _ = hopeless_runs(30)
    for first, last in zip(starts, starts[STARTS_IN_AN_HOUR:], strict=False):
        assert last - first > HOUR


def test_the_classic_nucleus_never_counts_two_ends_together() -> None:
    """It gives up after three of them, and forgets the earlier ones only when an hour lies between two."""
    _, ends = hopeless_runs(30)
    for one, next_one in pairwise(ends):
        assert next_one - one > HOUR


def hopeless_runs(number: int) -> tuple[list[float], list[float]]:
    """When so many runs began and ended that failed all the time."""
    starts, ends, now = [], [], START
    for _ in range(number):
        starts.append(now)
        endurance = Endurance(started_at=now)
        while not endurance.is_over(now=now, failures=LEAST_FAILURES):
            now += 1.0
        ends.append(now)
        now += 1.0  # the nucleus' pause before the next start
    return starts, ends
