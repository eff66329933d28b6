"""`migrate`: files in, files out, and a word about each; it overwrites nothing and shows no trace."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import blocks
from tests.migration.house import SECRET, TEMPLATE, connector, connectors, resources, subscriptions
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from tests.support.process import Program, exit_code, run_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The tutorial's three definitions."""
    paths = []
    for name, document in (("c", connectors()), ("r", resources()), ("s", subscriptions())):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        paths.append(str(path))
    return paths


PAGE = ROOT / "docs" / "how-to" / "coming-from-greengrass-v1.md"


def sessions() -> list[tuple[list[str], list[str]]]:
    """The commands of the page that it shows with what they print."""
    shown = [block.text.splitlines() for block in blocks(PAGE, "") if block.text.startswith("$ ")]
    return [(shlex.split(lines[0])[2:], lines[1:]) for lines in shown]


@pytest.mark.parametrize(("command", "printed"), sessions(), ids=["definitions", "template"])
async def test_the_page_shows_what_it_prints(tmp_path: Path, command: list[str], printed: list[str]) -> None:
    written = {"connectors.json": connectors(), "resources.json": resources()}
    for name, document in (written | {"subscriptions.json": subscriptions()}).items():
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "template.yaml").write_text(TEMPLATE, encoding="utf-8")
    async with Program(*command, folder=tmp_path) as program:
        await program.wait()
    assert printed == [*program.stdout, *program.stderr]


async def migrate(*arguments: str) -> Program:
    return await run_program("migrate", *arguments)


async def test_it_says_what_it_found_and_wrote(files: list[str], tmp_path: Path) -> None:
    output = tmp_path / "new" / "folder"
    program = await migrate(*files, "--output", str(output))
    assert 0 == exit_code(program), program.output
    written = [str(path) for path in output.rglob("*") if path.is_file()]
    assert sorted(written) == sorted(line[7:] for line in program.stdout if line.startswith("wrote"))
    assert program.stdout[0].startswith("found  connector `MyTwilioNotificationsConnector`, version 4")
    assert [] == program.stderr


async def test_the_configuration_that_it_wrote_passes_check(files: list[str], tmp_path: Path) -> None:
    assert 0 == exit_code(await migrate(*files, "--output", str(tmp_path / "out")))
    config = tmp_path / "out" / "twilio-notifications.toml"
    program = await run_program("check", "--offline", "--config", str(config))
    assert any(line.startswith("ok    configuration") for line in program.stdout), program.output


async def test_a_dry_run_prints_the_files_and_writes_none(files: list[str], tmp_path: Path) -> None:
    output = tmp_path / "out"
    program = await migrate(*files, "--output", str(output), "--dry-run")
    assert 0 == exit_code(program), program.output
    assert "--- twilio-notifications.toml" in program.stdout
    assert f'TwilioAuthTokenSecretArn = "{SECRET}"' in program.stdout
    assert not output.exists()


@pytest.mark.parametrize("kind", ["file", "dangling link"])
async def test_nothing_is_overwritten(files: list[str], tmp_path: Path, kind: str) -> None:
    report = tmp_path / "out" / "report.md"
    report.parent.mkdir()
    if kind == "file":
        report.write_text("mine")
    else:
        report.symlink_to(tmp_path / "elsewhere")
    program = await migrate(*files, "--output", str(report.parent))
    assert 2 == exit_code(program)
    assert f"{report} is there already: remove it, or choose another --output" in program.stderr[0]
    assert [report] == list(report.parent.iterdir()), "not even the others are written"
    assert not (tmp_path / "elsewhere").exists()


async def test_an_output_that_is_no_folder_is_a_sentence(files: list[str], tmp_path: Path) -> None:
    program = await migrate(*files, "--output", files[0])
    assert 1 == exit_code(program)
    assert "cannot be written" in program.stderr[0]
    assert "Traceback" not in program.output


@pytest.mark.parametrize("name", ["x" * 300, "file/below"])
async def test_an_output_whose_name_cannot_be_is_a_sentence(
    files: list[str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("")
    program = await migrate(*files, "--output", str(tmp_path / name))
    assert 1 == exit_code(program)
    (line,) = program.stderr
    assert "cannot be written: " in line
    assert "Choose another --output" in line


WRITING_WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from twilio_notifications.core.errors import FolderUnusable
from twilio_notifications.new_files import NewFile, write_new
if os.geteuid() == 0:
    os.seteuid(65534)  # root may search every folder
try:
    write_new([NewFile(path=Path(sys.argv[1], "report.md"), text="text")], option="--output")
except FolderUnusable as error:
    print(error)
"""


def test_an_output_below_a_folder_that_may_not_be_searched_is_a_sentence(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    command = [sys.executable, "-c", WRITING_WITHOUT_RIGHTS, str(closed / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)
    closed.chmod(0o700)
    path = closed / "out" / "report.md"
    assert f"{path} cannot be written: Permission denied. Choose another --output\n" == ended.stdout, (
        ended.stderr
    )


async def test_a_reader_that_goes_away_costs_no_file(files: list[str], tmp_path: Path) -> None:
    """As `migrate … | head -1`: the first line may be all that is read."""
    output = tmp_path / "out"
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "twilio_notifications", "migrate", *files, "--output", str(output)]
    try:
        ended = await asyncio.to_thread(
            subprocess.run, command, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=WAIT_SECONDS
        )
    finally:
        os.close(writing)
    assert (output / "report.md").is_file()
    assert (0, b"") == (ended.returncode, ended.stderr)


@pytest.mark.parametrize("dry", [[], ["--dry-run"]], ids=["", "dry run"])
@pytest.mark.parametrize(
    ("redirection", "complaint"),
    [("> /dev/full", "No space left on device"), (">&-", "standard output is closed")],
    ids=["full", "closed"],
)
async def test_an_output_that_cannot_be_written_is_a_sentence(
    files: list[str], tmp_path: Path, redirection: str, complaint: str, dry: list[str]
) -> None:
    command = [sys.executable, "-m", "twilio_notifications", "migrate", *files, *dry]
    line = f"{shlex.join([*command, '--output', str(tmp_path / 'out')])} {redirection}"
    ended = await asyncio.to_thread(
        subprocess.run, ["/bin/sh", "-c", line], stderr=subprocess.PIPE, check=False, text=True
    )
    assert 1 == ended.returncode
    assert complaint in ended.stderr
    assert 1 == ended.stderr.count("\n"), ended.stderr


async def test_what_a_file_holds_cannot_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(connectors(connector(Id="tw\x1b[2J\nwrote  everything"))))
    program = await migrate(str(path), "--output", str(tmp_path / "out"))
    assert all(line.isprintable() for line in [*program.stdout, *program.stderr]), program.output
    assert "wrote  everything" not in program.stdout


async def test_every_file_that_cannot_be_read_is_named(files: list[str], tmp_path: Path) -> None:
    absent = tmp_path / "absent.json"
    program = await migrate(str(absent), str(tmp_path), *files, "--output", str(tmp_path / "out"))
    assert 2 == exit_code(program)
    assert [
        f"twilio-notifications: {absent} cannot be read: No such file or directory",
        f"twilio-notifications: {tmp_path} cannot be read: Is a directory",
    ] == program.stderr


async def test_a_device_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    program = await migrate("/dev/zero", "--output", str(tmp_path / "out"))
    assert 2 == exit_code(program)
    assert "the limit is" in program.stderr[0]


async def test_two_connectors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.json"
    path.write_text(json.dumps(connectors(connector(Id="one"), connector(Id="two"))))
    program = await migrate(str(path), "--output", str(tmp_path / "out"))
    assert 2 == exit_code(program)
    assert "a group has one version at a time" in program.stderr[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--to-version", "6"], "--to-version"),  # the sentence is argparse's, and differs between versions
        (["--set", "NAME"], "'NAME' is not of the form NAME=VALUE"),
        (["--set", "NAME=a\nb"], "the value of 'NAME' holds a character that is no text"),
        (["--set", "NAME=x"], "--set 'NAME' gives a name that is not asked for"),
    ],
)
async def test_wrong_usage_is_said(
    files: list[str], tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    program = await migrate(*files, "--output", str(tmp_path / "out"), *arguments)
    assert 2 == exit_code(program)
    assert sentence in program.output
