"""What a connector takes ahead of a limit for the account that it shares with others.

So that the texts of several connectors need not all change one row, each connector takes some of the window
ahead, and uses that up by itself. What is taken counts as used for the others, so the sum never exceeds the
limit. What is not used is taken back where the others need it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

AHEAD_SECONDS: Final = 1.0
"""A connector takes as much ahead as it uses in this time."""

_SHORTEST_SECONDS: Final = 0.001

_LOW: Final = 4
"""More is taken when this part of what was taken last is left: then the next attempt need not wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """What a connector may still use of a window, and how fast it has used the window lately."""

    since: float
    most: int
    unused: int = 0
    taken: int = 0
    """What it had when it took something last."""
    taken_at: float = 0.0
    """By the clock that counts from the start of the machine."""
    spent: int = 0
    """What it has used since then."""

    def suffices(self, amount: int) -> bool:
        return amount <= self.unused

    def is_low(self, amount: int) -> bool:
        """Whether more should be taken, once this amount is used."""
        return self.unused - amount < self.taken // _LOW

    def to_take(self, amount: int, *, rest: int, members: int, now: float) -> int:
        """What to take of the rest of the window, to use this amount now and more of it soon.

        Ahead goes what it would use in the next second, but at most twice what it had: a burst may be short.
        Near the end of the window nothing is taken ahead, and less than is needed where the rest is less.
        """
        missing = max(0, amount - self.unused)
        if missing >= rest:
            return max(0, rest)
        lasted = max(now - self.taken_at, _SHORTEST_SECONDS)
        ahead = min(2 * self.taken, int(self.spent / lasted * AHEAD_SECONDS))
        wanted = amount + ahead - self.unused - missing
        return missing + max(0, min(wanted, (rest - missing) // (2 * members)))

    def took(self, amount: int, *, now: float) -> Reservation:
        unused = self.unused + amount
        return replace(self, unused=unused, taken=unused, taken_at=now, spent=0)

    def used(self, amount: int) -> Reservation:
        """Negative: what was charged is not used after all."""
        return replace(self, unused=self.unused - amount, spent=max(0, self.spent + amount))

    def of(self, *, since: float, most: int) -> Reservation:
        """Nothing of another window, which is used as fast as this one until more is known."""
        return replace(self, since=since, most=most, unused=0)
