"""Each step of the line is timed once, from its beginning to its end, and nothing is kept of it."""

from __future__ import annotations

import pytest

from tests.support.factories import START, a_claimed, a_postponement, a_request, a_success, accepted
from twilio_notifications.core.steps import Claimed, Doubt
from twilio_notifications.pipeline.care.timing import StepTimer
from twilio_notifications.ports import Inbound, Level, Recording, Unreported, events
from twilio_notifications.ports.line_steps import LineStep

TICK = 1.0
NUMBER = 7


class Timed:
    """Keeps the steps that it hears of; each event comes a tick after the one before."""

    def __init__(self, *, most_begun: int = 1000) -> None:
        self.steps: list[events.StepTimed] = []
        self.now = START
        self.timer = StepTimer(self, now=lambda: self.now, most_begun=most_begun)

    def tell(self, event: events.Event) -> None:
        assert isinstance(event, events.StepTimed)
        self.steps.append(event)

    def hear(self, *told: events.Event) -> list[tuple[LineStep, int, float]]:
        """The steps that are over by these events: which, of which request, how many seconds."""
        self.steps.clear()
        for event in told:
            self.now += TICK
            self.timer.tell(event)
        return [(each.step, each.number, each.seconds) for each in self.steps]


def an_inbound() -> Inbound:
    return Inbound(topic="twilio/txt", payload=b"", acknowledge=lambda: None)


def answered(request: Claimed) -> events.TwilioAnswered:
    return events.TwilioAnswered(request=request, answer=accepted())


def test_the_way_of_a_request_that_leaves_at_once_has_five_steps() -> None:
    timed, inbound, request = Timed(), an_inbound(), a_claimed(NUMBER, accepted_at=START + TICK)
    status = Unreported(position=3, request=NUMBER, status=b"{}")
    over = timed.hear(
        events.RequestReceived(inbound=inbound),
        events.RequestRecorded(inbound=inbound, arrival=a_request(), recording=Recording.NEW, number=NUMBER),
        events.AttemptsOpened(requests=[request]),
        answered(request),
        events.RequestFinished(request=request, step=a_success(NUMBER), attempted=True),
        events.StatusPublished(status=status),
        events.StatusAcknowledged(status=status),
    )
    expected = [
        (LineStep.RECORD, NUMBER, TICK),
        (LineStep.WAIT, NUMBER, 2 * TICK),
        (LineStep.SEND, NUMBER, TICK),
        (LineStep.CLOSE, NUMBER, TICK),
        (LineStep.REPORT, NUMBER, TICK),
    ]
    assert expected == over
    assert {} == timed.timer._begun


def test_a_wait_that_follows_an_attempt_is_a_step_of_its_own() -> None:
    timed, first, second = Timed(), a_claimed(NUMBER), a_claimed(NUMBER)
    postponed = events.RequestPostponed(
        request=first, step=a_postponement(NUMBER, due_at=START), attempted=True
    )
    opened = events.AttemptsOpened(requests=[second])
    assert [] == timed.hear(postponed)
    assert [(LineStep.WAIT, NUMBER, TICK)] == timed.hear(opened)


def test_a_request_that_waited_over_a_restart_waited_since_its_acceptance() -> None:
    timed = Timed()
    opened = events.AttemptsOpened(requests=[a_claimed(NUMBER, accepted_at=START - 3600)])
    assert [(LineStep.WAIT, NUMBER, 3600 + TICK)] == timed.hear(opened)


def test_a_doubt_is_timed_from_the_opening_of_the_attempt() -> None:
    timed, request = Timed(), a_claimed(NUMBER)
    doubt = events.AttemptInDoubt(
        request=request, step=Doubt(id=NUMBER, at=START, settle_at=START, message="")
    )
    settled = events.DoubtSettled(
        level=Level.INFO, request=request, step=a_success(NUMBER), outcome="found", seconds=31.0
    )
    assert [(LineStep.CLOSE, NUMBER, TICK), (LineStep.SETTLE, NUMBER, 31.0)] == timed.hear(
        answered(request), doubt, settled
    )


def test_a_status_that_is_published_again_is_timed_from_the_first_time() -> None:
    timed = Timed()
    status = Unreported(position=3, request=NUMBER, status=b"{}")
    published = events.StatusPublished(status=status)
    assert [(LineStep.REPORT, NUMBER, 2 * TICK)] == timed.hear(
        published, published, events.StatusAcknowledged(status=status)
    )


def test_a_repetition_by_the_broker_is_no_step() -> None:
    timed, inbound = Timed(), an_inbound()
    repeated = events.RequestRecorded(
        inbound=inbound, arrival=a_request(), recording=Recording.REPEATED, number=None
    )
    assert [] == timed.hear(events.RequestReceived(inbound=inbound), repeated)
    assert {} == timed.timer._begun


@pytest.mark.parametrize("count", [3, 10])
def test_what_is_kept_is_bounded_and_the_oldest_goes_first(count: int) -> None:
    timed = Timed(most_begun=2)
    requests = [a_claimed(number) for number in range(1, count + 1)]
    timed.hear(events.AttemptsOpened(requests=requests))
    over = timed.hear(answered(requests[0]), answered(requests[-1]))
    assert [(LineStep.SEND, count)] == [(step, number) for step, number, _ in over if step is LineStep.SEND]
    assert len(timed.timer._begun) <= 2
