"""The pace as timelines: what happens goes in, what may be done comes out. The rules in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.factories import a_claimed
from twilio_notifications.core import policy
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Channel, DeferralScope, Deferred
from twilio_notifications.core.pace import PacedSender
from twilio_notifications.core.policy import (
    NOTHING_USED,
    RULES,
    Admit,
    Decline,
    Defer,
    Destinations,
    Limits,
    Pace,
    Period,
    Quota,
    Situation,
    Unit,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.steps import Claimed

NOW = 1_700_000_000.0
NUMBER, OTHER = "+19999999999", "+18888888888"


def deferral(scope: DeferralScope) -> Deferred:
    return Deferred(scope=scope, message="wait")


def texts_of(number: str) -> PacedSender:
    return PacedSender(number=number, channel=Channel.SMS)


def deferred(
    pace: Pace, scope: DeferralScope, *, at: float = 0.0, until: float = 0.0, number: str = NUMBER
) -> Pace:
    """The pace after a deferral; instants count from NOW."""
    return policy.after_deferral(
        pace, deferral(scope), now=NOW + at, until=NOW + until, sender=texts_of(number)
    )


def slowed(pace: Pace, *, at: float = 0.0, until: float = 0.0) -> Pace:
    return deferred(pace, DeferralScope.ACCOUNT, at=at, until=until)


def refused(pace: Pace, *, at: float = 0.0, until: float = 0.0) -> Pace:
    return deferred(pace, DeferralScope.CREDENTIALS, at=at, until=until)


def room(pace: Pace, at: float, *, in_flight: int = 0) -> int:
    return policy.room(pace, now=NOW + at, in_flight=in_flight)


# Full speed


def test_a_fresh_pace_allows_what_is_configured() -> None:
    fresh = Pace.fresh(8)
    assert [8, 3, 0, 0] == [room(fresh, 0, in_flight=n) for n in (0, 5, 8, 9)]


def test_an_answer_changes_nothing_at_full_speed() -> None:
    fresh = Pace.fresh(8)
    assert fresh is policy.after_answer(fresh)


# 429: everything slows


def test_everything_stops_until_the_instant_that_twilio_named() -> None:
    pace = slowed(Pace.fresh(8), until=10)
    assert [0, 0, 4] == [room(pace, at) for at in (0, 9.9, 10)]


def test_speed_is_halved_by_each_setback_down_to_one_and_grows_by_one_with_each_round_of_answers() -> None:
    pace, speeds = Pace.fresh(8), list[int]()
    for n in range(5):
        pace = slowed(pace, at=n * 10, until=n * 10 + 5)
        speeds.append(room(pace, n * 10 + 5))
    for _ in range(9):
        for _ in range(room(pace, 100) + 1):
            pace = policy.after_answer(pace)
        speeds.append(room(pace, 100))
    assert [4, 2, 1, 1, 1] == speeds[:5]
    assert [2, 3, 4, 5, 6, 7, 8, 8, 8] == speeds[5:]


def test_a_connector_without_a_share_opens_nothing_whatever_twilio_answers() -> None:
    """An attempt may be answered after its place was given to another connector."""
    slow = slowed(Pace.fresh(1), until=5)
    none = policy.resized(slow, 0)
    assert 0 == room(policy.after_answer(none), 10)
    assert 0 == room(slowed(none, at=6, until=7), 10)
    assert 2 == room(policy.resized(policy.after_answer(none), 2), 10)


def test_429s_that_come_together_are_one_setback() -> None:
    pace = Pace.fresh(8)
    for _ in range(8):
        pace = slowed(pace, until=10)
    assert (4.0, 1) == (pace.allowed, pace.setbacks)


def test_of_several_pauses_the_longest_counts() -> None:
    pace = slowed(slowed(Pace.fresh(8), until=60), at=1, until=5)
    assert [0, 4] == [room(pace, at) for at in (59, 60)]


def test_setbacks_in_a_row_are_numbered_until_an_answer_comes() -> None:
    pace, numbers = Pace.fresh(8), list[int]()
    for n in range(3):
        numbers.append(policy.setback(pace, now=NOW + n * 10))
        pace = slowed(pace, at=n * 10, until=n * 10 + 5)
        numbers.append(policy.setback(pace, now=NOW + n * 10 + 1))
    assert [1, 1, 2, 2, 3, 3] == numbers
    assert 1 == policy.setback(policy.after_answer(pace), now=NOW + 99)


def test_an_answer_to_an_older_attempt_does_not_shorten_the_pause() -> None:
    pace = policy.after_answer(slowed(Pace.fresh(8), until=60))
    assert 0 == room(pace, 59)


# A sender number whose queue is full


def test_one_sender_number_pauses_and_others_go_on() -> None:
    pace = deferred(Pace.fresh(8), DeferralScope.SENDER, until=60)
    assert 8 == room(pace, 0)
    assert {texts_of(NUMBER): NOW + 60} == pace.senders


def test_a_longer_pause_of_a_sender_number_stands_and_an_ended_one_is_forgotten() -> None:
    pace = deferred(Pace.fresh(8), DeferralScope.SENDER, until=60)
    pace = deferred(pace, DeferralScope.SENDER, at=1, until=30)
    assert {texts_of(NUMBER): NOW + 60} == pace.senders
    pace = deferred(pace, DeferralScope.SENDER, at=60, until=70, number=OTHER)
    assert {texts_of(OTHER): NOW + 70} == pace.senders


# No network


def test_without_network_nothing_is_attempted_until_it_is_back() -> None:
    pace = deferred(slowed(Pace.fresh(8), until=5), DeferralScope.NETWORK)
    assert 0 == room(pace, 1_000)
    back = policy.online(pace)
    assert (0, 4, 0) == (room(back, 4), room(back, 5), back.setbacks)


# Refused credentials


def test_refused_credentials_let_one_attempt_through_when_its_time_has_come() -> None:
    pace = refused(Pace.fresh(8), until=10)
    assert [0, 1] == [room(pace, at) for at in (9, 10)]
    assert 0 == room(pace, 10, in_flight=1)


def test_credentials_are_refused_since_the_first_refusal() -> None:
    pace = refused(refused(Pace.fresh(8), until=10), at=10, until=20)
    assert (NOW, 0, 1) == (pace.refused_since, room(pace, 19), room(pace, 20))


@pytest.mark.parametrize("ended", [policy.after_answer, policy.credentials_renewed])
def test_an_answer_or_a_new_secret_opens_the_gate_at_once(ended: Callable[[Pace], Pace]) -> None:
    pace = ended(refused(Pace.fresh(8), until=10))
    assert (8, None) == (room(pace, 1), pace.refused_since)


@pytest.mark.parametrize("ended", [policy.after_answer, policy.credentials_renewed])
def test_but_not_the_pause_that_a_429_asked_for(ended: Callable[[Pace], Pace]) -> None:
    pace = ended(refused(slowed(Pace.fresh(8), until=60), until=10))
    assert 0 == room(pace, 59)
    assert NOW + 60 == policy.opens_at(pace)


def test_the_gate_opens_when_both_pauses_have_ended() -> None:
    pace = refused(slowed(Pace.fresh(8), until=60), until=10)
    assert NOW + 60 == policy.opens_at(pace)
    assert NOW + 70 == policy.opens_at(refused(pace, at=60, until=70))


# Admission


def a_waiting_request(
    *,
    accepted: float = 0.0,
    expires: float = 100.0,
    waiting_reason: WaitReason | None = None,
    **notification: Any,
) -> Claimed:
    request = a_claimed(accepted_at=NOW + accepted, **{"sender_number": NUMBER} | notification)
    return replace(request, expires_at=NOW + expires, waiting_reason=waiting_reason)


def a_situation(at: float, *, pace: Pace | None = None, limits: Limits | None = None) -> Situation:
    """Instants count from NOW; nothing is used of the limits."""
    return Situation(
        now=NOW + at,
        pace=pace or Pace.fresh(8),
        limits=limits or Limits(),
        tally=NOTHING_USED,
        credential_wait_seconds=30,
    )


def verdict(request: Claimed, pace: Pace, at: float) -> policy.Verdict:
    return policy.admit(request, a_situation(at, pace=pace))


def test_a_request_within_its_lifetime_is_admitted() -> None:
    assert Admit() == verdict(a_waiting_request(), Pace.fresh(1), 99.9)


def test_at_the_end_of_its_lifetime_it_is_declined() -> None:
    assert Decline(
        reason=Reason.EXPIRED, message="The request expired after 100 s, before it could be sent"
    ) == verdict(a_waiting_request(), Pace.fresh(1), 100)


@pytest.mark.parametrize(
    ("waited_for", "reason", "part"),
    [
        (None, Reason.EXPIRED, "before it could be sent"),
        (WaitReason.ACCOUNT_SLOWED, Reason.RATE_LIMITED, "accepted no more messages"),
        (WaitReason.SENDER_QUEUE_FULL, Reason.RATE_LIMITED, "accepted no more messages"),
        (WaitReason.QUOTA_USED_UP, Reason.QUOTA_EXCEEDED, "limits left no room"),
        (WaitReason.TWILIO_UNREACHABLE, Reason.EXPIRED, "last: Twilio cannot be reached"),
        (WaitReason.CREDENTIALS_REFUSED, Reason.EXPIRED, "last: Twilio refuses the credentials"),
    ],
)
def test_the_end_says_what_was_waited_for(waited_for: WaitReason | None, reason: Reason, part: str) -> None:
    found = policy.expired(a_waiting_request(waiting_reason=waited_for), a_situation(100))
    assert reason is found.reason
    assert part in found.message
    assert "100 s" in found.message


def test_a_paused_sender_number_defers_its_requests_until_the_pause_ends() -> None:
    pace = deferred(Pace.fresh(8), DeferralScope.SENDER, until=60)
    found = verdict(a_waiting_request(), pace, 10)
    assert isinstance(found, Defer)
    assert (NOW + 60, WaitReason.SENDER_QUEUE_FULL) == (found.until, found.reason)
    assert Admit() == verdict(a_waiting_request(sender_number=OTHER), pace, 10)
    assert Admit() == verdict(a_waiting_request(), pace, 60)


def test_a_request_is_not_deferred_beyond_its_lifetime() -> None:
    pace = deferred(Pace.fresh(8), DeferralScope.SENDER, until=600)
    found = verdict(a_waiting_request(), pace, 10)
    assert isinstance(found, Defer)
    assert NOW + 100 == found.until


def test_a_request_waits_for_credentials_so_long_and_no_longer() -> None:
    pace = refused(Pace.fresh(8), until=10)
    assert Admit() == verdict(a_waiting_request(), pace, 29)
    found = verdict(a_waiting_request(), pace, 30)
    assert isinstance(found, Decline)
    assert Reason.UNAUTHORIZED is found.reason


def test_a_later_request_has_a_wait_of_its_own() -> None:
    """It may be the one that finds out that the credentials work again."""
    pace = refused(Pace.fresh(8), until=10)
    assert Admit() == verdict(a_waiting_request(accepted=20), pace, 49)
    assert isinstance(verdict(a_waiting_request(accepted=20), pace, 50), Decline)


def test_a_request_accepted_before_the_refusal_waits_from_the_refusal_on() -> None:
    pace = refused(Pace.fresh(8), at=50, until=60)
    assert Admit() == verdict(a_waiting_request(), pace, 79)
    assert isinstance(verdict(a_waiting_request(), pace, 80), Decline)


def test_while_twilio_asked_for_a_pause_everything_waits_for_its_end() -> None:
    found = verdict(a_waiting_request(), slowed(Pace.fresh(8), until=60), 10)
    assert isinstance(found, Defer)
    assert (NOW + 60, WaitReason.ACCOUNT_SLOWED) == (found.until, found.reason)
    assert Admit() == verdict(a_waiting_request(), slowed(Pace.fresh(8), until=60), 60)


@pytest.mark.parametrize("number", [7, 8])
def test_nothing_of_a_chain_is_sent_after_its_end(number: int) -> None:
    """Neither the request that began it, number 7, nor one of its steps."""
    request = replace(a_waiting_request(), id=number, chain=7)
    assert Admit() == verdict(request, Pace.fresh(8), 0)
    found = verdict(replace(request, chain_ended=True), Pace.fresh(8), 0)
    assert isinstance(found, Decline)
    assert Reason.CANCELLED == found.reason


@pytest.mark.parametrize("reason", [Reason.CANCELLED, Reason.SUPERSEDED])
def test_what_was_recalled_during_an_attempt_is_not_sent_when_it_waits_again(reason: Reason) -> None:
    found = verdict(replace(a_waiting_request(), recalled=reason), Pace.fresh(8), 0)
    assert isinstance(found, Decline)
    assert reason == found.reason


# A pause that a person ordered.


@pytest.mark.parametrize(("ends", "until"), [(None, 60), (20, 20), (500, 60)])
def test_in_an_ordered_pause_a_request_waits_for_its_end_and_a_minute_at_most(
    ends: float | None, until: float
) -> None:
    pace = policy.paused(Pace.fresh(8), until=None if ends is None else NOW + ends)
    found = verdict(a_waiting_request(), pace, 0)
    assert isinstance(found, Defer)
    assert (WaitReason.OPERATOR_PAUSE, NOW + until) == (found.reason, found.until)
    assert 0 == policy.room(pace, now=NOW, in_flight=0)


def test_an_ordered_pause_is_over_at_its_end_or_by_another_order() -> None:
    pace = policy.paused(Pace.fresh(8), until=NOW + 20)
    assert policy.ADMITTED is verdict(a_waiting_request(), pace, 20)
    assert policy.ADMITTED is verdict(a_waiting_request(), policy.paused(pace, until=0.0), 0)
    assert 8 == policy.room(pace, now=NOW + 20, in_flight=0)


def test_what_expires_in_an_ordered_pause_says_so() -> None:
    pace = policy.paused(Pace.fresh(8), until=None)
    found = policy.expired(a_waiting_request(), a_situation(90, pace=pace))
    assert Reason.EXPIRED is found.reason
    assert found.message.endswith("; last: a pause that a person ordered")


# The order of the rules: the first that has something against an attempt gives the reason.


def test_the_rules_are_one_list_in_the_order_in_which_they_are_asked() -> None:
    assert [
        "recall",
        "chain_end",
        "lifetime",
        "operators_pause",
        "destinations",
        "ordered_pause",
        "quiet_hours",
        "credentials",
        "account_pace",
        "sender_pace",
        "identical_text",
        "quotas",
    ] == [rule.__name__ for rule in RULES]


def test_of_all_rules_that_stand_against_a_request_the_first_one_is_its_reason() -> None:
    """Each line takes away what stood in the line before it."""
    pace = deferred(refused(slowed(Pace.fresh(8), until=80), until=10), DeferralScope.SENDER, until=90)
    all_at_once = Limits(
        paused=True,
        texts=Destinations(denied=("+1",)),
        quotas=(Quota(unit=Unit.TEXTS, period=Period.DAY, most=0),),
    )
    unpaused = replace(all_at_once, paused=False)
    everywhere = replace(unpaused, texts=Destinations())
    renewed = policy.credentials_renewed(pace)
    reopened = replace(renewed, closed_until=0.0)

    def reason(expires: float, pace: Pace, limits: Limits) -> tuple[str, Reason | WaitReason | None]:
        found = policy.admit(a_waiting_request(expires=expires), a_situation(50, pace=pace, limits=limits))
        return type(found).__name__, None if isinstance(found, Admit) else found.reason

    assert ("Decline", Reason.RATE_LIMITED) == reason(50, pace, all_at_once)
    assert ("Decline", Reason.EXPIRED) == reason(50, Pace.fresh(8), all_at_once)
    assert ("Decline", Reason.NOT_ALLOWED) == reason(100, pace, all_at_once)
    assert ("Decline", Reason.NOT_ALLOWED) == reason(100, pace, unpaused)
    assert ("Decline", Reason.UNAUTHORIZED) == reason(100, pace, everywhere)
    assert ("Defer", WaitReason.ACCOUNT_SLOWED) == reason(100, renewed, everywhere)
    assert ("Defer", WaitReason.SENDER_QUEUE_FULL) == reason(100, reopened, everywhere)
    assert ("Decline", Reason.QUOTA_EXCEEDED) == reason(100, Pace.fresh(8), everywhere)
    assert ("Admit", None) == reason(100, Pace.fresh(8), Limits())
