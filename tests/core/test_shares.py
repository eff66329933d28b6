"""The share of each connector in what the account may do at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.policy import Pace, resized
from twilio_notifications.core.shares import fair_share, granted


@given(maximum=st.integers(0, 500), members=st.integers(1, 60))
def test_fair_shares_use_all_places_and_differ_by_one_at_most(maximum: int, members: int) -> None:
    shares = [fair_share(maximum, members=members, rank=rank) for rank in range(members)]
    assert maximum == sum(shares)
    assert max(shares) - min(shares) <= 1


@given(fair=st.integers(0, 50), held=st.integers(0, 50), in_use=st.integers(0, 80), free=st.integers(-10, 50))
def test_no_member_gets_more_than_the_others_leave(fair: int, held: int, in_use: int, free: int) -> None:
    share = granted(fair=fair, held=held, in_use=in_use, free=free)
    assert 0 <= share <= max(0, free)
    assert share <= max(fair, held)


def test_a_member_gives_up_its_places_as_they_become_empty() -> None:
    assert [9, 6, 5] == [granted(fair=5, held=10, in_use=in_use, free=10) for in_use in (9, 6, 3)]


def test_a_pace_with_other_places_stays_slowed_down_by_the_same_factor() -> None:
    slowed = Pace(maximum=40, allowed=10.0)
    assert (20, 5.0) == ((half := resized(slowed, 20)).maximum, half.allowed)
    assert 1.0 == resized(slowed, 2).allowed
    assert 0.0 == resized(slowed, 0).allowed
    assert 30.0 == resized(resized(slowed, 0), 30).allowed
    assert slowed is resized(slowed, 40)
