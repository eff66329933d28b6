"""The server of the console: when it is confined, and whom it hangs up on."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.console.console_steps import Desk
from twilio_notifications.console.server import PATIENCE_SECONDS, serve
from twilio_notifications.serving import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

A_MOMENT = 0.05
REQUEST = b"GET /static/console.css HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@asynccontextmanager
async def served(
    folder: Path, *, patience_seconds: float = PATIENCE_SECONDS, confine: Callable[[], None] = lambda: None
) -> AsyncIterator[int]:
    """A console that is served; gives its port."""
    listeners = listening("127.0.0.1", 0, setting="[console] listen")
    port = listeners[0].getsockname()[1]
    stop, ready = asyncio.Event(), asyncio.Event()
    async with Desk(folder) as desk, asyncio.TaskGroup() as group:
        work = serve(
            desk.console,
            listeners,
            confine=confine,
            on_ready=ready.set,
            stop=stop,
            patience_seconds=patience_seconds,
        )
        group.create_task(work)
        await ready.wait()
        try:
            yield port
        finally:
            stop.set()


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost:", REQUEST + b"GET / HTTP/1.1\r\n"])
async def test_a_client_that_asks_nothing_whole_is_hung_up_on(folder: Path, begun: bytes) -> None:
    async with served(folder, patience_seconds=A_MOMENT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begun)
        answer = await reader.read()
        assert begun.startswith(REQUEST) == answer.startswith(b"HTTP/1.1 200 OK")
        writer.close()
        await writer.wait_closed()


async def test_a_page_that_listens_for_changes_is_not(folder: Path) -> None:
    async with served(folder, patience_seconds=A_MOMENT) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST.replace(b"/static/console.css", b"/live"))
        assert b"event-stream" in await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b": alive\n\n")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(), 10 * A_MOMENT)
        writer.close()
        await writer.wait_closed()


async def test_a_head_without_end_is_refused(folder: Path) -> None:
    async with served(folder) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 5_000)
        assert (await reader.read()).startswith(b"HTTP/1.1 400")
        writer.close()
        await writer.wait_closed()


async def test_nothing_is_served_where_the_process_cannot_be_confined(folder: Path) -> None:
    def fail() -> None:
        raise OSError("not here")

    with pytest.raises(ExceptionGroup) as caught:
        async with served(folder, confine=fail):
            pass
    assert caught.group_contains(OSError, match="not here")
