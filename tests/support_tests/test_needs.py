"""A test whose needs are missing is reported in one line, and fails in CI."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.needs import ROOT, SYSTEM_FOLDERS, find_mosquitto, missing

if TYPE_CHECKING:
    from pathlib import Path

pytest_plugins = ["pytester"]

NO_SYSTEM_FOLDERS = "tests.support.needs.SYSTEM_FOLDERS"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment of a machine on which nothing is installed."""
    monkeypatch.setattr(NO_SYSTEM_FOLDERS, str(tmp_path / "sbin"))
    return {"PATH": str(tmp_path / "bin")}


@pytest.mark.parametrize(("ci", "fails"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_a_missing_broker_skips_at_home_and_fails_in_ci(
    bare: dict[str, str], ci: str, *, fails: bool
) -> None:
    lack = missing("mosquitto", {**bare, "CI": ci})
    assert lack is not None
    assert fails == lack.fails
    assert "apt install mosquitto" in lack.reason
    assert "brew install mosquitto" in lack.reason


@pytest.mark.parametrize(("ci", "fails"), [("true", True), ("", False)])
def test_a_missing_rabbitmq_skips_at_home_and_fails_in_ci(
    bare: dict[str, str], monkeypatch: pytest.MonkeyPatch, ci: str, *, fails: bool
) -> None:
    monkeypatch.setattr("tests.support.needs.RABBITMQ_FOLDER", bare["PATH"])
    lack = missing("rabbitmq", {**bare, "CI": ci})
    assert lack is not None
    assert fails == lack.fails
    assert "apt install rabbitmq-server" in lack.reason


def test_a_missing_description_of_twilio_skips_even_in_ci(bare: dict[str, str], tmp_path: Path) -> None:
    lack = missing("prism", {**bare, "CI": "true"}, openapi=tmp_path / "absent.json")
    assert lack is not None
    assert not lack.fails


def test_a_missing_npm_fails_in_ci_once_the_description_is_there(
    bare: dict[str, str], tmp_path: Path
) -> None:
    openapi = tmp_path / "openapi.json"
    openapi.touch()
    lack = missing("prism", {**bare, "CI": "true"}, openapi=openapi)
    assert lack is not None
    assert lack.fails
    assert "npm" in lack.reason


@pytest.mark.parametrize("marker", ["landlock", "mounts", "namespaces", "systemd"])
def test_what_no_installation_here_can_bring_is_skipped_even_in_ci(bare: dict[str, str], marker: str) -> None:
    lack = missing(marker, {**bare, "CI": "true"})
    assert lack is None or not lack.fails


def test_other_markers_need_nothing(bare: dict[str, str]) -> None:
    assert missing("parametrize", bare) is None


def test_the_broker_is_found_where_only_the_system_looks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "mosquitto"
    program.touch(mode=0o755)
    monkeypatch.setattr(NO_SYSTEM_FOLDERS, str(tmp_path))
    assert str(program) == find_mosquitto(str(tmp_path / "elsewhere"))
    assert "/usr/sbin" in SYSTEM_FOLDERS


@pytest.mark.parametrize(("ci", "outcome"), [("", {"skipped": 3}), ("true", {"errors": 3})])
def test_all_tests_without_their_broker_are_told_of_in_one_line(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    ci: str,
    outcome: dict[str, int],
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(NO_SYSTEM_FOLDERS, str(tmp_path))
    pytester.makeini("[pytest]\nmarkers = mosquitto: x\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makeconftest((ROOT / "tests" / "conftest.py").read_text())
    body = "import pytest\n@pytest.mark.mosquitto\n@pytest.mark.parametrize('n', [1, 2])\ndef test(n): ...\n"
    pytester.makepyfile(test_one=body, test_two="import pytest\n@pytest.mark.mosquitto\ndef test(): ...\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(**outcome)
    if not ci:
        told = [line for line in result.outlines if "the broker mosquitto is not installed" in line]
        assert 1 == len(told), result.outlines
        assert told[0].startswith("3 skipped: ")


@pytest.mark.parametrize("variable", ["CI", "PEERS"])
def test_large_programs_of_others_are_fetched_only_where_one_says_so(
    bare: dict[str, str], variable: str
) -> None:
    lack = missing("peers", bare)
    assert lack is not None
    assert not lack.fails
    assert "PEERS=1" in lack.reason
    assert missing("peers", {**bare, variable: "1"}) is None
