"""Waits: what lasts and keeps requests waiting, and the rules by which they were judged last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.core.errors import WaitReason
    from twilio_notifications.core.pace import PacedSender


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A state that lasts and for whose end requests wait. Reason, `about` and `begun_at` name it."""

    reason: WaitReason
    about: str = ""
    """Channel and sender number, the sentence of the limit, or the window; empty: the whole account."""
    message: str
    begun_at: float
    until: float | None = None
    """When it ends; None: that is not known."""
    ended_at: float | None = None
    """None: it lasts."""


class Waits(Protocol):
    """What the pauses and the rules need of the journal.

    Each coroutine returns when its change is on disk. It raises JournalClosed where the journal was closed
    first, and JournalDamaged or JournalMoved where its files cannot be used any more.
    """

    def watch_disk(self, *, on_fault: Callable[[str], None], on_recovery: Callable[[], None]) -> None:
        """From now on calls these in the running event loop when the disk fails, and when it works again.

        Where it fails already, `on_fault` is called soon.
        """

    async def keep_pauses(self, changed: Sequence[Pause]) -> None:
        """Writes pauses that began, changed or ended."""

    async def lasting_pauses(self) -> list[Pause]:
        """Those that have not ended, oldest first."""

    async def stalled_senders(self, *, now: float) -> Mapping[PacedSender, float]:
        """The senders whose queue at Twilio is full, and until when nothing leaves from them."""

    async def rules(self) -> str | None:
        """The fingerprint of the rules by which requests were judged last; None: of none yet."""

    async def keep_rules(self, fingerprint: str) -> None:
        """Keeps this fingerprint in place of the last one."""
