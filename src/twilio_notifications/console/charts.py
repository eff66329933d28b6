"""The small charts of the overview: numbers of an hour become bars, in units of the picture. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT = 240.0, 48.0
_GAP = 2.0
_SMALLEST = 2.0
"""Height of the bar of a number that is not 0, however small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One hour."""

    x: float
    y: float
    width: float
    height: float
    at: float
    """When the hour begins."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A row of bars. `tone` is the class of its colour."""

    title: str
    tone: str
    bars: tuple[Bar, ...]
    total: int
    most: int
    """In one hour."""


def chart(title: str, tone: str, counts: Sequence[tuple[float, int]]) -> Chart:
    """The chart of these numbers, each with the instant at which its hour begins; the oldest first."""
    most = max((count for _, count in counts), default=0)
    step = WIDTH / max(len(counts), 1)
    bars = []
    for place, (at, count) in enumerate(counts):
        height = max(HEIGHT * count / most, _SMALLEST) if count else 0.0
        bars.append(
            Bar(
                x=round(place * step, 2),
                y=round(HEIGHT - height, 2),
                width=round(step - _GAP, 2),
                height=round(height, 2),
                at=at,
                count=count,
            )
        )
    return Chart(title=title, tone=tone, bars=tuple(bars), total=sum(count for _, count in counts), most=most)
