"""What py-spy saw: stacks of functions, and the part of the program to which each function belongs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGE = "twilio_notifications"
LIBRARIES: Mapping[str, str] = {"json": "json", "asyncio": "event loop", "uvloop": "event loop"}
"""Folders of other packages that are parts of their own; any other counts for the function that calls it."""
WAITS = "threading.py"
"""A thread whose innermost function is in this file waits; py-spy takes some of these waits for work."""
FRAME = re.compile(r"(?P<function>.+) \((?P<path>[^()]+?)(?::\d+)?\)$")
"""A frame as py-spy writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Frames from the outermost to the innermost function, seen `count` times in this thread."""

    thread: str
    frames: tuple[str, ...]
    count: int


def read(lines: Iterable[str]) -> list[Stack]:
    """The stacks in py-spy's format `raw`: `THREAD;FRAME;FRAME COUNT`. Waiting threads are left out."""
    stacks = []
    for line in lines:
        joined, _, count = line.rpartition(" ")
        thread, *frames = joined.split(";")
        if not (frames and WAITS in frames[-1]):
            stacks.append(Stack(thread=thread, frames=tuple(frames), count=int(count)))
    return stacks


def part(frame: str) -> str | None:
    """The part of the program that a frame belongs to; None for one that counts for its caller."""
    match = FRAME.match(frame)
    folders = Path(match["path"]).with_suffix("").parts if match else ()
    if PACKAGE in folders:
        inside = folders[len(folders) - folders[::-1].index(PACKAGE) :]
        return ".".join(inside[:2]) or PACKAGE
    return next((LIBRARIES[folder] for folder in folders if folder in LIBRARIES), None)
