"""How far to read the list of the account's texts or calls. Instants are seconds since the epoch.

A page shows many records, newest first, and costs more than a look at one of them. Pages can only be read one
after the other, from the newest on, so what is older costs the pages before it, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_notifications.core.delivery.receipts import ReceiptPage

PAGE_PRICE: Final = 2
"""Looks that cost as much as a page: it is one request too, with many records that are not needed."""

MARGIN_SECONDS: Final = 2.0
"""By how much our instant of the acceptance and Twilio's of the creation, in whole seconds, differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """The time that one page covers: when its newest and its oldest record were created."""

    newest: float
    oldest: float

    @classmethod
    def by(cls, page: ReceiptPage) -> Self | None:
        """By this page; None: it shows nothing that could be read."""
        created = [one.created_at for one in page.receipts if one.created_at is not None]
        return cls(newest=max(created), oldest=min(created)) if created else None

    def reaches(self, begun_at: float) -> bool:
        """Whether this page or one before it shows what was accepted then, if any page does."""
        return begun_at >= self.oldest + MARGIN_SECONDS

    def worth_reading_after(self, begun_at: Iterable[float]) -> float | None:
        """The oldest of these acceptances down to which it is worth to read on after this page.

        None: looks at each of them are cheaper. Each further page probably covers as much time as this one.
        What this page should have shown is on no later one, and so does not count.
        """
        later = [at for at in begun_at if not self.reaches(at)]
        return _worth_reading(later, below=self.oldest - MARGIN_SECONDS, seconds=self.seconds)

    def worth_reading(self, begun_at: Iterable[float]) -> float | None:
        """The same from the beginning of the list on, where this was its first page some time ago.

        What is older than that page is surely not on the first page now: only newer records come to it.
        """
        return _worth_reading(begun_at, below=self.oldest + self.seconds, seconds=self.seconds)

    @property
    def seconds(self) -> float:
        """At least one: Twilio says when in whole seconds."""
        return max(1.0, self.newest - self.oldest)


def _worth_reading(begun_at: Iterable[float], *, below: float, seconds: float) -> float | None:
    """The oldest that pages of so many seconds each, the first of which begins at `below`, show for less."""
    best, found = 0, None
    for shown, at in enumerate(sorted(begun_at, reverse=True), start=1):
        saved = shown - PAGE_PRICE * max(1, ceil((below - at) / seconds))
        if saved >= best:
            best, found = saved, at
    return found
