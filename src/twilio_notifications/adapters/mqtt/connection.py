"""The socket under one conversation: writes in batches, reads while there is room, keeps alive.

Knows when bytes move and when the broker is silent, and nothing of what they mean. It never reconnects.
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
"""Most that one read takes from the socket."""

SILENT_PERIODS = 2
"""The broker answers each PINGREQ; after the keep alive twice over without any sign of it, it is gone."""

CLOSE_SECONDS = 2.0
"""How long a goodbye may take; a TLS peer that is gone would otherwise hold it for its time-out."""

CLOSED_BY_BROKER = "the connection was lost"


class Connection(asyncio.BufferedProtocol):
    """asyncio's end of the socket. `on_end` is called once, with a sentence, when the connection is gone."""

    def __init__(
        self,
        conversation: Conversation,
        *,
        inflow: Inflow,
        on_event: Callable[[Event], None],
        on_end: Callable[[str], None],
    ) -> None:
        """While `inflow` is closed, nothing is read."""
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
        """`heard_at`: when something was read last, by the loop's clock."""
        self.is_writable = True
        """False while the broker takes less than we send."""
        self.on_writable: Callable[[], None] = nothing_follows
        """Called when that changes for the better."""

    # Writing.

    def flush_soon(self) -> None:
        """Writes what the conversation has to say once the caller's turn of the loop is over."""
        if self._flushing is None:
            self._flushing = self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = None
        out = self._conversation.take()
        if out and self._transport is not None and not self._is_closing:
            self._sent_at = self._loop.time()
            self._transport.write(out)

    def pause_writing(self) -> None:
        """Asyncio's word that the broker takes less than we send."""
        self.is_writable = False

    def resume_writing(self) -> None:
        """Asyncio's word that it has caught up."""
        self.is_writable = True
        self.on_writable()

    # Reading.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's word that there is a connection, and TLS in it where it was asked for."""
        # Those of uvloop have the methods and are no subclass.
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - what is read at once is for us to say
        """Where asyncio puts what it reads. Its TLS writes into slices of it, which must be no copies."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Asyncio calls this after it has read `nbytes` bytes."""
        self.heard_at = self._loop.time()
        self._conversation.receive(bytes(self._view[:nbytes]))
        self._bring_up()

    def _go_on(self) -> None:
        """There is room again; called in the middle of something else, so it takes its own turn."""
        self._loop.call_soon(self._bring_up)

    def _bring_up(self) -> None:
        """Hands over what was read, as far as there is room, and reads on only when all of it is gone."""
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
        """Pings twice in that time while nothing else is sent or heard; 0 never does."""
        if seconds:
            self._beat = self._loop.call_later(seconds / 2, self._check, seconds)

    def _check(self, seconds: float) -> None:
        now = self._loop.time()
        # While we do not read, the broker's silence is our own doing; our pings go on for its sake.
        if self.is_reading and now - self.heard_at >= SILENT_PERIODS * seconds:
            self._end("the broker did not answer for too long (keep alive)")
            return
        # A little early: the next look comes only after half the time.
        if now - min(self._sent_at, self.heard_at) >= seconds / 4 and self._conversation.is_open:
            self._conversation.ping()
            self._flush()
        self.keep_alive(seconds)

    # The end.

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's word that the connection is gone."""
        self._lost.set()
        self._end(CLOSED_BY_BROKER if exc is None else f"{CLOSED_BY_BROKER}: {exc}")

    def _end(self, sentence: str) -> None:
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        self._on_end(sentence)

    async def close(self, code: int = 0) -> None:
        """Says DISCONNECT with this reason and closes, within CLOSE_SECONDS; cancelled, it does not wait."""
        if self._beat is not None:
            self._beat.cancel()
        transport = self._transport
        if transport is None or self._lost.is_set():
            return
        if not self._is_closing:
            self._conversation.disconnect(code)
            self._flush()
            self._is_closing = True
            transport.close()  # once: after a second time asyncio's TLS in Python 3.11.2 cannot be aborted
        try:
            with suppress(TimeoutError):  # a goodbye that fails changes nothing
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._lost.wait()
        finally:
            if not self._lost.is_set():
                # What cannot be written to a peer that is gone would keep the connection open.
                transport.abort()
