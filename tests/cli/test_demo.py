"""`demo` and `simulator`: the first thing that anybody types, with nothing installed but the package."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.process import Program, environment, exit_code, run_program
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


async def test_the_simulator_serves_where_it_says() -> None:
    async with Program("simulator", "--listen", "127.0.0.1:0") as program:
        url = (await program.wait_for_line("Twilio simulator on")).split()[-1]
        script = f"import urllib.request; print(urllib.request.urlopen('{url}/simulator/ledger').status)"
        asked = await run_program(command=(sys.executable, "-c", script))
        assert ["200"] == asked.stdout
        assert 0 == await program.terminate()
