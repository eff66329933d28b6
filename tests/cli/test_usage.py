"""The command line as such: help, version, wrong usage, and what is missing."""

from __future__ import annotations

import socket
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.support.process import environment, exit_code, run_program

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

COMMANDS = {
    "init": ["--folder", "--account-sid", "--token-file", "--yes"],
    "completion": ["SHELL"],
    "run": ["--config"],
    "check": ["--config", "--offline"],
    "demo": ["--once"],
    "simulator": ["--listen", "--latency"],
    "send": ["txt", "call"],
    "send txt": ["--to", "--name", "--message", "--from", "--retries", "--id", "--timeout", "--config"],
    "send call": ["--to", "--name", "--voice-message-location", "--timeout", "--config"],
    "status": ["--config", "--json", "--utc"],
    "journal": ["list", "show", "tail", "stats", "export", "resend", "resolve", "purge"],
    "journal list": [
        "--only",
        "--id",
        "--contact",
        "--to",
        "--name",
        "--reason",
        "--since",
        "--csv",
        "--exit-code",
    ],
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_the_help_of_a_command_names_everything_it_takes(command: str) -> None:
    program = await run_program(*command.split(), "--help")
    assert 0 == exit_code(program), program.output
    assert [] == [option for option in COMMANDS[command] if option not in program.output]
    assert [] == program.stderr


async def test_the_help_names_every_command_and_the_exit_codes() -> None:
    program = await run_program("--help")
    assert 0 == exit_code(program)
    assert [] == [command for command in COMMANDS if " " not in command and command not in program.output]
    assert "Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration" in program.output


@pytest.mark.parametrize("module", [True, False], ids=["python -m", "the installed command"])
async def test_the_version_is_the_one_that_is_installed(*, module: bool) -> None:
    script = "from twilio_notifications.__main__ import main; main()"
    command = (sys.executable, "-m", "twilio_notifications") if module else (sys.executable, "-c", script)
    program = await run_program("--version", command=command)
    assert (0, [f"twilio-notifications {version('twilio-notifications')}"]) == (
        exit_code(program),
        program.stdout,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run", "--port", "1"],
        ["check", "now"],
        ["send"],
        ["send", "fax"],
        ["send", "txt", "--to", "+12345000000"],
        ["send", "txt", "--to", "+1", "--name", "D", "--message", "M", "--retries", "many"],
        ["send", "txt", "--to", "+1", "--name", "D", "--message", "M", "--timeout", "long"],
        ["simulator"],
        ["simulator", "--listen", "4010"],
        ["simulator", "--listen", ":4010"],
        ["simulator", "--listen", "127.0.0.1:http"],
        ["simulator", "--listen", "127.0.0.1:65536"],
        ["simulator", "--listen", "127.0.0.1:0", "--latency", "-1"],
        ["simulator", "--listen", "127.0.0.1:0", "--latency", "nan"],
        ["simulator", "--listen", "127.0.0.1:0", "--deliveries", "random"],
        ["simulator", "--listen", "127.0.0.1:0", "--deliveries", "chosen:1"],
        ["send", "txt", "--to", "+1", "--name", "D", "--message", "M", "--priority", "high"],
        ["completion"],
        ["completion", "tcsh"],
        ["init", "--token", "x"],
        ["journal", "list", "--limit", "-3"],
        ["journal", "list", "--limit", "0"],
        ["journal", "list", "--json", "--csv"],
        ["journal", "list", "--to", "0170 1234567"],
        ["journal", "export", "--json", "--csv"],
        ["journal", "resend", "--only", "failed", "--to", "12345000000"],
        ["journal", "show", "0"],
        ["journal", "show", "9" * 5_000],
        ["journal", "show", "99999999999999999999"],
        ["journal", "purge", "--older-than", "-1"],
        ["journal", "purge", "--older-than", "nan"],
        ["journal", "purge", "--older-than", "1e300"],
        ["journal", "resolve", "1", "--sent", "--sid", "BAD"],
    ],
    ids=lambda arguments: " ".join(arguments)[:70],
)
async def test_wrong_usage_is_exit_code_2_and_a_sentence(arguments: Sequence[str]) -> None:
    program = await run_program(*arguments)
    assert 2 == exit_code(program), program.output
    assert "Traceback" not in program.output
    assert program.stderr[-1].startswith("twilio-notifications")


@pytest.mark.parametrize(
    "command", [["run"], ["check"], ["send", "txt", "--to", "+1", "--name", "", "--message", "M"]]
)
async def test_every_problem_of_a_configuration_is_told_at_once(
    tmp_path: Path, command: Sequence[str]
) -> None:
    config = tmp_path / "connector.toml"
    config.write_text('[transport]\nurl = "ftp://x"\nspeed = 1\n[log]\nlevel = "LOUD"\n')
    program = await run_program(*command, "--config", str(config))
    assert 2 == exit_code(program), program.output
    for name in ("transport.url", "transport.speed", "log.level", "TWILIO_ACCOUNT_SID"):
        assert [name] == [name for line in program.stderr if name in line][:1], program.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--config", "no.toml", "check"],
        ["check", "--config", "no.toml"],
        ["--config", "other.toml", "check", "--config", "no.toml"],
        ["--config", "no.toml", "send", "txt", "--to", "+1", "--name", "D", "--message", "M"],
        ["--config", "no.toml", "journal", "list"],
    ],
    ids=" ".join,
)
async def test_the_configuration_is_named_before_or_after_the_command(arguments: Sequence[str]) -> None:
    program = await run_program(*arguments)
    assert 2 == exit_code(program), program.output
    assert "the configuration file no.toml does not exist" in program.output


async def test_the_environment_names_the_configuration_of_every_command() -> None:
    environ = environment(TWILIO_NOTIFICATIONS_CONFIG="no.toml")
    for arguments in (["run"], ["check"], ["journal", "list"]):
        program = await run_program(*arguments, environ=environ)
        assert "the configuration file no.toml does not exist" in program.output


@pytest.mark.parametrize("content", [None, "[transport\n"], ids=["absent", "no TOML"])
async def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path, content: str | None) -> None:
    config = tmp_path / "connector.toml"
    if content is not None:
        config.write_text(content)
    program = await run_program("run", "--config", str(config))
    assert 2 == exit_code(program), program.output
    assert str(config) in program.stderr[0]
    assert "Traceback" not in program.output


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("amqtt", ["demo", "--once"], "demo"),
        ("h11", ["demo", "--once"], "demo"),
        ("h11", ["simulator", "--listen", "127.0.0.1:0"], "simulator"),
    ],
)
async def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    missing: str, arguments: Sequence[str], extra: str
) -> None:
    program = await run_program(*arguments, command=without(missing))
    assert 2 == exit_code(program), program.output
    assert 1 == len(program.stderr), program.output
    assert missing in program.stderr[0]
    assert f"pip install '.[{extra}]'" in program.stderr[0]


async def test_without_the_extras_everything_else_works() -> None:
    for arguments in (["--help"], ["--version"], ["check", "--offline"]):
        prefix = "TWILIO_NOTIFICATIONS__CONNECTOR__PARAMETERS__"
        # Whether this kernel could confine it does not matter here.
        parameters = {f"{prefix}TWILIO_ACCOUNT_SID": "AC1", f"{prefix}ISOLATIONMODE": "NoContainer"}
        environ = environment(TWILIO_AUTH_TOKEN="t", **parameters)
        program = await run_program(*arguments, command=without("amqtt", "h11", "uvloop"), environ=environ)
        assert 0 == exit_code(program), program.output


def without(*packages: str) -> Sequence[str]:
    """The program where these packages are not installed."""
    blocked = "; ".join(f"sys.modules[{package!r}] = None" for package in packages)
    return (
        sys.executable,
        "-c",
        f"import sys; {blocked}; from twilio_notifications.__main__ import main; main()",
    )


@pytest.mark.parametrize("section", ["TRANSPORT__KIND", "SECRETS__SOURCE"])
@pytest.mark.parametrize("command", ["run", "check"])
async def test_a_nucleus_that_has_not_started_the_program_is_out_of_reach(
    tmp_path: Path, section: str, command: str
) -> None:
    parameters = "TWILIO_NOTIFICATIONS__CONNECTOR__PARAMETERS__"
    environ = environment(
        **{
            f"{parameters}TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
            f"{parameters}ISOLATIONMODE": "NoContainer",
            f"{parameters}TWILIOAUTHTOKENSECRETARN": "arn:aws:secretsmanager:r:123456789012:secret:s-1",
            f"{parameters}TWILIOAUTHTOKENSECRETARN_RESOURCEID": "Token",
            "TWILIO_AUTH_TOKEN": "x",
            "TWILIO_NOTIFICATIONS__JOURNAL__URL": f"sqlite:///{tmp_path}/journal.db",
            f"TWILIO_NOTIFICATIONS__{section}": "greengrass",
        }
    )
    program = await run_program(command, environ=environ)
    assert 2 == exit_code(program), program.output
    assert "SVCUID are not set: run it as a component" in program.stderr[-1]


async def test_a_component_without_a_nucleus_is_a_wrong_usage() -> None:
    program = await run_program("run", "--greengrass", environ=environment())
    assert 2 == exit_code(program), program.output
    (sentence,) = program.stderr
    assert "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT and SVCUID are not set" in sentence


async def test_a_port_that_is_taken_is_a_sentence() -> None:
    with socket.socket() as seat:
        seat.bind(("127.0.0.1", 0))
        seat.listen()
        program = await run_program("simulator", "--listen", f"127.0.0.1:{seat.getsockname()[1]}")
    assert 1 == exit_code(program), program.output
    assert "Traceback" not in program.output
