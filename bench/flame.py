"""Sampled stacks → a flame graph in SVG: the wider a function, the more samples it or what it calls was in.

Pure. A caller stands above what it calls; hovering shows a function with its file and its share.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from bench.stacks import FRAME, part

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.stacks import Stack

WIDTH, ROW, TOP, MARGIN = 1200, 17, 46, 10
NARROWEST = 0.0015
"""Functions with a smaller share are left out."""
LETTER = 6.1
"""The width of a letter of the names."""
COLOURS = {
    "core": "#a5d6a7",
    "pipeline": "#90caf9",
    "adapters.sqlite": "#ffcc80",
    "adapters.journal": "#ffcc80",
    "adapters.mqtt": "#ce93d8",
    "adapters.twilio": "#ef9a9a",
    "adapters": "#bcaaa4",
}
"""By the beginning of the part; the first that fits counts."""
OTHERS = "#e0e0e0"
_THREAD = re.compile(r"^thread \(\d+\)(: )?")


@dataclass(slots=True)
class Node:
    """A function as it was called from one place."""

    frame: str
    count: int = 0
    callees: dict[str, Node] = field(default_factory=dict)


def flame_graph(stacks: Sequence[Stack], *, title: str) -> str:
    """The whole document."""
    root = Node("all")
    for stack in stacks:
        _add(root, stack)
    levels = max((len(stack.frames) for stack in stacks), default=0) + 2
    shapes = list(_shapes(root, root.count, left=0.0, level=0))
    height = TOP + ROW * min(levels, 1 + max(level for level, _ in shapes)) + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 2 * MARGIN} {height}">',
            "<style>text{font:10px monospace;fill:#111}.t{font:600 15px sans-serif}rect{stroke:#fff}</style>",
            f'<rect width="{WIDTH + 2 * MARGIN}" height="{height}" fill="#fff"/>',
            f'<text class="t" x="{MARGIN}" y="24">{escape(title)}</text>',
            *(line for _, line in shapes),
            "</svg>\n",
        ]
    )


def _add(root: Node, stack: Stack) -> None:
    """Counts one stack; frames that call themselves over and over are one."""
    node = root
    node.count += stack.count
    for frame in (_THREAD.sub("", stack.thread) or "threads without a name", *stack.frames):
        if frame != node.frame:
            node = node.callees.setdefault(frame, Node(frame))
            node.count += stack.count


def _shapes(node: Node, total: int, *, left: float, level: int) -> Iterator[tuple[int, str]]:
    """The rectangle of a function and of all that it calls, each with its level."""
    yield level, _shape(node, total, left=left, level=level)
    for callee in sorted(node.callees.values(), key=lambda one: -one.count):
        if callee.count / total >= NARROWEST:
            yield from _shapes(callee, total, left=left, level=level + 1)
        left += callee.count / total * WIDTH


def _shape(node: Node, total: int, *, left: float, level: int) -> str:
    name, file = _named(node.frame)
    width, y = node.count / total * WIDTH, TOP + level * ROW
    room = int(width / LETTER) - 1
    shown = name if len(name) <= room else f"{name[: room - 1]}…" if room > 3 else ""
    text = f'<text x="{MARGIN + left + 3:.1f}" y="{y + 12}">{escape(shown)}</text>' if shown else ""
    return (
        f"<g><title>{escape(f'{name} {file}'.strip())}: {node.count / total:.1%}</title>"
        f'<rect x="{MARGIN + left:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}" '
        f'fill="{_colour(node.frame)}"/>{text}</g>'
    )


def _named(frame: str) -> tuple[str, str]:
    """A function, and the last parts of the path of its file; a thread has none."""
    match = FRAME.match(frame)
    return (match["function"], "/".join(Path(match["path"]).parts[-3:])) if match else (frame, "")


def _colour(frame: str) -> str:
    name = part(frame) or ""
    return next((colour for beginning, colour in COLOURS.items() if name.startswith(beginning)), OTHERS)
