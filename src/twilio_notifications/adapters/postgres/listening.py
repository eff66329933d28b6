"""Hears what other processes write, by LISTEN; and finds out whether notifications get through at all.

A pooler that gives a connection to another client after each transaction accepts LISTEN and passes nothing
on. So a notification is sent over a second connection, and must come back.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from twilio_notifications.adapters.postgres.faults import ERRORS
from twilio_notifications.adapters.postgres.session import CONNECT_SECONDS, connected
from twilio_notifications.ports.events import NotificationsSilent

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

    from twilio_notifications.ports import Events

CHANNEL: Final = "twilio_notifications"
"""Of the notifications; the tables' triggers name it too."""

PROBE_SECONDS: Final = 3.0
"""How long a notification may take to come back."""

LOOK_SECONDS: Final = 30.0
"""Between two looks at the connection, which a network may end without a word."""

PAUSE_SECONDS: Final = 2.0
"""Before a lost connection is made again."""

SILENT: Final = (
    "LISTEN and NOTIFY do not get through, as behind a pooler of transactions: what other processes write is "
    "found by polling, within a second"
)


@dataclass(slots=True, kw_only=True)
class Listener:
    """`run` goes on until it is cancelled; `hear` is called for each notification, in the event loop.

    It is called with its text; with an empty one where some may not have been heard.
    """

    url: str = field(repr=False)
    place: str
    events: Events
    hear: Callable[[str], None]
    _is_silent: bool = field(init=False, default=False)

    async def run(self) -> None:
        while True:
            with suppress(*ERRORS):  # the writer tells of a server that is gone, and waits for it
                await self._listen()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self) -> None:
        """Returns, or raises one of ERRORS, when the connection has ended."""
        connection = await connected(self.url)
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection: ended.set())
        try:
            if await gets_through(self.url, connection, hear=self.hear):
                self._is_silent = False
            elif not self._is_silent:
                self._is_silent = True
                self.events.tell(NotificationsSilent(journal=self.place, remark=SILENT))
            self.hear("")  # for what was written before
            while not ended.is_set():
                await connection.execute("SELECT 1", timeout=CONNECT_SECONDS)
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), LOOK_SECONDS)
        finally:
            connection.terminate()


async def gets_through(
    url: str, connection: asyncpg.Connection, *, hear: Callable[[str], None] = lambda _text: None
) -> bool:
    """Whether a notification of another connection comes to this one, which listens from now on if so."""
    probe, heard = f"probe {secrets.token_hex(8)}", asyncio.Event()

    def take(_connection: Any, _sender: int, _channel: str, payload: str) -> None:
        if payload == probe:
            heard.set()
        elif not payload.startswith("probe "):
            hear(payload)

    await connection.add_listener(CHANNEL, take)
    other = await connected(url)
    try:
        await other.execute("SELECT pg_notify($1, $2)", CHANNEL, probe)
    finally:
        other.terminate()
    with suppress(TimeoutError):
        await asyncio.wait_for(heard.wait(), PROBE_SECONDS)
    if not heard.is_set():
        # A pooler keeps the session that listens, and may give it to any transaction.
        await connection.remove_listener(CHANNEL, take)
    return heard.is_set()
