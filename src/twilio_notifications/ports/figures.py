"""How things stand at an instant, as far as no event says it: what waits, and what the quotas have left."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.errors import WaitReason
    from twilio_notifications.core.policy import Quota


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The requests that wait."""

    waiting: Mapping[WaitReason | None, int] = field(default_factory=lambda: MappingProxyType({}))
    """How many, by what they wait for; None: for a free place, or for their first attempt. Without zeros."""
    oldest_at: float | None = None
    """When the oldest of them was accepted; None: none waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """How much of a quota is used in the present window."""

    quota: Quota
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything that is asked for, at one instant."""

    at: float
    backlog: Backlog
    quotas: tuple[QuotaUse, ...]


class BacklogSource(Protocol):
    """Counts what waits, next to the connector's own work, which it does not hold up."""

    async def backlog(self, *, now: float) -> Backlog:
        """What waits; raises JournalError where the journal cannot be read now."""
