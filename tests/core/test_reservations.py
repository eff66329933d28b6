"""What a connector takes ahead of a limit: what the attempt needs, and some for the next second."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.reservations import AHEAD_SECONDS, Reservation

AMOUNTS = st.integers(0, 1_000)


def reservation(*, unused: int = 0, taken: int = 0, spent: int = 0, taken_at: float = 0.0) -> Reservation:
    return Reservation(since=0.0, most=1_000, unused=unused, taken=taken, spent=spent, taken_at=taken_at)


@given(
    unused=AMOUNTS,
    taken=AMOUNTS,
    spent=AMOUNTS,
    amount=AMOUNTS,
    rest=AMOUNTS,
    members=st.integers(1, 9),
    lasted=st.floats(0, 100),
)
def test_it_takes_what_the_attempt_needs_and_never_more_than_there_is(
    *, unused: int, taken: int, spent: int, amount: int, rest: int, members: int, lasted: float
) -> None:
    held = reservation(unused=unused, taken=taken, spent=spent)
    found = held.to_take(amount, rest=rest, members=members, now=lasted)
    missing = max(0, amount - unused)
    assert min(missing, rest) <= found <= rest
    assert found - missing <= max(2 * taken, 0)
    assert held.took(found, now=lasted).suffices(min(amount, unused + rest))


def test_it_takes_ahead_what_it_uses_in_a_second() -> None:
    steady = reservation(taken=500, spent=100, taken_at=10.0)
    assert 50 == steady.to_take(0, rest=100_000, members=3, now=10.0 + 2 * AHEAD_SECONDS)


def test_one_attempt_a_minute_takes_nothing_ahead() -> None:
    rare = reservation(taken=1, spent=1)
    assert 1 == rare.to_take(1, rest=100_000, members=3, now=60.0)


def test_a_burst_at_most_doubles_what_is_taken() -> None:
    burst = reservation(taken=10, spent=10)
    assert 10 + 20 == burst.to_take(10, rest=100_000, members=3, now=0.001)


def test_near_the_end_of_the_window_nothing_is_taken_ahead() -> None:
    busy = reservation(taken=500, spent=500)
    assert [10, 12, 110] == [busy.to_take(10, rest=rest, members=3, now=1.0) for rest in (15, 22, 610)]


def test_more_is_taken_before_nothing_is_left() -> None:
    held = reservation(unused=100, taken=100)
    assert not held.is_low(70)
    assert held.is_low(80)
    assert held.suffices(100)
    assert not held.suffices(101)


def test_another_window_is_expected_to_be_used_as_fast() -> None:
    held = reservation(unused=40, taken=100, spent=60).of(since=3_600.0, most=500)
    assert (3_600.0, 500, 0) == (held.since, held.most, held.unused)
    assert 10 + 60 == held.to_take(10, rest=100_000, members=2, now=1.0)


def test_what_was_not_used_after_all_may_be_used_again() -> None:
    assert 5 == reservation(unused=5).used(3).used(-3).unused
