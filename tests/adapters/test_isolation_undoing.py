"""A folder that the confined connector may change holds nothing that its next start trusts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.certificates import make_certificates
from tests.support.process import (
    TOKEN_VARIABLE,
    configuration,
    environment,
    exit_code,
    run_program,
    write_configuration,
)
from twilio_notifications.adapters.isolation import Surroundings
from twilio_notifications.bootstrap.isolation import allowed, undone
from twilio_notifications.config import load

if TYPE_CHECKING:
    from tests.support.process import Section

SHARED = {"url": "sqlite:///state/journal.db"}


def sentences(folder: Path, *, program: frozenset[Path] = frozenset(), **sections: Section) -> list[str]:
    """What is wrong for a connector whose journal lies in `state`."""
    (folder / "state").mkdir(exist_ok=True)
    parameters: dict[str, Section] = {"connector.parameters": {"TWILIO_ACCOUNT_SID": "AC1"}}
    config = write_configuration(folder / "connector.toml", parameters | {"journal": SHARED} | sections)
    settings = load(config, {})
    surroundings = Surroundings(
        environ={},
        home=Path("/nonexistent"),
        python=frozenset(),
        certificates=frozenset(),
        resolve=Path.resolve,
        program=program,
    )
    return undone(allowed(settings, config, surroundings), settings, config, surroundings)


def test_a_journal_in_a_folder_of_its_own_is_fine(tmp_path: Path) -> None:
    assert [] == sentences(tmp_path, program=frozenset({Path(sys.prefix), tmp_path / "program"}))


def test_a_journal_next_to_the_configuration_is_not(tmp_path: Path) -> None:
    (sentence,) = sentences(tmp_path, journal={"url": "sqlite:///journal.db"})
    assert f"may change everything in {tmp_path}, " in sentence
    assert f"{tmp_path}/connector.toml, the configuration, is there too" in sentence
    assert 'journal.url = "sqlite:///journal/journal.db"' in sentence


def test_nor_is_one_above_it(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "etc"
    folder.mkdir(parents=True)
    (sentence,) = sentences(folder, journal={"url": f"sqlite:///{tmp_path}/journal.db"})
    assert "the configuration" in sentence


def test_a_link_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert 1 == len(sentences(tmp_path, journal={"url": "sqlite:///link/journal.db"}))
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state" / "token").write_text("x")
    (tmp_path / "token").symlink_to(tmp_path / "state" / "token")
    (sentence,) = sentences(tmp_path, secrets={"source": "file", "path": "token"})
    assert "a secret" in sentence


def test_a_secret_in_there_is_named(tmp_path: Path) -> None:
    (sentence,) = sentences(tmp_path, secrets={"source": "file", "path": "state/token"})
    assert f"{tmp_path}/state/token, a secret, is there too" in sentence


def test_a_key_in_there_is_named(tmp_path: Path) -> None:
    made = make_certificates(tmp_path / "state")
    transport = {
        "url": "mqtts://b",
        "ca_file": str(made.ca_file),
        "certificate_file": str(made.client_certificate_file),
        "key_file": str(made.client_key_file),
    }
    (sentence,) = sentences(tmp_path, transport=transport)
    assert "a key or certificate" in sentence


def test_a_part_of_the_program_in_there_is_named(tmp_path: Path) -> None:
    packages = tmp_path / "state" / ".venv" / "lib"
    (sentence,) = sentences(tmp_path, program=frozenset({packages}))
    assert f"{packages}, a part of the program, is there too" in sentence


def test_the_program_is_all_that_code_is_taken_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path / "added"), *sys.path])
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "compiled"))
    found = Surroundings.here({}).program
    expected = {
        tmp_path,
        tmp_path / "added",
        tmp_path / "compiled",
        Path(sys.prefix),
        Path(os.__file__).parent,
        Path(sys.executable).parent,
    }
    assert set() == expected - found


def test_a_journal_at_the_earlier_default_does_not_stop_the_start(tmp_path: Path) -> None:
    """The configuration warns of it; requests in it must not be left behind by an update."""
    (tmp_path / "journal.db").write_bytes(b"requests")
    parameters: dict[str, Section] = {"connector.parameters": {"TWILIO_ACCOUNT_SID": "AC1"}}
    config = write_configuration(tmp_path / "connector.toml", parameters)
    settings, surroundings = load(config, {}), Surroundings.here({})
    assert [] == undone(allowed(settings, config, surroundings), settings, config, surroundings)


def leading_nowhere(**sections: Section) -> dict[str, Section]:
    return configuration(broker_url="mqtt://127.0.0.1:1", twilio_url="http://127.0.0.1:1", **sections)


@pytest.mark.landlock
@pytest.mark.parametrize("command", [("run",), ("check", "--offline")])
async def test_neither_run_nor_check_takes_such_a_configuration(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    config = write_configuration(
        tmp_path / "connector.toml", leading_nowhere(journal={"url": "sqlite:///journal.db"})
    )
    environ = environment(**{TOKEN_VARIABLE: "x"})
    program = await run_program(*command, "--config", str(config), environ=environ)
    assert (2 if command == ("run",) else 1) == exit_code(program), program.output
    assert f"{config}, the configuration, is there too" in program.output
    assert not (tmp_path / "journal.db").exists()


async def test_without_isolation_it_is_nobodys_business(tmp_path: Path) -> None:
    settings = leading_nowhere(journal={"url": "sqlite:///journal.db"})
    settings["connector.parameters"]["IsolationMode"] = "NoContainer"
    config = write_configuration(tmp_path / "connector.toml", settings)
    environ = environment(**{TOKEN_VARIABLE: "x"})
    program = await run_program("check", "--offline", "--config", str(config), environ=environ)
    assert 0 == exit_code(program), program.output
