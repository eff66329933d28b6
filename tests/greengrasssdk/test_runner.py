"""The runner: V1's function is called with each event, whatever it does, until SIGTERM."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.nucleus import FakeNucleus
from tests.support.patience import WAIT_SECONDS
from tests.support.process import LoggingProgram, environment, exit_code, run_program
from tests.support.raw_broker import Kind, Link, RawBroker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FUNCTION = """
import json, os, time
def function_handler(event, context):
    if event == "wait":
        print("waiting", flush=True)
        while not os.path.exists("go-on"):
            time.sleep(0.01)
    print(json.dumps([event, context.client_context.custom["subject"]]), flush=True)
    if event == "fail":
        raise KeyError("to_name")
nothing = None
"""
RUNNER = (sys.executable, "-m", "twilio_notifications.greengrasssdk")
JSON_LOG = {"TWILIO_NOTIFICATIONS__LOG__FORMAT": "json"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "monitor.py").write_text(FUNCTION)
    (tmp_path / "broken.py").write_text("import nowhere_at_all\n")
    return tmp_path


def runner(folder: Path, *topics: str, **variables: str) -> LoggingProgram:
    filters = [word for topic in topics for word in ("--topic", topic)]
    environ = environment(**JSON_LOG, **variables)
    arguments = ("monitor.function_handler", *filters)
    return LoggingProgram(*arguments, command=RUNNER, folder=folder, environ=environ)


def at(broker: Mosquitto) -> dict[str, str]:
    return {"TWILIO_NOTIFICATIONS__TRANSPORT__URL": broker.url}


@pytest.mark.mosquitto
async def test_each_event_comes_with_its_topic_and_in_order(broker: Mosquitto, folder: Path) -> None:
    async with runner(folder, "a/+", "b", **at(broker)) as running, Peer(broker.url, subscribe="") as peer:
        await running.wait_for_event("function_ready")
        sent = [[{"n": number}, topic] for number in range(10) for topic in ("a/1", "b", "a/2")]
        for event, topic in sent:
            await peer.publish(str(topic), json.dumps(event))
        await running.wait_until(lambda: len(running.stdout) == len(sent), "all events")
        assert sent == [json.loads(line) for line in running.stdout]
        assert 0 == await running.terminate()


@pytest.mark.mosquitto
async def test_an_error_of_the_function_is_logged_and_the_next_event_taken(
    broker: Mosquitto, folder: Path
) -> None:
    async with runner(folder, "a", **at(broker)) as running, Peer(broker.url, subscribe="") as peer:
        await running.wait_for_event("function_ready")
        for event in ("fail", "next"):
            await peer.publish("a", json.dumps(event))
        await running.wait_for_line("next")
        assert "KeyError: 'to_name'" in (await running.wait_for_event("function_failed"))["trace"]
        assert 0 == await running.terminate()


@pytest.mark.mosquitto
async def test_what_is_no_event_is_logged_without_its_content(broker: Mosquitto, folder: Path) -> None:
    async with Peer(broker.url, subscribe="") as peer:
        await peer.publish("a", '"retained"', retain=True)
        protocol = {"TWILIO_NOTIFICATIONS__TRANSPORT__PROTOCOL": "3.1.1"}  # 5 does not send it at all
        async with runner(folder, "a", **at(broker), **protocol) as running:
            retained = await running.wait_for_event("function_event_retained")
            await peer.publish("a", "no JSON")
            unreadable = await running.wait_for_event("function_event_unreadable")
            assert 0 == await running.terminate()
    assert [] == running.stdout
    assert ("a", "a") == (retained["topic"], unreadable["topic"])
    assert "no JSON" not in str(running.log)


@pytest.mark.mosquitto
async def test_sigterm_lets_the_function_end_what_it_does_and_begins_nothing_new(
    broker: Mosquitto, folder: Path
) -> None:
    async with runner(folder, "a", **at(broker)) as running, Peer(broker.url, subscribe="") as peer:
        await running.wait_for_event("function_ready")
        await peer.publish("a", '"wait"')
        await running.wait_for_line("waiting")
        await peer.publish("a", '"after"')
        running.signal(signal.SIGTERM)
        (folder / "go-on").touch()
        assert 0 == await running.wait()
    assert ["waiting", '["wait", "a"]'] == running.stdout


async def test_an_event_is_acknowledged_when_the_function_has_returned_and_nothing_is_kept(
    folder: Path,
) -> None:
    """So the broker has the rest while it works; and no session of a runner outlives it, as in V1."""
    acknowledged = asyncio.Event()

    async def one_event(link: Link) -> None:
        assert (await link.hear(Kind.CONNECT)).clean
        link.say(link.connack(0))
        await link.grant(1)
        link.say(link.publish("a", b'"wait"', packet_id=7))
        assert 7 == (await link.hear(Kind.PUBACK)).packet_id
        acknowledged.set()

    async with RawBroker(one_event) as broker:
        url = {"TWILIO_NOTIFICATIONS__TRANSPORT__URL": broker.url}
        async with runner(folder, "a", **url) as running:
            await running.wait_for_line("waiting")
            assert not acknowledged.is_set()
            (folder / "go-on").touch()
            await running.wait_for_line('"a"')
            await asyncio.wait_for(acknowledged.wait(), WAIT_SECONDS)
            assert 0 == await running.terminate()


@pytest.mark.mosquitto
async def test_the_prefix_is_before_the_topics_and_not_in_the_subject(
    broker: Mosquitto, folder: Path
) -> None:
    config = folder / "twilio-notifications.toml"
    config.write_text(f'[transport]\nurl = "{broker.url}"\ntopic_prefix = "site7/"\n[log]\nformat = "json"\n')
    arguments = ("monitor.function_handler", "--topic", "a", "--config", str(config))
    running = LoggingProgram(*arguments, command=RUNNER, folder=folder, environ=environment())
    async with running, Peer(broker.url, subscribe="") as peer:
        await running.wait_for_event("function_ready")
        await peer.publish("site7/a", "1")
        assert [1, "a"] == json.loads(await running.wait_for_line("a"))


async def test_a_closed_subscription_of_a_nucleus_is_begun_again(folder: Path) -> None:
    with FakeNucleus() as nucleus:
        short = {
            "TWILIO_NOTIFICATIONS__TRANSPORT__RECONNECT_INITIAL_SECONDS": "0.02",
            "TWILIO_NOTIFICATIONS__TRANSPORT__RECONNECT_MAXIMUM_SECONDS": "0.1",
        }
        async with runner(folder, "a", **nucleus.environ, **short) as running:
            await running.wait_for_event("function_ready")
            nucleus.close_stream("a")
            await running.wait_for_event("function_ready", count=2)
            nucleus.publish("a", "1")
            assert [1, "a"] == json.loads(await running.wait_for_line("a"))
            assert 0 == await running.terminate()


@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [
        ("handler", 2, "'handler' is not MODULE.FUNCTION"),
        ("nowhere.handler", 2, "there is no module nowhere: run this in the folder of nowhere.py"),
        ("monitor.absent", 2, "the module monitor has no function absent"),
        ("monitor.nothing", 2, "the module monitor has no function nothing"),
        ("broken.handler", 1, "No module named 'nowhere_at_all'"),
    ],
)
async def test_a_function_that_is_not_there_is_said(
    folder: Path, name: str, code: int, complaint: str
) -> None:
    program = LoggingProgram(name, "--topic", "a", command=RUNNER, folder=folder, environ=environment())
    async with program:
        assert code == await program.wait()
    assert complaint in "\n".join(program.stderr)


async def test_a_nucleus_takes_no_wildcards(folder: Path) -> None:
    with FakeNucleus() as nucleus:
        async with runner(folder, "a/+", **nucleus.environ) as running:
            assert 2 == await running.wait()
    assert "a nucleus needs topics without + and #, not a/+" in running.output


async def test_help_names_every_argument() -> None:
    program = await run_program("--help", command=RUNNER, environ=environment())
    assert 0 == exit_code(program)
    assert all(word in program.output for word in ("MODULE.FUNCTION", "--topic", "--config"))
