"""The examples for components of Greengrass V2, as processes of their own, against the fake nucleus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.needs import ROOT
from tests.support.nucleus import FakeNucleus
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = ROOT / "examples" / "greengrass_v2"
STOP_SECONDS = 20
PUBLISHED_EXAMPLE = (
    b'{"request": {"recipient": {"name": "Darla", "phone_number": "+12345000000", '
    b'"message": "Hello from the edge"}, "from_number": "+19999999999"}, "id": "request123"}'
)
"""The usage example of the published document, as json.dumps writes it."""


@contextmanager
def component(name: str, nucleus: FakeNucleus) -> Iterator[subprocess.Popen[bytes]]:
    environ = {**os.environ, **nucleus.environ}
    program = subprocess.Popen(
        [sys.executable, EXAMPLES / name], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield program
    finally:
        program.kill()
        program.communicate(timeout=WAIT_SECONDS)


def test_hello_sends_the_published_example() -> None:
    with FakeNucleus() as nucleus, component("hello.py", nucleus) as program:
        (published,) = nucleus.published("twilio/txt")
        assert PUBLISHED_EXAMPLE == published.payload
        assert 0 == program.wait(STOP_SECONDS)


@pytest.mark.parametrize("as_json", [True, False])
def test_31_degrees_are_told_and_29_are_not(*, as_json: bool) -> None:
    with FakeNucleus() as nucleus, component("temperature_monitor.py", nucleus):
        nucleus.wait_until(lambda: "SubscribeToTopic" in nucleus.operations, "subscribed")
        for temperature in (29, 30, 31):
            reading = {"temperature": temperature, "to_name": "Darla", "to_number": "+12345000000"}
            nucleus.publish("temperature/input", json.dumps(reading), as_json=as_json)
        # The readings are handled in order: what 29 and 30 had sent would stand before it.
        (published,) = nucleus.published()
        recipient = {"name": "Darla", "phone_number": "+12345000000", "message": "temperature:31"}
        assert {"recipient": recipient} == published.json()["request"]
        assert "twilio/txt" == published.topic


def test_an_alarm_that_cannot_be_published_is_said_and_a_bad_reading_ends_nothing() -> None:
    with FakeNucleus() as nucleus, component("temperature_monitor.py", nucleus) as program:
        nucleus.wait_until(lambda: "SubscribeToTopic" in nucleus.operations, "subscribed")
        nucleus.garble("temperature/input", {"binaryMessage": {"message": "x"}})
        nucleus.faults.refused.add("PublishToTopic")
        nucleus.publish(
            "temperature/input", '{"temperature": 31, "to_name": "Darla", "to_number": "+12345000000"}'
        )
        assert program.stderr is not None
        assert [b"a reading was not understood: DeserializeError\n"] == [program.stderr.readline()]
        assert [b"an alarm was not published: ServiceError\n"] == [program.stderr.readline()]


def test_the_monitor_ends_with_an_error_when_its_subscription_does() -> None:
    """The nucleus starts again what ends so; what ended with code 0 it would leave alone."""
    with FakeNucleus() as nucleus, component("temperature_monitor.py", nucleus) as program:
        nucleus.wait_until(lambda: "SubscribeToTopic" in nucleus.operations, "subscribed")
        nucleus.close_stream("temperature/input")
        assert 1 == program.wait(STOP_SECONDS)
