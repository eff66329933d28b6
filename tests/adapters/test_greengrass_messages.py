"""What the Greengrass adapter receives and publishes, on a nucleus that the real SDK speaks to."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest
from awsiot.greengrasscoreipc import model

from tests.adapters.greengrass_steps import running
from tests.adapters.transport_steps import CALL_TOPIC, STATUS_TOPIC, TEXT_TOPIC
from tests.support.nucleus import FakeNucleus, Side, Style
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.greengrass.messages import (
    UnreadableMessage,
    iot_core_message,
    local_message,
    with_whole_numbers,
)
from twilio_notifications.core.errors import NotAcknowledged
from twilio_notifications.ports import Origin

SIDES = pytest.mark.parametrize("side", list(Side))


@SIDES
async def test_what_arrives_keeps_its_topic_bytes_and_order_and_has_an_origin(side: Side) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, pubsub=side) as found:
            await found.ready()
            for number in range(200):
                topic = CALL_TOPIC if number % 3 == 0 else TEXT_TOPIC
                assert 1 == nucleus.publish(topic, b"\xff%d" % number, side=side)
            for number in range(200):
                inbound = await found.next_inbound()
                topic = CALL_TOPIC if number % 3 == 0 else TEXT_TOPIC
                assert (topic, b"\xff%d" % number, Origin(side)) == (
                    inbound.topic,
                    inbound.payload,
                    inbound.origin,
                )
                assert inbound.packet_id is None
                assert not inbound.redelivered


async def test_an_object_of_another_component_becomes_its_json() -> None:
    """Components publish JSON messages or binary ones, as they please."""
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.publish(TEXT_TOPIC, '{"id": "Zoë", "n": 1}', as_json=True)
            assert {"id": "Zoë", "n": 1} == json.loads((await found.next_inbound()).payload)


@pytest.mark.parametrize("style", Style)
async def test_a_whole_number_of_another_components_json_arrives_as_one(style: Style) -> None:
    """The classic nucleus makes doubles of them, at every depth; a fraction stays one."""
    sent = {"request": {"retries": 3, "list": [1, {"zero": 0}], "fraction": 1.5, "yes": True}, "id": -7}
    with FakeNucleus(style=style) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.publish(TEXT_TOPIC, json.dumps(sent), as_json=True)
            assert json.dumps(sent).encode() == (await found.next_inbound()).payload


async def test_the_bytes_of_another_component_stay_as_they_are() -> None:
    """Who writes the JSON of a request is answerable for its numbers: there 3.0 is no integer."""
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.publish(TEXT_TOPIC, b'{"request": {"retries": 3.0}}')
            assert b'{"request": {"retries": 3.0}}' == (await found.next_inbound()).payload


@pytest.mark.parametrize(
    ("value", "whole"),
    [(3.0, "3"), (-0.0, "0"), (2.0**53, "9007199254740992"), (1e16, "1e+16"), (1e300, "1e+300")],
)
def test_a_double_becomes_a_whole_number_as_far_as_doubles_hold_each_of_them(
    value: float, whole: str
) -> None:
    assert f'{{"n": {whole}}}' == json.dumps(with_whole_numbers({"n": value}))


def test_what_is_no_number_of_json_stays_so_that_the_contract_refuses_it() -> None:
    assert "[NaN, Infinity]" == json.dumps(with_whole_numbers([float("nan"), float("inf")]))


def test_json_that_is_nested_too_deeply_is_unreadable() -> None:
    deep: dict[str, Any] = {}
    for _ in range(sys.getrecursionlimit()):
        deep = {"a": deep}
    event = model.SubscriptionResponseMessage(json_message=model.JsonMessage(message=deep))
    assert UnreadableMessage(why="JSON that is nested too deeply") == local_message(event)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"binaryMessage": {"message": "no base64 freezer"}}, "DeserializeError"),
        ({}, "neither bytes nor JSON"),
    ],
)
async def test_what_cannot_be_read_is_told_without_its_content_and_the_next_one_comes(
    content: dict[str, Any], error: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may have been a request, and its sender waits."""
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            for _ in range(3):
                nucleus.garble(TEXT_TOPIC, content)
            nucleus.publish(TEXT_TOPIC, b"readable")
            assert b"readable" == (await found.next_inbound()).payload
            assert [{"topic": TEXT_TOPIC, "error": error}] == found.told("message_unreadable")
    assert ("", "") == capfd.readouterr()


@SIDES
async def test_a_status_is_published_where_its_request_came_from(side: Side) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, pubsub="both") as found:
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"{}", origin=Origin(side))
            assert [(side, STATUS_TOPIC, b"{}")] == [
                (one.side, one.topic, one.payload) for one in nucleus.published()
            ]


@pytest.mark.parametrize("retain", [True, False, None])
def test_what_aws_iot_core_retained_is_marked_so_that_it_is_never_executed(retain: bool | None) -> None:  # noqa: FBT001 - a parameter of the test
    event = model.IoTCoreMessage(message=model.MQTTMessage(topic_name="t", payload=b"x", retain=retain))
    assert (b"x", bool(retain)) == (iot_core_message(event).payload, iot_core_message(event).retained)


async def test_both_sides_get_a_status_where_the_operator_wants_it() -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, pubsub="both", statuses_to="both") as found:
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"{}", origin=Origin.IOT_CORE)
            assert set(Side) == {one.side for one in nucleus.published(count=2)}


async def test_a_side_that_has_taken_a_status_does_not_get_it_again_for_the_other_one() -> None:
    """AWS IoT Core may refuse for hours, and a status is tried again every few seconds."""
    with FakeNucleus() as nucleus:
        async with running(nucleus, pubsub="both", statuses_to="both") as found:
            await found.ready()
            nucleus.faults.refused.add("PublishToIoTCore")
            for _ in range(3):
                with pytest.raises(NotAcknowledged):
                    await found.transport.publish(STATUS_TOPIC, b"{}")
            nucleus.faults.refused.clear()
            await found.transport.publish(STATUS_TOPIC, b"{}")
            assert [Side.LOCAL, Side.IOT_CORE] == [one.side for one in nucleus.published(count=2)]
            await found.transport.publish(STATUS_TOPIC, b"{}")
            assert 4 == len(nucleus.published(count=4)), "the same bytes again are another status"


async def test_the_answer_to_a_request_from_elsewhere_goes_to_every_side_that_is_listened_to() -> None:
    """The journal may hold requests of a time with another transport, or with another `pubsub`."""
    with FakeNucleus() as nucleus:
        async with running(nucleus, pubsub="local") as found:
            await found.ready()
            for origin in (None, Origin.IOT_CORE):
                await found.transport.publish(STATUS_TOPIC, b"{}", origin=origin)
            assert [Side.LOCAL] * 2 == [one.side for one in nucleus.published(count=2)]


async def test_a_changed_configuration_is_told_of_after_a_reconnection_too() -> None:
    with FakeNucleus(configuration={"a": 1}) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            for value in (2, 3):
                await asyncio.to_thread(_wait_until_watched, nucleus, value - 1)
                nucleus.configure({"a": value})
                await asyncio.wait_for(found.reconfigured.wait(), WAIT_SECONDS)
                found.reconfigured.clear()
                assert {"a": value} == await found.nucleus.configuration()
                nucleus.close_connections()
                await found.ready()


def _wait_until_watched(nucleus: FakeNucleus, times: int) -> None:
    asked = "SubscribeToConfigurationUpdate"
    nucleus.wait_until(lambda: nucleus.operations.count(asked) == times, asked)
