"""The stream: every subscriber hears every event, whatever becomes of another subscriber."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fakes import RecordingEvents
from twilio_notifications.pipeline.events import EventStream
from twilio_notifications.ports.events import ConnectorReady, ConnectorStopped, Defect

if TYPE_CHECKING:
    from twilio_notifications.ports import Event


class Failing:
    """A subscriber with a defect."""

    def __init__(self) -> None:
        self.heard = 0

    def tell(self, event: Event) -> None:
        self.heard += 1
        raise ValueError(event)


def test_every_subscriber_hears_every_event_in_order() -> None:
    first, second = RecordingEvents(), RecordingEvents()
    stream = EventStream([first, second])
    stream.tell(ConnectorReady())
    stream.tell(ConnectorStopped())
    assert [ConnectorReady(), ConnectorStopped()] == first.told == second.told


@pytest.mark.parametrize("failing_first", [True, False])
def test_a_subscriber_that_fails_keeps_no_event_from_the_others(*, failing_first: bool) -> None:
    failing, log = Failing(), RecordingEvents()
    stream = EventStream([failing, log] if failing_first else [log, failing])
    stream.tell(ConnectorReady())
    stream.tell(ConnectorStopped())
    assert [ConnectorReady(), ConnectorStopped()] == [
        event for event in log.told if not isinstance(event, Defect)
    ]


def test_a_subscriber_that_fails_at_every_event_is_one_defect() -> None:
    failing, log = Failing(), RecordingEvents()
    stream = EventStream([failing, log])
    for _ in range(3):
        stream.tell(ConnectorReady())
    assert ["subscriber_failed"] == [name for name, _ in log.defects]
    assert 4 == failing.heard, "three events, and the defect"


def test_two_subscribers_that_fail_are_two_defects() -> None:
    log = RecordingEvents()
    EventStream([Failing(), Failing(), log]).tell(ConnectorReady())
    assert 2 == len(log.defects)


def test_a_stream_whose_subscribers_all_fail_raises_nothing() -> None:
    failing = [Failing(), Failing()]
    EventStream(failing).tell(ConnectorReady())
    assert [3, 3] == [each.heard for each in failing], "the event, and both defects"
