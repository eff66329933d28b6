"""Draws a diagram of states as a picture of the site, from the text that forges draw by themselves.

Mermaid, which draws such texts in a browser, would be loaded from another server.
States stand in a column; arrows forward go along its right side, arrows back along its left side.
"""  # noqa: INP001 - a folder of documents is no package

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BLOCK = re.compile(r"^```mermaid\nstateDiagram-v2\n(?P<steps>.*?)^```$", re.DOTALL | re.MULTILINE)
_STEP = re.compile(r"^ *(\S+) --> (\S+): (.+)$", re.MULTILINE)

OUTSIDE = "[*]"
"""The name that the text gives to both the beginning and the end of the states."""

ROW = 84
BOX_WIDTH, BOX_HEIGHT = 130, 34
DOT = 7
LEFT, RIGHT = 230, 330
"""How much room the arrows and their words need on each side of the boxes."""
MIDDLE = LEFT + BOX_WIDTH // 2
REACH = 48
"""How far an arrow goes aside, for each state that it passes or reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """From one row to another one, or to the same; its words are one line."""

    start: int
    end: int
    words: str


def on_page_markdown(markdown: str, **_: object) -> str:
    """The page with each diagram of states as a picture; MkDocs calls it."""
    return BLOCK.sub(lambda block: picture(_STEP.findall(block["steps"])), markdown)


def picture(steps: Sequence[tuple[str, str, str]]) -> str:
    """An element of HTML in one line; it takes its colour from the text around it."""
    rows = _rows(steps)
    width, height = LEFT + BOX_WIDTH + RIGHT, ROW * len(rows)
    arrows = [
        _straight(arrow) if arrow.end - arrow.start == 1 else _curved(arrow) for arrow in _arrows(steps, rows)
    ]
    head = '<path d="M0,0 L8,4 L0,8 z" fill="currentColor"/>'
    marker = (
        f'<marker id="head" markerWidth="8" markerHeight="8" refX="8" refY="4" orient="auto">{head}</marker>'
    )
    style = "max-width:100%;height:auto;font-size:14px"
    opening = f'<svg viewBox="0 0 {width} {height}" width="{width}" style="{style}" role="img">'
    title = "<title>The states of the table above, and the steps between them</title>"
    return f"<div>{opening}{title}<defs>{marker}</defs>{''.join([*_states(rows), *arrows])}</svg></div>"


def _rows(steps: Sequence[tuple[str, str, str]]) -> Mapping[str, int]:
    """The row of each state: the beginning, the states in the order in which steps leave them, the end."""
    left, reached = [step[0] for step in steps], [step[1] for step in steps]
    states = [state for state in dict.fromkeys(left + reached) if state != OUTSIDE]
    order = ["", *states, OUTSIDE]
    return {state: row for row, state in enumerate(order)}


def _arrows(steps: Sequence[tuple[str, str, str]], rows: Mapping[str, int]) -> Iterator[Arrow]:
    """One arrow for all steps from one state to another one."""
    words: dict[tuple[int, int], list[str]] = {}
    for left, reached, word in steps:
        key = (rows["" if left == OUTSIDE else left], rows[reached])
        words.setdefault(key, []).append(word)
    for (start, end), each in words.items():
        yield Arrow(start=start, end=end, words=", ".join(each))


def _states(rows: Mapping[str, int]) -> Iterator[str]:
    for state, row in rows.items():
        y = _height(row)
        if state in {"", OUTSIDE}:
            yield f'<circle cx="{MIDDLE}" cy="{y}" r="{DOT}" fill="currentColor"/>'
            continue
        box = f'x="{LEFT}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"'
        yield f'<rect {box} fill="none" stroke="currentColor"/>'
        yield _words(MIDDLE, y, "middle", state)


def _straight(arrow: Arrow) -> str:
    """From a row to the next one."""
    first, last = _height(arrow.start) + BOX_HEIGHT // 2, _height(arrow.end) - BOX_HEIGHT // 2
    words = _words(MIDDLE + 8, (first + last) // 2, "start", arrow.words)
    return _path(f"M{MIDDLE},{first} L{MIDDLE},{last}") + words


def _curved(arrow: Arrow) -> str:
    """To a row further down, on the right; to one further up, or the same, on the left."""
    span = arrow.end - arrow.start
    side, edge, anchor = (1, LEFT + BOX_WIDTH, "start") if span > 0 else (-1, LEFT, "end")
    reach = REACH * max(abs(span), 1)
    from_dot = arrow.start == 0
    x, first = (MIDDLE + DOT, _height(0)) if from_dot else (edge, _height(arrow.start) + 8 * side)
    last, aside = _height(arrow.end) - 8 * side, edge + side * reach
    words = _words(edge + side * (reach * 3 // 4 + 8), (first + last) // 2, anchor, arrow.words)
    return _path(f"M{x},{first} C{aside},{first} {aside},{last} {edge},{last}") + words


def _height(row: int) -> int:
    return ROW // 2 + ROW * row


def _path(steps: str) -> str:
    return f'<path d="{steps}" fill="none" stroke="currentColor" marker-end="url(#head)"/>'


def _words(x: int, y: int, anchor: str, words: str) -> str:
    place = f'x="{x}" y="{y}" text-anchor="{anchor}" dominant-baseline="middle"'
    return f'<text {place} fill="currentColor">{escape(words)}</text>'
