"""From when on a delivery is followed, what its looks may cost, and how a callback names its attempt."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import START, a_notification
from twilio_notifications.core.delivery import (
    AttemptName,
    Budget,
    Following,
    Tracking,
    callback_url,
    named_attempt,
)
from twilio_notifications.core.model import Accepted, Channel
from twilio_notifications.core.steps import Follow

SECRET = b"the journal's"
NAME = AttemptName(request=12, attempt=3)
POLL = Tracking(following=Following.POLL)


def taken(word: str = "queued", *, sid: str = "SM1", sender: str = "+19999999999") -> Accepted:
    return Accepted(sid=sid, message_status=word, sender_number=sender, phone_number="+12345000000")


@pytest.mark.parametrize(
    ("following", "look_at"), [(Following.POLL, START + 5), (Following.CALLBACK, START + 60)]
)
def test_what_twilio_accepted_is_followed_from_then_on(following: Following, look_at: float) -> None:
    tracking = Tracking(following=following)
    assert Follow(word="queued", look_at=look_at) == tracking.begin(a_notification(), taken(), at=START)


def test_nothing_is_followed_without_tracking_or_without_a_sid() -> None:
    assert Tracking().begin(a_notification(), taken(), at=START) is None
    assert POLL.begin(a_notification(), taken(sid=""), at=START) is None


@pytest.mark.parametrize(("channel", "first"), [(Channel.SMS, "accepted"), (Channel.CALL, "queued")])
def test_a_last_word_that_twilios_records_had_is_looked_at_at_once(channel: Channel, first: str) -> None:
    """Otherwise its end would be no change, and no one would hear of it."""
    word = "undelivered" if channel is Channel.SMS else "busy"
    follow = POLL.begin(a_notification(channel=channel), taken(word), at=START)
    assert Follow(word=first, look_at=START) == follow


def test_twilios_numbers_are_kept_where_they_are_others_than_the_requested_ones() -> None:
    follow = POLL.begin(a_notification(), taken(sender="+15550001111"), at=START)
    assert follow is not None
    assert ("+15550001111", None) == (follow.sender_number, follow.phone_number)


@given(
    per_minute=st.integers(1, 600),
    pauses=st.lists(st.floats(0, 90), max_size=60),
    greedy=st.integers(0, 700),
)
def test_no_minute_has_more_looks_than_it_may(per_minute: int, pauses: list[float], greedy: int) -> None:
    budget, now, spent = Budget.of(per_minute, now=START), START, list[float]()
    for pause in [*pauses, *[0.0] * greedy]:
        now += pause
        budget = budget.filled(now=now)
        now = max(now, budget.may_ask_at())
        budget = budget.filled(now=now).spent()
        spent.append(now)
    for begin in range(len(spent)):
        within = [at for at in spent[begin:] if at < spent[begin] + 59.999]
        assert len(within) <= per_minute


def test_a_budget_that_was_left_unused_allows_a_few_looks_at_once() -> None:
    budget = Budget.of(30, now=START).filled(now=START + 3600)
    assert START + 3600 == budget.may_ask_at()
    instants = list[float]()
    for _ in range(7):
        at = budget.may_ask_at()
        budget = budget.filled(now=at).spent()
        instants.append(round(at - START - 3600, 3))
    assert [0.0] * 5 == instants[:5]
    assert all(later - earlier > 2 for earlier, later in pairwise(instants[4:]))


@pytest.mark.parametrize("per_minute", [1, 2, 5, 6, 30, 60, 600])
def test_a_minute_that_begins_with_a_full_budget_has_no_more_looks_than_it_may(per_minute: int) -> None:
    budget, spent = Budget.of(per_minute, now=START).filled(now=START + 3600), list[float]()
    while len(spent) <= per_minute:
        at = budget.may_ask_at()
        budget = budget.filled(now=at).spent()
        spent.append(at)
    assert spent[-1] >= spent[0] + 60


def test_a_clock_that_is_set_back_fills_nothing() -> None:
    budget = Budget.of(30, now=START).spent().filled(now=START - 3600)
    assert budget.may_ask_at() > START - 3600


def test_a_key_names_its_attempt() -> None:
    url = callback_url("https://example.com/twilio", NAME, secret=SECRET)
    assert url.startswith("https://example.com/twilio?request=12&attempt=3&key=")
    assert NAME == named_attempt(url.partition("?")[2], secret=SECRET)
    with_query = callback_url("https://example.com/?a=b", NAME, secret=SECRET)
    assert NAME == named_attempt(with_query.partition("?")[2], secret=SECRET)


def test_the_url_of_a_callback_has_a_path_because_twilio_signs_it_as_it_is_given() -> None:
    url = callback_url("https://example.com", NAME, secret=SECRET)
    assert url.startswith("https://example.com/?")
    with_query = callback_url("https://example.com?a=b", NAME, secret=SECRET)
    assert with_query.startswith("https://example.com/?a=b&")


@pytest.mark.parametrize(
    "change",
    [
        lambda query: query.replace("request=12", "request=13"),
        lambda query: query.replace("attempt=3", "attempt=4"),
        lambda query: query[:-1],
        lambda query: query.replace("key=", "kex="),
        lambda _: "",
        lambda query: query.replace("request=12", "request=" + "9" * 5000),
        lambda query: query.replace("request=12", "request=\N{ARABIC-INDIC DIGIT ONE}"),
        lambda query: query.replace("key=", "key=%FF%FE"),
    ],
)
def test_no_one_else_can_make_a_key(change: object) -> None:
    query = callback_url("https://example.com/", NAME, secret=SECRET).partition("?")[2]
    assert callable(change)
    assert named_attempt(change(query), secret=SECRET) is None
    assert named_attempt(query, secret=b"another journal's") is None


@given(st.text())
def test_any_query_is_read(query: str) -> None:
    assert named_attempt(query, secret=SECRET) is None
