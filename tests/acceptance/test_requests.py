"""What a request brings about: the published examples, sent to the real program over a real broker."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import (
    CALL_TOPIC,
    FAILURE,
    RECIPIENT,
    SENDER,
    STATUS_TOPIC,
    TEXT_SUCCESS,
    TEXT_TOPIC,
    MakeConnector,
    call,
    text,
)
from tests.support.mqtt_peer import Peer
from tests.support.process import DEFAULT_FROM, TOKEN
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault
from twilio_notifications.simulator.numbers import normalized

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


@pytest.mark.parametrize(
    ("protocol", "spoken"), [("5", "MQTT 5"), ("3.1.1", "MQTT 3.1.1"), ("auto", "MQTT 5")]
)
async def test_a_text_and_a_call_come_back_as_the_document_shows(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, protocol: str, spoken: str
) -> None:
    async with make_connector(broker.url, transport={"protocol": protocol}) as connector:
        await connector.ready()
        async with Peer(broker.url) as peer:
            await peer.publish(TEXT_TOPIC, text())
            assert TEXT_SUCCESS == (await peer.next_message()).payload
            await peer.publish(CALL_TOPIC, call())
            assert TEXT_SUCCESS == (await peer.next_message()).payload
        assert spoken == connector.events("broker_connected")[0]["protocol"]
        assert 0 == await connector.terminate()
    sent, called = twilio.ledger
    assert (Channel.SMS, RECIPIENT, SENDER) == (sent.channel, sent.to, sent.sender)
    assert "Hello from the edge" == sent.body
    assert (Channel.CALL, RECIPIENT, SENDER) == (called.channel, called.to, called.sender)
    assert "https://some-public-TwiML" == called.url


def vectors() -> dict[str, list[dict[str, Any]]]:
    """The vectors that are requests, by the default sender number that they want configured."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path in sorted(VECTORS.glob("*.json")):
        vector = json.loads(path.read_text("utf-8"))
        if "topic" in vector:
            found[vector["default_sender_number"] or ""].append(vector)
    return found


def payload_of(vector: dict[str, Any]) -> bytes:
    return (vector["payload"] if "payload" in vector else json.dumps(vector["input"])).encode()


def status_of(vector: dict[str, Any]) -> bytes:
    """Compact, in the published order of the keys, which is that of the vector."""
    if "status" in vector:
        return compact(vector["status"])
    sent = vector["notification"]
    messages = {"message_status": "queued", "to_number": sent["phone_number"], "name": sent["name"]}
    # The number in Twilio's answer, which has a plus whatever was sent.
    payload = {"from_number": normalized(sent["sender_number"]), "messages": messages}
    return compact({"response": {"status": "success", "payload": payload}, "id": sent["request_id"]})


def compact(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("default", sorted(vectors()))
async def test_every_example_of_the_document_is_answered_as_it_says(
    broker: Mosquitto, make_connector: MakeConnector, default: str
) -> None:
    parameters = {"DefaultFromPhoneNumber": default}
    async with make_connector(broker.url, parameters=parameters) as connector:
        await connector.ready()
        async with Peer(broker.url) as peer:
            for vector in vectors()[default]:
                await peer.publish(vector["topic"], payload_of(vector))
                assert status_of(vector) == (await peer.next_message()).payload, vector["illustrates"]


async def test_the_examples_work_from_the_command_line_of_mosquitto(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    """Mosquitto's own client where it is installed, so that our client library vouches for nothing."""
    publisher = shutil.which("mosquitto_pub")
    if publisher is None:
        pytest.skip("mosquitto_pub is not installed: `apt install mosquitto-clients`")
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        for topic, payload in ((TEXT_TOPIC, text()), (CALL_TOPIC, call())):
            arguments = ["-h", "127.0.0.1", "-p", str(broker.port), "-q", "1", "-t", topic, "-m", payload]
            publishing = await asyncio.create_subprocess_exec(publisher, *arguments)
            assert 0 == await publishing.wait()
            assert TEXT_SUCCESS == (await peer.next_message()).payload


async def test_the_published_failure_comes_back_as_valid_json(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    request = json.loads(text())
    del request["request"]["recipient"]["name"]
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, json.dumps(request))
        assert FAILURE == (await peer.next_message()).payload
    assert [] == list(twilio.ledger)


@pytest.mark.parametrize(
    ("payload", "sentence", "request_id"),
    [
        (b"\xff\xfe", "Input message is not valid JSON: ", ""),
        (b"", "Input message is not valid JSON: ", ""),
        (b"[]", "Input message must be an object", ""),
        (b'{"id": 7, "request": {}}', "Id must be a string", 7),
        (b'{"id": "a", "request": {"recipient": [{}]}}', "Only one recipient is supported", "a"),
        (b" " * 131_073, "Input message is 131073 bytes long, the limit is 131072", ""),
    ],
    ids=["no UTF-8", "empty", "a list", "id a number", "two recipients", "too large"],
)
async def test_what_is_no_request_is_answered_with_a_sentence(
    broker: Mosquitto, make_connector: MakeConnector, payload: bytes, sentence: str, request_id: object
) -> None:
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, payload)
        status = (await peer.next_message()).json()
        assert "InvalidParameter" == status["response"]["error"]
        assert status["response"]["error_message"].startswith(sentence)
        assert request_id == status["id"]


async def test_what_twilio_refuses_is_answered_with_its_code_and_text(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    refusal = faults.RefusedRequest(code=21211, message="Invalid 'To' Phone Number")
    twilio.add_fault(Fault(effect=refusal))
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        expected = (
            b'{"response":{"status":"fail","error_message":"Twilio error 21211: Invalid \'To\' Phone Number",'
            b'"error":"InvalidParameter","payload":null},"id":"request123"}'
        )
        assert expected == (await peer.next_message()).payload
    assert 1 == twilio.counters.refusals, "a refusal must not be retried, whatever `retries` says"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_retained_request_is_not_executed(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, protocol: str
) -> None:
    """It would be sent again at every start (contract, section 2)."""
    async with Peer(broker.url) as peer:
        await peer.publish(TEXT_TOPIC, text("retained"), retain=True)
        async with make_connector(broker.url, transport={"protocol": protocol}) as connector:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, text("live"))
            assert "live" == (await peer.next_message()).json()["id"]
            # 5 has the broker not send it at all; 3.1.1 has no way to say so.
            assert (0 if protocol == "5" else 1) == len(connector.events("retained_dropped"))
    assert 1 == len(twilio.ledger)


async def test_with_a_topic_prefix_all_three_topics_have_it(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    # Without the connector's message to itself, which the peer would hear too when it leaves late.
    transport = {"topic_prefix": "Küche/7/", "broker_probe_seconds": 0}
    async with make_connector(broker.url, transport=transport) as connector:
        await connector.ready()
        async with Peer(broker.url, subscribe="#") as peer:
            await peer.publish(TEXT_TOPIC, text("without"))
            await peer.publish(f"Küche/7/{TEXT_TOPIC}", text("with"))
            own, prefixed, status = await peer.collect(3)
            assert [TEXT_TOPIC, f"Küche/7/{TEXT_TOPIC}"] == [own.topic, prefixed.topic]
            assert (f"Küche/7/{STATUS_TOPIC}", "with") == (status.topic, status.json()["id"])


async def test_an_extended_status_only_adds_a_detail(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url, status={"detail": "extended"}) as connector:
        await connector.ready()
        async with Peer(broker.url) as peer:
            await peer.publish(TEXT_TOPIC, text())
            status = (await peer.next_message()).json()
    detail = status["response"].pop("detail")
    assert json.loads(TEXT_SUCCESS) == status
    assert (twilio.ledger[0].sid, 1, "SMS") == (detail["sid"], detail["attempts"], detail["channel"])
    assert detail["accepted_at"] <= detail["finished_at"]


async def test_a_request_without_from_number_is_sent_from_the_default(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    request = json.loads(text())
    del request["request"]["from_number"]
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, json.dumps(request))
        status = (await peer.next_message()).json()
    assert DEFAULT_FROM == status["response"]["payload"]["from_number"] == twilio.ledger[0].sender


async def test_the_log_holds_neither_token_nor_text_nor_whole_phone_numbers(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """At DEBUG, for requests that succeed, are rejected, refused, unauthorized and in doubt."""
    secret_text = "the freezer is at -3 °C"
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text("success", body=secret_text))
        await peer.collect(1)
        await peer.publish(TEXT_TOPIC, text("rejected", to="+0", body=secret_text))
        await peer.collect(1)
        refusal = faults.RefusedRequest(code=21211, message=f"{RECIPIENT} is no phone number")
        twilio.add_fault(Fault(effect=refusal, times=1))
        twilio.add_fault(Fault(effect=faults.RefusedRequest(code=20003, message=TOKEN, status=401), times=1))
        twilio.add_fault(Fault(effect=faults.ConnectionClosed(), times=1))
        for name in ("refused", "unauthorized", "in doubt"):
            await peer.publish(TEXT_TOPIC, text(name, body=secret_text))
            await peer.collect(1)
        assert 0 == await connector.terminate()
    for unspeakable in (TOKEN, secret_text, "freezer", RECIPIENT, RECIPIENT[1:], SENDER[1:]):
        assert unspeakable not in "\n".join(connector.stderr)
    assert connector.events("request_finished")
    assert "********0000" == connector.events("request_finished")[0]["phone_number"]


async def test_every_record_of_the_log_has_time_level_and_event(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector:
        ready = await connector.wait_for_event("connector_ready")
        assert ["time", "level", "event"] == list(ready)[:3]
        assert "INFO" == ready["level"]
        assert 0 == await connector.terminate()
    assert all({"time", "level", "event"} <= record.keys() for record in connector.log)
