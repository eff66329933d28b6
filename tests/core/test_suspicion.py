"""A status over which connections end points at itself; everything else is only delayed."""

from __future__ import annotations

import pytest

from twilio_notifications.core import suspicion
from twilio_notifications.core.suspicion import CONVICTED, SMALL_BYTES, SUSPECT, fitting, is_too_large, pause


def test_all_that_was_on_its_way_is_blamed_a_little() -> None:
    assert {1: 1, 2: 1} == suspicion.points({1: 0, 2: 1})


def test_where_a_suspect_was_on_its_way_it_alone_is_blamed() -> None:
    assert {2: 2} == suspicion.points({1: 0, 2: SUSPECT, 3: 1})


def test_one_end_alone_makes_no_suspect_and_three_convict() -> None:
    points = [0]
    for _ in range(3):
        points.append(points[-1] + suspicion.points({7: points[-1]})[7])
    _, first, second, third = points
    assert first < SUSPECT <= second < CONVICTED <= third


def test_where_nothing_was_on_its_way_nothing_is_blamed() -> None:
    assert {} == suspicion.points({})


def test_pauses_begin_with_a_conviction_and_grow_up_to_half_an_hour() -> None:
    assert [0, 0, 10, 20, 40, 1800] == [pause(points) for points in (0, 3, 4, 6, 8, 100)]


def test_after_some_fruitless_connections_statuses_are_held_for_up_to_a_minute() -> None:
    assert [0, 0, 5, 10, 60, 60] == [suspicion.hold(count) for count in (0, 5, 6, 7, 12, 1000)]


@pytest.mark.parametrize(
    ("size", "points", "expected"),
    [
        (SMALL_BYTES, CONVICTED, False),
        (SMALL_BYTES + 1, CONVICTED, True),
        (SMALL_BYTES + 1, SUSPECT, False),
    ],
)
def test_only_a_convicted_status_of_some_size_counts_as_too_large(
    size: int, points: int, *, expected: bool
) -> None:
    assert expected == is_too_large(size, points)


def test_what_is_as_large_as_what_was_too_large_may_have_half_of_it() -> None:
    limits = [fitting(size, too_large=8000) for size in (7999, 8000, 9000)]
    assert [None, 4000, 4000] == limits
    assert fitting(9000, too_large=None) is None
