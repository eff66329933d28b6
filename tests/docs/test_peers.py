"""The how-tos for programs that publish show what their examples have, line by line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import DOCS, blocks
from tests.support.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = ROOT / "examples"


def lines_of_flow() -> Iterator[str]:
    """The functions of the flow, whose lines stand in JSON."""
    for node in json.loads((EXAMPLES / "node_red" / "flow.json").read_text(encoding="utf-8")):
        yield from node.get("func", "").splitlines()


def lines_of(name: str) -> set[str]:
    """The lines of a file, those of its comments too, without blanks around them."""
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    return {line.strip().removeprefix("#").strip() for line in text.splitlines()}


@pytest.mark.parametrize(
    ("page", "language", "example"),
    [
        ("home-assistant", "yaml", lines_of("home_assistant/twilio_notifications.yaml")),
        ("node-red", "js", {line.strip() for line in lines_of_flow()}),
        ("zigbee2mqtt", "js", lines_of("zigbee2mqtt/alarm.mjs")),
        ("esphome", "yaml", lines_of("esphome/cellar.yaml")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_page_shows_what_the_example_has(page: str, language: str, example: set[str]) -> None:
    shown = [
        line.strip()
        for block in blocks(DOCS / "how-to" / f"{page}.md", language)
        for line in block.text.splitlines()
        if line.strip()
    ]
    assert shown
    assert [] == [line for line in shown if line not in example]


def test_the_page_of_tasmota_shows_every_command() -> None:
    commands = (EXAMPLES / "tasmota" / "commands.txt").read_text(encoding="utf-8")
    assert commands in [block.text for block in blocks(DOCS / "how-to" / "tasmota.md", "")]
