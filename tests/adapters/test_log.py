"""The log: one line for each event, whatever it holds, and never a whole phone number."""

from __future__ import annotations

import io
import json
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.adapters import log
from twilio_notifications.config import LogFormat
from twilio_notifications.core.phone_numbers import masked
from twilio_notifications.ports import Event, Level
from twilio_notifications.ports.events import Defect, UnknownTopicDropped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """`configure` sets up the whole program's logging; pytest's is given back afterwards."""
    root, own = logging.getLogger(), logging.getLogger(log.LOGGER)
    before = (root.handlers[:], root.level, own.level)
    yield
    root.handlers[:], root.level, own.level = before
    own._cache.clear()  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample(Event):
    """An event with any line."""

    level: Level = field()
    line: Mapping[str, object]

    def fields(self) -> Mapping[str, object]:
        return self.line


def written(form: LogFormat, name: str, *, level: Level = Level.INFO, **fields: object) -> str:
    """What one event writes."""
    stream = io.StringIO()
    kind = type(name.title().replace("_", ""), (Sample,), {})
    log.configure(level="DEBUG", form=form, stream=stream).tell(kind(level=level, line=fields))
    return stream.getvalue()


def test_json_has_time_level_and_event_first_and_then_the_fields() -> None:
    line = written(LogFormat.JSON, "connector_ready", level=Level.WARNING, count=3, reason="Expired")
    record = json.loads(line)
    assert ["time", "level", "event", "count", "reason"] == list(record)
    assert ("WARNING", "connector_ready", 3, "Expired") == tuple(record.values())[1:]
    assert line.endswith("}\n")


@pytest.mark.parametrize("form", list(LogFormat))
def test_a_field_without_a_value_is_left_out(form: LogFormat) -> None:
    line = written(form, "request_finished", number=7, count=0, reason=None)
    assert "reason" not in line
    assert "None" not in line
    assert "null" not in line
    assert "count" in line


def test_the_time_is_utc_with_milliseconds() -> None:
    before = datetime.now(UTC)
    time = json.loads(written(LogFormat.JSON, "event"))["time"]
    assert len("2023-11-14T22:13:20.000Z") == len(time)
    assert time.endswith("Z")
    assert before - timedelta(milliseconds=1) <= datetime.fromisoformat(time) <= datetime.now(UTC)


def test_text_is_one_readable_line() -> None:
    line = written(LogFormat.TEXT, "broker_lost", level=Level.WARNING, broker="mqtt://x", error="it was lost")
    time, rest = line.split(" ", 1)
    assert time.endswith("Z")
    assert 'WARNING broker_lost broker=mqtt://x error="it was lost"\n' == rest


@given(st.text(max_size=40).filter(lambda text: "+" not in text))  # a phone number would be masked
def test_no_value_makes_a_second_line(value: str) -> None:
    """A name or an error from outside must not forge a record."""
    for form in LogFormat:
        line = written(form, "event", error=value)
        assert 1 == len(line.splitlines()), repr(line)
    assert value == json.loads(written(LogFormat.JSON, "event", error=value))["error"]


@pytest.mark.parametrize("form", list(LogFormat))
def test_phone_numbers_are_masked_but_for_four_digits(form: LogFormat) -> None:
    line = written(form, "event", phone_number="+12345000000", sender_number="+19999999999")
    assert "********0000" in line
    assert "********9999" in line
    assert "12345" not in line


@pytest.mark.parametrize(
    ("number", "expected"), [("+12345000000", "********0000"), ("12345", "*2345"), ("1234", "1234"), ("", "")]
)
def test_what_is_short_is_not_masked(number: str, expected: str) -> None:
    assert expected == masked(number)


@pytest.mark.parametrize(
    ("level", "written_levels"),
    [
        ("DEBUG", ["DEBUG", "INFO", "WARNING", "ERROR"]),
        ("WARNING", ["WARNING", "ERROR"]),
        ("ERROR", ["ERROR"]),
    ],
)
def test_what_is_below_the_level_is_not_written(level: str, written_levels: list[str]) -> None:
    stream = io.StringIO()
    events = log.configure(level=level, form=LogFormat.JSON, stream=stream)
    for each in Level:
        events.tell(UnknownTopicDropped(level=each, topic="a"))
    assert written_levels == [json.loads(line)["level"] for line in stream.getvalue().splitlines()]


def test_a_defect_is_written_with_its_trace() -> None:
    stream = io.StringIO()
    events = log.configure(level="ERROR", form=LogFormat.JSON, stream=stream)
    events.tell(Defect(name="intake_failed", error=ValueError("a defect")))
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert ("ERROR", "intake_failed") == (record["level"], record["event"])
    assert "ValueError: a defect" in record["trace"]


@pytest.mark.parametrize(
    "library",
    [
        "amqtt",
        "amqtt.broker",
        "transitions.core",
        "botocore.parsers",
        "urllib3",
    ],
)
def test_libraries_that_write_whole_packets_are_silent(library: str) -> None:
    stream = io.StringIO()
    log.configure(level="DEBUG", form=LogFormat.TEXT, stream=stream)
    logging.getLogger(library).critical("a packet with the text of a message")
    assert "" == stream.getvalue()


def test_other_libraries_are_heard_from_warnings_on() -> None:
    stream = io.StringIO()
    log.configure(level="DEBUG", form=LogFormat.JSON, stream=stream)
    logging.getLogger("asyncio").info("unheard")
    logging.getLogger("asyncio").warning("heard")
    assert ["heard"] == [json.loads(line)["event"] for line in stream.getvalue().splitlines()]


def test_configured_twice_it_does_not_write_twice() -> None:
    written(LogFormat.JSON, "event")
    assert 1 == len(written(LogFormat.JSON, "event").splitlines())


def test_a_phone_number_in_a_sentence_is_masked_too() -> None:
    """Twilio's own sentences repeat numbers."""
    line = written(LogFormat.TEXT, "records_unreadable", error="HTTP 404 No list for +12345006719")
    assert line.endswith('error="HTTP 404 No list for ********6719"\n')
