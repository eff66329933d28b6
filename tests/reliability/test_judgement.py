"""The judge itself: a judgement that never finds anything would be worth nothing."""

from __future__ import annotations

import json

import pytest

from tests.reliability.traffic import ALL_KEPT, Request, Verdict, judge, recipient
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.store import LedgerEntry

REQUESTS = [Request(number=number, to=recipient(number % 2)) for number in range(4)]


def ledger(*numbers: int) -> list[LedgerEntry]:
    return [
        LedgerEntry(
            sid=f"SM{place}",
            channel=Channel.SMS,
            account_sid="AC",
            to=recipient(number % 2),
            sender="+19999999999",
            body=f"number {number}",
            created_at=0.0,
        )
        for place, number in enumerate(numbers)
    ]


def success(number: int, word: str = "queued") -> bytes:
    payload = {"messages": {"message_status": word}}
    return json.dumps({"response": {"status": "success", "payload": payload}, "id": f"id-{number}"}).encode()


def failure(number: int, error: str) -> bytes:
    return json.dumps({"response": {"status": "fail", "error": error}, "id": f"id-{number}"}).encode()


ALL_ANSWERED = [success(number) for number in range(4)]


@pytest.mark.parametrize(
    ("sent", "statuses", "verdict"),
    [
        ([0, 1, 2, 3], ALL_ANSWERED, ALL_KEPT),
        ([1, 0, 3, 2], ALL_ANSWERED, ALL_KEPT),
        ([0, 1, 2, 3], [*ALL_ANSWERED, success(1)], ALL_KEPT),
        ([0, 1, 2], [*ALL_ANSWERED[:3], failure(3, "Expired")], ALL_KEPT),
        ([0, 1, 2, 3], [*ALL_ANSWERED[:3], failure(3, "OutcomeUnknown")], ALL_KEPT),
        ([0, 1, 2], ALL_ANSWERED, Verdict(lost=("id-3",))),
        ([0, 1, 2], ALL_ANSWERED[:3], Verdict(lost=("id-3",), unanswered=("id-3",))),
        ([0, 1, 2, 3, 3], ALL_ANSWERED, Verdict(doubled=("id-3",))),
        ([2, 1, 0, 3], ALL_ANSWERED, Verdict(out_of_order=("id-0",))),
        ([0, 1, 2, 3], ALL_ANSWERED[1:], Verdict(unanswered=("id-0",))),
        ([0, 1, 2, 3], [*ALL_ANSWERED, success(1, "sent")], Verdict(contradicted=("id-1",))),
        ([0, 1, 2, 3], [*ALL_ANSWERED[:3], failure(3, "TwilioUnavailable")], Verdict(contradicted=("id-3",))),
    ],
)
def test_the_judge_finds(sent: list[int], statuses: list[bytes], verdict: Verdict) -> None:
    assert verdict == judge(REQUESTS, ledger(*sent), statuses)


def test_the_same_recipient_has_a_line_for_each_channel() -> None:
    text, call = (
        Request(number=number, to=recipient(1), channel=channel)
        for number, channel in enumerate([Channel.SMS, Channel.CALL])
    )
    called = LedgerEntry(
        sid="CA",
        channel=Channel.CALL,
        account_sid="AC",
        to=call.to,
        sender=None,
        url=call.content,
        created_at=0,
    )
    texted = LedgerEntry(
        sid="SM",
        channel=Channel.SMS,
        account_sid="AC",
        to=text.to,
        sender=None,
        body=text.content,
        created_at=0,
    )
    assert ALL_KEPT == judge([text, call], [called, texted], [success(0), success(1)])
