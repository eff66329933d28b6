"""The diagram of states on the site: every step of the page is an arrow of the picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from docs.diagram import on_page_markdown, picture
from tests.docs.markdown import DOCS
from twilio_notifications.core.lifecycle import TRANSITIONS, State

PAGE = (DOCS / "reference" / "states.md").read_text(encoding="utf-8")


def drawing() -> ET.Element:
    (found,) = re.findall(r"^<div>.*</div>$", on_page_markdown(PAGE), re.MULTILINE)
    return ET.fromstring(found)  # noqa: S314 - our own picture


def words() -> list[str]:
    return [text.text or "" for text in drawing().iterfind("svg/text")]


def test_the_picture_takes_the_place_of_the_text() -> None:
    page = on_page_markdown(PAGE)
    assert "mermaid" not in page
    assert PAGE.count("\n|") == page.count("\n|")


def test_every_state_is_a_box_in_the_order_of_a_request() -> None:
    assert [str(state) for state in State] == [word for word in words() if word in set(State)]
    assert len(State) == len(list(drawing().iterfind("svg/rect")))


def test_every_step_is_an_arrow_and_steps_between_the_same_states_share_one() -> None:
    pairs = {(state, to) for state, row in TRANSITIONS.items() for to in row.values()}
    beginnings_and_end = 3
    assert len(pairs) + beginnings_and_end == len(list(drawing().iterfind("svg/path")))
    named = {step for word in words() for step in word.split(", ")}
    assert {str(event) for row in TRANSITIONS.values() for event in row} <= named


def test_a_name_cannot_become_a_part_of_the_page() -> None:
    assert "<script>" not in picture([("A", "B", "<script>")])


def test_other_diagrams_stay_as_they_are() -> None:
    page = "```mermaid\nflowchart LR\n    a --> b\n```\n"
    assert page == on_page_markdown(page)
