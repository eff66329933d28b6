"""The connector as a component of Greengrass V2: the process, and a nucleus that speaks like a real one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import (
    CALL_TOPIC,
    STATUS_TOPIC,
    TEXT_SUCCESS,
    TEXT_TOPIC,
    call,
    text,
)
from tests.support.nucleus import FakeNucleus, Side
from tests.support.process import ACCOUNT_SID, TOKEN, Component

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twilio_notifications.simulator.server import Simulator

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
SIDES = [Side.LOCAL, Side.IOT_CORE]


def configuration(twilio: Simulator, **changed: Any) -> dict[str, Any]:
    """The component's configuration as a deployment merges it."""
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TwilioAuthTokenSecretArn": ARN,
        "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
        "twilio": {"base_url": twilio.base_url},
        "log": {"format": "json"},
        "accessControl": {},
    } | changed


@pytest.fixture
def nucleus(twilio: Simulator) -> Iterator[FakeNucleus]:
    twilio.set_auth_tokens([TOKEN])
    with FakeNucleus(configuration=configuration(twilio), secrets={ARN: TOKEN}) as nucleus:
        yield nucleus


def component(folder: Path, nucleus: FakeNucleus) -> Component:
    return Component(folder / "work", **nucleus.environ)


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_request_of_another_component_is_carried_out_and_answered(
    tmp_path: Path, nucleus: FakeNucleus, twilio: Simulator, *, as_json: bool
) -> None:
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC)
        nucleus.publish(TEXT_TOPIC, text(), as_json=as_json)
        (status,) = await nucleus.until_published(STATUS_TOPIC, side=Side.LOCAL)
        assert TEXT_SUCCESS == status.payload
        nucleus.publish(CALL_TOPIC, call("call"), as_json=as_json)
        nucleus.publish(TEXT_TOPIC, '{"request": {"recipient": {}}, "id": "request123"}', as_json=as_json)
        _, *others = await nucleus.until_published(STATUS_TOPIC, count=3)
        results = {status.json()["id"]: status.json()["response"]["status"] for status in others}
        assert {"call": "success", "request123": "fail"} == results
        assert 0 == await connector.terminate()
    assert [] == nucleus.published(side=Side.IOT_CORE, count=0)
    assert ["RUNNING"] == nucleus.states
    assert 2 == len(twilio.ledger)


@pytest.mark.parametrize("side", SIDES)
async def test_a_status_goes_back_to_where_its_request_came_from(
    tmp_path: Path, nucleus: FakeNucleus, side: Side
) -> None:
    nucleus.configure({"transport": {"pubsub": "both"}})
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        for each in SIDES:
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC, side=each)
        nucleus.publish(TEXT_TOPIC, text(), side=side)
        (status,) = await nucleus.until_published(STATUS_TOPIC)
        assert (side, TEXT_SUCCESS) == (status.side, status.payload)
        assert 0 == await connector.terminate()
