"""The connector as a component of Greengrass V2: the process, and a nucleus that speaks like a real one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import (
    CALL_TOPIC,
    STATUS_TOPIC,
    TEXT_SUCCESS,
    TEXT_TOPIC,
    call,
    text,
    until,
)
from tests.support.nucleus import FakeNucleus, Side, Style
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


async def test_a_component_is_confined_like_every_other_connector(
    tmp_path: Path, nucleus: FakeNucleus
) -> None:
    """Its configuration, which might want otherwise, is read before that; nothing of the reading is left."""
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        (confined,) = connector.events("process_confined")
        assert str(tmp_path / "work" / "journal") == confined["writable"]
        assert 2 == nucleus.connections, "one for the configuration alone, in a process that has ended"
        assert 0 == await connector.terminate()


async def test_a_component_that_wants_no_confinement_has_none(tmp_path: Path, nucleus: FakeNucleus) -> None:
    nucleus.configure({"IsolationMode": "NoContainer"})
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        assert 1 == len(connector.events("process_not_confined"))
        assert 0 == await connector.terminate()


async def test_a_changed_limit_of_a_deployment_is_taken_up_without_a_restart(
    tmp_path: Path, nucleus: FakeNucleus
) -> None:
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        nucleus.wait_until(lambda: "SubscribeToConfigurationUpdate" in nucleus.operations, "a watch")
        nucleus.configure({"limits": {"paused": "true"}})
        reloaded = await connector.wait_for_event("configuration_reloaded")
        assert "changed" == reloaded["limits"]
        nucleus.publish(TEXT_TOPIC, text())
        (status,) = await nucleus.until_published(STATUS_TOPIC)
        assert "NotAllowed" == status.json()["response"]["error"]
        nucleus.configure({"limits": {"texts_per_day": "many"}})
        refused = await connector.wait_for_event("configuration_refused")
        assert "(limits.texts_per_day in the component configuration)" in refused["error"]
        assert 0 == await connector.terminate()


async def test_limits_are_lifted_when_nucleus_lite_removes_them_and_tells_nobody(
    tmp_path: Path, twilio: Simulator
) -> None:
    """Also after a restart of its configuration service, when the nucleus announces no change."""
    own = configuration(twilio, secrets={"source": "environment"}, transport={"probe_seconds": "0.2"})
    twilio.set_auth_tokens([TOKEN])
    with FakeNucleus(style=Style.LITE, configuration=own | {"limits": {"paused": "true"}}) as nucleus:
        async with Component(tmp_path / "work", TWILIO_AUTH_TOKEN=TOKEN, **nucleus.environ) as connector:
            await connector.ready()
            await nucleus.until_subscribed(TEXT_TOPIC)
            nucleus.remove_configuration("limits")
            await connector.wait_for_event("configuration_reloaded")
            nucleus.publish(TEXT_TOPIC, text())
            (status,) = await nucleus.until_published(STATUS_TOPIC)
            assert TEXT_SUCCESS == status.payload
            nucleus.forget_watchers()
            nucleus.configure({"limits": {"paused": "true"}})
            await connector.wait_for_event("configuration_reloaded", 2)
            nucleus.publish(TEXT_TOPIC, text())
            _, status = await nucleus.until_published(STATUS_TOPIC, count=2)
            assert "NotAllowed" == status.json()["response"]["error"]
            assert 0 == await connector.terminate()


async def test_an_upgrade_that_adds_a_file_is_no_error_of_the_version_before(
    tmp_path: Path, nucleus: FakeNucleus
) -> None:
    """The old version gets the new configuration first, and is confined to what its own one named."""
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        nucleus.wait_until(lambda: "SubscribeToConfigurationUpdate" in nucleus.operations, "a watch")
        nucleus.configure({"secrets": {"source": "aws", "key_file": str(tmp_path / "new")}})
        await connector.wait_for_event("configuration_reloaded")
        warnings = [told["warning"] for told in connector.events("configuration_warning")]
        assert [True] == ["the next start needs it" in each for each in warnings if "cannot be read" in each]
        assert [] == connector.events("configuration_refused")
        assert 0 == await connector.terminate()


async def test_a_token_that_was_rotated_is_fetched_without_a_deployment(
    tmp_path: Path, nucleus: FakeNucleus, twilio: Simulator
) -> None:
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        nucleus.rotate_secret(ARN, "the next token")
        twilio.set_auth_tokens(["the next token"])
        nucleus.publish(TEXT_TOPIC, text())
        (status,) = await nucleus.until_published(STATUS_TOPIC)
        assert TEXT_SUCCESS == status.payload
        assert 1 == len(connector.events("secret_renewed"))
        assert 0 == await connector.terminate()


async def test_a_nucleus_that_restarts_and_knows_the_component_has_it_back(
    tmp_path: Path, nucleus: FakeNucleus
) -> None:
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        nucleus.restart(keep_token=True)
        await connector.wait_for_event("nucleus_connected", 2)
        await nucleus.until_subscribed(TEXT_TOPIC)
        nucleus.publish(TEXT_TOPIC, text())
        (status,) = await nucleus.until_published(STATUS_TOPIC)
        assert TEXT_SUCCESS == status.payload
        assert 0 == await connector.terminate()


async def test_a_request_that_was_recorded_is_answered_by_the_next_start(
    tmp_path: Path, nucleus: FakeNucleus, twilio: Simulator
) -> None:
    """Even where the nucleus has forgotten the component, and has given the next start another token."""
    twilio.set_latency(5)
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        nucleus.publish(TEXT_TOPIC, text(), side=Side.LOCAL)
        await until(lambda: twilio.counters.creates > 0)
        await connector.kill()
    twilio.set_latency(0)
    nucleus.restart(keep_token=False)
    async with component(tmp_path, nucleus) as connector:
        (status,) = await nucleus.until_published(STATUS_TOPIC)
        assert TEXT_SUCCESS == status.payload
        assert 0 == await connector.terminate()
    assert 1 == len(twilio.ledger)


def a_large_request(number: int) -> str:
    """Its status is longer than the largest packet of nucleus lite: six bytes for each such character."""
    request = json.loads(text(f"{number}" + "\x01" * 1000, body=f"number {number}"))
    request["request"]["recipient"]["name"] = "\x01" * 1000
    return json.dumps(request)


async def test_statuses_that_are_too_large_for_nucleus_lite_are_shortened_and_cost_few_connections(
    tmp_path: Path, twilio: Simulator
) -> None:
    """Once so many bytes were too large, everything of that size is, also at the next start."""
    twilio.set_auth_tokens([TOKEN])
    token = tmp_path / "token"
    token.touch(mode=0o600)
    token.write_text(TOKEN)
    settings = configuration(twilio, secrets={"source": "file", "path": str(token)})
    with FakeNucleus(configuration=settings, style=Style.LITE) as nucleus:
        async with component(tmp_path, nucleus) as connector:
            await connector.ready()
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC)
            for number in range(9):
                nucleus.publish(TEXT_TOPIC, a_large_request(number))
            await until(lambda: 9 == len(twilio.ledger))
            statuses = await nucleus.until_published(STATUS_TOPIC, count=9)
            assert {str(number) for number in range(9)} == {one.json()["id"][0] for one in statuses}
            assert len(connector.events("nucleus_lost")) <= 3
            await connector.wait_for_event("status_shortened", count=9)
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC)
            assert 0 == await connector.terminate()
        async with component(tmp_path, nucleus) as connector:
            await connector.ready()
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC)
            nucleus.publish(TEXT_TOPIC, a_large_request(9))
            await nucleus.until_published(STATUS_TOPIC, count=10)
            assert [] == connector.events("nucleus_lost")
            assert 0 == await connector.terminate()


async def test_a_component_that_the_nucleus_has_forgotten_ends_with_an_error_and_is_started_anew(
    tmp_path: Path, nucleus: FakeNucleus, twilio: Simulator
) -> None:
    """With code 0 the nucleus would not start it again.

    Requests under way are neither lost nor sent twice.
    """
    nucleus.configure({"transport": {"reconnect_initial_seconds": "0.02"}})
    twilio.set_latency(0.5)
    async with component(tmp_path, nucleus) as connector:
        await connector.ready()
        nucleus.publish(TEXT_TOPIC, text())
        await until(lambda: twilio.counters.creates > 0)
        nucleus.restart(keep_token=False)
        assert 1 == await connector.wait()
        assert "Only a restart of the component by the nucleus helps" in connector.stderr[-1]
        assert nucleus.environ["SVCUID"] not in connector.output
    assert [] == nucleus.published(STATUS_TOPIC, count=0)
    async with component(tmp_path, nucleus) as connector:
        (status,) = await nucleus.until_published(STATUS_TOPIC)
        assert TEXT_SUCCESS == status.payload
        assert 0 == await connector.terminate()
    assert 1 == len(twilio.ledger)


async def test_a_nucleus_that_is_just_starting_is_waited_for(tmp_path: Path, nucleus: FakeNucleus) -> None:
    """A device that starts is busy, and three ends in a row would be the last ones until a deployment."""
    nucleus.faults.refused.add("GetConfiguration")
    async with component(tmp_path, nucleus) as connector:
        nucleus.wait_until(lambda: "GetConfiguration" in nucleus.operations, "a first question")
        nucleus.stop()
        nucleus.faults.refused.clear()
        nucleus.start()
        await connector.ready()
        assert 0 == await connector.terminate()


@pytest.mark.parametrize(
    ("style", "remedy"),
    [
        (Style.CLASSIC, "add it to cloudSecrets in the configuration of aws.greengrass.SecretManager"),
        (Style.LITE, 'use [secrets] source = "aws" or "file" with it'),
    ],
)
async def test_a_component_without_its_secret_ends_and_says_what_to_do(
    tmp_path: Path, twilio: Simulator, style: Style, remedy: str
) -> None:
    """So that the deployment fails, instead of a component that runs and never sends."""
    with FakeNucleus(style=style, configuration=configuration(twilio)) as nucleus:
        async with component(tmp_path, nucleus) as connector:
            assert 1 == await connector.wait()
        assert remedy in json.loads(connector.stderr[-1])["error"]
        assert TOKEN not in connector.output


async def test_a_wrong_configuration_is_said_all_at_once(tmp_path: Path, nucleus: FakeNucleus) -> None:
    nucleus.configure({"TWILIO_ACCOUNT_SID": "", "PubSubToIoTCore": "perhaps", "limits": {"texts": "1"}})
    async with component(tmp_path, nucleus) as connector:
        assert 2 == await connector.wait()
    assert 3 == len(connector.stderr), connector.output
    assert all("component configuration" in line for line in connector.stderr[:2])
