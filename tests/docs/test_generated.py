"""The pages that repeat the code are what the code says, down to the last option."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

import pytest

from docs.generate import MEANINGS, commands_page, pages
from tests.docs.markdown import DOCS
from tests.support.needs import ROOT
from twilio_notifications import cli
from twilio_notifications.core.lifecycle import TRANSITIONS, State
from twilio_notifications.outline import outline

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", sorted(pages()), ids=lambda path: path.name)
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    """Where this fails: python -m docs.generate."""
    assert pages()[path] == path.read_text(encoding="utf-8")


def test_every_step_of_the_lifecycle_is_an_arrow_of_the_diagram() -> None:
    page = (DOCS / "reference" / "states.md").read_text(encoding="utf-8")
    steps = {
        (str(state), str(to), str(event)) for state, row in TRANSITIONS.items() for event, to in row.items()
    }
    drawn = set(re.findall(r"^    (\w+) --> (\w+): (.+)$", page, re.MULTILINE))
    assert steps == drawn


def test_every_state_is_explained() -> None:
    assert set(State) == set(MEANINGS)


def spoken_help(*words: str) -> str:
    """What the program itself prints, as people see it."""
    parser = cli.parser()
    for word in words:
        (subparsers,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
        parser = subparsers.choices[word]
    return parser.format_help()


COMMANDS = re.findall(
    r"^##+ twilio-notifications (.+)$",
    (DOCS / "reference" / "commands.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def test_the_page_has_a_heading_for_each_command_of_the_help() -> None:
    expected = set(re.findall(r"^    (\w+)(?: |$)", spoken_help(), re.MULTILINE))
    assert expected == {command.split()[0] for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_the_help_is_on_the_page(command: str) -> None:
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    section = re.split(r"^##+ ", page.split(f"# twilio-notifications {command}\n")[1], flags=re.MULTILINE)[0]
    options = set(re.findall(r"--[a-z-]+", spoken_help(*command.split()))) - {"--help"}
    assert [] == sorted(option for option in options if f"`{option}" not in section)


def test_the_usage_tells_required_from_optional() -> None:
    parser = argparse.ArgumentParser(prog="program")
    parser.add_argument("--needed", required=True, metavar="X")
    parser.add_argument("--may-be", choices=["a", "b"])
    parser.add_argument("FILE")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--one", action="store_true")
    either.add_argument("--other", action="store_true")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--csv", action="store_true")
    shown = "program --needed X [--may-be a|b] FILE (--one | --other) [--json | --csv]"
    assert shown == outline(parser).usage


def test_a_bar_in_a_choice_does_not_end_its_cell() -> None:
    parser = argparse.ArgumentParser(prog="program", epilog="The end.")
    commands = parser.add_subparsers()
    commands.add_parser("go", description="Goes.").add_argument("--to", choices=["a", "b"], help="where")
    assert "| `--to a\\|b` | where |" in commands_page(outline(parser))


def test_make_docs_writes_them() -> None:
    assert "-m docs.generate" in (ROOT / "Makefile").read_text(encoding="utf-8")
