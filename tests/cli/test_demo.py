"""`demo` and `simulator`: the first thing that anybody types, with nothing installed but the package."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.mqtt_peer import Peer
from tests.support.process import Program, environment, exit_code, run_program
from tests.support.telephone import HttpTelephone
from twilio_notifications.config.sources import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUS = json.loads(
    '{"response":{"status":"success","payload":{"from_number":"+19999999999","messages":'
    '{"message_status":"queued","to_number":"+12345000000","name":"Darla"}}},"id":"request123"}'
)


def statuses(program: Program) -> list[dict[str, Any]]:
    """What follows the lines with an arrow to the left."""
    following = zip(program.stdout, program.stdout[1:], strict=False)
    return [json.loads(line) for arrow, line in following if arrow.startswith("←")]


async def test_the_demo_shows_the_published_text_and_call_and_ends() -> None:
    program = await run_program("demo", "--once")
    assert 0 == exit_code(program), program.output
    assert [STATUS, STATUS] == statuses(program)
    assert [] == program.stderr


@pytest.mark.parametrize(
    "variables",
    [
        {f"{PREFIX}TWILIO__BASE_URL": "https://api.twilio.invalid", "TWILIO_AUTH_TOKEN": "a real one"},
        {f"{PREFIX}TRANSPORT__URL": "mqtt://broker.invalid", f"{PREFIX}JOURNAL__URL": "sqlite:////nowhere/j"},
        {f"{PREFIX}NO__SUCH": "setting"},
    ],
    ids=["Twilio", "broker and journal", "unknown"],
)
async def test_the_demo_takes_nothing_from_the_environment(variables: Mapping[str, str]) -> None:
    """What is set for a real connector would have the demo send real texts."""
    program = await run_program("demo", "--once", environ=environment(**variables))
    assert 0 == exit_code(program), program.output


async def test_the_demo_goes_on_serving_until_it_is_stopped() -> None:
    async with Program("demo") as program:
        invitation = await program.wait_for_line("send txt --config")
        config = invitation.split("--config ")[1].split()[0]
        arguments = ("--to", "+12345000000", "--name", "Darla", "--message", "Is the freezer all right?")
        asked = await run_program("send", "txt", "--config", config, *arguments)
        assert 0 == exit_code(asked), asked.output
        request = await program.wait_for_line('"message": "Is the freezer')
        ours = json.loads(request)["id"]
        await program.wait_until(lambda: ours in [status["id"] for status in statuses(program)], "its status")
        program.signal(signal.SIGINT)
        assert 0 == await program.wait()


async def test_the_demo_has_a_console_that_shows_what_it_has_sent() -> None:
    async with Program("demo") as program:
        url = (await program.wait_for_line("console ")).split()[-1]
        await program.wait_for_line("Ctrl-C ends.")
        script = f"import urllib.request; print(urllib.request.urlopen('{url}/requests').read().decode())"
        asked = await run_program(command=(sys.executable, "-c", script))
        page = "\n".join(asked.stdout)
        assert 'href="/requests/1"' in page
        assert 'href="/requests/2"' in page
        program.signal(signal.SIGINT)
        assert 0 == await program.wait()


async def test_an_alarm_of_the_demo_is_acknowledged_at_the_telephone() -> None:
    async with Program("demo") as program:
        broker, page = [
            (await program.wait_for_line(f"{name} ")).split()[-1] for name in ("broker", "telephone")
        ]
        await program.wait_for_line("Ctrl-C ends")
        recipient = {"name": "Darla", "phone_number": "+12345000000", "message": "The freezer thaws"}
        alarm = {"id": "thaw", "request": {"recipient": recipient, "escalation": "freezer"}}
        address = page.removesuffix("/simulator/telephone")
        async with (
            Peer(broker, protocol="3.1.1") as peer,
            HttpTelephone(address, "+12345000000") as telephone,
        ):
            await peer.publish("twilio/txt", json.dumps(alarm))
            await telephone.entry(lambda entry: "Reply 1 to acknowledge." in (entry["body"] or ""))
            await telephone.order("inbound", channel="SMS", **{"from": "+12345000000"}, body="1")
            await program.wait_for_line('"message_status":"acknowledged"')
        program.signal(signal.SIGINT)
        assert 0 == await program.wait()


async def test_the_calls_of_the_demo_ring_until_a_person_answers() -> None:
    async with Program("demo") as program:
        page = (await program.wait_for_line("telephone ")).split()[-1]
        async with HttpTelephone(page.removesuffix("/simulator/telephone"), "+12345000000") as telephone:
            call = await telephone.entry(lambda entry: "pick-up" in entry["acts"])
            picked_up = await telephone.order("acts", sid=call["sid"], act="pick-up")
            assert "in-progress" == picked_up["status"]


async def test_the_simulator_serves_where_it_says() -> None:
    async with Program("simulator", "--listen", "127.0.0.1:0") as program:
        url = (await program.wait_for_line("Twilio simulator on")).split()[-1]
        page = (await program.wait_for_line("/simulator/telephone ")).split()[0]
        for address in (f"{url}/simulator/ledger", page):
            script = f"import urllib.request; print(urllib.request.urlopen('{address}').status)"
            asked = await run_program(command=(sys.executable, "-c", script))
            assert ["200"] == asked.stdout
        assert 0 == await program.terminate()
