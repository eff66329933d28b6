"""What attempts use up of the operator's limits."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one attempt uses up of a scope, in the window that began at `since`."""

    scope: str
    since: float
    amount: int = 1
    most: int | None = None
    """What may be used of the window; None: an attempt is charged however much is used already."""
    of_account: bool = False
    """Whether requests to several recipients use up the same window."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What has been used: scope and beginning of the window → amount."""

    used: Mapping[tuple[str, float], int]

    def of(self, charge: Charge) -> int:
        """How much of the charge's window is used."""
        return self.used.get((charge.scope, charge.since), 0)

    def latest(self, scope: str) -> float | None:
        """When the newest window of a scope began."""
        return max((since for name, since in self.used if name == scope), default=None)

    def plus(self, charges: Iterable[Charge]) -> Tally:
        """With these charges."""
        used = dict(self.used)
        for charge in charges:
            key = (charge.scope, charge.since)
            used[key] = used.get(key, 0) + charge.amount
        return Tally(used)

    def admitted(self, wanted: Mapping[int, Sequence[Charge]]) -> dict[int, Sequence[Charge]]:
        """Those of the attempts for which there is room, one after the other, with their charges."""
        used = dict(self.used)
        admitted: dict[int, Sequence[Charge]] = {}
        for attempt, charges in wanted.items():
            then: dict[tuple[str, float], int] = {}
            for one in charges:
                key = one.scope, one.since
                then[key] = then.get(key, used.get(key, 0)) + one.amount
            if all(one.most is None or then[one.scope, one.since] <= one.most for one in charges):
                used |= then
                admitted[attempt] = charges
        return admitted


NOTHING_USED: Final = Tally(MappingProxyType({}))
