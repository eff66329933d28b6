"""Tells the log, and those who watch the journal's disk, when it fails and when it works again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from twilio_notifications.ports.events import JournalAvailable, JournalUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.ports import Events


@dataclass(slots=True, kw_only=True)
class Disk:
    """The writer's thread tells it of a fault; it tells those who watch, in the event loop."""

    journal: str
    events: Events
    _fault: str | None = field(init=False, default=None)
    """None: it works."""
    _hear: Callable[[str | None], None] | None = field(init=False, default=None)
    _lock: Lock = field(init=False, default_factory=Lock)

    def watch(self, *, on_fault: Callable[[str], None], on_recovery: Callable[[], None]) -> None:
        """From now on calls these in the running event loop; the first one soon, where it fails already."""
        loop = asyncio.get_running_loop()

        def hear(fault: str | None) -> None:
            if fault is None:
                loop.call_soon_threadsafe(on_recovery)
            else:
                loop.call_soon_threadsafe(on_fault, fault)

        with self._lock:
            self._hear = hear
            if self._fault is not None:
                hear(self._fault)

    def failed(self, fault: str) -> None:
        self.events.tell(JournalUnavailable(journal=self.journal, error=fault))
        self._is(fault)

    def recovered(self) -> None:
        self.events.tell(JournalAvailable(journal=self.journal))
        self._is(None)

    def _is(self, fault: str | None) -> None:
        with self._lock:
            self._fault = fault
            if self._hear is not None:
                self._hear(fault)
