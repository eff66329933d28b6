"""What the fuzzer claims holds for its seeds: the suite runs them without it, and so on every Python."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fuzz import mqtt_claims
from fuzz.claims import check
from fuzz.seeds import CORPUS, MQTT_CORPUS, ROOT, seeds
from tests.support.patience import WAIT_SECONDS

FOUND = {path.name: path.read_bytes() for path in sorted(CORPUS.iterdir())}

OF_MQTT = {path.name: path.read_bytes() for path in sorted(MQTT_CORPUS.iterdir())}


@pytest.mark.parametrize("name", OF_MQTT)
def test_the_claims_of_mqtt_hold_for_a_seed(name: str) -> None:
    mqtt_claims.check(OF_MQTT[name])


def test_the_seeds_of_mqtt_are_written() -> None:
    assert mqtt_claims.SEEDS == {name: OF_MQTT.get(name) for name in mqtt_claims.SEEDS}


@pytest.mark.parametrize("name", FOUND)
def test_the_claims_hold_for_a_seed(name: str) -> None:
    check(FOUND[name])


def test_the_seeds_are_those_of_the_published_examples() -> None:
    """`python -m fuzz.seeds` writes them; what the fuzzer finds may be added under another name."""
    expected = seeds()
    assert expected == {name: FOUND.get(name) for name in expected}


def test_without_atheris_it_says_what_to_do() -> None:
    """It has no wheel for each Python, and is no part of the test suite's needs."""
    blocked = "import sys; sys.modules['atheris'] = None; import runpy; runpy.run_module('fuzz')"
    ended = subprocess.run(
        [sys.executable, "-c", blocked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_SECONDS,
    )
    assert 1 == ended.returncode
    assert "atheris is not installed: run `make fuzz`" in ended.stderr
