"""The small HTTP server of metrics and callbacks, where clients come in bursts, or leave too early."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import Any

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.event_loop import new_event_loop
from twilio_notifications.serving import ClientBounds, HttpRequest, HttpResponse, HttpServer, listening

ASKED = b"GET / HTTP/1.1\r\n\r\n"
PLACES = 2


class Answering:
    """Answers when it is let; counts who has asked."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.asked = 0
        self.changed = asyncio.Event()

    async def answer(self, _: HttpRequest) -> HttpResponse:
        self.asked += 1
        self.changed.set()
        await self.let.wait()
        return HttpResponse(status="204 No Content")

    async def until_asked(self, count: int) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while self.asked < count:
                self.changed.clear()
                await self.changed.wait()


def a_server(answering: Answering) -> HttpServer:
    return HttpServer(
        listening("127.0.0.1", 0, setting="[tests] listen"),
        name="tests",
        answer=answering.answer,
        bounds=ClientBounds(connections=PLACES, patience_seconds=WAIT_SECONDS),
    )


async def answer_to(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ASKED)
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_client_that_has_asked_is_answered_however_many_others_come() -> None:
    """A burst of callbacks must not cut off those that are nearly done."""
    answering = Answering()
    async with a_server(answering) as server:
        asking = [asyncio.create_task(answer_to(server.port)) for _ in range(3 * PLACES)]
        await answering.until_asked(PLACES)
        answering.let.set()
        answers = await asyncio.wait_for(asyncio.gather(*asking), WAIT_SECONDS)
    assert [b"HTTP/1.1 204"] * len(asking) == [answer[:12] for answer in answers]


async def test_a_client_that_asks_nothing_makes_room_while_others_are_answered() -> None:
    answering = Answering()
    async with a_server(answering) as server:
        first = asyncio.create_task(answer_to(server.port))
        await answering.until_asked(1)
        silent, writer = await asyncio.open_connection("127.0.0.1", server.port)
        last = asyncio.create_task(answer_to(server.port))
        await answering.until_asked(2)
        with contextlib.suppress(ConnectionResetError):
            assert b"" == await asyncio.wait_for(silent.read(), WAIT_SECONDS)
        writer.close()
        answering.let.set()
        assert all(await asyncio.wait_for(asyncio.gather(first, last), WAIT_SECONDS))


def test_a_client_that_hangs_up_before_its_answer_leaves_no_trace() -> None:
    """In the event loop that the program takes: its transports raise an error for what comes too late."""
    left_behind: list[dict[str, Any]] = []

    async def hang_up() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: left_behind.append(context))
        answering = Answering()
        async with a_server(answering) as server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(ASKED)
            await answering.until_asked(1)
            served = next(iter(server._open.values()))
            served.transport.abort()
            answering.let.set()
            async with asyncio.timeout(WAIT_SECONDS):
                while server._open:
                    await server._ended.wait()
            writer.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(hang_up())
        gc.collect()
    assert [] == left_behind
