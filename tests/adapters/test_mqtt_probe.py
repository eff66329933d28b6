"""A message to ourselves tells whether the broker delivers; where it may not be sent, the rest goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.mqtt_steps import Running, running
from tests.adapters.transport_steps import TEXT_TOPIC
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.core.contract import PROBE_TOPIC

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
SOON = 0.3


async def told(found: Running, *names: str) -> dict[str, Any]:
    """The fields of the first event of these names, once it has happened."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not any(map(found.told, names)):  # noqa: ASYNC110 - the fake has nothing to wait for
            await asyncio.sleep(0.001)
    return next(fields for name in names for fields in found.told(name))


def with_access(folder: Path, rules: Sequence[str]) -> Mosquitto:
    """A broker whose access list has these lines for all clients."""
    folder.mkdir()
    access = folder / "access"
    access.write_text("".join(f"{rule}\n" for rule in rules))
    access.chmod(0o600)
    return Mosquitto(folder, settings=[f"acl_file {access}"])


@pytest.mark.mosquitto
@PROTOCOLS
async def test_a_broker_that_grants_everything_and_delivers_nothing_is_told(
    tmp_path: Path, protocol: str
) -> None:
    async with (
        with_access(tmp_path / "broker", ["topic read other"]) as broker,
        running(broker.url, protocol=protocol, broker_probe_seconds=SOON) as found,
    ):
        await found.ready()  # the subscriptions are granted: that is all there is to see
        # Mosquitto 2.0.11 ends the connection over a message that is not allowed, later ones do not.
        fields = await told(found, "broker_deaf", "probe_refused")
        assert f"read {TEXT_TOPIC}" in str(fields["error"])
        assert f"write {PROBE_TOPIC}" in str(fields["error"])


@pytest.mark.mosquitto
@PROTOCOLS
async def test_a_broker_that_only_reads_our_message_is_told(tmp_path: Path, protocol: str) -> None:
    async with (
        with_access(tmp_path / "broker", ["topic write #"]) as broker,
        running(broker.url, protocol=protocol, broker_probe_seconds=SOON) as found,
    ):
        await found.ready()
        assert TEXT_TOPIC in str((await told(found, "broker_deaf"))["error"])


@pytest.mark.mosquitto
@PROTOCOLS
async def test_a_message_to_ourselves_is_no_request_and_says_nothing_when_it_comes_back(
    tmp_path: Path, protocol: str
) -> None:
    async with (
        Mosquitto(tmp_path) as broker,
        Peer(broker.url, subscribe=PROBE_TOPIC) as peer,
        running(broker.url, protocol=protocol, broker_probe_seconds=WAIT_SECONDS) as found,
    ):
        await found.ready()
        assert b'{"client": "connector"}' == (await peer.next_message()).payload
        await peer.publish(TEXT_TOPIC, b"request")
        inbound = await found.next_inbound()
        assert (TEXT_TOPIC, b"request") == (inbound.topic, inbound.payload)
        assert {"broker_connected"} == {event.name for event in found.events.lines}


@pytest.mark.mosquitto
async def test_none_is_sent_where_none_is_wanted(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path) as broker, running(broker.url, broker_probe_seconds=0) as found:
        await found.ready()
        async with Peer(broker.url) as peer:
            await peer.publish(TEXT_TOPIC, b"request")
            await found.next_inbound()
        assert PROBE_TOPIC not in broker.log


async def test_a_broker_that_ends_the_connection_over_it_gets_no_other() -> None:
    """As AWS IoT Core does over a topic that its policy does not allow."""

    async def end_over_the_probe(link: Link) -> None:
        await link.accept()
        await link.hear(Kind.SUBSCRIBE)
        link.hang_up()

    async def let_in(link: Link) -> None:
        await link.accept()

    async with (
        RawBroker(end_over_the_probe, let_in) as broker,
        running(broker.url, protocol="5", broker_probe_seconds=WAIT_SECONDS) as found,
    ):
        await found.ready()
        await found.ready()
        assert "broker_probe_seconds" in str((await told(found, "probe_refused"))["error"])
    kinds = [packet.kind for packet in broker.links[1].seen]
    assert [Kind.CONNECT, Kind.SUBSCRIBE, Kind.DISCONNECT] == kinds


async def test_a_broker_that_does_not_grant_it_is_told_once() -> None:
    async def refuse_the_probe(link: Link) -> None:
        await link.accept()
        await link.grant(0x87)

    async with (
        RawBroker(refuse_the_probe) as broker,
        running(broker.url, protocol="5", broker_probe_seconds=WAIT_SECONDS) as found,
    ):
        await found.ready()
        assert PROBE_TOPIC in str((await told(found, "probe_refused"))["error"])
        broker.links[0].hang_up()
        await found.ready()
        assert 1 == len(found.told("probe_refused"))
