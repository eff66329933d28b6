"""What a connector takes of its machine over time, and whether any of it grows that should not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING, Final

from bench.picture import Panel, Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MEGA: Final = 1e6
MEMORY_BYTES: Final = 8e6
"""A start is followed by some growth: caches fill, and the allocators keep what they had once."""
FILES: Final = 3
"""Connections to Twilio come and go."""
JOURNAL_SHARE: Final = 0.1
"""Of the journal's limit: room that deleted rows leave is used again, a little later."""
FEWEST: Final = 4
"""Samples from which a trend is worked out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a connector takes at one instant, in seconds since the beginning."""

    at: float
    life: int
    """Which start of the program it is."""
    memory_bytes: int
    files: int
    journal_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How much something has grown from the first to the last sample that counts, by its trend."""

    name: str
    grown: float
    allowed: float

    @property
    def is_too_much(self) -> bool:
        return self.grown > self.allowed

    def __str__(self) -> str:
        verdict = "IT GROWS" if self.is_too_much else "steady"
        return f"{self.name}: {self.grown:+.1f} in the second half, at most {self.allowed:+.1f}: {verdict}"


def growth(samples: Sequence[Sample], *, journal_limit: float | None) -> tuple[Growth, ...]:
    """Whether something grows in the samples of the last life, those of the first half of the run left out.

    Memory and files of an earlier life say nothing about this one. The journal may grow up to its limit; it
    is not judged where that is None.
    """
    half = (samples[0].at + samples[-1].at) / 2
    judged = [one for one in samples if one.life == samples[-1].life and one.at >= half]
    found = [
        Growth(
            name="memory, MB",
            grown=trend([(one.at, one.memory_bytes) for one in judged]) / MEGA,
            allowed=MEMORY_BYTES / MEGA,
        ),
        Growth(
            name="file descriptors",
            grown=trend([(one.at, one.files) for one in judged]),
            allowed=FILES,
        ),
    ]
    if journal_limit is not None:
        room = max(journal_limit - judged[0].journal_bytes, JOURNAL_SHARE * journal_limit)
        grown = trend([(one.at, one.journal_bytes) for one in judged])
        found.append(Growth(name="journal, MB", grown=grown / MEGA, allowed=room / MEGA))
    return tuple(found)


def trend(points: Sequence[tuple[float, float]]) -> float:
    """How much the values grow over all points, by the median slope of all pairs: peaks do not move it.

    0 where there are too few points for a trend.
    """
    if len(points) < FEWEST:
        return 0.0
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2) if x2 > x1]
    return median(slopes) * (points[-1][0] - points[0][0])


def picture(samples: Sequence[Sample], kills: Sequence[float], *, title: str, subtitle: str) -> Picture:
    """All samples over time; the part that counts for the growth has a ground of its own."""
    values: Mapping[str, Callable[[Sample], float]] = {
        "resident memory, MB": lambda one: one.memory_bytes / MEGA,
        "open file descriptors": lambda one: one.files,
        "journal with its log, MB": lambda one: one.journal_bytes / MEGA,
    }
    return Picture(
        title=title,
        subtitle=subtitle,
        seconds=samples[-1].at,
        panels=[Panel(title=name, points=_with_gaps(samples, value)) for name, value in values.items()],
        marks=kills,
        judged_from=samples[-1].at / 2,
    )


def _with_gaps(
    samples: Sequence[Sample], value: Callable[[Sample], float]
) -> list[tuple[float, float | None]]:
    points: list[tuple[float, float | None]] = []
    for before, one in zip([samples[0], *samples], samples, strict=False):
        if before.life != one.life:
            points.append((one.at, None))
        points.append((one.at, value(one)))
    return points
