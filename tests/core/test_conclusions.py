"""What follows from an answer, a settlement, a verdict or a defect: the step, its outcome, and the new pace.

Each is a table: what happened on the left, what becomes of the request on the right.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.factories import (
    DARLA,
    SENDER_NUMBER,
    START,
    a_claimed,
    a_doubtful,
    accepted,
    refused,
    too_many,
    unauthorized,
)
from twilio_notifications.core import policy, settlement
from twilio_notifications.core.conclusions import (
    NOT_SENT,
    PERHAPS_SENT,
    UNREADABLE,
    Conclusion,
    StatusWriter,
    Timing,
    conclude,
    conclude_settlement,
    conclude_unreadable,
    end_broken,
    end_with_defect,
    miss,
    turn_away,
)
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import (
    Accepted,
    Answered,
    Channel,
    Deferred,
    InDoubt,
    NotSent,
    Record,
    Refused,
    Unanswered,
    Unreadable,
)
from twilio_notifications.core.pace import PacedSender
from twilio_notifications.core.policy import Decline, Defer, Pace
from twilio_notifications.core.steps import (
    SENT_NOTHING,
    AttemptOutcome,
    Claimed,
    Doubt,
    Finish,
    Postpone,
    Stall,
)

if TYPE_CHECKING:
    from twilio_notifications.core.model import Answer
    from twilio_notifications.core.settlement import Settlement
    from twilio_notifications.core.steps import Step

NOW = START + 10.0
STATUSES = StatusWriter()
TIMING = Timing(
    backoff_initial=4.0, backoff_maximum=60.0, settle=30.0, credential_wait=300.0, credential_probe=10.0
)
NO_NETWORK = NotSent(detail="no route to host")
TIME_OUT = Unanswered(detail="operation timed out")
REDIRECT = Answered(http_status=302)
PROXY = Answered(http_status=403, is_twilios=False)


def concluded(
    answer: Answer,
    *,
    request: Claimed | None = None,
    pace: Pace | None = None,
    jitter: float = 1.0,
) -> Conclusion:
    return conclude(
        request or a_claimed(),
        answer,
        pace or Pace.fresh(8),
        statuses=STATUSES,
        timing=TIMING,
        now=NOW,
        jitter=jitter,
    )


def due_at(step: Step) -> float:
    """Seconds from now until the request is due."""
    assert isinstance(step, Postpone)
    return step.due_at - NOW


def published(step: Step) -> dict[str, Any]:
    """The `response` of the step's status."""
    assert isinstance(step, Finish)
    response: dict[str, Any] = json.loads(step.status)["response"]
    return response


# What Twilio answers.


@pytest.mark.parametrize(
    ("answer", "outcome", "kind", "word", "counted"),
    [
        (accepted(), Accepted, Finish, AttemptOutcome.ACCEPTED, True),
        (refused(21_211), Refused, Finish, AttemptOutcome.REFUSED, True),
        (refused(21_610), Refused, Finish, AttemptOutcome.REFUSED, True),
        (too_many(), Deferred, Postpone, AttemptOutcome.DEFERRED, False),
        (refused(21_611), Deferred, Postpone, AttemptOutcome.DEFERRED, False),
        (unauthorized(), Deferred, Postpone, AttemptOutcome.DEFERRED, False),
        (REDIRECT, Deferred, Postpone, AttemptOutcome.DEFERRED, False),
        (replace(REDIRECT, is_twilios=False), Deferred, Postpone, AttemptOutcome.DEFERRED, False),
        (PROXY, Deferred, Postpone, AttemptOutcome.DEFERRED, False),
        (NO_NETWORK, Deferred, Postpone, AttemptOutcome.DEFERRED, False),
        (TIME_OUT, InDoubt, Doubt, AttemptOutcome.IN_DOUBT, None),
        (Answered(http_status=500), InDoubt, Doubt, AttemptOutcome.IN_DOUBT, None),
        (accepted(""), InDoubt, Doubt, AttemptOutcome.IN_DOUBT, None),
    ],
    ids=[
        *("accepted", "refused", "opted out", "429", "sender queue full", "credentials"),
        *("redirect", "redirect of another server", "proxy", "no network", "time-out", "500", "no SID"),
    ],
)
def test_each_answer_has_one_step_and_one_word(
    answer: Answer, outcome: type, kind: type, word: AttemptOutcome, *, counted: bool | None
) -> None:
    conclusion = concluded(answer)
    assert isinstance(conclusion.outcome, outcome)
    assert (kind, word, 1, NOW) == (
        type(conclusion.step),
        conclusion.step.outcome,
        conclusion.step.id,
        conclusion.step.at,
    )
    assert counted == getattr(conclusion.step, "counted", None)


def test_an_acceptance_is_a_success_with_the_sid() -> None:
    step = concluded(accepted("SM1", message_status="accepted")).step
    assert isinstance(step, Finish)
    assert (None, "SM1") == (step.reason, step.sid)
    assert "accepted" == published(step)["payload"]["messages"]["message_status"]


def test_a_refusal_ends_the_request_with_the_code_and_the_words_of_twilio() -> None:
    step = concluded(refused(21_211)).step
    assert isinstance(step, Finish)
    assert (Reason.INVALID_PARAMETER, 21_211) == (step.reason, step.code)
    assert "Twilio error 21211: No: 21211" == step.message == published(step)["error_message"]


def test_doubt_is_first_looked_up_a_second_later() -> None:
    step = concluded(TIME_OUT).step
    message = "Twilio did not answer: operation timed out"
    assert Doubt(id=1, at=NOW, settle_at=NOW + 1, message=message, attempt=1) == step


def test_doubt_leaves_the_pace_as_it_is() -> None:
    pace = Pace.fresh(8)
    assert pace is concluded(TIME_OUT, pace=pace).pace


@pytest.mark.parametrize("answer", [accepted(), refused(21_211)])
def test_an_acceptance_and_a_refusal_open_the_gate_and_raise_the_speed(answer: Answer) -> None:
    slow = replace(Pace.fresh(8), allowed=2.0, setbacks=3, refused_since=START)
    assert replace(slow, allowed=2.5, setbacks=0, refused_since=None) == concluded(answer, pace=slow).pace


# A deferral: what waits, and how long.


def test_a_429_lets_everything_wait_as_long_as_twilio_asks() -> None:
    conclusion = concluded(too_many(retry_after=120), jitter=0.0)
    assert 120 == due_at(conclusion.step)
    assert (NOW + 120, 4.0, WaitReason.ACCOUNT_SLOWED) == (
        conclusion.pace.closed_until,
        conclusion.pace.allowed,
        conclusion.pace.closed_for,
    )


def test_the_pause_after_429s_grows_with_the_setbacks_and_not_with_the_requests_own_deferrals() -> None:
    pace = replace(Pace.fresh(8), setbacks=2)
    for request in (a_claimed(), replace(a_claimed(), deferrals=9)):
        conclusion = concluded(too_many(), request=request, pace=pace)
        assert (16, NOW + 16, 3) == (
            due_at(conclusion.step),
            conclusion.pace.closed_until,
            conclusion.pace.setbacks,
        )


def test_a_full_sender_queue_lets_that_number_wait_longer_with_each_deferral_of_the_request() -> None:
    first, third = (concluded(refused(21_611), request=replace(a_claimed(), deferrals=n)) for n in (0, 2))
    assert (120, 480) == (due_at(first.step), due_at(third.step))
    sender = PacedSender(number=SENDER_NUMBER, channel=Channel.SMS)
    assert {sender: NOW + 120} == first.pace.senders
    assert isinstance(first.step, Postpone)
    assert Stall(sender_number=SENDER_NUMBER, channel=Channel.SMS, until=NOW + 120) == first.step.stall
    assert (0.0, 8.0) == (first.pace.closed_until, first.pace.allowed)


def test_refused_credentials_let_everything_wait_for_a_probe() -> None:
    conclusion = concluded(unauthorized())
    assert 10 == due_at(conclusion.step)
    assert (NOW, NOW + 10) == (conclusion.pace.refused_since, conclusion.pace.probe_at)


@pytest.mark.parametrize("answer", [REDIRECT, replace(REDIRECT, is_twilios=False), PROXY])
def test_at_a_wrong_address_the_request_waits_longer_than_all_others(answer: Answer) -> None:
    """A proxy may turn away this request alone."""
    conclusion = concluded(answer, request=replace(a_claimed(), deferrals=3))
    assert (32, NOW + 4) == (due_at(conclusion.step), conclusion.pace.closed_until)
    assert WaitReason.TWILIO_UNREACHABLE is conclusion.pace.closed_for


def test_without_network_the_request_keeps_its_place_and_no_other_attempt_is_made() -> None:
    request = a_claimed()
    conclusion = concluded(NO_NETWORK, request=request)
    assert isinstance(conclusion.step, Postpone)
    assert request.due_at == conclusion.step.due_at
    assert replace(Pace.fresh(8), offline=True) == conclusion.pace


@pytest.mark.parametrize("answer", [too_many(), PROXY])
def test_a_pause_that_is_over_at_once_leaves_the_pace_as_it_is(answer: Answer) -> None:
    conclusion = concluded(answer, jitter=0.0)
    assert (0, Pace.fresh(8)) == (due_at(conclusion.step), conclusion.pace)


@pytest.mark.parametrize(
    "answer", [too_many(retry_after=3000), refused(21_611, retry_after=3000), unauthorized(), PROXY]
)
def test_no_request_waits_longer_than_it_lives(answer: Answer) -> None:
    request = replace(a_claimed(), expires_at=NOW + 3)
    conclusion = concluded(answer, request=request)
    assert 3 == due_at(conclusion.step)


# What Twilio's records say.


def a_record(**fields: Any) -> Record:
    values: dict[str, Any] = {
        "sid": "SM1",
        "phone_number": DARLA,
        "sender_number": SENDER_NUMBER,
        "message_status": "delivered",
        "created_at": START,
    }
    return Record(**values | fields)


def settled(
    settlement_: Settlement,
    *,
    retries: int = 0,
    attempts: int = 0,
    cut_off: bool = False,
    jitter: float = 1.0,
) -> Step:
    request = replace(a_claimed(retries=retries), attempts=attempts)
    return conclude_settlement(
        a_doubtful(request, cut_off=cut_off),
        settlement_,
        statuses=STATUSES,
        timing=TIMING,
        now=NOW,
        jitter=jitter,
    )


@pytest.mark.parametrize(
    ("settlement_", "kind", "word", "reason"),
    [
        (settlement.Found(record=a_record()), Finish, AttemptOutcome.ACCEPTED, None),
        (settlement.Absent(), Finish, AttemptOutcome.FAILED, Reason.TWILIO_UNAVAILABLE),
        (settlement.LookAgain(at=NOW + 5), Doubt, AttemptOutcome.IN_DOUBT, None),
        (
            settlement.Undecidable(message="The records allow both"),
            Finish,
            AttemptOutcome.IN_DOUBT,
            Reason.OUTCOME_UNKNOWN,
        ),
    ],
    ids=["found", "absent", "look again", "undecidable"],
)
def test_each_settlement_has_one_step_and_one_word(
    settlement_: Settlement, kind: type, word: AttemptOutcome, reason: Reason | None
) -> None:
    step = settled(settlement_)
    assert (kind, word, reason) == (type(step), step.outcome, getattr(step, "reason", None))


def test_a_record_that_was_found_is_reported_with_its_own_words() -> None:
    step = settled(settlement.Found(record=a_record()))
    assert isinstance(step, Finish)
    assert ("SM1", True) == (step.sid, step.counted)
    assert "delivered" == published(step)["payload"]["messages"]["message_status"]


@pytest.mark.parametrize("sender", [None, ""])
def test_a_record_without_a_sender_is_reported_with_the_one_that_was_asked_for(sender: str | None) -> None:
    step = settled(settlement.Found(record=a_record(sender_number=sender)))
    assert SENDER_NUMBER == published(step)["payload"]["from_number"]


@pytest.mark.parametrize(
    ("retries", "attempts", "cut_off", "reason", "counted"),
    [
        (0, 0, False, Reason.TWILIO_UNAVAILABLE, True),
        (1, 0, False, WaitReason.RETRY, True),
        (1, 1, False, Reason.TWILIO_UNAVAILABLE, True),
        (0, 0, True, WaitReason.RETRY, False),
        (1, 1, True, WaitReason.RETRY, False),
    ],
)
def test_retries_decide_about_an_attempt_that_was_not_carried_out_unless_our_own_end_cut_it_off(
    *, retries: int, attempts: int, cut_off: bool, reason: Reason | WaitReason, counted: bool
) -> None:
    """Contract, section 4: the connector's failure is not the sender's."""
    step = settled(settlement.Absent(), retries=retries, attempts=attempts, cut_off=cut_off)
    kind = Postpone if isinstance(reason, WaitReason) else Finish
    assert (kind, AttemptOutcome.FAILED) == (type(step), step.outcome)
    assert isinstance(step, Finish | Postpone)
    assert (counted, reason) == (step.counted, step.reason)
    assert "operation timed out; Twilio's records show that nothing was sent" == step.message


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 4), (1, 8), (2, 16), (9, 60)])
def test_the_next_attempt_comes_after_a_backoff_that_grows_with_the_attempts(
    attempts: int, seconds: float
) -> None:
    assert seconds == due_at(settled(settlement.Absent(), retries=99, attempts=attempts))
    assert seconds / 2 == due_at(settled(settlement.Absent(), retries=99, attempts=attempts, jitter=0.5))


def test_an_attempt_that_was_cut_off_is_made_again_at_once() -> None:
    assert 0 == due_at(settled(settlement.Absent(), cut_off=True))


def test_the_next_look_never_lies_in_the_past() -> None:
    step = settled(settlement.LookAgain(at=NOW - 5))
    assert Doubt(id=1, at=NOW, settle_at=NOW, message="operation timed out", attempt=1) == step


def test_what_the_records_cannot_decide_goes_to_a_person_with_the_command_to_use() -> None:
    sentence = published(settled(settlement.Undecidable(message="They allow both")))["error_message"]
    assert sentence.startswith("operation timed out; it may or may not have been sent")
    assert "They allow both" in sentence
    assert "twilio-notifications journal resolve 1 --sent" in sentence


def unreadable(
    *, now: float, expires: float = 14_400.0, retry_after: float | None = None, since: float = 30.0
) -> Step:
    """What follows from lists that cannot be read. Instants count from START; the doubt arose at 30."""
    request = replace(a_claimed(), expires_at=START + expires)
    return conclude_unreadable(
        a_doubtful(request),
        Unreadable(detail="dns error", retry_after=retry_after),
        statuses=STATUSES,
        timing=TIMING,
        since=START + since,
        now=START + now,
    )


@pytest.mark.parametrize(
    ("now", "retry_after", "expires", "looks_at"),
    [
        (32.0, None, 14_400.0, 34.0),
        (100.0, None, 14_400.0, 110.0),
        (100.0, 60.0, 14_400.0, 160.0),
        (100.0, 60.0, 120.0, 120.0),
        (58.0, None, 0.0, 60.0),
    ],
    ids=["doubling", "after the settling time", "asked to wait", "not beyond the lifetime", "expired before"],
)
def test_records_that_cannot_be_read_are_looked_at_again(
    now: float, retry_after: float | None, expires: float, looks_at: float
) -> None:
    step = unreadable(now=now, retry_after=retry_after, expires=expires)
    assert isinstance(step, Doubt)
    assert looks_at == step.settle_at - START


@pytest.mark.parametrize(("now", "expires"), [(60.0, 0.0), (14_400.0, 14_400.0)])
def test_at_the_end_of_the_lifetime_records_that_cannot_be_read_go_to_a_person(
    now: float, expires: float
) -> None:
    """But never before the settling time has passed: at a start the network comes up after the connector."""
    step = unreadable(now=now, expires=expires)
    assert isinstance(step, Finish)
    assert (Reason.OUTCOME_UNKNOWN, AttemptOutcome.IN_DOUBT) == (step.reason, step.outcome)
    assert "Twilio's records cannot be read: dns error" in published(step)["error_message"]


def test_after_a_long_sleep_of_the_machine_one_list_that_fails_does_not_call_a_person() -> None:
    """Lifetime and settling time are over then, and no list was asked for meanwhile."""
    assert isinstance(unreadable(now=86_400.0, expires=14_400.0, since=86_400.0), Doubt)


# What the rules say.


def test_a_deferral_of_the_rules_is_no_attempt() -> None:
    verdict = Defer(until=NOW + 60, reason=WaitReason.QUOTA_USED_UP, message="Used up")
    assert Postpone(
        id=1,
        at=NOW,
        due_at=NOW + 60,
        reason=WaitReason.QUOTA_USED_UP,
        message="Used up",
        outcome=None,
        counted=False,
    ) == turn_away(a_claimed(), verdict, statuses=STATUSES, now=NOW)


def test_what_the_rules_decline_ends_without_an_attempt() -> None:
    verdict = Decline(reason=Reason.NOT_ALLOWED, message="Not there")
    step = turn_away(a_claimed(), verdict, statuses=STATUSES, now=NOW)
    assert isinstance(step, Finish)
    assert (None, False, Reason.NOT_ALLOWED) == (step.outcome, step.counted, step.reason)
    assert "Not there" == published(step)["error_message"]


def test_a_request_that_expires_between_the_opening_and_the_post_is_unsent_and_costs_no_retry() -> None:
    situation = policy.Situation(
        now=NOW,
        pace=Pace.fresh(8),
        limits=policy.Limits(),
        tally=policy.NOTHING_USED,
        credential_wait_seconds=300.0,
    )
    request = replace(a_claimed(), expires_at=NOW)
    step = miss(request, policy.expired(request, situation), statuses=STATUSES, now=NOW)
    assert (AttemptOutcome.UNSENT, False, Reason.EXPIRED) == (step.outcome, step.counted, step.reason)
    assert "before it could be sent" in published(step)["error_message"]


# What a defect of the connector does.


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [(None, NOT_SENT), (AttemptOutcome.UNSENT, NOT_SENT), (AttemptOutcome.IN_DOUBT, PERHAPS_SENT)],
)
def test_a_request_on_which_the_connector_fails_ends_with_an_internal_error(
    outcome: AttemptOutcome | None, sentence: str
) -> None:
    step = end_with_defect(a_claimed(), sentence, outcome=outcome, statuses=STATUSES, now=NOW)
    assert (outcome, False, Reason.INTERNAL_ERROR) == (step.outcome, step.counted, step.reason)
    assert ("InternalError", sentence) == (
        published(step)["error"],
        published(step)["error_message"],
    )


@pytest.mark.parametrize("request_id", ["request123", "", 7])
def test_a_row_that_cannot_be_read_ends_with_what_is_known_of_it(request_id: str | int) -> None:
    """Whether anything was sent cannot be read either."""
    step = end_broken(9, request_id, Channel.CALL, statuses=STATUSES, now=NOW)
    assert (9, AttemptOutcome.IN_DOUBT, Reason.INTERNAL_ERROR) == (step.id, step.outcome, step.reason)
    assert request_id == json.loads(step.status)["id"]
    assert UNREADABLE == published(step)["error_message"]


def test_only_what_surely_sent_nothing_is_paid_back() -> None:
    assert {
        AttemptOutcome.REFUSED,
        AttemptOutcome.DEFERRED,
        AttemptOutcome.FAILED,
        AttemptOutcome.UNSENT,
    } == SENT_NOTHING
