"""The operator's limits on the real program: what they stop, what they let pass, and how they are changed."""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import CALL_TOPIC, TEXT_TOPIC, MakeConnector, call, text
from tests.support.mqtt_peer import Peer
from tests.support.process import write_configuration

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

PERSON, OTHER = "+491701234567", "+12345000000"


@pytest.fixture
async def peer(broker: Mosquitto) -> AsyncIterator[Peer]:
    async with Peer(broker.url) as peer:
        yield peer


async def ask(peer: Peer, *requests: str, topic: str = TEXT_TOPIC) -> list[str]:
    """What each was answered, one after the other: `success`, or the error."""
    answers = []
    for request in requests:
        await peer.publish(topic, request)
        status = await peer.next_message()
        while status.json()["id"] != json.loads(request)["id"]:  # after a crash one may come twice
            status = await peer.next_message()
        answers.append(answer(status))
    return answers


def answer(message: Any) -> str:
    response = message.json()["response"]
    return str(response.get("error", response["status"]))


def reloads(connector: Connector) -> int:
    """How often it has read its configuration again, well or badly."""
    return len(connector.events("connector_reloaded") + connector.events("connector_reload_failed"))


async def change(connector: Connector, **limits: object) -> None:
    """Rewrites the configuration in its place and has it read, as an operator does."""
    before = reloads(connector)
    lines = connector.config.read_text("utf-8").split("[limits]")[0]
    write_configuration(connector.config, {"limits": limits})
    connector.config.write_text(lines + connector.config.read_text("utf-8"), "utf-8")
    connector.signal(signal.SIGHUP)
    await connector.wait_until(lambda: reloads(connector) > before, "reload")


async def test_a_pause_by_sighup_is_answered_while_it_lasts(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    async with make_connector(broker.url) as connector:
        await connector.ready()
        assert ["success"] == await ask(peer, text("before"))
        await change(connector, paused=True)
        assert ["NotAllowed", "NotAllowed"] == await ask(peer, text("one"), text("two"))
        sentence = peer.statuses[-1]["response"]["error_message"]
        assert "Sending is paused by the operator ([limits] paused)" == sentence
        await change(connector, paused=False)
        assert ["success"] == await ask(peer, text("after"))
        assert ["changed", "changed"] == [
            event["limits"] for event in connector.events("configuration_reloaded")
        ]
        assert 0 == await connector.terminate()
    assert 2 == len(twilio.ledger)


async def test_a_pause_under_load_loses_no_request_and_no_answer(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    async def publish() -> None:
        for number in range(400):
            await peer.publish(TEXT_TOPIC, text(f"id-{number}", to=f"+1234500{number % 50:04}"))

    async with make_connector(broker.url, log={"level": "INFO"}) as connector:
        await connector.ready()
        publishing = asyncio.create_task(publish())
        statuses = await peer.collect(50)
        await change(connector, paused=True)
        statuses += await peer.collect(50)
        await change(connector, paused=False)
        await publishing
        statuses += await peer.collect(300)
        assert 0 == await connector.terminate()
    answers = [answer(status) for status in statuses]
    assert {f"id-{number}" for number in range(400)} == {status.json()["id"] for status in statuses}
    assert {"success", "NotAllowed"} >= set(answers)
    assert answers.count("success") == len(twilio.ledger)


async def test_a_wrong_configuration_leaves_the_old_limits_and_names_every_mistake(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    async with make_connector(broker.url, limits={"denied_texts": [PERSON]}) as connector:
        await connector.ready()
        await change(connector, denied_texts=["nobody"], when_exceeded="sometimes", texts_per_week=1)
        (refused,) = connector.events("configuration_refused")
        assert "ERROR" == refused["level"]
        for name in ("limits.denied_texts", "limits.when_exceeded", "limits.texts_per_week"):
            assert name in refused["error"]
        assert [] == connector.events("configuration_reloaded")
        assert ["NotAllowed", "success"] == await ask(peer, text(to=PERSON), text(to=OTHER))
        assert 0 == await connector.terminate()
    assert [OTHER] == [entry.to for entry in twilio.ledger]


async def test_where_to_is_a_matter_of_country_number_and_channel(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    limits = {"allowed_texts": ["+1", PERSON], "denied_texts": ["+1234500000?"], "denied_calls": ["+1*"]}
    async with make_connector(broker.url, limits=limits) as connector:
        await connector.ready()
        texts = [text(to=number) for number in (PERSON, PERSON[:-1] + "0", OTHER, "+12345000010")]
        assert ["success", "NotAllowed", "NotAllowed", "success"] == await ask(peer, *texts)
        calls = [call(to=number) for number in (OTHER, PERSON)]
        assert ["NotAllowed", "success"] == await ask(peer, *calls, topic=CALL_TOPIC)
        assert 0 == await connector.terminate()
    assert [PERSON, "+12345000010", PERSON] == [entry.to for entry in twilio.ledger]


async def test_a_quota_that_is_used_up_refuses_and_outlives_a_restart(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    """By the month, so that no test run crosses two windows but one in a million."""
    limits = {"texts_per_month": 2, "when_exceeded": "refuse"}
    async with make_connector(broker.url, limits=limits) as connector:
        await connector.ready()
        assert ["success"] == await ask(peer, text("first"))
        await connector.kill()
    async with make_connector(broker.url, limits=limits) as connector:
        await connector.ready()
        assert ["success", "QuotaExceeded"] == await ask(peer, text("second"), text("third"))
        sentence = peer.statuses[-1]["response"]["error_message"]
        assert sentence.startswith("The limit of 2 texts per month is used up until ")
        assert ["success"] == await ask(peer, call("call"), topic=CALL_TOPIC)
        assert 0 == await connector.terminate()
    assert 3 == len(twilio.ledger)


async def test_a_quota_that_is_used_up_lets_wait_until_there_is_room(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    """Room comes with the next window, or with an operator who makes some."""
    async with make_connector(broker.url, limits={"texts_per_month": 1}) as connector:
        await connector.ready()
        assert ["success"] == await ask(peer, text("first"))
        await peer.publish(TEXT_TOPIC, text("second"))
        await connector.wait_for_event("request_postponed")
        assert 1 == len(twilio.ledger)
        await change(connector, texts_per_month=2)
        assert "success" == answer(await peer.next_message())
        assert "second" == peer.statuses[-1]["id"]
        assert 0 == await connector.terminate()
    assert 2 == len(twilio.ledger)


async def test_one_recipient_gets_no_more_than_its_share_of_a_period(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    """Three at once take at least two seconds of the clock, whenever the first one comes."""
    limits = {"requests_per_recipient": 1, "recipient_period_seconds": 1, "when_exceeded": "wait"}
    async with make_connector(broker.url, limits=limits) as connector:
        await connector.ready()
        for number in range(3):
            await peer.publish(TEXT_TOPIC, text(f"id-{number}", to=PERSON))
        statuses = await peer.collect(3)
        postponed = [event["reason"] for event in connector.events("request_postponed")]
        assert 0 == await connector.terminate()
    assert {"quota_used_up"} == set(postponed)
    assert ["id-0", "id-1", "id-2"] == [status.json()["id"] for status in statuses]
    assert 3 == len(twilio.ledger)


async def test_a_flapping_sensor_sends_its_text_once(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, peer: Peer
) -> None:
    async with make_connector(broker.url, limits={"identical_text_seconds": 3600}) as connector:
        await connector.ready()
        alarm, clear = text(body="Door open"), text(body="Door closed")
        answers = await ask(peer, alarm, clear, alarm, clear, text(to=PERSON, body="Door open"))
        assert ["success", "success", "QuotaExceeded", "QuotaExceeded", "success"] == answers
        assert 0 == await connector.terminate()
    assert ["Door open", "Door closed", "Door open"] == [entry.body for entry in twilio.ledger]
