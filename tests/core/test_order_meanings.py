"""What people order, as it is kept, and what it means for requests."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from tests.support.factories import START, a_claimed
from tests.support.orders import WRITER
from twilio_notifications.core.conclusions import orders as meaning
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.core.model import Channel
from twilio_notifications.core.orders import (
    AcknowledgeOrder,
    CancelOrder,
    Order,
    OrderName,
    PauseOrder,
    ResendOrder,
    ResolveOrder,
    ResumeOrder,
    name_of,
    order_of,
    parameters_of,
    request_of,
)
from twilio_notifications.core.steps import AttemptOutcome

SID = "SM" + 32 * "7"

ORDERS: list[Order] = [
    ResendOrder(request=1),
    CancelOrder(request=1),
    ResolveOrder(request=1, sent=True),
    ResolveOrder(request=1, sent=True, sid=SID),
    ResolveOrder(request=1, sent=False),
    AcknowledgeOrder(request=1),
    AcknowledgeOrder(request=1, by="Darla"),
    PauseOrder(),
    PauseOrder(until=START + 0.5),
    ResumeOrder(),
]


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_an_order_comes_back_from_the_form_in_which_it_is_kept(order: Order) -> None:
    kept = json.loads(json.dumps(parameters_of(order)))
    assert order == order_of(name_of(order), request_of(order), kept)


def test_each_kind_of_order_has_a_name_of_its_own() -> None:
    assert set(OrderName) == {name_of(order) for order in ORDERS}
    assert set(get_args(Order)) == {type(order) for order in ORDERS}


@pytest.mark.parametrize(
    ("name", "request_", "parameters"),
    [
        ("destroy", 1, {}),
        ("resend", None, {}),
        ("pause", 1, {}),
        ("resume", 1, {}),
        ("cancel", "1", {}),
        ("resend", 1, []),
        ("resolve", 1, {"sent": "yes"}),
        ("resolve", 1, {"sent": True, "sid": "SM7"}),
        ("acknowledge", 1, {"by": ""}),
        ("pause", None, {"until": True}),
        ("pause", None, {"until": float("inf")}),
    ],
)
def test_what_another_program_wrote_is_not_trusted(name: str, request_: Any, parameters: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        order_of(name, request_, parameters)


def test_unknown_parameters_are_left_alone() -> None:
    assert CancelOrder(request=1) == order_of("cancel", 1, {"colour": "red"})


# What orders mean.


def test_only_what_is_finished_is_sent_again() -> None:
    assert UNFINISHED == {state for state in State if meaning.resend_refusal(state) is not None}


@pytest.mark.parametrize(
    ("reason", "asks"), [(None, True), (Reason.OUTCOME_UNKNOWN, True), (Reason.EXPIRED, False)]
)
def test_a_person_is_asked_before_what_may_have_arrived_is_sent_again(
    reason: Reason | None, *, asks: bool
) -> None:
    assert asks is meaning.may_arrive_twice(State.REPORTED, reason)
    assert not meaning.may_arrive_twice(State.WAITING, None)


def test_what_is_sent_again_has_no_chain_and_a_lifetime_that_begins_now() -> None:
    notification, expires_at = WRITER.again(a_claimed(escalation="freezer"), at=START)
    assert (None, START + WRITER.lifetime_seconds) == (notification.escalation, expires_at)
    _, expires_at = WRITER.again(a_claimed(valid_for_seconds=5), at=START)
    assert START + 5 == expires_at


def test_what_a_person_says_was_sent_is_followed_by_its_sid() -> None:
    step = WRITER.resolved(a_claimed(), ResolveOrder(request=1, sent=True, sid=SID), at=START)
    assert (None, SID, AttemptOutcome.ACCEPTED) == (step.reason, step.sid, step.outcome)
    assert step.follow is not None
    assert "accepted" == step.follow.word
    without = WRITER.resolved(a_claimed(), ResolveOrder(request=1, sent=True), at=START)
    assert (None, None) == (without.sid, without.follow)


def test_what_a_person_says_was_not_sent_stays_a_failure() -> None:
    step = WRITER.resolved(a_claimed(), ResolveOrder(request=1, sent=False), at=START)
    assert (Reason.TWILIO_UNAVAILABLE, AttemptOutcome.FAILED) == (step.reason, step.outcome)


@pytest.mark.parametrize(
    ("sid", "sent", "channel", "fits"),
    [
        (None, True, Channel.SMS, True),
        (None, False, Channel.SMS, True),
        (SID, True, Channel.SMS, True),
        ("MM" + 32 * "7", True, Channel.SMS, True),
        (SID, True, Channel.CALL, False),
        ("CA" + 32 * "7", True, Channel.CALL, True),
        (SID, False, Channel.SMS, False),
    ],
)
def test_a_sid_belongs_to_what_was_sent_on_its_channel(
    sid: str | None, channel: Channel, *, sent: bool, fits: bool
) -> None:
    order = ResolveOrder(request=1, sent=sent, sid=sid)
    assert fits is (meaning.sid_refusal(order, channel) is None)


def test_what_a_cancellation_ended_is_said_part_by_part() -> None:
    said = meaning.cancel_result(chain=True, waited=True, attempted=False, calls=False)
    assert "its escalation has ended; it waits no more, and is not sent" == said
    assert meaning.cancel_result(chain=False, waited=False, attempted=False, calls=False) is None
