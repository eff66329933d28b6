"""The time line in words, and the numbers of the charts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.factories import START
from twilio_notifications.console.charts import HEIGHT, WIDTH, chart
from twilio_notifications.console.moments import Tone, line_of
from twilio_notifications.core.delivery import Happening, LearnedFrom
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Channel
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports.journal import timeline

if TYPE_CHECKING:
    from twilio_notifications.ports.journal.timeline import Moment

CLOSED: dict[str, Any] = {
    "at": START,
    "attempt": 1,
    "reason": None,
    "message": None,
    "code": None,
    "sid": None,
}
MOVED: dict[str, Any] = {
    "at": START,
    "happening": Happening.CHANGED,
    "source": LearnedFrom.POLL,
    "code": None,
    "meaning": None,
    "result": None,
}


@pytest.mark.parametrize(
    ("moment", "tone", "title"),
    [
        (
            timeline.Arrived(at=START, origin=None, resent_from=None, chain=None),
            Tone.ROUTINE,
            "The request arrived",
        ),
        (
            timeline.Arrived(at=START, origin="iot_core", resent_from=None, chain=None),
            Tone.ROUTINE,
            "The request arrived from iot_core",
        ),
        (
            timeline.Arrived(at=START, origin=None, resent_from=7, chain=None),
            Tone.ROUTINE,
            "Sent again from request 7",
        ),
        (
            timeline.Arrived(at=START, origin=None, resent_from=None, chain=7),
            Tone.ROUTINE,
            "Made by the escalation of request 7",
        ),
        (
            timeline.AttemptClosed(outcome=AttemptOutcome.ACCEPTED, **CLOSED),
            Tone.GOOD,
            "Attempt 1: Twilio accepted it",
        ),
        (
            timeline.AttemptClosed(outcome=AttemptOutcome.REFUSED, **CLOSED),
            Tone.BAD,
            "Attempt 1: Twilio refused it",
        ),
        (
            timeline.AnsweredLate(at=START, attempt=1, outcome=AttemptOutcome.ACCEPTED, code=None, sid="SM1"),
            Tone.ROUTINE,
            "Attempt 1: Twilio's answer came after its lease had ended",
        ),
        (
            timeline.DoubtArose(at=START, attempt=1, message="timed out", look_at=START),
            Tone.WAIT,
            "Attempt 1 is in doubt: Twilio gave no answer",
        ),
        (timeline.DeliveryMoved(word="sent", **MOVED), Tone.ROUTINE, "Delivery: sent"),
        (timeline.DeliveryMoved(word="delivered", **MOVED), Tone.GOOD, "Delivery: delivered"),
        (timeline.DeliveryMoved(word="undelivered", **MOVED), Tone.BAD, "Delivery: undelivered"),
        (
            timeline.DeliveryMoved(word="completed", **MOVED | {"result": "machine"}),
            Tone.BAD,
            "Delivery: completed, reached: machine",
        ),
        (
            timeline.DeliveryMoved(word="completed", **MOVED | {"result": "person"}),
            Tone.GOOD,
            "Delivery: completed, reached: person",
        ),
        (
            timeline.EscalationOver(at=START, ending="acknowledged", by="Darla", door="text"),
            Tone.PERSON,
            "Darla has acknowledged",
        ),
        (
            timeline.EscalationOver(at=START, ending="acknowledged", by=None, door="text"),
            Tone.PERSON,
            "Acknowledged",
        ),
        (
            timeline.EscalationOver(at=START, ending="unacknowledged", by=None, door=None),
            Tone.BAD,
            "The escalation ended: unacknowledged",
        ),
        (
            timeline.OrderPlaced(at=START, order=1, name="resend", parameters={}, by="darla", door="console"),
            Tone.PERSON,
            "darla ordered: resend",
        ),
        (
            timeline.OrderCarriedOut(at=START, order=1, name="resend", result=None, refusal="no", made=None),
            Tone.BAD,
            "The order was refused: resend",
        ),
        (
            timeline.PersonNotified(
                at=START,
                request=9,
                channel=Channel.CALL,
                name="Darla",
                phone_number="+1",
                became="ringing",
            ),
            Tone.ROUTINE,
            "Darla (+1) was notified: ringing",
        ),
    ],
)
def test_a_moment_has_its_words_and_its_colour(moment: Moment, tone: Tone, title: str) -> None:
    line = line_of(moment)
    assert (tone, title) == (line.tone, line.title)


def test_a_wait_that_lasts_is_in_colour_and_has_its_end() -> None:
    wait: dict[str, Any] = {
        "at": START,
        "reason": WaitReason.QUIET_HOURS,
        "message": "until 07:00",
        "until": START + 60,
    }
    lasting = line_of(timeline.Waited(ended_at=None, behind=3, **wait))
    assert (Tone.WAIT, "Waits for quiet hours") == (lasting.tone, lasting.title)
    assert (START + 60, True, 3) == (lasting.ends_at, lasting.lasts, lasting.request)
    over = line_of(timeline.Waited(ended_at=START + 30, behind=None, **wait))
    assert (Tone.ROUTINE, START + 30, False) == (over.tone, over.ends_at, over.lasts)
    assert ("until 07:00",) == over.details


def test_a_failed_status_says_why() -> None:
    written = timeline.StatusWritten(
        at=START, follow_up=True, reason=Reason.UNDELIVERED, message="it is off", code=30003, remark=None
    )
    line = line_of(written)
    assert "The follow-up status was written: Undelivered" == line.title
    assert ("it is off",) == line.details


def test_a_chart_has_a_bar_for_each_hour_and_the_highest_fills_it() -> None:
    counts = [0, 1, 1_000, 500]
    made = chart("Received", "received", [(START + hour, count) for hour, count in enumerate(counts)])
    assert (1_501, 1_000) == (made.total, made.most)
    assert counts == [bar.count for bar in made.bars]
    assert [0, 2, HEIGHT, HEIGHT / 2] == [bar.height for bar in made.bars]
    assert all(bar.y + bar.height == HEIGHT for bar in made.bars)
    assert WIDTH >= made.bars[-1].x + made.bars[-1].width


@pytest.mark.parametrize("counts", [[], [(START, 0)]])
def test_a_chart_of_nothing_is_empty(counts: list[tuple[float, int]]) -> None:
    made = chart("Received", "received", counts)
    assert (0, 0) == (made.total, made.most)
    assert all(0 == bar.height for bar in made.bars)
