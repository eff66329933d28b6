"""Of ten places one is a normal request's and one a low one's while they wait (contract, section 7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.model import Priority
from twilio_notifications.core.policy import ROUND, interleaved, reserved

URGENT, NORMAL, LOW = Priority


def waiting(*, urgent: int = 0, normal: int = 0, low: int = 0) -> dict[Priority, list[str]]:
    return {
        priority: [f"{priority[0]}{number}" for number in range(count)]
        for priority, count in ((URGENT, urgent), (NORMAL, normal), (LOW, low))
    }


def classes(taken: list[str]) -> str:
    return "".join(each[0] for each in taken)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"urgent": 99, "normal": 9, "low": 9}, "uuuunuuuul"),
        ({"urgent": 99, "normal": 9}, "uuuunuuuuu"),
        ({"urgent": 99}, "uuuuuuuuuu"),
        ({"normal": 99, "low": 9}, "nnnnnnnnnl"),
        ({"urgent": 2, "normal": 1, "low": 3}, "uunlll"),
        ({"low": 99}, "llllllllll"),
        ({}, ""),
    ],
)
def test_ten_places_go_to_the_classes_in_their_shares(counts: dict[str, int], expected: str) -> None:
    assert expected == classes(interleaved(waiting(**counts), place=0, limit=ROUND))


@pytest.mark.parametrize("place", range(ROUND))
def test_one_place_at_a_time_gives_the_same_as_ten(place: int) -> None:
    """A busy connector has one free place at a time; the round goes on from claim to claim."""
    left = waiting(urgent=99, normal=9, low=9)
    taken = []
    for number in range(place, place + ROUND):
        (one,) = interleaved(left, place=number, limit=1)
        next(queue for queue in left.values() if one in queue).remove(one)
        taken.append(one)
    assert interleaved(waiting(urgent=99, normal=9, low=9), place=place, limit=ROUND) == taken
    assert 1 == classes(taken).count("n") == classes(taken).count("l")


COUNTS = st.integers(0, 30)


@given(urgent=COUNTS, normal=COUNTS, low=COUNTS, place=st.integers(0, 99), limit=st.integers(0, 30))
def test_no_place_is_left_empty_and_each_class_keeps_its_order(
    urgent: int, normal: int, low: int, place: int, limit: int
) -> None:
    counts = waiting(urgent=urgent, normal=normal, low=low)
    taken = interleaved(counts, place=place, limit=limit)
    assert min(limit, urgent + normal + low) == len(taken)
    for priority, queue in counts.items():
        mine = [each for each in taken if each[0] == priority[0]]
        assert queue[: len(mine)] == mine
        assert min(len(queue), reserved(priority, place=place, limit=limit)) <= len(mine)
