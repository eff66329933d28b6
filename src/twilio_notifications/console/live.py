"""Tells open pages by server-sent events that something has changed; they then fetch themselves again."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from twilio_notifications.ports.journal.reader import JournalReader, Mark

MOST_LISTENERS = 20
LOOK_SECONDS = 1.0
"""Between two looks at the journal, while a page is open."""
ALIVE_SECONDS = 15.0
"""Between two signs of life, which find out that a browser has gone."""

CHANGED = b"event: changed\ndata: \n\n"
ALIVE = b": alive\n\n"


class Feed:
    """Looks at the journal while a page listens, once for all of them."""

    def __init__(self, reader: JournalReader, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._reader = reader
        self._look_seconds = look_seconds
        self._listeners: set[asyncio.Event] = set()
        self._wanted = asyncio.Event()
        self._closed = False

    @property
    def is_full(self) -> bool:
        """Whether there are as many listeners as there may be."""
        return len(self._listeners) >= MOST_LISTENERS

    async def run(self) -> None:
        """Looks for changes, until it is cancelled."""
        mark: Mark | None = None
        while True:
            await self._wanted.wait()
            with suppress(JournalError):  # the page itself says what is wrong
                changes = await asyncio.to_thread(self._reader.changes, mark)
                if mark is not None and changes.anything:
                    self.ring()
                mark = changes.mark
            await asyncio.sleep(self._look_seconds)

    def ring(self) -> None:
        """Has all open pages fetch themselves again."""
        for listener in self._listeners:
            listener.set()

    def close(self) -> None:
        """Ends all events, so that the server can end."""
        self._closed = True
        self.ring()

    async def events(self) -> AsyncIterator[bytes]:
        """The events for one page, until the feed is closed or the caller stops."""
        with self._listening() as rung:
            yield ALIVE
            while not self._closed:
                try:
                    async with asyncio.timeout(ALIVE_SECONDS):
                        await rung.wait()
                except TimeoutError:
                    yield ALIVE
                    continue
                rung.clear()
                if not self._closed:
                    yield CHANGED

    @contextmanager
    def _listening(self) -> Iterator[asyncio.Event]:
        rung = asyncio.Event()
        self._listeners.add(rung)
        self._wanted.set()
        try:
            yield rung
        finally:
            self._listeners.discard(rung)
            if not self._listeners:
                self._wanted.clear()
