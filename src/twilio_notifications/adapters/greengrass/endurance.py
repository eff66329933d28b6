"""When the process may end itself, so that the nucleus starts it anew. Pure.

A nucleus gives a component up that ends too often, and then it stays down until it is deployed again: nucleus
lite after three ends within an hour, the classic one after three without an hour between two of them.
So a run lasts longer than an hour, however hopeless it is.
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST_RUN_SECONDS = 3630.0
"""An hour, and something for clocks that disagree."""

LEAST_FAILURES = 3
"""A daemon that is just starting may refuse once what it will know in a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endurance:
    """`started_at` is when this run began."""

    started_at: float
    least_run_seconds: float = LEAST_RUN_SECONDS

    def is_over(self, *, now: float, failures: int) -> bool:
        """Whether to end after so many failures in a row that only a new start can mend."""
        return failures >= LEAST_FAILURES and now - self.started_at >= self.least_run_seconds
