"""When the process may end itself, so that the nucleus starts it again. The decision is pure.

A nucleus gives a component up that ends too often, and then it stays down until it is deployed again: nucleus
lite after three ends within an hour, the classic one after three without an hour between two of them. So one
end may follow soon on another, and the run after that lasts longer than an hour, however hopeless it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config.files import read_plain

if TYPE_CHECKING:
    from pathlib import Path

REST_SECONDS = 3630.0
"""An hour, and something for clocks that disagree."""

LEAST_FAILURES = 3
"""A daemon that is just starting may refuse once what it will know in a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """`started_at` is when this run began, `started_before` when the last one did; None: there was none."""

    started_at: float
    started_before: float | None
    rest_seconds: float = REST_SECONDS

    def is_over(self, *, now: float, failures: int) -> bool:
        """True when so many failures in a row are enough to end the process for a new start."""
        return failures >= LEAST_FAILURES and now >= self.may_end_at

    @property
    def may_end_at(self) -> float:
        """The process must not end before this instant: the nucleus might give the component up."""
        before = self.started_before
        # Either way round: the clock may have been set between the two.
        is_rested = before is None or abs(self.started_at - before) >= self.rest_seconds
        return self.started_at if is_rested else self.started_at + self.rest_seconds


def remembered_start(path: Path, *, now: float) -> float | None:
    """When the last run began, by what it has left in this file; leaves there that one begins `now`.

    A disk that fails, or a file of another program's, counts as a start a moment ago: to end too
    seldom costs a wait, to end too often costs the component.
    """
    try:
        before = float(read_plain(path, most_bytes=100).decode("ascii")) if path.exists() else None
    except (OSError, ValueError):
        before = now
    try:
        path.write_text(repr(now), encoding="ascii")
    except OSError:
        before = now  # the next run would not know of this one
    return before
