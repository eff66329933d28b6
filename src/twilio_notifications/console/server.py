"""Serves the console with uvicorn: bounds for connections, no listener after the process is confined."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable, Sequence

    from twilio_notifications.console.application import Console

MOST_CONNECTIONS: Final = 100
PATIENCE_SECONDS: Final = 10.0
"""For a whole request, from the moment a client has connected."""
KEEP_ALIVE_SECONDS: Final = 15
END_SECONDS: Final = 2
_MOST_HEAD_BYTES: Final = 16 * 1024


class BoundedProtocol(H11Protocol):
    """uvicorn's connection, which ends clients that are too many, or too slow to ask."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
            return
        self.loop.call_later(PATIENCE_SECONDS, self._end_the_silent)

    def _end_the_silent(self) -> None:
        if self.cycle is None:
            self.transport.close()


async def serve(
    console: Console,
    listeners: Sequence[socket.socket],
    *,
    confine: Callable[[], None],
    on_ready: Callable[[], None],
    stop: asyncio.Event,
) -> None:
    """Serves on these sockets until `stop`. `confine` is called when they listen, before any page is served.

    asyncio calls listen once more for a socket that is handed to it, which a confined process may not.
    """
    for name in ("uvicorn", "uvicorn.error"):
        # Our own events tell of starts, ends and defects; lines about clients would fill the log.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    server = uvicorn.Server(_configuration(console))
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


def _configuration(console: Console) -> uvicorn.Config:
    return uvicorn.Config(
        console,
        http=BoundedProtocol,
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
