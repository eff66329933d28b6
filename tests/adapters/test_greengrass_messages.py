"""What the Greengrass adapter receives and publishes, on a nucleus that the real SDK speaks to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.adapters.greengrass_steps import CALL_TOPIC, STATUS_TOPIC, TEXT_TOPIC, running
from tests.support.nucleus import FakeNucleus, Side
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from pathlib import Path

SIDES = pytest.mark.parametrize("side", list(Side))


@SIDES
async def test_what_arrives_keeps_its_topic_bytes_and_order_and_has_an_origin(
    side: Side, tmp_path: Path
) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path, pubsub=side) as found:
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


async def test_an_object_of_another_component_becomes_its_json(tmp_path: Path) -> None:
    """Components publish JSON messages or binary ones, as they please."""
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            nucleus.publish(TEXT_TOPIC, '{"id": "Zoë", "n": 1}', as_json=True)
            assert {"id": "Zoë", "n": 1} == json.loads((await found.next_inbound()).payload)


@SIDES
async def test_a_status_is_published_where_its_request_came_from(side: Side, tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path, pubsub="both") as found:
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"{}", origin=Origin(side))
            assert [(side, STATUS_TOPIC, b"{}")] == [
                (one.side, one.topic, one.payload) for one in nucleus.published()
            ]
