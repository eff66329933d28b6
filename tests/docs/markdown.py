"""Markdown documents as the tests read them: their fenced blocks and the rows of their tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DOCS = ROOT / "docs"
HOW_TO = sorted((DOCS / "how-to").glob("*.md"))
DOCUMENTS = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.rglob("*.md"))]

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block. `place` is what a failing test shows."""

    place: str
    language: str
    text: str


def blocks(path: Path, language: str) -> Iterator[Block]:
    """The fenced blocks of one language, each with the line where it begins."""
    page = path.read_text(encoding="utf-8")
    for match in _FENCE.finditer(page):
        if match["language"] == language:
            line = page.count("\n", 0, match.start()) + 1
            place = f"{path.relative_to(ROOT)}:{line}"
            yield Block(place=place, language=language, text=match["text"])


def prose(path: Path) -> str:
    """A document without its fenced blocks."""
    return _FENCE.sub("", path.read_text(encoding="utf-8"))


def rows(path: Path, *, header: str) -> Iterator[tuple[str, ...]]:
    """The cells of each row of the tables whose first column has this heading."""
    inside = False
    for line in prose(path).splitlines():
        cells = tuple(cell.strip() for cell in _BAR.split(line)[1:-1])
        if not cells:
            inside = False
        elif inside and set("".join(cells)) - set("-: "):
            yield cells
        elif cells[0] == header:
            inside = True


def codes(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def name_of(value: object) -> str:
    """How pytest names a parameter."""
    return value.place if isinstance(value, Block) else str(value)
