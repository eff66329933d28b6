"""`send`: one request, its status on standard output, and an exit code for scripts."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.process import (
    Connector,
    Program,
    configuration,
    environment,
    exit_code,
    run_program,
    write_configuration,
)
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.demo.broker import EmbeddedBroker
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

TEXT = ("txt", "--to", "+12345000000", "--name", "Darla", "--message", "Grüße 🔔")
CALL = ("call", "--to", "+12345000000", "--name", "Darla", "--voice-message-location", "https://x.org/y")


@asynccontextmanager
async def a_connector(folder: Path, **transport: object) -> AsyncIterator[tuple[Connector, Simulator]]:
    """A connector that is ready, on the embedded broker, with its simulated Twilio."""
    async with (
        EmbeddedBroker() as broker,
        Simulator(clock=time.time, random=random.Random(1)) as twilio,  # noqa: S311 - SIDs
    ):
        settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url, transport=transport)
        async with Connector(folder, settings) as connector:
            yield await connector.ready(), twilio


async def send(config: Path, *arguments: str) -> Program:
    return await run_program("send", *arguments, "--config", str(config))


@pytest.mark.parametrize("arguments", [TEXT, CALL], ids=["txt", "call"])
async def test_a_success_is_printed_and_is_exit_code_0(tmp_path: Path, arguments: Sequence[str]) -> None:
    async with a_connector(tmp_path) as (connector, twilio):
        program = await send(connector.config, *arguments, "--id", "my id", "--from", "+19999999999")
    assert 0 == exit_code(program), program.output
    (line,) = program.stdout
    status = json.loads(line)
    assert ("my id", "success") == (status["id"], status["response"]["status"])
    assert "+19999999999" == status["response"]["payload"]["from_number"] == twilio.ledger[0].sender
    assert ("Grüße 🔔", None) in [(twilio.ledger[0].body, None), ("Grüße 🔔", twilio.ledger[0].body)]


async def test_a_failure_is_printed_and_is_exit_code_1(tmp_path: Path) -> None:
    async with a_connector(tmp_path) as (connector, _):
        program = await send(connector.config, "txt", "--to", "12", "--name", "D", "--message", "M")
    assert 1 == exit_code(program), program.output
    status = json.loads(program.stdout[0])
    assert "InvalidParameter" == status["response"]["error"]


async def test_what_is_left_out_is_left_out_of_the_request(tmp_path: Path) -> None:
    """The default sender number is the connector's affair, and each request has an id of its own."""
    async with a_connector(tmp_path) as (connector, _):
        first = await send(connector.config, *TEXT)
        second = await send(connector.config, *TEXT)
    assert "+15005550006" == json.loads(first.stdout[0])["response"]["payload"]["from_number"]
    assert json.loads(first.stdout[0])["id"] != json.loads(second.stdout[0])["id"]


async def test_the_topic_prefix_is_the_configurations(tmp_path: Path) -> None:
    async with a_connector(tmp_path, topic_prefix="site7/") as (connector, twilio):
        program = await send(connector.config, *TEXT)
    assert 0 == exit_code(program), program.output
    assert 1 == len(twilio.ledger)


def without_connector(folder: Path, broker_url: str, **transport: object) -> Path:
    settings = configuration(broker_url=broker_url, twilio_url="http://127.0.0.1:1", transport=transport)
    return write_configuration(folder / "connector.toml", settings)


async def test_without_a_connector_the_wait_ends_with_a_sentence(tmp_path: Path) -> None:
    async with EmbeddedBroker() as broker:
        program = await send(without_connector(tmp_path, broker.url), *TEXT, "--timeout", "0.2")
    assert (1, []) == (exit_code(program), program.stdout)
    (sentence,) = program.stderr
    assert "no status came within 0.2 s" in sentence
    assert "do not send it again" in sentence
    assert "If none ever was, the broker has dropped the request" in sentence
    assert "Is a connector running" in sentence


async def test_without_a_broker_the_sentence_says_where(tmp_path: Path) -> None:
    async with EmbeddedBroker() as broker:
        config = without_connector(tmp_path, broker.url)
    program = await send(config, *TEXT)
    assert 1 == exit_code(program), program.output
    (sentence,) = program.stderr
    assert broker.url in sentence
    assert "is the broker running?" in sentence


async def test_a_broker_that_does_not_acknowledge_is_not_waited_for_longer_than_told(tmp_path: Path) -> None:
    async def swallow(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1)

    async with RawBroker(swallow) as broker:
        program = await send(without_connector(tmp_path, broker.url), *TEXT, "--timeout", "0.2")
    assert 1 == exit_code(program), program.output
    assert "the broker did not acknowledge the request within 0.2 s" in program.stderr[0]


async def test_a_broker_that_refuses_the_request_is_quoted(tmp_path: Path) -> None:
    async def refuse(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1)
        link.say(link.puback((await link.hear(Kind.PUBLISH)).packet_id, 0x87))

    async with RawBroker(refuse) as broker:
        program = await send(without_connector(tmp_path, broker.url), *TEXT)
    assert 1 == exit_code(program), program.output
    assert "refused" in program.stderr[0]


@pytest.mark.parametrize(
    "noise",
    [
        b"\xff",
        b"[]",
        b'"x"',
        b'{"id": "mine"}',
        b'{"id": "mine", "response": {}}',
        b'{"id": "mine", "response": 1}',
    ],
    ids=range(6),
)
async def test_what_is_no_status_is_not_taken_for_one(tmp_path: Path, noise: bytes) -> None:
    status = b'{"response":{"status":"success","payload":null},"id":"mine"}'

    async def answer(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1)
        link.say(link.puback((await link.hear(Kind.PUBLISH)).packet_id))
        link.say(link.publish("twilio/message/status", noise, packet_id=1))
        assert 1 == (await link.hear(Kind.PUBACK)).packet_id
        link.say(link.publish("twilio/message/status", status, packet_id=2))

    async with RawBroker(answer) as broker:
        program = await send(without_connector(tmp_path, broker.url), *TEXT, "--id", "mine")
    assert 0 == exit_code(program), program.output
    assert [json.loads(status)] == [json.loads(line) for line in program.stdout]


async def test_the_broker_is_told_nothing_that_it_would_keep(tmp_path: Path) -> None:
    """A clean session under a name of its own: it disturbs no connector and leaves nothing behind."""

    async def watch(link: Link) -> None:
        assert (await link.hear(Kind.CONNECT)).clean
        link.say(link.connack(0))
        await link.grant(1)

    async with RawBroker(watch) as broker:
        config = without_connector(tmp_path, broker.url, client_id="site7")
        await send(config, *TEXT, "--timeout", "0.1")
        await send(config, *TEXT, "--timeout", "0.1")
        names = [link.seen[0].body for link in broker.links]
    assert all(b"site7-send-" in name for name in names)
    assert 2 == len(set(names))


async def test_no_configuration_file_is_needed(tmp_path: Path) -> None:
    async with EmbeddedBroker() as broker:
        prefix = "TWILIO_NOTIFICATIONS__"
        account = f"{prefix}CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID"
        environ = environment(**{f"{prefix}TRANSPORT__URL": broker.url, account: "AC1"})
        program = await run_program("send", *TEXT, "--timeout", "0.1", environ=environ)
    assert 1 == exit_code(program), program.output
    assert "no status came" in program.stderr[0]


async def test_what_only_components_can_reach_is_not_looked_for_at_a_broker(tmp_path: Path) -> None:
    """There may be one on the device, with another connector behind it: that one would send the text."""
    async with EmbeddedBroker() as broker:
        settings = configuration(
            broker_url=broker.url, twilio_url="http://127.0.0.1:1", transport={"kind": "greengrass"}
        )
        program = await send(write_configuration(tmp_path / "c.toml", settings), *TEXT)
    assert 2 == exit_code(program)
    (line,) = program.stderr
    assert 'transport.kind is "greengrass"' in line


async def test_ctrl_c_while_waiting_is_one_line(tmp_path: Path) -> None:
    waits = asyncio.Event()

    async def never_answer(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1)
        link.say(link.puback((await link.hear(Kind.PUBLISH)).packet_id))
        waits.set()
        await link.hear_the_end()

    async with RawBroker(never_answer) as broker:
        config = without_connector(tmp_path, broker.url)
        async with Program("send", *TEXT, "--config", str(config)) as program:
            await waits.wait()
            program.signal(signal.SIGINT)
            ended_with = await program.wait()
    assert (130, ["twilio-notifications: interrupted"]) == (ended_with, program.stderr)


async def test_the_exit_code_tells_of_the_request_where_the_status_cannot_be_printed(tmp_path: Path) -> None:
    """A person who reads a failure sends the text again."""
    program = f"exec {sys.executable} -m twilio_notifications send txt --to +12345000000 --name D --message M"
    async with a_connector(tmp_path) as (connector, _):
        command = ("/bin/sh", "-c", f"{program} --config {connector.config} >/dev/full")
        ended = await run_program(command=command)
    assert 0 == exit_code(ended), ended.output
    assert [
        "twilio-notifications: standard output cannot be written: No space left on device"
    ] == ended.stderr


async def test_priority_and_lifetime_travel_with_the_request(tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []

    async def listen(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1)
        publish = await link.hear(Kind.PUBLISH)
        heard.append(json.loads(publish.body[publish.body.index(b"{") :]))
        await link.hear_the_end()

    async with RawBroker(listen) as broker:
        config = without_connector(tmp_path, broker.url)
        await send(config, *TEXT, "--priority", "urgent", "--valid-for", "1.5", "--timeout", "0.2")
    assert ("urgent", 1.5) == (heard[0]["request"]["priority"], heard[0]["request"]["valid_for_seconds"])
