"""Deliveries that the journal cannot judge yet: it is asked again, while their connection stands."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ASK_AGAIN_SECONDS: Final = 0.25

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Undecided(Generic[T]):
    """What another connector may have recorded, and so is neither recorded nor acknowledged."""

    put: Callable[[T], None]
    """Has one of them recorded, if it can be."""
    connection: int = field(init=False, default=0)
    """Counts the connections to the broker."""
    _kept: list[T] = field(init=False, default_factory=list)

    def keep(self, one: T, *, over: int) -> bool:
        """Whether it is put again; False where the connection that it came over has ended.

        Then the broker delivers it again, to this connector or to another one.
        """
        if over != self.connection:
            return False
        if not self._kept:
            asyncio.get_running_loop().call_later(ASK_AGAIN_SECONDS, self._put_all)
        self._kept.append(one)
        return True

    def connection_ended(self) -> Sequence[T]:
        """Those that came over the connection, which are put no more."""
        self.connection += 1
        kept, self._kept = self._kept, []
        return kept

    def _put_all(self) -> None:
        kept, self._kept = self._kept, []
        for one in kept:
            self.put(one)
