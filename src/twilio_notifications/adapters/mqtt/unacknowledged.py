"""What we published and the broker has not acknowledged, in the form that gmqtt calls persistent storage.

It keeps no bytes: what is not acknowledged when the connection ends is published anew, from the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.core.errors import NotAcknowledged

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Unacknowledged:
    """What we published and the broker has not acknowledged; gmqtt calls this its persistent storage.

    Nothing is stored: what is not acknowledged when the connection ends stands in the journal.
    """

    is_empty = True  # nothing to replay on this connection

    def __init__(self, on_acknowledged: Callable[[], None]) -> None:
        self._on_acknowledged = on_acknowledged
        self._futures: dict[int, asyncio.Future[None]] = {}
        self.next_future: asyncio.Future[None] | None = None

    @property
    def count(self) -> int:
        return len(self._futures)

    def push_message(self, mid: int, _packet: bytes) -> None:
        if self.next_future is not None:
            self._futures[mid] = self.next_future
            self.next_future = None

    def remove_message_by_mid(self, mid: int) -> None:
        future = self._futures.pop(mid, None)
        if future is not None and not future.done():
            future.set_result(None)
        self._on_acknowledged()

    def refuse(self, mid: int, reason: int) -> None:
        future = self._futures.pop(mid, None)
        if future is not None and not future.done():
            future.set_exception(
                NotAcknowledged(f"the broker refused it (reason code {reason})", refused=True)
            )
        self._on_acknowledged()

    def abandon(self) -> list[asyncio.Future[None]]:
        futures = list(self._futures.values())
        self._futures.clear()
        return futures

    async def wait_empty(self) -> None:
        """Called after CONNACK, for replayed messages; there are none."""

    def clear(self) -> None:
        """Called when the broker had no session."""

    def get_all(self) -> list[tuple[int, bytes]]:
        return []
