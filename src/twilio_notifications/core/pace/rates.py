"""How fast a sender may send, in whole microseconds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

SLOWEST: Final = 0.001
FASTEST: Final = 1_000.0
"""Segments, or calls, in a second: the bounds of a rate."""

MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many units (segments of texts, or calls) in a second."""

    interval: int
    """Microseconds that one unit takes up. Rounded up, so that the sender is never faster than its rate."""
    at_once: int
    """Units that may leave together after a pause: what one second allows, and never less than one."""

    @classmethod
    def per_second(cls, units: float) -> Self:
        """The rate of so many units in a second, from SLOWEST to FASTEST."""
        return cls(interval=math.ceil(MICROSECONDS / units), at_once=max(1, math.floor(units)))

    @classmethod
    def of_interval(cls, interval: int) -> Self:
        """The rate whose unit takes up so many microseconds."""
        most = -(-MICROSECONDS // interval)
        is_whole = -(-MICROSECONDS // most) == interval
        return cls(interval=interval, at_once=max(1, most if is_whole else MICROSECONDS // interval))

    @property
    def burst(self) -> int:
        """Microseconds that `at_once` units take up."""
        return self.at_once * self.interval
