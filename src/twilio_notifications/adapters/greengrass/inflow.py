"""Limits the payloads that wait to be recorded: a nucleus has no window for local messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.ports import Inbound
from twilio_notifications.ports.events import RequestsDropped, RequestsTakenAgain

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.greengrass.messages import Message
    from twilio_notifications.ports import Events, Origin

MOST_PAYLOADS = 10_000
MOST_BYTES = 32_000_000
"""The most bytes that wait. More wait only when the disk fails: a working journal records as many in a
second."""


@dataclass(slots=True, kw_only=True)
class Inflow:
    """Hands payloads on, and drops those beyond the bound; the first of a series has a line in the log."""

    events: Events
    on_inbound: Callable[[Inbound], None]
    _payloads: int = field(init=False, default=0)
    _bytes: int = field(init=False, default=0)
    _dropped: int = field(init=False, default=0)

    def receive(self, topic: str, message: Message, *, origin: Origin) -> None:
        payload = message.payload
        if self._payloads >= MOST_PAYLOADS or self._bytes + len(payload) > MOST_BYTES:
            if self._dropped == 0:
                self.events.tell(RequestsDropped(waiting=self._payloads))
            self._dropped += 1
            return
        self._payloads += 1
        self._bytes += len(payload)
        done = _Once(lambda: self._make_room(len(payload)))
        self.on_inbound(
            Inbound(
                topic=topic,
                payload=payload,
                acknowledge=done,
                release=done,
                retained=message.retained,
                origin=origin,
            )
        )

    def _make_room(self, size: int) -> None:
        self._payloads -= 1
        self._bytes -= size
        if self._dropped and self._payloads < MOST_PAYLOADS // 2:
            self.events.tell(RequestsTakenAgain(dropped=self._dropped))
            self._dropped = 0


@dataclass(slots=True)
class _Once:
    """Frees the room of a payload at the first call, which acknowledges or releases it."""

    free: Callable[[], None]
    is_done: bool = False

    def __call__(self) -> None:
        if not self.is_done:
            self.is_done = True
            self.free()
