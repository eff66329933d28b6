"""Decides when the process may end itself, so that the nucleus starts it again. The decision is pure.

A nucleus gives up a component that ends too often, until the next deployment: nucleus lite after three
ends within an hour, the classic nucleus after three ends without an hour between two of them. So a second
end may come soon after the first, but the run after that lasts longer than an hour, even if it can do no
work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config.files import read_plain

if TYPE_CHECKING:
    from pathlib import Path

REST_SECONDS = 3630.0
"""An hour, and a margin for clocks that differ."""

LEAST_FAILURES = 3
"""A daemon that is starting may refuse a token that it will know a moment later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """`started_at` is the start of this run, `started_before` that of the last run; None: there was none."""

    started_at: float
    started_before: float | None
    rest_seconds: float = REST_SECONDS

    def is_over(self, *, now: float, failures: int) -> bool:
        """Whether the process may end at `now`, after this number of failures in a row."""
        return failures >= LEAST_FAILURES and now >= self.may_end_at

    @property
    def may_end_at(self) -> float:
        """The earliest instant for an end: before it, the nucleus might give up the component."""
        before = self.started_before
        # The absolute difference, because the clock may have been set between the two starts.
        is_rested = before is None or abs(self.started_at - before) >= self.rest_seconds
        return self.started_at if is_rested else self.started_at + self.rest_seconds


def remembered_start(path: Path, *, now: float) -> float | None:
    """The start of the last run, from this file; None: there was none. Writes `now` into the file.

    A failing disk, or a file of another program, counts as a start just now. Too few ends only cost time;
    too many cost the component.
    """
    try:
        before = float(read_plain(path, most_bytes=100).decode("ascii")) if path.exists() else None
    except (OSError, ValueError):
        before = now
    try:
        path.write_text(repr(now), encoding="ascii")
    except OSError:
        before = now  # the next run cannot know the start of this one
    return before
