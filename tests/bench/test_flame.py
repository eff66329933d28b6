"""Stacks become a flame graph: the wider a function, the more samples it was in."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from bench.flame import WIDTH, flame_graph
from bench.stacks import read

FOLDER = "/venv/lib/python3.11/site-packages/twilio_notifications"
RUN = f"run ({FOLDER}/commands/run.py)"
SEND = f"Sender.send ({FOLDER}/adapters/twilio/api.py)"
PARSE = f"parse ({FOLDER}/core/contract/requests.py)"


def the_shapes(*lines: str) -> dict[str, float]:
    """The width of each function, by what hovering shows."""
    drawn = ET.fromstring(flame_graph(read(lines), title="a < b"))  # noqa: S314 - our own document
    found = {}
    for group in drawn.iter("{http://www.w3.org/2000/svg}g"):
        title, shape, *_ = group
        found[title.text or ""] = float(shape.get("width") or 0)
    return found


def test_a_function_is_as_wide_as_its_share() -> None:
    shapes = the_shapes(f"thread (7): Main;{RUN};{SEND} 3", f"thread (7): Main;{RUN};{PARSE} 1")
    assert pytest.approx(WIDTH) == shapes["run twilio_notifications/commands/run.py: 100.0%"]
    assert pytest.approx(WIDTH * 0.75) == shapes["Sender.send adapters/twilio/api.py: 75.0%"]
    assert pytest.approx(WIDTH * 0.25) == shapes["parse core/contract/requests.py: 25.0%"]
    assert "Main: 100.0%" in shapes


def test_what_is_too_narrow_to_see_is_left_out() -> None:
    shapes = the_shapes(f"Main;{RUN};{SEND} 9999", f"Main;{RUN};{PARSE} 1")
    assert not [name for name in shapes if name.startswith("parse")]


def test_no_name_of_a_folder_of_the_machine_is_shown() -> None:
    assert "/venv" not in flame_graph(read([f"Main;{RUN} 1"]), title="a")
