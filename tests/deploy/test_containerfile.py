"""The image that ships holds nothing secret, runs as an unprivileged user, and starts our program."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import yaml

from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from twilio_notifications import cli
from twilio_notifications.config.sources import read_environment

TEXT = (ROOT / "deploy" / "container" / "Containerfile").read_text(encoding="utf-8")
LINES = [
    line for line in re.sub(r"\\\n\s*", " ", TEXT).splitlines() if line.strip() and not line.startswith("#")
]
FINAL = LINES[max(number for number, line in enumerate(LINES) if line.startswith("FROM ")) :]


def words(instruction: str) -> list[str]:
    """What stands behind this instruction in the stage that becomes the image."""
    return [line.removeprefix(f"{instruction} ") for line in FINAL if line.startswith(f"{instruction} ")]


def test_it_runs_as_a_user_that_is_a_number_and_not_root() -> None:
    (user,) = words("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_everything_that_is_copied_into_it_exists() -> None:
    sources = [
        word
        for line in LINES
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    ]
    assert [] == [source for source in sources if not (ROOT / source).exists()]
    assert {"src", "pyproject.toml"} <= set(sources)


def test_it_starts_a_command_that_exists() -> None:
    (entry,), (command,) = words("ENTRYPOINT"), words("CMD")
    assert "twilio-notifications" == Path(json.loads(entry)[0]).name
    assert cli.parser().parse_args(json.loads(command)).config is not None


def test_what_it_sets_are_settings() -> None:
    environment = dict(re.findall(r'(\w+)="([^"]*)"', " ".join(words("ENV"))))
    source = read_environment(environment)
    assert not source.problems
    assert {"journal.url", "log.format"} == set(source.given)


def test_the_journal_is_in_a_volume() -> None:
    (volume,) = words("VOLUME")
    assert f"sqlite:///{volume}/" in TEXT


def test_extras_are_an_argument_of_the_build() -> None:
    declared = LINES.index('ARG EXTRAS=""')
    (used,) = (number for number, line in enumerate(LINES) if "$EXTRAS" in line)
    assert declared < used
    assert "deploy/locked.py --only run $EXTRAS >" in LINES[used]


def test_the_pages_and_the_compose_file_build_the_same_image() -> None:
    """Whose connectors share a journal, and whose console reads it."""
    compose = yaml.safe_load((ROOT / "deploy" / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    built = compose["services"]["connector"]["build"]["args"]["EXTRAS"]
    for page in ("run-on-kubernetes", "run-with-compose"):
        text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8")
        assert [built] == re.findall(r'--build-arg EXTRAS="([^"]+)"', text)
    program = [sys.executable, str(ROOT / "deploy" / "locked.py"), "--only", "run", *built.split()]
    locked = subprocess.run(program, capture_output=True, text=True, check=True, timeout=WAIT_SECONDS).stdout
    names = set(re.findall(r"^([a-z\d-]+)==", locked, re.MULTILINE))
    assert {"asyncpg", "prometheus-client", "uvicorn"} <= names


def test_everything_is_installed_by_its_hash_or_its_file() -> None:
    installs = [part for line in LINES for part in line.split("&&") if re.search(r"pip\b.* install ", part)]
    assert 3 == len(installs)
    assert [] == [part for part in installs if "--require-hashes" not in part and "--no-index" not in part]


def test_the_image_has_no_installer_for_the_connectors_packages() -> None:
    assert any("python -m venv --without-pip /opt/twilio-notifications" in line for line in LINES)
    assert [] == [line for line in FINAL if "pip" in line]
