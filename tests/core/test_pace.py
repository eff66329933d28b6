"""The pace of a sender as timelines: what leaves goes in, when there is room for more comes out."""

from __future__ import annotations

from collections import Counter, deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import SENDER_NUMBER, a_notification
from twilio_notifications.core.model import Channel, Priority, Text, VoiceLocation
from twilio_notifications.core.pace import (
    FASTEST,
    FULL,
    MOST_SEGMENTS,
    SLOWEST,
    Bucket,
    PacedSender,
    Rate,
    SenderRates,
    after_restart,
    amount,
    charge,
    rate_of,
    room_at,
    sender_of,
    usual_segments_per_second,
)
from twilio_notifications.core.policy import next_class
from twilio_notifications.core.segments import count_segments

NOW = 1_700_000_000.0
URGENT, NORMAL, LOW = Priority
RATES = st.floats(SLOWEST, FASTEST).map(Rate.per_second)


def departures(rate: Rate, sizes: list[int], *, start: float = NOW) -> list[float]:
    """When each of these leaves, one after the other, from a sender that has rested."""
    bucket, now, left = FULL, start, []
    for units in sizes:
        now = room_at(bucket, rate, units, now=now)
        bucket = charge(bucket, rate, units, now=now)
        left.append(round(now - start, 3))
    return left


@pytest.mark.parametrize(
    ("per_second", "sizes", "expected"),
    [
        (1, [1, 1, 1], [0, 1, 2]),
        (3, [1, 1, 1, 1, 1], [0, 0, 0, 0.333, 0.667]),
        (100, [1] * 102, [0] * 100 + [0.01, 0.02]),
        (0.5, [1, 1, 1], [0, 2, 4]),
        (2.5, [1, 1, 1, 1], [0, 0, 0.4, 0.8]),
        (1, [10, 1, 1], [0, 10, 11]),  # it goes at once, and the next ones wait for what it took
        (3, [1, 3, 1], [0, 0.333, 0.667]),
        (3, [10, 1], [0, 2.667]),
    ],
)
def test_texts_leave_at_the_rate_of_their_sender(
    per_second: float, sizes: list[int], expected: list[float]
) -> None:
    assert expected == pytest.approx(departures(Rate.per_second(per_second), sizes), abs=0.002)


@given(RATES, st.lists(st.integers(1, 24), max_size=60))
def test_no_second_sees_more_than_the_rate_twice_over_and_one_text(rate: Rate, sizes: list[int]) -> None:
    left = departures(rate, sizes)
    for instant in left:
        sent = [units for at, units in zip(left, sizes, strict=True) if instant <= at < instant + 0.998]
        assert sum(sent) <= 2 * rate.at_once + max(sizes)


@given(RATES, st.lists(st.integers(1, 24), min_size=1, max_size=200))
def test_over_a_long_time_the_rate_is_never_passed_and_always_reached(rate: Rate, sizes: list[int]) -> None:
    seconds = departures(rate, sizes)[-1]
    before_the_last = sum(sizes[:-1])
    assert before_the_last * rate.interval <= seconds * 1_000_000 + rate.burst + 1_000
    assert seconds * 1_000_000 <= before_the_last * rate.interval + 1_000


@given(RATES, st.integers(1, 24), st.integers(1, 10**9))
def test_the_instant_that_is_named_is_one_with_room(rate: Rate, units: int, passed: int) -> None:
    bucket = charge(charge(FULL, rate, units, now=NOW), rate, 1, now=NOW + passed / 10**6)
    opens = room_at(bucket, rate, units, now=NOW)
    assert opens == room_at(bucket, rate, units, now=opens)


def test_a_year_of_segments_loses_no_microsecond() -> None:
    rate, bucket = Rate.per_second(3), FULL
    for _ in range(100_000):
        bucket = charge(bucket, rate, 1, now=NOW)
    assert Bucket(int(NOW) * 1_000_000 + 100_000 * rate.interval) == bucket


def test_what_is_kept_over_a_restart_is_taken_over_as_it_is() -> None:
    rate = Rate.per_second(1)
    bucket = charge(FULL, rate, 10, now=NOW)
    assert bucket == after_restart(bucket, rate, now=NOW + 2)


def test_a_clock_that_was_in_the_future_stops_no_sender_for_long() -> None:
    rate = Rate.per_second(1)
    bucket = charge(FULL, rate, 1, now=NOW + 86_400 * 365)
    opens = room_at(after_restart(bucket, rate, now=NOW), rate, 1, now=NOW)
    assert NOW + MOST_SEGMENTS + 1 >= opens


def test_no_text_has_more_segments_than_the_bound() -> None:
    worst = "x" + "\u0301" * 33  # one cluster to a part, which is hardly more than half full
    assert count_segments((worst * 50)[:1_600]) < MOST_SEGMENTS
    assert count_segments("😀" * 1_600) < MOST_SEGMENTS


def served(waiting: dict[Priority, int], *, places: int, place: int = 0) -> list[Priority]:
    """Whose requests get the places of one sender."""
    left = Counter(waiting)
    given_to: list[Priority] = []
    for number in range(place, place + places):
        chosen = next_class({each for each in Priority if left[each]}, place=number)
        if chosen is None:
            break
        left[chosen] -= 1
        given_to.append(chosen)
    return given_to


def test_an_urgent_text_is_the_next_of_five_thousand_to_leave() -> None:
    rate, bucket, now = Rate.per_second(1), FULL, NOW
    queues = {
        URGENT: deque[str](),
        NORMAL: deque(f"normal {number}" for number in range(5_000)),
        LOW: deque(),
    }
    left: list[tuple[float, str]] = []
    for place in range(20):
        now = room_at(bucket, rate, 1, now=now)
        if now >= NOW + 9.5 and place == 10:
            queues[URGENT].append("urgent")
        chosen = next_class({each for each in Priority if queues[each]}, place=place)
        assert chosen is not None
        left.append((now - NOW, queues[chosen].popleft()))
        bucket = charge(bucket, rate, 1, now=now)
    assert [(9, "normal 9"), (10, "urgent"), (11, "normal 10")] == left[9:12]


def test_of_ten_places_urgent_requests_take_eight_while_others_wait() -> None:
    assert Counter({URGENT: 8, NORMAL: 1, LOW: 1}) == Counter(
        served({URGENT: 99, NORMAL: 99, LOW: 99}, places=10)
    )
    assert Counter({URGENT: 9, LOW: 1}) == Counter(served({URGENT: 99, LOW: 99}, places=10))
    assert Counter({URGENT: 10}) == Counter(served({URGENT: 99}, places=10))


@given(
    st.dictionaries(st.sampled_from(Priority), st.integers(0, 30), min_size=1),
    st.integers(0, 9),
)
def test_no_place_stays_empty_while_anything_waits(waiting: dict[Priority, int], place: int) -> None:
    everything = sum(waiting.values())
    assert Counter({each: count for each, count in waiting.items() if count}) == Counter(
        served(waiting, places=everything + 5, place=place)
    )


def test_texts_and_calls_of_a_number_have_rates_of_their_own() -> None:
    paces = {SENDER_NUMBER: SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(2))}
    call = a_notification(channel=Channel.CALL, content=VoiceLocation(url="https://example.com/"))
    assert PacedSender(number=SENDER_NUMBER, channel=Channel.CALL) == sender_of(call)
    assert Rate.per_second(2) == rate_of(sender_of(call), paces)
    assert 1 == amount(call)


def test_a_text_takes_its_segments_and_a_picture_one() -> None:
    assert 2 == amount(a_notification(content=Text(body="x" * 161)))
    assert 1 == amount(
        a_notification(content=Text(body="x" * 161, media_urls=("https://example.com/a.png",)))
    )


@pytest.mark.parametrize(
    ("number", "segments"),
    [
        ("+15005550006", 1),
        ("4254492999", 1),
        ("+18005550006", 3),
        ("+18885550006", 3),
        ("8885550006", 3),
        ("+4915100000000", 10),
        ("12345", 100),
        ("123456", 100),
    ],
)
def test_twilios_usual_rate_goes_by_the_kind_of_number(number: str, segments: int) -> None:
    assert segments == usual_segments_per_second(number)


@pytest.mark.parametrize("per_second", [0.001, 0.3, 0.5, 1, 1.5, 2.5, 3, 7, 9.99, 10, 99, 333, 999, 1000])
def test_a_rate_is_known_again_from_its_interval(per_second: float) -> None:
    rate = Rate.per_second(per_second)
    assert rate == Rate.of_interval(rate.interval)


@pytest.mark.parametrize("per_second", range(1, 1001))
def test_a_whole_rate_is_known_again_from_its_interval(per_second: int) -> None:
    assert per_second == Rate.of_interval(Rate.per_second(per_second).interval).at_once
