"""The rooms of the house: imports go one way, no adapter knows another, and users install only what they use.

The rules stand in `.importlinter`; here they are kept, and shown to bite.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest

from tests.support.house import SOURCE, modules
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS

IMPORT_ALL = """
import importlib, sys

absent = frozenset(sys.argv[1].split(","))

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
for name in sys.argv[2:]:
    importlib.import_module(name)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
"""Imports modules as if some packages were not installed, and says which packages that has loaded."""

NEEDS_AN_EXTRA = (
    "twilio_notifications.adapters.greengrass",
    "twilio_notifications.adapters.metrics",
    "twilio_notifications.adapters.postgres",
    "twilio_notifications.adapters.traces",
    "twilio_notifications.bootstrap.console",
    "twilio_notifications.console",
    "twilio_notifications.migration.yaml_text",
    "twilio_notifications.simulator",
    "twilio_notifications.demo",
)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the package that lies in this folder, whichever is installed."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--config", str(ROOT / ".importlinter"), "--no-cache", "--no-logo"]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def normal(name: str) -> str:
    """The spelling of a distribution's name that all its spellings share."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(name: str) -> bool:
    """A requirement for another platform or Python is not there, and brings nothing."""
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house that keeps the rules, to be spoilt."""
    house = tmp_path / SOURCE.name
    for room in ("core", "pipeline", "adapters", "simulator", "demo", "checks", "commands", "greengrasssdk"):
        (house / room).mkdir(parents=True)
        (house / room / "__init__.py").touch()
    for module in ("__init__.py", "bootstrap.py", "core/model.py", "core/errors.py", "adapters/south.py"):
        (house / module).touch()
    (house / "journals.py").touch()
    (house / "core/steps.py").touch()
    for module in ("connector", "care", "line", "logins", "bells", "alarm", "events"):
        (house / f"pipeline/{module}.py").touch()
    return house


def test_imports_keep_to_their_direction() -> None:
    linted = lint_imports(SOURCE.parent)
    assert 0 == linted.returncode, linted.stdout + linted.stderr


def test_a_house_that_keeps_the_rules_is_accepted(house: Path) -> None:
    linted = lint_imports(house.parent)
    assert 0 == linted.returncode, linted.stdout + linted.stderr


@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [
        ("core/model.py", "import asyncio", "twilio_notifications.core is not allowed to import asyncio"),
        ("core/errors.py", "from random import random", "core is not allowed to import random"),
        ("core/errors.py", "from . import model", "core.errors is not allowed to import"),
        ("core/model.py", "import twilio_notifications.pipeline", "core is not allowed to import"),
        ("pipeline/__init__.py", "import twilio_notifications.adapters", "pipeline is not allowed to import"),
        ("adapters/__init__.py", "import twilio_notifications.pipeline", "adapters is not allowed to import"),
        (
            "adapters/north.py",
            "import twilio_notifications.adapters.south",
            "adapters.north is not allowed to import twilio_notifications.adapters.south",
        ),
        (
            "cli.py",
            "import twilio_notifications.adapters.south",
            "twilio_notifications.cli -> twilio_notifications.adapters.south",
        ),
        ("core/chance.py", "", "twilio_notifications.core.chance"),
        ("attic.py", "", "twilio_notifications.attic"),
    ],
)
def test_an_import_against_the_direction_is_refused(
    house: Path, name: str, code: str, complaint: str
) -> None:
    with (house / name).open("a") as module:
        module.write(f"\n{code}\n")
    linted = lint_imports(house.parent)
    assert 0 != linted.returncode
    assert complaint in unwrapped(linted.stdout)


def requirements(name: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """The distributions that come with this one when no extra is asked for, itself included."""
    known |= {normal(name)}
    for requirement in distribution(name).requires or ():
        needed = re.match(r"[\w.-]+", requirement)
        if (
            needed
            and "extra ==" not in requirement
            and normal(needed[0]) not in known
            and installed(needed[0])
        ):
            known = requirements(needed[0], known)
    return known


def absent_modules() -> list[str]:
    """Top-level modules of everything in this environment that a plain installation would not bring."""
    plain = requirements("twilio-notifications")
    owners = packages_distributions()
    return [module for module, names in owners.items() if plain.isdisjoint(map(normal, names))]


def module_names() -> list[str]:
    """The package's modules as `import` names them, without those that need an extra."""
    paths = (Path(module.name).with_suffix("") for module in modules())
    names = (".".join((SOURCE.name, *path.parts)).removesuffix(".__init__") for path in paths)
    return [name for name in names if not name.startswith(NEEDS_AN_EXTRA)]


def test_a_plain_installation_imports_every_module_that_needs_no_extra() -> None:
    """Neither a development tool nor an extra may be needed to run the connector."""
    absent = absent_modules()
    assert {"amqtt", "awsiot", "h11", "prometheus_client", "pytest", "twilio"} <= set(absent), (
        "this environment cannot show it"
    )
    command = [sys.executable, "-c", IMPORT_ALL, ",".join(absent), *module_names()]
    imported = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert 0 == imported.returncode, imported.stderr


def test_the_command_loads_no_extra_even_where_they_are_installed() -> None:
    """A start costs what the command needs: the demo's broker alone would take longer than all the rest."""
    command = [sys.executable, "-c", IMPORT_ALL, "", "twilio_notifications.__main__"]
    imported = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert 0 == imported.returncode, imported.stderr
    assert set() == {
        "aiohttp",
        "amqtt",
        "awsiot",
        "h11",
        "jinja2",
        "prometheus_client",
        "starlette",
        "twilio",
        "uvicorn",
        "uvloop",
    } & set(imported.stdout.split())
