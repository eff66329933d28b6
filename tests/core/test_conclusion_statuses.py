"""The document we publish: the extended detail is an addition, and never touches what was there before."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.factories import DARLA, SENDER_NUMBER, START, a_claimed
from twilio_notifications.core.conclusions import StatusWriter
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Accepted, Channel, Rejection, VoiceLocation
from twilio_notifications.core.steps import AttemptOutcome, Claimed, Finish

AT = START + 2.5
SHORT, LONG = StatusWriter(), StatusWriter(extended=True)


def a_request(*, attempts: int = 0, **notification: Any) -> Claimed:
    return replace(a_claimed(7, **notification), attempts=attempts)


def accepted(writer: StatusWriter, request: Claimed | None = None, **arguments: Any) -> Finish:
    taken = Accepted(sid="SM1", message_status="queued", sender_number=SENDER_NUMBER, phone_number=DARLA)
    return writer.accepted(request or a_request(), taken, at=AT, **arguments)


def failed(writer: StatusWriter, request: Claimed | None = None, **arguments: Any) -> Finish:
    named: dict[str, Any] = {"outcome": AttemptOutcome.REFUSED, "counted": True, "code": 21_211} | arguments
    return writer.failed(request or a_request(), Reason.INVALID_PARAMETER, "No", at=AT, **named)


def document(status: Finish | bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(status if isinstance(status, bytes) else status.status)
    return found


def test_a_success_is_the_published_example() -> None:
    """The document's example output, key by key and in its order."""
    messages = {"message_status": "queued", "to_number": DARLA, "name": "Darla"}
    expected = {
        "response": {
            "status": "success",
            "payload": {"from_number": SENDER_NUMBER, "messages": messages},
        },
        "id": "request123",
    }
    found = document(accepted(SHORT))
    assert expected == found
    assert json.dumps(expected) == json.dumps(found)


def test_a_failure_is_the_published_example_as_valid_json() -> None:
    expected = {
        "response": {
            "status": "fail",
            "error_message": "No",
            "error": "InvalidParameter",
            "payload": None,
        },
        "id": "request123",
    }
    assert json.dumps(expected) == json.dumps(document(failed(SHORT)))


@pytest.mark.parametrize("write", [accepted, failed])
def test_the_extended_detail_changes_no_published_key(write: Any) -> None:
    """Drop-in: a reader of the old output finds what it knew where it was."""
    short, long = document(write(SHORT)), document(write(LONG))
    detail = long["response"].pop("detail")
    assert json.dumps(short) == json.dumps(long)
    assert {"sid", "attempts", "channel", "twilio_code", "accepted_at", "finished_at"} == set(detail)


def test_the_extended_detail_of_a_success() -> None:
    call = a_request(attempts=1, channel=Channel.CALL, content=VoiceLocation(url="https://example.com"))
    assert {
        "sid": "SM1",
        "attempts": 2,
        "channel": "CALL",
        "twilio_code": None,
        "accepted_at": "2023-11-14T22:13:20.000Z",
        "finished_at": "2023-11-14T22:13:22.500Z",
    } == document(accepted(LONG, call))["response"]["detail"]


@pytest.mark.parametrize(("counted", "attempts"), [(True, 3), (False, 2)])
def test_the_extended_detail_of_a_failure(*, counted: bool, attempts: int) -> None:
    found = document(failed(LONG, a_request(attempts=2), counted=counted))["response"]["detail"]
    assert (None, attempts, 21_211) == (found["sid"], found["attempts"], found["twilio_code"])


def test_a_failure_without_an_attempt_carries_no_outcome() -> None:
    step = failed(SHORT, outcome=None, counted=False)
    assert (None, False) == (step.outcome, step.counted)


def test_an_accepted_request_whose_sid_is_not_known_is_kept_without_one() -> None:
    """A person may know that it was sent, and not under which SID."""
    taken = Accepted(sid="", message_status="sent", sender_number=SENDER_NUMBER, phone_number=DARLA)
    step = LONG.accepted(a_request(), taken, at=AT)
    assert (None, None) == (step.sid, document(step)["response"]["detail"]["sid"])


def test_the_extended_detail_of_a_rejection_says_when() -> None:
    full = Rejection(request_id=7, message="Full")
    short = document(SHORT.rejected(full, Reason.QUEUE_FULL, channel=Channel.CALL, at=AT))
    long = document(LONG.rejected(full, Reason.QUEUE_FULL, channel=Channel.CALL, at=AT))
    instant = "2023-11-14T22:13:22.500Z"
    assert {
        "sid": None,
        "attempts": 0,
        "channel": "CALL",
        "twilio_code": None,
        "accepted_at": instant,
        "finished_at": instant,
    } == long["response"].pop("detail")
    assert json.dumps(short) == json.dumps(long)
    assert 7 == short["id"]


def test_the_step_holds_what_the_journal_keeps_of_it() -> None:
    success, failure = accepted(SHORT, counted=False), failed(SHORT)
    assert (7, AT, None, AttemptOutcome.ACCEPTED, "SM1", False) == (
        success.id,
        success.at,
        success.reason,
        success.outcome,
        success.sid,
        success.counted,
    )
    assert (7, Reason.INVALID_PARAMETER, AttemptOutcome.REFUSED, "No", 21_211, True) == (
        failure.id,
        failure.reason,
        failure.outcome,
        failure.message,
        failure.code,
        failure.counted,
    )
