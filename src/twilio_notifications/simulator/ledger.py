"""A list that grows by its end, and forgets its oldest entries where it may keep only so many."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Generic, TypeVar

Entered = TypeVar("Entered")


@dataclass(slots=True, kw_only=True)
class KeptLedger(Generic[Entered]):
    """Entries in order. At least the latest `keep` of them stay; None: all of them."""

    keep: int | None = None
    entries: list[Entered] = field(default_factory=list)
    forgotten: int = 0

    @property
    def total(self) -> int:
        """The number of entries that were ever added."""
        return self.forgotten + len(self.entries)

    def add(self, entry: Entered) -> None:
        self.entries.append(entry)
        # A tenth at once: removing the first entry of a list moves all the others.
        if self.keep is not None and len(self.entries) > self.keep + self.keep // 10:
            excess = len(self.entries) - self.keep
            del self.entries[:excess]
            self.forgotten += excess

    def page(self, start: int, limit: int) -> tuple[int, list[Entered]]:
        """At most `limit` entries from the place `start` on, or from the first one kept, with its place."""
        start = max(start, self.forgotten)
        skipped = start - self.forgotten
        return start, list(islice(self.entries, skipped, skipped + limit))
