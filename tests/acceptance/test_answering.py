"""A person at a telephone of the simulator, and the connector that reaches this person, or does not."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import CALL_TOPIC, RECIPIENT, SENDER, TEXT_TOPIC, text, until
from tests.support.mqtt_peer import Peer
from tests.support.telephone import HttpTelephone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.acceptance.house import MakeConnector
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

LONG = 600.0
AN_HOUR = 3600.0
"""The age at which Twilio shows each text and call, so that it has come to its end."""


@pytest.fixture
async def telephone(twilio: Simulator) -> AsyncIterator[HttpTelephone]:
    twilio.set_age(None)
    async with HttpTelephone(twilio.base_url, RECIPIENT) as telephone:
        yield telephone


def house(**tracking: Any) -> Any:
    """Sections of a configuration: a chain whose next step is far away, so that a person has to end it."""
    step = {"after_seconds": LONG, "channel": "text", "contacts": ["deputy"]}
    quick = {"inbound_seconds": 0.05, "requests_per_minute": 6000, "poll_initial_seconds": 0.05}
    return {
        "tracking": quick | tracking,
        "contacts.deputy": {"name": "Deputy", "phone_number": "+12345000001"},
        "escalations.freezer": {"steps": [step]},
        "status": {"detail": "extended"},
    }


def alarm(**content: Any) -> str:
    recipient = {"name": "Darla", "phone_number": RECIPIENT, **content}
    request = {"recipient": recipient, "from_number": SENDER, "escalation": "freezer"}
    return json.dumps({"request": request, "id": "thaw"})


def how_it_ended(peer: Peer) -> list[str]:
    details = [status["response"].get("detail") or {} for status in peer.statuses]
    return [detail["acknowledged_how"] for detail in details if "acknowledged_how" in detail]


async def test_a_text_shows_and_the_answer_to_it_ends_the_chain(
    broker: Mosquitto, telephone: HttpTelephone, make_connector: MakeConnector
) -> None:
    async with Peer(broker.url) as peer, make_connector(broker.url, **house()) as connector:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, alarm(message="The freezer thaws"))
        shown = await telephone.entry(lambda entry: entry["kind"] == "text")
        assert "The freezer thaws\nReply 1 to acknowledge." == shown["body"]
        await telephone.order("inbound", channel="SMS", **{"from": RECIPIENT}, body="1")
        await until(lambda: ["text"] == how_it_ended(peer))
        assert 0 == await connector.terminate()


async def test_a_call_rings_is_picked_up_and_a_key_ends_the_chain(
    broker: Mosquitto, telephone: HttpTelephone, make_connector: MakeConnector
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        address = f"127.0.0.1:{found.getsockname()[1]}"
    settings = house(listen=address, public_url=f"http://{address}")
    await telephone.order("telephones", number=RECIPIENT, by_hand=True)
    async with Peer(broker.url) as peer, make_connector(broker.url, **settings) as connector:
        await connector.ready()
        await peer.publish(CALL_TOPIC, alarm(voice_message="The freezer thaws"))
        call = await telephone.entry(lambda entry: entry["status"] == "ringing")
        assert "The freezer thaws\nPress any key to acknowledge." == call["spoken"]
        picked_up = await telephone.order("acts", sid=call["sid"], act="pick-up")
        assert ("in-progress", True) == (picked_up["status"], picked_up["takes_keys"])
        await telephone.order("keys", sid=call["sid"], digits="1")
        await until(lambda: ["key"] == how_it_ended(peer))
        heard = await telephone.entry(lambda entry: bool(entry["heard"]))
        assert ("1", ["Thank you"]) == (heard["keys"], heard["heard"])
        await telephone.order("acts", sid=call["sid"], act="hang-up")
        assert 0 == await connector.terminate()


async def test_the_connector_learns_that_the_voicemail_answered(
    broker: Mosquitto, telephone: HttpTelephone, make_connector: MakeConnector
) -> None:
    settings = house() | {"calls": {"machine_detection": "detect"}}
    settings["status"]["follow_up"] = "final"
    await telephone.order("telephones", by_hand=True)
    async with Peer(broker.url) as peer, make_connector(broker.url, **settings) as connector:
        await connector.ready()
        recipient = {"name": "Darla", "phone_number": RECIPIENT, "voice_message": "It thaws"}
        request = {"recipient": recipient, "from_number": SENDER}
        await peer.publish(CALL_TOPIC, json.dumps({"request": request, "id": "thaw"}))
        call = await telephone.entry(lambda entry: entry["status"] == "ringing")
        await telephone.order("acts", sid=call["sid"], act="voicemail")
        await telephone.entry(lambda entry: entry["answered_by"] == "machine_start")
        await telephone.order("acts", sid=call["sid"], act="hang-up")
        await until(lambda: len(peer.statuses) == 2)
        assert "NotReached" == peer.statuses[1]["response"]["error"]
        assert 0 == await connector.terminate()


async def test_a_text_to_a_telephone_that_is_off_is_reported_as_undelivered(
    broker: Mosquitto, twilio: Simulator, telephone: HttpTelephone, make_connector: MakeConnector
) -> None:
    settings = house() | {"status": {"follow_up": "final"}}
    twilio.set_age(AN_HOUR)
    await telephone.order("telephones", number=RECIPIENT, on=False)
    async with Peer(broker.url) as peer, make_connector(broker.url, **settings) as connector:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        await until(lambda: len(peer.statuses) == 2)
        assert "Undelivered" == peer.statuses[1]["response"]["error"]
        assert 0 == await connector.terminate()


async def test_the_next_request_fails_with_the_chosen_code(
    broker: Mosquitto, telephone: HttpTelephone, make_connector: MakeConnector
) -> None:
    await telephone.order("failures", code=21610, number=RECIPIENT)
    async with Peer(broker.url) as peer, make_connector(broker.url) as connector:
        await connector.ready()
        for request_id in ("first", "second"):
            await peer.publish(TEXT_TOPIC, text(request_id))
        await until(lambda: len(peer.statuses) == 2)
        assert [("first", "RecipientOptedOut"), ("second", None)] == [
            (status["id"], status["response"].get("error")) for status in peer.statuses
        ]
        assert 0 == await connector.terminate()
