"""A client that names a response topic gets its status there too, with its correlation (MQTT 5, 4.10)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.test_mqtt_probe import PROTOCOLS, told, with_access
from tests.adapters.transport_steps import CALL_TOPIC, TEXT_TOPIC
from tests.support.fakes import RecordingEvents
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import STATUS_TOPIC, Peer
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.adapters.mqtt.protocol import RequestProperties
from twilio_notifications.adapters.mqtt.responses import (
    LONGEST_CORRELATION_BYTES,
    LONGEST_TOPIC_BYTES,
    Responses,
)
from twilio_notifications.adapters.mqtt.telling import Telling
from twilio_notifications.core.errors import NotAcknowledged
from twilio_notifications.ports import Envelope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ANSWERS = "answers/7"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OWN = (TEXT_TOPIC, CALL_TOPIC, STATUS_TOPIC)


def responses(events: RecordingEvents, *, allowed: Sequence[str] = ("#",)) -> Responses:
    return Responses(Telling(events, "mqtt://broker"), allowed=allowed, own=OWN)


def kept(asked: RequestProperties, *, allowed: Sequence[str] = ("#",)) -> tuple[Envelope | None, list[str]]:
    """What is kept of it, and the errors in the log."""
    events = RecordingEvents()
    envelope = responses(events, allowed=allowed).envelope(asked)
    return envelope, [str(each.fields["error"]) for each in events.named("response_refused")]


@pytest.mark.mosquitto
async def test_a_request_in_mqtt_5_brings_its_response_topic_its_correlation_and_its_trace(
    tmp_path: Path,
) -> None:
    async with (
        Mosquitto(tmp_path) as broker,
        running(broker.url) as found,
        Peer(broker.url, subscribe="") as client,
    ):
        await found.ready()
        await client.publish(
            TEXT_TOPIC,
            b"request",
            response_topic=ANSWERS,
            correlation_data=b"\x00\xff7",
            user_property=("traceparent", TRACEPARENT),
        )
        inbound = await found.next_inbound()
        expected = Envelope(response_topic=ANSWERS, correlation=b"\x00\xff7", traceparent=TRACEPARENT)
        assert expected == inbound.envelope
        await client.publish(TEXT_TOPIC, b"request")
        assert (await found.next_inbound()).envelope is None


@pytest.mark.mosquitto
@PROTOCOLS
async def test_the_status_goes_to_the_response_topic_and_to_the_status_topic(
    tmp_path: Path, protocol: str
) -> None:
    """Also over a connection of MQTT 3.1.1, which has no correlation."""
    envelope = Envelope(response_topic=ANSWERS, correlation=b"\x00\xff7")
    async with (
        Mosquitto(tmp_path) as broker,
        running(broker.url, protocol=protocol) as found,
        Peer(broker.url, subscribe="#") as watcher,
    ):
        await found.ready()
        await found.transport.publish(STATUS_TOPIC, b"status", envelope=envelope)
        said = [(each.topic, each.payload, each.correlation) for each in await watcher.collect(2)]
    correlation = b"\x00\xff7" if protocol == "5" else None
    assert [(ANSWERS, b"status", correlation), (STATUS_TOPIC, b"status", None)] == said


@pytest.mark.parametrize(
    "topic",
    ["", "a/+", "#", "a\0b", "$SYS/broker", STATUS_TOPIC, TEXT_TOPIC, "x" * (LONGEST_TOPIC_BYTES + 1)],
)
def test_a_topic_that_may_not_be_a_response_topic_is_not_kept(topic: str) -> None:
    envelope, errors = kept(
        RequestProperties(response_topic=topic, correlation=b"1", traceparent=TRACEPARENT)
    )
    assert Envelope(traceparent=TRACEPARENT) == envelope
    assert 1 == len(errors)


def test_a_correlation_has_a_bound() -> None:
    fits, too_long = b"x" * LONGEST_CORRELATION_BYTES, b"x" * (LONGEST_CORRELATION_BYTES + 1)
    envelope, _ = kept(RequestProperties(response_topic=ANSWERS, correlation=fits))
    assert Envelope(response_topic=ANSWERS, correlation=fits) == envelope
    envelope, (error,) = kept(RequestProperties(response_topic=ANSWERS, correlation=too_long))
    assert envelope is None
    assert "the correlation has more than 1024 bytes" == error


@pytest.mark.parametrize(
    ("allowed", "is_kept"),
    [
        (("#",), True),
        (("answers/#",), True),
        (("answers/+",), True),
        (("+/7",), True),
        (("answers/7",), True),
        (("answers/7/#",), True),
        (("answers",), False),
        (("answers/+/x",), False),
        (("other/#", "answers/7"), True),
        ((), False),
    ],
)
def test_the_operator_says_on_which_topics_clients_may_have_their_statuses(
    allowed: Sequence[str], *, is_kept: bool
) -> None:
    envelope, errors = kept(RequestProperties(response_topic=ANSWERS), allowed=allowed)
    assert is_kept == (envelope is not None)
    assert errors == ([] if is_kept else ["[transport] response_topics does not allow it"])


@pytest.mark.parametrize("traceparent", ["", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01"])
def test_a_trace_that_is_none_is_not_kept(traceparent: str) -> None:
    assert (None, []) == kept(RequestProperties(traceparent=traceparent))


def test_a_reason_has_one_warning_whatever_topics_clients_name() -> None:
    events = RecordingEvents()
    found = responses(events)
    for number in range(3):
        found.envelope(RequestProperties(response_topic=f"$SYS/{number}"))
    assert ["WARNING", "DEBUG", "DEBUG"] == [each.level for each in events.named("response_refused")]


@pytest.mark.parametrize("code", [0x80, 0x87])
async def test_a_response_that_the_broker_refuses_does_not_hold_up_the_status(code: int) -> None:
    async def refuse(link: Link) -> None:
        await link.accept()
        response = await link.hear(Kind.PUBLISH)
        status = await link.hear(Kind.PUBLISH)
        assert (ANSWERS, STATUS_TOPIC) == (response.topic, status.topic)
        link.say(link.puback(response.packet_id, code), link.puback(status.packet_id))
        await done.wait()

    done = asyncio.Event()
    async with RawBroker(refuse) as broker, running(broker.url) as found:
        await found.ready()
        await found.transport.publish(STATUS_TOPIC, b"{}", envelope=Envelope(response_topic=ANSWERS))
        fields = await told(found, "response_refused")
        assert ANSWERS == fields["topic"]
        assert "for 10 minutes" in str(fields["error"])
        again = asyncio.ensure_future(
            found.transport.publish(STATUS_TOPIC, b"{}", envelope=Envelope(response_topic=ANSWERS))
        )
        link = broker.links[0]
        status = await link.hear(Kind.PUBLISH)
        link.say(link.puback(status.packet_id))
        await again
        assert STATUS_TOPIC == status.topic
        done.set()


async def test_a_topic_over_which_connections_end_gets_no_more_and_the_status_leaves() -> None:
    """AWS IoT Core ends them over a topic that its policy does not allow."""
    heard: list[str] = []

    async def end(link: Link) -> None:
        await link.accept()
        while True:
            published = await link.hear(Kind.PUBLISH)
            heard.append(published.topic)
            if published.topic == ANSWERS:
                link.hang_up()
                return
            link.say(link.puback(published.packet_id))

    envelope = Envelope(response_topic=ANSWERS)
    async with RawBroker(end) as broker, running(broker.url) as found:
        for _ in range(3):
            await found.ready()
            with pytest.raises(NotAcknowledged):
                await found.transport.publish(STATUS_TOPIC, b"{}", envelope=envelope)
        await found.ready()
        await found.transport.publish(STATUS_TOPIC, b"{}", envelope=envelope)
        fields = await told(found, "response_refused")
    assert [ANSWERS, ANSWERS, ANSWERS, STATUS_TOPIC] == heard
    assert "3 connections in a row ended" in str(fields["error"])


@pytest.mark.mosquitto
async def test_a_broker_whose_access_list_forbids_the_topic_still_gets_the_status(tmp_path: Path) -> None:
    rules = ["topic read twilio/#", f"topic readwrite {STATUS_TOPIC}"]
    envelope = Envelope(response_topic=ANSWERS)
    async with (
        with_access(tmp_path / "broker", rules) as broker,
        running(broker.url) as found,
        Peer(broker.url) as watcher,
    ):
        for _ in range(4):
            await found.ready()
            published = found.transport.publish(STATUS_TOPIC, b"{}", envelope=envelope)
            try:
                await published
            except NotAcknowledged:
                continue  # Mosquitto 2.0.11 ends the connection over a message that is not allowed
            break
        assert STATUS_TOPIC == (await watcher.next_message()).topic
