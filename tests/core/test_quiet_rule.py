"""Quiet hours as a rule of the policy: who waits, who passes, and who is answered at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Any

import pytest

from tests.support.factories import DARLA, a_claimed
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Priority
from twilio_notifications.core.policy import (
    ADMITTED,
    NOTHING_USED,
    Decline,
    Defer,
    Limits,
    Pace,
    Situation,
    Verdict,
    admit,
)
from twilio_notifications.core.quiet_hours import InQuietHours, QuietHours, QuietWindow

NIGHT = QuietWindow(begins=time(22), ends=time(7), zone=UTC)
MIDNIGHT = datetime(2026, 6, 2, tzinfo=UTC).timestamp()
SEVEN = MIDNIGHT + 7 * 3_600
NOON = MIDNIGHT + 12 * 3_600
WAIT = QuietHours(windows=(NIGHT,))
REFUSE = QuietHours(windows=(NIGHT,), then=InQuietHours.REFUSE)


def verdict(
    hours: QuietHours,
    *,
    now: float = MIDNIGHT,
    lifetime: float = 86_400.0,
    pace: Pace | None = None,
    **of: Any,
) -> Verdict:
    chain = of.pop("chain", None)
    request = replace(a_claimed(accepted_at=now, **of), expires_at=now + lifetime, chain=chain)
    return admit(
        request,
        Situation(
            now=now,
            pace=pace or Pace.fresh(50),
            limits=Limits(),
            tally=NOTHING_USED,
            credential_wait_seconds=300.0,
            quiet_hours=hours,
        ),
    )


@pytest.mark.parametrize("priority", [Priority.NORMAL, Priority.LOW])
def test_normal_and_low_requests_wait_for_the_end_of_the_window(priority: Priority) -> None:
    waits = verdict(WAIT, priority=priority)
    assert isinstance(waits, Defer)
    assert SEVEN == waits.until
    assert "quiet hours (22:00 to 07:00 UTC): the request waits until 2026-06-02T07:00:00Z" == waits.message


def test_at_the_end_of_the_window_they_leave() -> None:
    assert ADMITTED == verdict(WAIT, now=SEVEN)


@pytest.mark.parametrize("hours", [WAIT, REFUSE])
def test_urgent_requests_and_steps_of_a_chain_pass(hours: QuietHours) -> None:
    assert ADMITTED == verdict(hours, priority=Priority.URGENT)
    assert ADMITTED == verdict(hours, chain=7)


def test_the_request_that_begins_a_chain_waits_like_others() -> None:
    own = a_claimed().id
    assert isinstance(verdict(WAIT, chain=own), Defer)


def test_a_request_is_refused_where_the_operator_wants_it_with_a_sentence_that_names_the_window() -> None:
    sentence = "Quiet hours (22:00 to 07:00 UTC) until 2026-06-02T07:00:00Z: only urgent requests are sent"
    assert Decline(reason=Reason.NOT_ALLOWED, message=sentence) == verdict(REFUSE)
    assert ADMITTED == verdict(REFUSE, now=NOON)


@pytest.mark.parametrize("lifetime", [60.0, 7 * 3_600.0])
def test_a_request_that_would_expire_within_the_window_is_answered_at_once(lifetime: float) -> None:
    answer = verdict(WAIT, lifetime=lifetime)
    assert isinstance(answer, Decline)
    assert Reason.EXPIRED is answer.reason
    assert "until 2026-06-02T07:00:00Z: the request would expire before, at 2026-06-02T0" in answer.message


def test_one_that_lives_a_second_longer_waits() -> None:
    assert isinstance(verdict(WAIT, lifetime=7 * 3_600 + 1.0), Defer)


def test_windows_of_a_contact_count_for_its_telephone_alone() -> None:
    hours = QuietHours(by_phone_number={DARLA: (NIGHT,)})
    assert isinstance(verdict(hours), Defer)
    assert ADMITTED == verdict(hours, phone_number="+12345000001")
