"""How long a request waits: backoff, jitter, and what Twilio asks for."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.model import DeferralScope, Deferred
from twilio_notifications.core.waits import (
    MAXIMUM_RETRY_AFTER_SECONDS,
    backoff_ceiling,
    backoff_seconds,
    deferral_seconds,
)


class TestBackoff:
    @pytest.mark.parametrize(
        ("count", "seconds"),
        [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (1025, 60), (10**9, 60)],
    )
    def test_the_ceiling_doubles_up_to_its_maximum(self, count: int, seconds: float) -> None:
        assert seconds == backoff_ceiling(count=count, initial=1, maximum=60)

    def test_a_maximum_below_the_initial_wait_wins(self) -> None:
        assert 0.5 == backoff_ceiling(count=1, initial=1, maximum=0.5)

    @pytest.mark.parametrize("count", [0, -1])
    def test_before_the_first_failure_it_is_the_initial_wait(self, count: int) -> None:
        assert 1 == backoff_ceiling(count=count, initial=1, maximum=60)

    @pytest.mark.parametrize(("jitter", "seconds"), [(0.0, 0), (0.25, 2), (0.5, 4), (0.75, 6)])
    def test_jitter_is_the_share_of_the_ceiling(self, jitter: float, seconds: float) -> None:
        assert seconds == backoff_seconds(count=4, initial=1, maximum=60, jitter=jitter)

    @given(
        count=st.integers(),
        initial=st.floats(0, 1e300),
        maximum=st.floats(0, 1e6),
        jitter=st.floats(0, 1, exclude_max=True),
    )
    def test_it_stays_between_nothing_and_the_maximum(
        self, count: int, initial: float, maximum: float, jitter: float
    ) -> None:
        assert 0 <= backoff_seconds(count=count, initial=initial, maximum=maximum, jitter=jitter) <= maximum


def deferred(scope: DeferralScope, retry_after: float | None = None) -> Deferred:
    return Deferred(scope=scope, message="m", retry_after=retry_after)


def wait(deferral: Deferred, *, count: int = 1, jitter: float = 0.5) -> float:
    return deferral_seconds(deferral, count=count, initial=1, maximum=60, jitter=jitter)


NOT_THE_SENDER = [scope for scope in DeferralScope if scope is not DeferralScope.SENDER]


class TestDeferral:
    @pytest.mark.parametrize("scope", DeferralScope)
    @pytest.mark.parametrize("seconds", [0.001, 1, 60, 300, 3600])
    def test_what_twilio_asks_for_is_honoured(self, scope: DeferralScope, seconds: float) -> None:
        """Also beyond our own maximum, and spread a little, so that not everything comes at one instant."""
        assert seconds == wait(deferred(scope, seconds), jitter=0)
        assert seconds < wait(deferred(scope, seconds), jitter=0.9) <= seconds + 1

    @pytest.mark.parametrize("seconds", [3601, 1e9, math.inf])
    def test_more_than_an_hour_counts_as_an_hour(self, seconds: float) -> None:
        assert MAXIMUM_RETRY_AFTER_SECONDS == wait(deferred(DeferralScope.ACCOUNT, seconds), jitter=0)

    @pytest.mark.parametrize("seconds", [None, 0, -1, -math.inf, math.nan])
    @pytest.mark.parametrize("scope", NOT_THE_SENDER)
    def test_otherwise_it_backs_off(self, scope: DeferralScope, seconds: float | None) -> None:
        """A header that says "now" must not become a busy loop."""
        for count in (1, 3, 50):
            expected = backoff_seconds(count=count, initial=1, maximum=60, jitter=0.5)
            assert expected == wait(deferred(scope, seconds), count=count)

    @pytest.mark.parametrize("count", [1, 2, 7, 5000])
    def test_a_full_queue_waits_longer_than_anything_else(self, count: int) -> None:
        longest = wait(deferred(DeferralScope.ACCOUNT), count=count, jitter=0.999)
        assert longest * 10 < wait(deferred(DeferralScope.SENDER), count=count, jitter=0)

    def test_a_full_queue_waits_for_minutes_by_default(self) -> None:
        assert (15, 22.5) == tuple(wait(deferred(DeferralScope.SENDER), jitter=jitter) for jitter in (0, 0.5))
        assert 900 == wait(deferred(DeferralScope.SENDER), count=7, jitter=0)

    @given(
        scope=st.sampled_from(DeferralScope),
        retry_after=st.none() | st.floats(),
        count=st.integers(),
        initial=st.floats(0, 1e4),
        maximum=st.floats(0, 1e4),
        jitter=st.floats(0, 1, exclude_max=True),
    )
    def test_every_wait_is_finite_and_not_in_the_past(
        self,
        scope: DeferralScope,
        retry_after: float | None,
        count: int,
        initial: float,
        maximum: float,
        jitter: float,
    ) -> None:
        deferral = deferred(scope, retry_after)
        seconds = deferral_seconds(deferral, count=count, initial=initial, maximum=maximum, jitter=jitter)
        assert 0 <= seconds <= MAXIMUM_RETRY_AFTER_SECONDS + initial + 30 * maximum
