"""Which requests a fault strikes, and what it does to them. The wire is looked at in `test_server.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec
import pytest

from tests.simulator.desk import (
    A_CALL,
    A_TEXT,
    CALLS,
    DARLA,
    MESSAGES,
    NOON,
    Desk,
    authorization,
    message_path,
)
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.api import Action
from twilio_notifications.simulator.faults import (
    AnswerLost,
    ConnectionClosed,
    Fault,
    Garbage,
    Hang,
    Kind,
    RateLimited,
    RefusedRequest,
    ServerError,
    Slow,
)

if TYPE_CHECKING:
    from twilio_notifications.simulator.faults import Effect

OTHER = "+12345000001"
STRUCK: Literal[503] = 503


def arm(desk: Desk, **choice: Any) -> None:
    desk.engine.add_fault(Fault(effect=ServerError(status=STRUCK), **choice))


def texts(desk: Desk, n: int) -> str:
    """`n` creates; one letter each: x where the fault struck."""
    return "".join("x" if desk.post(MESSAGES, A_TEXT).status == STRUCK else "." for _ in range(n))


def test_a_fault_strikes_every_create_and_nothing_else_unless_told_otherwise(desk: Desk) -> None:
    sid = desk.text()
    arm(desk)
    assert "xxx" == texts(desk, 3)
    assert STRUCK == desk.post(CALLS, A_CALL).status
    assert 200 == desk.get(MESSAGES).status
    assert 200 == desk.get(message_path(sid)).status


def test_a_fault_may_strike_only_the_next_few(desk: Desk) -> None:
    arm(desk, times=2)
    assert "xx..." == texts(desk, 5)


def test_a_fault_may_strike_each_third(desk: Desk) -> None:
    arm(desk, every=3)
    assert "..x..x." == texts(desk, 7)


def test_a_fault_may_strike_each_second_but_only_twice(desk: Desk) -> None:
    arm(desk, every=2, times=2)
    assert ".x.x...." == texts(desk, 8)


def test_a_fault_may_strike_one_recipient(desk: Desk) -> None:
    arm(desk, to=OTHER)
    assert 201 == desk.post(MESSAGES, A_TEXT).status
    assert STRUCK == desk.post(MESSAGES, {**A_TEXT, "To": OTHER}).status


def test_a_fault_may_strike_lists_for_one_recipient(desk: Desk) -> None:
    arm(desk, on="lists", to=DARLA)
    assert STRUCK == desk.get(MESSAGES, {"To": DARLA}).status
    assert 200 == desk.get(MESSAGES, {"To": OTHER}).status
    assert 200 == desk.get(MESSAGES).status


def test_a_fault_may_strike_calls_only(desk: Desk) -> None:
    arm(desk, channel=Channel.CALL)
    assert "." == texts(desk, 1)
    assert STRUCK == desk.post(CALLS, A_CALL).status


def test_a_fault_may_strike_everything(desk: Desk) -> None:
    arm(desk, on="all")
    assert [STRUCK] * 3 == [
        desk.post(MESSAGES, A_TEXT).status,
        desk.get(CALLS).status,
        desk.get(message_path("SM" + "0" * 32)).status,
    ]


def test_a_fault_may_last_for_a_while(desk: Desk) -> None:
    arm(desk, seconds=10)
    desk.now = NOON + 9.9
    assert "x" == texts(desk, 1)
    desk.now = NOON + 10
    assert "." == texts(desk, 1)


def test_moving_twilios_clock_does_not_end_a_fault(desk: Desk) -> None:
    arm(desk, seconds=10)
    desk.engine.clock_offset_seconds = 3_600
    assert "x" == texts(desk, 1)


def test_a_fault_lasts_as_long_as_it_should_while_twilios_clock_is_off(desk: Desk) -> None:
    desk.engine.clock_offset_seconds = 3_600
    arm(desk, seconds=10)
    desk.now = NOON + 10
    assert "." == texts(desk, 1)


def test_chance_is_repeatable_with_a_seed() -> None:
    runs = []
    for _ in range(2):
        desk = Desk()
        arm(desk, probability=0.5, seed=7)
        runs.append(texts(desk, 40))
    assert runs[0] == runs[1]
    assert 10 < runs[0].count("x") < 30


@pytest.mark.parametrize(("probability", "expected"), [(0.0, "....."), (1.0, "xxxxx")])
def test_chance_can_be_never_and_always(desk: Desk, probability: float, expected: str) -> None:
    arm(desk, probability=probability)
    assert expected == texts(desk, 5)


def test_the_first_fault_that_strikes_is_the_only_one(desk: Desk) -> None:
    first = desk.engine.add_fault(Fault(effect=RateLimited(), times=1))
    second = desk.engine.add_fault(Fault(effect=ServerError(), times=1))
    assert [429, 500, 201] == [desk.post(MESSAGES, A_TEXT).status for _ in range(3)]
    assert [(3, 1), (2, 1)] == [(first.seen, first.fired), (second.seen, second.fired)]


def test_cleared_faults_strike_no_more(desk: Desk) -> None:
    arm(desk)
    desk.engine.faults.clear()
    assert "." == texts(desk, 1)


@pytest.mark.parametrize(
    ("effect", "executed"),
    [
        (AnswerLost(), 1),
        (AnswerLost(after_bytes=20), 1),
        (ConnectionClosed(), 0),
        (RateLimited(), 0),
        (RefusedRequest(code=21610, message="Attempt to send to unsubscribed recipient"), 0),
        (ServerError(), 0),
        (ServerError(executed=True), 1),
        (Hang(), 0),
        (Hang(executed=True), 1),
        (Garbage(), 1),
        (Slow(seconds=5), 1),
    ],
)
def test_the_ledger_tells_what_was_carried_out(desk: Desk, effect: Effect, executed: int) -> None:
    desk.engine.add_fault(Fault(effect=effect))
    desk.reply("POST", MESSAGES, A_TEXT)
    assert executed == len(desk.engine.store.ledger)
    assert 1 == desk.engine.counters.faults


@pytest.mark.parametrize("retry_after", [None, 7, "Wed, 15 Nov 2023 12:00:07 GMT"])
def test_a_rate_limit_may_say_when_to_come_again(desk: Desk, retry_after: int | str | None) -> None:
    desk.engine.add_fault(Fault(effect=RateLimited(retry_after=retry_after)))
    answer = desk.post(MESSAGES, A_TEXT)
    assert (429, 20429) == answer.error
    assert (None if retry_after is None else str(retry_after)) == answer.headers.get("Retry-After")


@pytest.mark.parametrize(("status", "code"), [(500, 20500), (502, 20502), (503, 20503), (504, 20504)])
def test_a_server_error_has_the_code_of_its_status(desk: Desk, status: Any, code: int) -> None:
    desk.engine.add_fault(Fault(effect=ServerError(status=status)))
    assert (status, code) == desk.post(MESSAGES, A_TEXT).error


def test_any_refusal_of_the_catalogue_can_be_given(desk: Desk) -> None:
    desk.engine.add_fault(Fault(effect=RefusedRequest(code=21611, message="Queue full"), to=DARLA))
    answer = desk.post(MESSAGES, A_TEXT)
    assert ((400, 21611), "Queue full") == (answer.error, answer.json["message"])


def test_garbage_keeps_the_status_of_the_answer_it_replaces(desk: Desk) -> None:
    desk.engine.add_fault(Fault(effect=Garbage(body="oops")))
    created = desk.reply("POST", MESSAGES, A_TEXT).response
    refused = desk.reply("POST", MESSAGES, {**A_TEXT, "To": "nobody"}).response
    assert created is not None
    assert refused is not None
    assert [(201, b"oops"), (400, b"oops")] == [(r.status, r.body) for r in (created, refused)]


def test_a_lost_answer_does_not_let_in_who_has_no_credentials(desk: Desk) -> None:
    desk.engine.add_fault(Fault(effect=AnswerLost()))
    desk.reply("POST", MESSAGES, A_TEXT, authorized=authorization(token=""))
    assert [] == desk.engine.store.ledger


@pytest.mark.parametrize(
    "written",
    [
        '{"effect": {"kind": "answer-lost"}, "times": 1}',
        '{"effect": {"kind": "rate-limited", "retry_after": 3}, "every": 2, "channel": "CALL"}',
        '{"effect": {"kind": "server-error", "executed": true}, "on": "lists", "seconds": 2.5}',
        '{"effect": {"kind": "slow", "seconds": 1}, "on": "all", "probability": 0.1, "seed": 1}',
        '{"effect": {"kind": "ends", "status": "busy"}, "to": "+12345000000"}',
    ],
)
def test_a_fault_can_be_written_as_json_and_read_back(written: str) -> None:
    fault = msgspec.json.decode(written, type=Fault)
    assert fault == msgspec.json.decode(msgspec.json.encode(fault), type=Fault)


@pytest.mark.parametrize(
    "written",
    [
        '{"effect": {"kind": "nonsense"}}',
        '{"effect": {"kind": "hang", "execute": true}}',
        '{"effect": {"kind": "hang"}, "tims": 1}',
        '{"effect": {"kind": "hang"}, "every": 0}',
        '{"effect": {"kind": "hang"}, "times": -1}',
        '{"effect": {"kind": "hang"}, "probability": 2}',
        '{"effect": {"kind": "server-error", "status": 200}}',
        '{"effect": {"kind": "slow"}}',
        "{}",
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(written: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(written, type=Fault)


def test_faults_may_strike_every_kind_of_request() -> None:
    assert {"all", *Action} == set(get_args(Kind))
