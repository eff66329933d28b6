"""Serves the console with uvicorn: bounds for connections, no listener after the process is confined."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Sequence

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from twilio_notifications.console.application import Console

MOST_CONNECTIONS: Final = 100
PATIENCE_SECONDS: Final = 10.0
"""How often a connection is looked at: one that asks nothing whole between two looks is ended."""
KEEP_ALIVE_SECONDS: Final = 15
END_SECONDS: Final = 2
_MOST_HEAD_BYTES: Final = 16 * 1024


class BoundedProtocol(H11Protocol):
    """uvicorn's connection, which ends clients that are too many, or too slow to ask."""

    def __init__(self, *, patience_seconds: float, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._patience_seconds = patience_seconds
        self._is_suspected = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self.loop.call_later(self._patience_seconds, self._look)

    def _look(self) -> None:
        """Ends a client whose request has not been whole for two looks; uvicorn has no limit for that."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        is_answered = cycle is None or cycle.response_complete
        # Between two requests, uvicorn's own timer ends the connection.
        is_silent = is_answered and self.timeout_keep_alive_task is None
        if is_silent and self._is_suspected:
            self.transport.close()
        else:
            self._is_suspected = is_silent
            self.loop.call_later(self._patience_seconds, self._look)


async def serve(
    console: Console,
    listeners: Sequence[socket.socket],
    *,
    confine: Callable[[], None],
    on_ready: Callable[[], None],
    stop: asyncio.Event,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Serves on these sockets until `stop`. `confine` is called when they listen, before any page is served.

    asyncio calls listen once more for a socket that is handed to it, which a confined process may not.
    """
    for name in ("uvicorn", "uvicorn.error"):
        # Our own events tell of starts, ends and defects; lines about clients would fill the log.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    server = uvicorn.Server(_configuration(console, patience_seconds))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=list(listeners))
    try:
        confine()
        async with console.running():
            on_ready()
            await stop.wait()
            console.end_events()
            await server.shutdown(sockets=list(listeners))
    finally:
        for listener in listeners:
            listener.close()


def _configuration(console: Console, patience_seconds: float) -> uvicorn.Config:
    return uvicorn.Config(
        console,
        http=partial(BoundedProtocol, patience_seconds=patience_seconds),  # type: ignore[arg-type]  # it is called
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=END_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
    )
