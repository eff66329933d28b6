"""What callbacks prove of attempts whose answer is not known: the settler settles them so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from twilio_notifications.core.delivery import AttemptName
    from twilio_notifications.core.model import Record
    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.pipeline.alarm import Alarm

MOST_PROOFS: Final = 1000
"""Proofs that are kept. Beyond, the oldest is given up: Twilio's records will say the same."""


@dataclass(slots=True, kw_only=True)
class Proofs:
    """The records of attempts that Twilio carried out, by the number of their request."""

    doubts: Alarm
    """Rung when there is a new one: an attempt in doubt may be settled."""
    _records: dict[int, tuple[AttemptName, Record]] = field(init=False, default_factory=dict)

    def put(self, attempt: AttemptName, record: Record) -> None:
        """Twilio has carried this attempt out."""
        while len(self._records) >= MOST_PROOFS:
            self._records.pop(next(iter(self._records)))
        self._records[attempt.request] = attempt, record
        self.doubts.ring()

    def taken(self, request: Claimed) -> Record | None:
        """What proves the open attempt of this request, for one use; None: nothing does."""
        attempt, record = self._records.pop(request.id, (None, None))
        return None if attempt is None or attempt.attempt != request.attempt else record

    def forget(self, request: int) -> None:
        """The request has ended: no proof of its attempt is needed any more."""
        self._records.pop(request, None)

    @property
    def requests(self) -> AbstractSet[int]:
        """The requests with a proof."""
        return self._records.keys()
