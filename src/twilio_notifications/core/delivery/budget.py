"""How often Twilio may be asked about deliveries. Nothing here waits or looks at a clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

_MINUTE: Final = 60.0
_BURST_SHARE: Final = 6
"""A sixth of a minute's requests may be made at once, so that the looks of one moment need not queue."""

_ALMOST: Final = 1.0 - 1e-6
"""A float that is filled in steps is never exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A bucket of tokens, one for each request: within any minute no more than `per_minute` leave it."""

    per_minute: int
    tokens: float
    filled_at: float
    """When `tokens` was right."""

    @classmethod
    def of(cls, per_minute: int, *, now: float) -> Self:
        """The budget of a connector that has just started, perhaps right after another one: one request."""
        return cls(per_minute=per_minute, tokens=1.0, filled_at=now)

    @property
    def capacity(self) -> int:
        """Requests that may be made at once."""
        return max(1, self.per_minute // _BURST_SHARE)

    @property
    def rate(self) -> float:
        """Tokens a second: with a full bucket at its beginning, a minute still has no more than it may."""
        return ((self.per_minute + 1) * _ALMOST - self.capacity) / _MINUTE

    def filled(self, *, now: float) -> Self:
        """The budget at `now`; a clock that was set back fills nothing."""
        gained = max(0.0, now - self.filled_at) * self.rate
        return replace(self, tokens=min(float(self.capacity), self.tokens + gained), filled_at=now)

    def may_ask_at(self) -> float:
        """From when on the next request may be made."""
        return self.filled_at + max(0.0, _ALMOST - self.tokens) / self.rate

    def spent(self) -> Self:
        """The budget after one request, which was filled up to then."""
        return replace(self, tokens=max(0.0, self.tokens - 1.0))
