"""A status that the broker does not take holds up no other one, not after a restart either."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import STATUS_TOPIC, TEXT_TOPIC, text, until
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.process import Connector, configuration
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.core.contract import SHORTENED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.process import Section
    from twilio_notifications.simulator.server import Simulator


def a_connector(folder: Path, url: str, twilio: Simulator, **sections: Section) -> Connector:
    settings = configuration(broker_url=url, twilio_url=twilio.base_url, **sections)
    return Connector(folder, settings)


@pytest.mark.mosquitto
async def test_a_rejection_is_not_longer_than_the_request_was_that_the_broker_let_pass(
    tmp_path: Path, twilio: Simulator
) -> None:
    settings = ["max_packet_size 10000"]
    with Mosquitto(tmp_path / "broker", settings=settings) as broker:
        async with (
            Peer(broker.url) as peer,
            a_connector(tmp_path / "connector", broker.url, twilio) as connector,
        ):
            await connector.ready()
            await peer.publish(TEXT_TOPIC, json.dumps({"id": "x" * 9950}))
            await peer.publish(TEXT_TOPIC, text("alarm"))
            rejected, alarm = sorted((await peer.collect(2)), key=lambda each: each.json()["id"] == "alarm")
            assert ("x" * 1024, "alarm") == (rejected.json()["id"], alarm.json()["id"])
            assert [] == connector.events("broker_lost")
            assert 0 == await connector.terminate()


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_status_that_is_larger_than_the_brokers_packets_leaves_shortened(
    tmp_path: Path, twilio: Simulator, protocol: str
) -> None:
    """In version 5 the broker says how much it takes; in 3.1.1 it hangs up, and says nothing."""
    with Mosquitto(tmp_path / "broker", settings=["max_packet_size 1100"]) as broker:
        async with (
            Peer(broker.url) as peer,
            a_connector(
                tmp_path / "connector", broker.url, twilio, transport={"protocol": protocol}
            ) as connector,
        ):
            await connector.ready()
            await peer.publish(TEXT_TOPIC, json.dumps({"id": "x" * 1024}))
            await peer.publish(TEXT_TOPIC, text("alarm"))
            # A status that was on its way when the broker hung up may come twice.
            ids: set[str] = set()
            while len(ids) < len(("alarm", "shortened")):
                ids.add((await peer.next_message()).json()["id"])
            (shortened_id,) = ids - {"alarm"}
            assert shortened_id.endswith(f"x{SHORTENED}")
            shortened = await connector.wait_for_event("status_shortened")
            assert shortened["published"] <= 1100 < shortened["bytes"]
            assert len(connector.events("broker_lost")) <= (0 if protocol == "5" else 3)
            assert 0 == await connector.terminate()


@dataclass(slots=True)
class Picky:
    """A broker that hangs up over the status with the id `bad`, whenever it comes."""

    requests: list[bytes]
    taken: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    hung_up: int = 0

    async def serve(self, link: Link) -> None:
        await link.accept(session_present=True)
        for number, request in enumerate(self.requests, start=1):
            link.say(link.publish(TEXT_TOPIC, request, packet_id=number))
        self.requests = []
        while True:
            packet = await link.hear_any()
            if packet.kind is not Kind.PUBLISH or packet.topic != STATUS_TOPIC:
                continue
            self.heard.append(json.loads(packet.body[packet.body.index(b"{") :])["id"])
            if self.heard[-1] == "bad":
                self.hung_up += 1
                link.hang_up()
                return
            self.taken.append(self.heard[-1])
            link.say(link.puback(packet.packet_id))


async def test_a_broker_that_hangs_up_over_one_status_gets_all_others_also_after_a_restart(
    tmp_path: Path, twilio: Simulator
) -> None:
    names = ["a", "bad", "b", "c"]
    picky = Picky([json.dumps({"id": name}).encode() for name in names])
    async with RawBroker(picky.serve) as broker:
        async with a_connector(tmp_path / "connector", broker.url, twilio) as connector:
            await until(lambda: {"a", "b", "c"} <= set(picky.taken))
            (told,) = [await connector.wait_for_event("status_set_aside")]
            assert (2, 3) == (told["number"], picky.hung_up)
            await connector.wait_for_event("broker_connected", count=4)
            assert 0 == await connector.terminate()
        picky.requests = [json.dumps({"id": name}).encode() for name in ("d", "e")]
        heard = len(picky.heard)
        async with a_connector(tmp_path / "connector", broker.url, twilio) as connector:
            await until(lambda: {"d", "e"} <= set(picky.taken))
            assert {"d", "e"} == set(picky.heard[heard : heard + 2])
            assert 0 == await connector.terminate()
    assert "bad" not in picky.taken
