"""The socket under one conversation: writes in batches, reads while there is room, and pings the broker.

This module knows when bytes move and when the broker is silent, but not what the bytes mean. It never
reconnects.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from twilio_notifications.adapters.mqtt.inflow import nothing_follows

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.mqtt.inflow import Inflow
    from twilio_notifications.adapters.mqtt.protocol import Conversation, Event

READ_BYTES = 65_536
"""The most bytes that one read takes from the socket."""

SILENT_PERIODS = 2
"""The broker answers each PINGREQ. After this many keep-alive times without a byte from it, the broker is
gone."""

CLOSE_SECONDS = 2.0
"""The most seconds that closing may take. A TLS peer that is gone would otherwise delay it by its
time-out."""

CLOSED_BY_BROKER = "the connection was lost"


class BrokerConnection(asyncio.BufferedProtocol):
    """Our end of the socket. It calls `on_end` once, with a sentence, when the connection is gone."""

    def __init__(
        self,
        conversation: Conversation,
        *,
        inflow: Inflow,
        on_event: Callable[[Event], None],
        on_end: Callable[[str], None],
    ) -> None:
        """The connection reads nothing while `inflow` is closed."""
        self._conversation = conversation
        self._inflow = inflow
        inflow.on_open = self._go_on
        self._on_event = on_event
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._view = memoryview(bytearray(READ_BYTES))
        self._transport: asyncio.Transport | None = None
        self._lost = asyncio.Event()
        self._flushing: asyncio.Handle | None = None
        self._beat: asyncio.TimerHandle | None = None
        self._is_closing = False
        self.is_reading = True
        self._sent_at = self.heard_at = self.reading_since = self._loop.time()
        """Instants by the loop's clock. `heard_at`: the last read; `reading_since`: the last start of
        reading."""
        self.is_writable = True
        """False while the broker takes less than we send."""
        self.on_writable: Callable[[], None] = nothing_follows
        """The connection calls it when `is_writable` becomes True again."""

    # Writing.

    def flush_soon(self) -> None:
        """Writes the conversation's bytes after the caller's turn of the loop."""
        if self._flushing is None:
            self._flushing = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = None
        out = self._conversation.take()
        if out and self._transport is not None and not self._is_closing:
            self._sent_at = self._loop.time()
            self._transport.write(out)

    def pause_writing(self) -> None:
        """Asyncio calls this when the broker takes less than we send."""
        self.is_writable = False

    def resume_writing(self) -> None:
        """Asyncio calls this when the broker has caught up."""
        self.is_writable = True
        self.on_writable()

    # Reading.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio calls this when the connection, with TLS if it was asked for, is open."""
        # The transports of uvloop have the methods, but are no subclass.
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - we choose the size of a read
        """The buffer into which asyncio reads. Its TLS writes into slices of it, which must be no copies."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Asyncio calls this after it has read `nbytes` bytes."""
        self.heard_at = self._loop.time()
        self._conversation.receive(bytes(self._view[:nbytes]))
        self._hand_over()

    def _go_on(self) -> None:
        # `inflow` calls this in the middle of other work, so the events get a turn of the loop of their own.
        self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        """Hands the events over while there is room; reads on only after the last of them."""
        if self._is_closing or self._transport is None:
            return
        while self._inflow.is_open:
            event = self._conversation.next_event()
            if event is None:
                self._read(is_wanted=True)
                break
            self._on_event(event)
        else:
            self._read(is_wanted=False)
        self.flush_soon()

    def _read(self, *, is_wanted: bool) -> None:
        if is_wanted == self.is_reading or self._transport is None or self._transport.is_closing():
            return
        self.is_reading = is_wanted
        if is_wanted:
            self.heard_at = self.reading_since = self._loop.time()
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # Keeping alive.

    def keep_alive(self, seconds: float) -> None:
        """Pings the broker twice in `seconds` while no other bytes go either way; 0: never."""
        if seconds:
            self._beat = self._loop.call_later(seconds / 2, self._check, seconds)

    def _check(self, seconds: float) -> None:
        now = self._loop.time()
        # While we do not read, we cannot hear the broker; we still ping, so that the broker hears us.
        if self.is_reading and now - self.heard_at >= SILENT_PERIODS * seconds:
            self._end("the broker did not answer for too long (keep alive)")
            return
        # A little early, because the next check comes only after half the time.
        if now - min(self._sent_at, self.heard_at) >= seconds / 4 and self._conversation.is_open:
            self._conversation.ping()
            self._flush()
        self.keep_alive(seconds)

    # The end.

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio calls this when the connection is gone."""
        self._lost.set()
        self._end(CLOSED_BY_BROKER if exc is None else f"{CLOSED_BY_BROKER}: {exc}")

    def _end(self, sentence: str) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        self._on_end(sentence)

    async def close(self, code: int = 0) -> None:
        """Sends DISCONNECT with this reason code and closes, within CLOSE_SECONDS; if cancelled, at once."""
        if self._beat is not None:
            self._beat.cancel()
        transport = self._transport
        if transport is None or self._lost.is_set():
            return
        if not self._is_closing:
            self._conversation.disconnect(code)
            self._flush()
            self._is_closing = True
            transport.close()  # only once: after a second close, asyncio's TLS in Python 3.11.2 never aborts
        try:
            with suppress(TimeoutError):  # the connection is aborted below
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._lost.wait()
        finally:
            if not self._lost.is_set():
                # Bytes that a gone peer does not take would keep the connection open.
                transport.abort()
