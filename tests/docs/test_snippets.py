"""What people copy from the documents works: configurations load, commands exist, files parse.

A file that a configuration names is put next to it, so that only the configuration itself is judged.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs.markdown import DOCS, DOCUMENTS, HOW_TO, Block, blocks, name_of
from tests.support.needs import ROOT
from twilio_notifications import cli
from twilio_notifications.config import load
from twilio_notifications.config.sections import KEYS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUIDES = [ROOT / "README.md", DOCS / "tutorial.md", *HOW_TO]
DEFINITION = ROOT / "tests" / "config" / "published_definition.json"
PLACEHOLDER = "arn:aws:secretsmanager:region:account-id:secret:greengrass-secret-hash"
REAL = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"

OTHERS = {
    "apt": "Debian",
    "aws": "the AWS CLI",
    "chmod": "coreutils",
    "cp": "coreutils",
    "curl": "curl",
    "df": "coreutils",
    "docker": "Docker",
    "esphome": "ESPHome",
    "ggl-cli": "Greengrass nucleus lite",
    "grep": "grep",
    "greengrass-cli": "the classic nucleus of Greengrass V2",
    "journalctl": "systemd",
    "kill": "the shell",
    "chown": "coreutils",
    "kubectl": "Kubernetes",
    "man": "man-db",
    "mkdir": "coreutils",
    "mosquitto_passwd": "mosquitto",
    "mosquitto_pub": "mosquitto-clients",
    "mosquitto_sub": "mosquitto-clients",
    "openssl": "openssl",
    "pg_dump": "PostgreSQL",
    "pg_restore": "PostgreSQL",
    "python3": "Python",
    "pip": "Python",
    "promtool": "Prometheus",
    "sudoedit": "sudo",
    "install": "coreutils",
    "systemctl": "systemd",
    "systemd-analyze": "systemd",
    "uname": "coreutils",
    "useradd": "passwd",
}
"""Programs of others that a document may name, and where they come from."""

BUILTINS = {".", "export", "cd", "umask"}


def found(language: str, pages: list[Path] = GUIDES) -> list[Block]:
    return [block for page in pages for block in blocks(page, language)]


# Configurations


def surround(folder: Path, table: dict[str, Any]) -> None:
    """Puts the files that a configuration names next to it."""
    connector, transport = table.get("connector", {}), table.get("transport", {})
    if "definition" in connector:
        published = DEFINITION.read_text(encoding="utf-8").replace(PLACEHOLDER, REAL)
        (folder / connector["definition"]).write_text(published, encoding="utf-8")
    for key in ("ca_file", "certificate_file", "key_file"):
        if key in transport:
            (folder / transport[key]).touch()
    if "key_file" in table.get("secrets", {}):
        (folder / table["secrets"]["key_file"]).touch()


@pytest.mark.parametrize("block", found("toml"), ids=name_of)
def test_a_configuration_loads_without_a_warning(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "twilio-notifications.toml"
    path.write_text(block.text, encoding="utf-8")
    surround(tmp_path, tomllib.loads(block.text))
    assert () == load(path, {}).warnings


def test_there_are_configurations() -> None:
    assert len(found("toml")) > 5


def test_every_setting_that_is_named_exists() -> None:
    """By its dotted name, in backticks; what looks like one and is a file has a suffix of files."""
    sections = "|".join(KEYS)
    dotted = re.compile(rf"`((?:{sections})\.(?!py`|db\b|md`|yaml`|example\.yaml`|parameters)\w+)")
    named = {name for page in DOCUMENTS for name in dotted.findall(page.read_text(encoding="utf-8"))}
    assert {"delivery.settle_seconds", "transport.client_id"} <= named
    assert set() == named - SETTINGS.keys()


@pytest.mark.parametrize("block", found("json"), ids=name_of)
def test_a_json_document_is_one(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", found("ini"), ids=name_of)
def test_a_unit_starts_a_command_that_exists(block: Block) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read_string(block.text)
    if "ExecStart" in unit["Service"]:
        program, *arguments = shlex.split(unit["Service"]["ExecStart"])
        assert program.endswith("/twilio-notifications")
        assert is_understood(arguments)


# Commands


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a shell block, word by word; `sudo`, `&` and redirections are taken away."""
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        for piece in re.split(r"\s(?:&&|\|)\s|\s&$", re.sub(r"\s>+\s*\S+", "", line)):
            words = shlex.split(piece, comments=True)
            while words and re.fullmatch(r"sudo|[A-Z_]+=.*", words[0]):
                words = words[1:]
            if words[:1] == ["-u"]:
                words = words[2:]
            if words:
                yield words


def is_understood(arguments: list[str]) -> bool:
    """Whether the program takes these arguments."""
    try:
        cli.parser().parse_args(arguments)
    except SystemExit as end:
        return end.code == 0  # --help and --version end with 0
    return True


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^(\w+):", makefile, re.MULTILINE))


def complaint(words: list[str]) -> str:
    """Why a command cannot be run by who copies it; empty where it can."""
    program = words[0].rpartition("/")[2]
    inside = [
        number for number, word in enumerate(words) if number and word.endswith("/bin/twilio-notifications")
    ]
    match program:
        case "docker" | "kubectl" if inside:  # our program, within a container
            return complaint(words[inside[0] :])
        case "twilio-notifications":
            return "" if is_understood(words[1:]) else f"not understood: {words}"
        case "make":
            wanted = {word for word in words[1:] if "=" not in word}
            return "" if wanted <= targets() else f"no such target: {words}"
        case "python" | "python3" if words[1:] and words[1].startswith("deploy/"):
            return "" if (ROOT / words[1]).is_file() else f"no such program: {words}"
        case _:
            return "" if program in OTHERS.keys() | BUILTINS else f"unknown program: {words}"


@pytest.mark.parametrize("block", found("sh", [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]), ids=name_of)
def test_every_command_exists(block: Block) -> None:
    assert [] == [problem for words in commands(block.text) if (problem := complaint(words))]


def test_every_make_target_that_is_named_exists() -> None:
    named = {
        name
        for page in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]
        for name in re.findall(r"(?:`|\$ )make (\w+)", page.read_text(encoding="utf-8"))
    }
    assert {"demo", "test"} <= named <= targets()


@pytest.mark.parametrize(
    "line",
    [
        "make nothing",
        "twilio-notifications rum --config x",
        "sudo -u nobody /opt/bin/twilio-notifications run --conf",
        "twilio-notifications send txt --to +1",
        "wget http://example.org",
        "docker compose exec connector /opt/twilio-notifications/bin/twilio-notifications chek",
        "mosquitto_sub -t x | jq .",
    ],
)
def test_a_command_that_does_not_exist_is_found(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [problem for words in commands(line) if (problem := complaint(words))]
    capsys.readouterr()


@pytest.mark.parametrize(
    "line",
    [
        "make demo ARGS=--once",
        "TWILIO_AUTH_TOKEN=x twilio-notifications check --offline  # at once",
        "sudo systemctl restart twilio-notifications",
        "aws iot describe-endpoint > endpoint.json",
        "mosquitto_sub -t x &",
        "twilio-notifications --version",
    ],
)
def test_a_command_that_exists_is_let_through(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert [] == [problem for words in commands(line) if (problem := complaint(words))]
    capsys.readouterr()
