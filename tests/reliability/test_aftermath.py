"""The judge of chains and deliveries: each fault of its list is found, and what may happen is no fault."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.reliability.aftermath import (
    ALL_TRUE,
    GRACE_SECONDS,
    SLACK_SECONDS,
    Aftermath,
    Evidence,
    Heard,
    judge_aftermath,
    tell,
)
from tests.reliability.people import CHAINS
from tests.reliability.traffic import Request, recipient
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.store import LedgerEntry

CHAIN = CHAINS[0]
"""With one round."""
TWICE = CHAINS[1]
FIRST, SECOND, THIRD = CHAIN.contacts
REQUEST = Request(number=7, to=recipient(1), extensions={"escalation": CHAIN.name})
NOTHING_WITHDRAWN: Counter[tuple[int, int, str]] = Counter()


def entry(step: int, to: str, *, at: float = 0.0, sid: str = "") -> LedgerEntry:
    """Of the request, or of a step of its chain."""
    said = f"step {step} of number 7" if step else "number 7"
    spoken = step == 1
    return LedgerEntry(
        sid=sid or f"{step}{to}",
        channel=Channel.CALL if spoken else Channel.SMS,
        account_sid="AC",
        to=to,
        sender="+19999999999",
        body=None if spoken else f"{said}\nReply 1 to acknowledge.",
        twiml=f"<Response><Say>{said}</Say></Response>" if spoken else None,
        created_at=at,
    )


def success(word: str, *, at: float = 1.0, life: int = 1) -> Heard:
    response = {"status": "success", "payload": {"messages": {"message_status": word}}}
    return Heard(payload=json.dumps({"response": response, "id": REQUEST.id}).encode(), at=at, life=life)


def unacknowledged(*, life: int = 1) -> Heard:
    message = "No one acknowledged the escalation in time."
    response = {"status": "fail", "error_message": message, "error": "NotAcknowledged", "payload": None}
    return Heard(payload=json.dumps({"response": response, "id": REQUEST.id}).encode(), at=9.0, life=life)


QUEUED, DELIVERED, ACKNOWLEDGED = success("queued"), success("delivered"), success("acknowledged", at=5.0)
WHOLE = [entry(0, REQUEST.to), entry(1, FIRST), entry(2, SECOND), entry(2, THIRD)]


def judged(ledger: list[LedgerEntry], *heard: Heard, request: Request = REQUEST, **changes: Any) -> Aftermath:
    words = {one.sid: "delivered" for one in ledger}
    evidence = Evidence(
        ledger=ledger, heard=heard, last_words=words, withdrawn=NOTHING_WITHDRAWN, followed=words
    )
    return judge_aftermath([request], replace(evidence, **changes))


def test_a_chain_with_all_its_steps_and_one_end_is_right() -> None:
    assert ALL_TRUE == judged(WHOLE, QUEUED, DELIVERED, unacknowledged())
    assert (
        "steps skipped 0, steps repeated 0, steps too late 0, ends untold 0, deliveries untrue 0, "
        "statuses repeated 0"
    ) == str(ALL_TRUE)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_an_acknowledgement_may_come_after_any_step(steps: int) -> None:
    assert ALL_TRUE == judged(WHOLE[:steps], QUEUED, ACKNOWLEDGED, DELIVERED)


def test_an_end_may_come_before_the_answer_of_a_request_in_doubt() -> None:
    assert ALL_TRUE == judged(WHOLE[:1], ACKNOWLEDGED, QUEUED, DELIVERED)


def test_a_request_of_a_step_that_the_end_cancelled_is_no_skipped_step() -> None:
    withdrawn = Counter({(7, 2, THIRD): 1})
    assert ALL_TRUE == judged(WHOLE[:3], QUEUED, ACKNOWLEDGED, DELIVERED, withdrawn=withdrawn)


def test_what_a_kill_explains_may_come_twice() -> None:
    heard = [replace(one, life=life) for one in (QUEUED, DELIVERED, unacknowledged()) for life in (1, 2)]
    assert ALL_TRUE == judged(WHOLE, *heard)


@pytest.mark.parametrize(
    "ledger", [[WHOLE[0], *WHOLE[2:]], WHOLE[:3], WHOLE[:2]], ids=["first", "a part", "last"]
)
def test_a_skipped_step_is_found(ledger: list[LedgerEntry]) -> None:
    assert Aftermath(skipped=(REQUEST.id,)) == judged(ledger, QUEUED, DELIVERED, unacknowledged())


def test_a_step_that_was_cancelled_though_no_person_ended_the_chain_is_skipped() -> None:
    found = judged(WHOLE[:3], QUEUED, DELIVERED, unacknowledged(), withdrawn=Counter({(7, 2, THIRD): 1}))
    assert Aftermath(skipped=(REQUEST.id,)) == found


def test_a_repeated_step_is_found() -> None:
    again = entry(2, THIRD, sid="again")
    assert Aftermath(repeated=(REQUEST.id,)) == judged([*WHOLE, again], QUEUED, ACKNOWLEDGED, DELIVERED)


def test_a_second_round_is_a_repetition_only_where_there_is_none() -> None:
    request = replace(REQUEST, extensions={"escalation": TWICE.name})
    first, second, third = TWICE.contacts
    steps = [entry(1, first), entry(2, second), entry(2, third)]
    twice = [WHOLE[0], *steps, *(replace(one, sid=f"{one.sid} again") for one in steps)]
    assert ALL_TRUE == judged(twice, QUEUED, DELIVERED, unacknowledged(), request=request)
    found = judged(twice[:4], QUEUED, DELIVERED, unacknowledged(), request=request)
    assert Aftermath(skipped=(REQUEST.id,)) == found


def test_a_step_after_the_end_is_found() -> None:
    late = ACKNOWLEDGED.at + GRACE_SECONDS + 0.1
    found = judged([*WHOLE[:1], entry(1, FIRST, at=late)], QUEUED, ACKNOWLEDGED, DELIVERED)
    assert Aftermath(late=(REQUEST.id,)) == found


@pytest.mark.parametrize(
    "ends",
    [[], [ACKNOWLEDGED, unacknowledged()]],
    ids=["none", "two"],
)
def test_a_chain_without_exactly_one_end_is_found(ends: list[Heard]) -> None:
    assert Aftermath(untold=(REQUEST.id,)) == judged(WHOLE, QUEUED, *ends, DELIVERED)


@pytest.mark.parametrize(
    "follow_ups",
    [[], [success("failed")], [DELIVERED, success("failed")]],
    ids=["none", "another", "two"],
)
def test_a_follow_up_that_is_not_twilios_last_word_once_is_found(follow_ups: list[Heard]) -> None:
    assert Aftermath(untrue=(REQUEST.id,)) == judged(WHOLE, QUEUED, *follow_ups, ACKNOWLEDGED)


@pytest.mark.parametrize(
    "repeated", [QUEUED, DELIVERED, ACKNOWLEDGED], ids=["answer", "follow-up", "end of a chain"]
)
def test_a_status_that_is_published_again_without_a_reason_is_found(repeated: Heard) -> None:
    again = replace(repeated, at=repeated.at + 1)
    assert Aftermath(republished=(REQUEST.id,)) == judged(WHOLE, QUEUED, DELIVERED, ACKNOWLEDGED, again)


@pytest.mark.parametrize("connected", [1.0 - SLACK_SECONDS, 1.0, 3.0, 3.0 + SLACK_SECONDS])
def test_what_a_connector_publishes_again_over_a_new_connection_is_right(connected: float) -> None:
    """It took the leadership, or took it again after a standstill, or had lost its connection."""
    heard = [replace(DELIVERED, life=0, at=at) for at in (1.0, 3.0)]
    answer, end = replace(QUEUED, life=0), replace(ACKNOWLEDGED, life=0)
    assert ALL_TRUE == judged(WHOLE, answer, *heard, end, connected=(connected,))


@pytest.mark.parametrize("connected", [0.9 - SLACK_SECONDS, 3.1 + SLACK_SECONDS])
def test_a_connection_at_another_time_explains_no_repetition(connected: float) -> None:
    heard = [replace(DELIVERED, life=0, at=at) for at in (1.0, 3.0)]
    answer, end = replace(QUEUED, life=0), replace(ACKNOWLEDGED, life=0)
    found = judged(WHOLE, answer, *heard, end, connected=(connected,))
    assert Aftermath(republished=(REQUEST.id,)) == found


def test_one_connection_explains_one_repetition() -> None:
    heard = [replace(DELIVERED, life=0, at=at) for at in (1.0, 5.0, 9.0)]
    answer, end = replace(QUEUED, life=0), replace(ACKNOWLEDGED, life=0)
    found = judged(WHOLE, answer, *heard, end, connected=(2.0,))
    assert Aftermath(republished=(REQUEST.id,)) == found


def test_the_report_says_what_was_heard_and_when() -> None:
    heard = [QUEUED, replace(DELIVERED, at=2.5), replace(DELIVERED, at=3.5), unacknowledged()]
    words = {one.sid: "delivered" for one in WHOLE}
    evidence = Evidence(
        ledger=WHOLE,
        heard=heard,
        last_words=words,
        withdrawn=NOTHING_WITHDRAWN,
        followed=words,
        connected=(3.0, 99.0),
    )
    assert (
        "id-7: 1.000 queued in life 1, 2.500 delivered in life 1, 3.000 a connector connected, "
        "3.500 delivered in life 1, 9.000 NotAcknowledged in life 1"
    ) == tell("id-7", evidence)
    assert "id-8: no status was heard" == tell("id-8", evidence)


def test_a_delivery_that_the_journal_has_otherwise_is_found() -> None:
    followed = {one.sid: "delivered" for one in WHOLE[:-1]}
    found = judged(WHOLE, QUEUED, DELIVERED, ACKNOWLEDGED, followed=followed)
    assert Aftermath(untrue=(WHOLE[-1].sid,)) == found
