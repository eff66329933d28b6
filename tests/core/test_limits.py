"""The operator's limits, as timelines: what was used goes in, a verdict comes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import claimed
from twilio_notifications.core import policy
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Channel, Notification, Recipient, Text, VoiceLocation
from twilio_notifications.core.policy import (
    Admit,
    Charge,
    Decline,
    Defer,
    Destinations,
    Exceeding,
    Limits,
    Pace,
    Period,
    Quota,
    Situation,
    Tally,
    Unit,
)
from twilio_notifications.core.policy.limits import bounds, standing

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
NOTHING = Tally({})


def test_of_several_attempts_those_are_admitted_for_which_the_earlier_ones_leave_room() -> None:
    def wanted(amount: int) -> list[Charge]:
        return [
            Charge(scope="texts/hour", since=NOON, most=5),
            Charge(scope="segments/hour", since=NOON, amount=amount, most=9),
            Charge(scope="segments/day", since=NOON, amount=amount),
        ]

    used = Tally({("texts/hour", NOON): 2, ("segments/hour", NOON): 3, ("segments/hour", NOON - 1): 99})
    attempts = {
        1: wanted(2),
        2: wanted(5),
        3: wanted(4),
        4: [],
        5: wanted(1),
        6: [Charge(scope="texts/hour", since=NOON)],
    }
    assert [1, 3, 4, 6] == list(used.admitted(attempts))
    assert 2 == used.of(attempts[1][0]), "it is left as it was"


def test_an_attempt_may_use_one_window_twice() -> None:
    once = Charge(scope="texts/hour", since=NOON, most=1)
    assert [] == list(NOTHING.admitted({1: [once, once]}))


def text(number: str = "+491701234567", body: str = "Freezer at -2 °C") -> Notification:
    return Notification(
        request_id="r",
        channel=Channel.SMS,
        recipient=Recipient(name="Darla", phone_number=number),
        content=Text(body=body),
        sender_number="+15005550006",
    )


def call(number: str = "+491701234567") -> Notification:
    return Notification(
        request_id="r",
        channel=Channel.CALL,
        recipient=Recipient(name="Darla", phone_number=number),
        content=VoiceLocation(url="https://example.com/twiml"),
        sender_number="+15005550006",
    )


def situation(limits: Limits, tally: Tally, *, now: float) -> Situation:
    """Nothing but the operator's limits stands against an attempt."""
    return Situation(now=now, pace=Pace.fresh(50), limits=limits, tally=tally, credential_wait_seconds=300.0)


def judge(notification: Notification, limits: Limits, *, now: float = NOON) -> policy.Verdict:
    """The verdict on a request that has just arrived, while nothing is used of the limits."""
    request = claimed(notification, accepted_at=now)
    return policy.admit(request, situation(limits, NOTHING, now=now))


class Timeline:
    """Requests one after the other: what is admitted is charged, as the journal does."""

    def __init__(self, **rules: Any) -> None:
        self.limits = Limits(**rules)
        self.tally = NOTHING

    def ask(self, notification: Notification, at: float) -> policy.Verdict:
        verdict = policy.admit(claimed(notification, accepted_at=at), self.situation(at))
        if isinstance(verdict, Admit):
            self.tally = self.tally.plus(policy.charges(notification, self.limits, now=at))
        return verdict

    def situation(self, at: float) -> Situation:
        return situation(self.limits, self.tally, now=at)


def test_without_limits_everything_is_admitted_and_nothing_is_counted() -> None:
    limits = Limits()
    assert not limits.counts
    assert Admit() == judge(text(), limits)
    assert () == policy.charges(text(), limits, now=NOON)


def test_paused_answers_everything_and_says_by_whom() -> None:
    verdict = judge(text(), Limits(paused=True))
    assert Decline(
        reason=Reason.NOT_ALLOWED, message="Sending is paused by the operator ([limits] paused)"
    ) == (verdict)


@pytest.mark.parametrize(
    ("pattern", "number", "permitted"),
    [
        ("+49", "+491701234567", True),
        ("+49", "+481701234567", False),
        ("+1", "+12345000000", True),
        ("+491701234567", "+491701234567", True),
        ("+491701234567", "+4917012345678", False),
        ("+49170*", "+491701234567", True),
        ("+49170*", "+491711234567", False),
        ("+4917012345??", "+491701234567", True),
        ("+4917012345??", "+4917012345678", False),
        ("+4917?*", "+4917", False),
    ],
)
def test_a_destination_is_a_country_a_number_or_a_pattern(
    pattern: str, number: str, *, permitted: bool
) -> None:
    assert permitted == policy.permits(pattern, number)


def test_what_is_denied_is_denied_whatever_is_allowed() -> None:
    limits = Limits(texts=Destinations(allowed=("+49",), denied=("+49900*",)))
    assert Admit() == judge(text("+491701234567"), limits)
    verdict = judge(text("+499001234567"), limits)
    assert isinstance(verdict, Decline)
    assert Reason.NOT_ALLOWED == verdict.reason
    assert "+49900*" in verdict.message


def test_an_allow_list_allows_nothing_else() -> None:
    verdict = judge(text("+12345000000"), Limits(texts=Destinations(allowed=("+49",))))
    assert Decline(
        reason=Reason.NOT_ALLOWED,
        message="The operator does not allow texts to +12345000000 ([limits] allowed_texts)",
    ) == (verdict)


def test_texts_and_calls_have_destinations_of_their_own() -> None:
    limits = Limits(calls=Destinations(denied=("+49",)))
    assert Admit() == judge(text(), limits)
    assert isinstance(judge(call(), limits), Decline)


def test_a_quota_waits_for_the_end_of_its_window_and_then_begins_anew() -> None:
    line = Timeline(quotas=(Quota(unit=Unit.TEXTS, period=Period.HOUR, most=2),))
    assert Admit() == line.ask(text("+491"), NOON)
    assert Admit() == line.ask(text("+492"), NOON + 1)
    assert Defer(
        until=NOON + 3600,
        reason=WaitReason.QUOTA_USED_UP,
        message="The limit of 2 texts per hour is used up until 2026-11-23T13:00:00Z",
    ) == line.ask(text("+493"), NOON + 2)
    assert Admit() == line.ask(call(), NOON + 3), "calls are not texts"
    assert Admit() == line.ask(text("+493"), NOON + 3600)


def test_a_quota_refuses_where_the_operator_says_so() -> None:
    quota = Quota(unit=Unit.CALLS, period=Period.DAY, most=1)
    line = Timeline(quotas=(quota,), exceeding=Exceeding.REFUSE)
    assert Admit() == line.ask(call(), NOON)
    assert Decline(
        reason=Reason.QUOTA_EXCEEDED,
        message="The limit of 1 call per day is used up until 2026-11-24T00:00:00Z",
    ) == line.ask(call(), NOON + 1)


def at(moment: str) -> float:
    return datetime.fromisoformat(f"{moment}+00:00").timestamp()


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize(
    ("period", "last", "first"),
    [
        (Period.HOUR, at("2026-11-23T12:59:59"), at("2026-11-23T13:00:00")),
        (Period.DAY, at("2026-11-23T23:59:59"), at("2026-11-24T00:00:00")),
        (Period.MONTH, at("2026-11-30T23:59:59"), at("2026-12-01T00:00:00")),
        (Period.MONTH, at("2026-12-31T23:59:59"), at("2027-01-01T00:00:00")),
        (Period.MONTH, at("2028-02-29T23:59:59"), at("2028-03-01T00:00:00")),
    ],
)
def test_each_quota_holds_to_the_last_second_of_its_window(
    unit: Unit, period: Period, last: float, first: float
) -> None:
    """And begins again with the first second of the next: of an hour, a day, a month long or short."""
    request = call() if unit is Unit.CALLS else text()
    line = Timeline(quotas=(Quota(unit=unit, period=period, most=1),))
    assert Admit() == line.ask(request, last - 10)
    verdict = line.ask(request, last)
    assert isinstance(verdict, Defer)
    assert first == verdict.until
    assert Admit() == line.ask(request, first)
    assert isinstance(line.ask(request, first + 1), Defer)


def test_what_waited_in_vain_is_told_which_limit_it_was_and_when_it_ends() -> None:
    line = Timeline(quotas=(Quota(unit=Unit.TEXTS, period=Period.HOUR, most=1),))
    request = claimed(text(), accepted_at=NOON)
    assert None is standing(request, line.situation(NOON))
    line.ask(text(), NOON)
    sentence = standing(request, line.situation(NOON + 1))
    assert "The limit of 1 text per hour is used up until 2026-11-23T13:00:00Z" == sentence


def test_segments_are_counted_as_they_are_billed() -> None:
    line = Timeline(quotas=(Quota(unit=Unit.SEGMENTS, period=Period.DAY, most=3),))
    assert Admit() == line.ask(text(body="a" * 161), NOON), "two segments"
    assert isinstance(line.ask(text(body="a" * 161), NOON), Defer), "four would be too many"
    assert Admit() == line.ask(text(body="a"), NOON)


def test_what_is_larger_than_the_whole_window_is_refused_at_once() -> None:
    """It would wait without end, and its recipient's other requests with it."""
    line = Timeline(quotas=(Quota(unit=Unit.SEGMENTS, period=Period.DAY, most=1),))
    assert Decline(
        reason=Reason.QUOTA_EXCEEDED,
        message="The request takes 2 segments, more than the whole limit of 1 segment per day",
    ) == line.ask(text(body="a" * 161), NOON)


def test_a_recipient_gets_only_so_many_requests_in_a_period() -> None:
    line = Timeline(requests_per_recipient=1, recipient_period_seconds=600.0)
    assert Admit() == line.ask(text("+491"), NOON)
    verdict = line.ask(text("+491"), NOON + 60)
    assert isinstance(verdict, Defer)
    assert NOON + 600 == verdict.until
    assert Admit() == line.ask(text("+492"), NOON + 60), "another recipient"
    assert Admit() == line.ask(call("+491"), NOON + 60), "another channel"
    assert Admit() == line.ask(text("+491"), NOON + 600)


def test_an_identical_text_counts_once_within_its_period() -> None:
    line = Timeline(identical_text_seconds=300.0)
    assert Admit() == line.ask(text(), NOON)
    verdict = line.ask(text(), NOON + 12)
    assert Decline(
        reason=Reason.QUOTA_EXCEEDED,
        message="The same text was sent to this recipient 12 s ago; it counts once until "
        "2026-11-23T12:05:00Z ([limits] identical_text_seconds)",
    ) == (verdict)
    assert Admit() == line.ask(text(body="Freezer at -3 °C"), NOON + 13)
    assert Admit() == line.ask(text("+48123456789"), NOON + 13)
    assert Admit() == line.ask(text(), NOON + 300)


def test_no_scope_holds_the_text() -> None:
    limits = Limits(identical_text_seconds=300.0)
    assert all("Freezer" not in scope for scope in policy.scopes(text(), limits))


@given(st.floats(0, 4e9), st.sampled_from(Period))
def test_an_instant_lies_in_its_window(now: float, period: Period) -> None:
    since, ends_at = bounds(period, now=now)
    assert since <= now < ends_at
    assert (since, ends_at) == bounds(period, now=since)


def test_a_month_is_the_calendar_s() -> None:
    december = datetime(2026, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    since, ends_at = bounds(Period.MONTH, now=december)
    assert datetime(2026, 12, 1, tzinfo=UTC).timestamp() == since
    assert datetime(2027, 1, 1, tzinfo=UTC).timestamp() == ends_at


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 7200)), max_size=40), st.integers(1, 5))
def test_no_window_ever_holds_more_than_its_quota(asked: list[tuple[int, int]], most: int) -> None:
    line = Timeline(quotas=(Quota(unit=Unit.TEXTS, period=Period.HOUR, most=most),))
    for number, second in sorted(asked, key=lambda each: each[1]):
        line.ask(text(f"+49{number}"), NOON + second)
    assert all(used <= most for used in line.tally.used.values())
