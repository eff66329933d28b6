"""The units that ship are understood by systemd, are as closed as their page says, and start our program."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from twilio_notifications import cli
from twilio_notifications.config.sources import defaults

if TYPE_CHECKING:
    from pathlib import Path

UNIT = ROOT / "deploy" / "systemd" / "twilio-notifications.service"
CONSOLES_UNIT = UNIT.with_name("twilio-notifications-console.service")
PAGE = ROOT / "docs" / "how-to" / "isolation.md"
GUIDE = (ROOT / "docs" / "how-to" / "run-as-a-service.md").read_text(encoding="utf-8")
(GUIDES_UNIT,) = re.findall(r"```ini\n(.*?)```", GUIDE, re.DOTALL)
SHIPPED = pytest.mark.parametrize("unit", [UNIT, CONSOLES_UNIT], ids=["connector", "console"])
UNITS = pytest.mark.parametrize(
    "unit", [UNIT.read_text(encoding="utf-8"), GUIDES_UNIT], ids=["ships", "guide"]
)
PROGRAM = "/opt/twilio-notifications/bin/twilio-notifications"
EXPOSURE = re.compile(r"Overall exposure level for \S+: ([\d.]+)")
WELL_CLOSED = 2.0
"""From here up systemd does not call it "OK" any more, whatever else it looks at."""


def values(name: str, unit: str | None = None) -> list[str]:
    """Every value that the unit gives to this name, in order; without `unit`, the one that ships."""
    text = UNIT.read_text(encoding="utf-8") if unit is None else unit
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )


@pytest.mark.systemd
@SHIPPED
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    """With a program that exists here; systemd reports what it does not accept."""
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text(encoding="utf-8").replace(PROGRAM, sys.executable), encoding="utf-8")
    verified = analyze("verify", "--man=no", str(copy))
    assert "" == "".join(line for line in verified.stderr.splitlines() if unit.name in line)


@pytest.mark.systemd
def test_its_exposure_is_what_the_page_says() -> None:
    """Each version of systemd looks at other things; the page says with which it was counted."""
    (score,) = EXPOSURE.findall(analyze("security", "--offline=true", str(UNIT)).stdout)
    (said,) = EXPOSURE.findall(PAGE.read_text(encoding="utf-8"))
    if f"systemd {analyze('--version').stdout.split()[1]}" in PAGE.read_text(encoding="utf-8"):
        assert said == score
    assert float(score) < WELL_CLOSED


@pytest.mark.systemd
def test_the_consoles_unit_is_as_closed() -> None:
    (score,) = EXPOSURE.findall(analyze("security", "--offline=true", str(CONSOLES_UNIT)).stdout)
    assert float(score) < WELL_CLOSED


def test_the_console_has_the_journal_and_no_token() -> None:
    unit = CONSOLES_UNIT.read_text(encoding="utf-8")
    assert values("StateDirectory") == values("StateDirectory", unit)
    assert ["yes"] == values("DynamicUser", unit) == values("DynamicUser")
    # Without a name of its own, a dynamic user has the name of its unit.
    assert [UNIT.stem] == values("User", unit)
    assert [] == values("User")
    assert "LoadCredential" not in unit


def test_the_console_may_listen_on_its_port_alone() -> None:
    unit = CONSOLES_UNIT.read_text(encoding="utf-8")
    _, _, port = str(defaults(folder=ROOT)["console.listen"].value).rpartition(":")
    assert ["any"] == values("SocketBindDeny", unit)
    assert [f"ipv4:tcp:{port}"] == values("SocketBindAllow", unit)


def test_the_consoles_unit_starts_a_command_that_exists() -> None:
    (line,) = values("ExecStart", CONSOLES_UNIT.read_text(encoding="utf-8"))
    program, *arguments = shlex.split(line)
    assert PROGRAM == program
    assert "twilio-notifications.toml" == cli.parser().parse_args(arguments).config.name


@UNITS
def test_it_starts_a_command_that_exists(unit: str) -> None:
    (line,) = values("ExecStart", unit)
    program, *arguments = shlex.split(line)
    assert PROGRAM == program
    assert "twilio-notifications.toml" == cli.parser().parse_args(arguments).config.name


@UNITS
def test_a_stop_may_take_as_long_as_the_drain(unit: str) -> None:
    drain = defaults(folder=ROOT)["delivery.drain_seconds"].value
    assert float(str(drain)) < float(values("TimeoutStopSec", unit)[0])


@UNITS
def test_a_wrong_configuration_is_not_tried_again(unit: str) -> None:
    assert [str(cli.WRONG_USAGE)] == values("RestartPreventExitStatus", unit)
    assert values("Restart", unit)[0] in {"always", "on-failure"}


@UNITS
def test_a_reload_reaches_the_connector(unit: str) -> None:
    """Other pages say `systemctl reload`, which systemd refuses for a unit that does not say how."""
    _, signal = values("ExecReload", unit)
    assert "/bin/kill -HUP $MAINPID" == signal


@UNITS
def test_a_reload_with_a_wrong_configuration_fails(unit: str) -> None:
    """systemd stops at the first command that fails, and says so to the person."""
    program, *arguments = shlex.split(values("ExecReload", unit)[0])
    started, *run = shlex.split(values("ExecStart", unit)[0])
    options = cli.parser().parse_args(arguments)
    assert (started, cli.parser().parse_args(run).config) == (program, options.config)
    assert options.offline


@UNITS
def test_its_memory_and_its_threads_are_bounded(unit: str) -> None:
    assert ["512M"] == values("MemoryMax", unit)
    assert ["128"] == values("TasksMax", unit)


def test_the_containers_memory_and_processes_are_bounded() -> None:
    page = (ROOT / "docs" / "how-to" / "isolation.md").read_text(encoding="utf-8")
    assert re.search(r"docker run (?:.*\\\n)*.*--memory=512m --pids-limit=128", page)


def test_the_guides_user_has_no_home_in_the_journals_folder() -> None:
    """A confined connector warns at each start of a journal in a home."""
    (home,) = re.findall(r"useradd .*--home-dir (\S+)", GUIDE)
    assert not home.startswith("/var/lib/")


def test_landlocks_system_calls_are_allowed() -> None:
    """The groups of an older systemd do not hold them."""
    allowed = set(values("SystemCallFilter")[-1].split())
    assert {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"} <= allowed


def test_the_token_is_read_where_systemd_puts_it() -> None:
    (credential,) = values("LoadCredential")
    name, _, file = credential.partition(":")
    assert file.endswith(f"/{name}")
    assert f'path = "{name}"' in UNIT.read_text(encoding="utf-8")
