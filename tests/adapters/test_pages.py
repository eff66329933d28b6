"""Pages over HTTP: each on its path, for clients of all manners, and the pages of the health."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.fakes import RecordingEvents
from twilio_notifications.adapters.pages import PagesEndpoint, health_pages
from twilio_notifications.core.errors import ListeningFailed
from twilio_notifications.ports.events import MetricsListening
from twilio_notifications.serving import MOST_CONNECTIONS, PATIENCE_SECONDS, HttpResponse, listening

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence


async def the_page() -> HttpResponse:
    return HttpResponse(status="200 OK", body=b"the page", content_type="text/plain")


def endpoint(
    events: RecordingEvents | None = None,
    *,
    pages: Mapping[str, Callable[[], Awaitable[HttpResponse]]] | None = None,
    listeners: Sequence[socket.socket] = (),
    patience_seconds: float = PATIENCE_SECONDS,
) -> PagesEndpoint:
    """Serves one page at /metrics, unless others are given."""
    return PagesEndpoint(
        listeners or listening("127.0.0.1", 0, setting="[metrics] listen"),
        pages=pages or {"/metrics": the_page},
        events=events or RecordingEvents(),
        listening=lambda port: MetricsListening(address=f"127.0.0.1:{port}"),
        patience_seconds=patience_seconds,
    )


async def ask(address: str, request: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /metrics HTTP/1.1", b"200 OK"),
        (b"GET /metrics?x=1 HTTP/1.1", b"200 OK"),
        (b"HEAD /metrics HTTP/1.1", b"200 OK"),
        (b"GET / HTTP/1.1", b"404 Not Found"),
        (b"GET /metrics/x HTTP/1.1", b"404 Not Found"),
        (b"POST /metrics HTTP/1.1", b"405 Method Not Allowed"),
        (b"HEAD / HTTP/1.1", b"404 Not Found"),
        (b"nonsense", b"404 Not Found"),
    ],
)
async def test_only_the_pages_are_served(line: bytes, status: bytes) -> None:
    recorded = RecordingEvents()
    async with endpoint(recorded):
        address = str(recorded.named("metrics_listening")[0].fields["address"])
        answer = await ask(address, line + b"\r\nHost: x\r\n\r\n")
        too_long = await ask(address, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert (b"the page" in answer) == (line.startswith(b"GET") and status == b"200 OK")
    assert (b"\r\n\r\n" == answer[-4:]) == (line.startswith(b"HEAD") or b"405" in status)
    assert b"" == too_long


async def test_idle_clients_do_not_stay_and_make_room_before_that() -> None:
    """However many they are: the oldest one is hung up on, the newest one is served."""
    async with endpoint(patience_seconds=0.5) as served:
        many = 2 * MOST_CONNECTIONS + 1
        idle = [await asyncio.open_connection("127.0.0.1", served.port) for _ in range(many)]
        asked = b"GET /metrics HTTP/1.1\r\n\r\n"
        assert (await ask(f"127.0.0.1:{served.port}", asked)).endswith(b"the page")
        there = [each for each in served._server._open.values() if not each.transport.is_closing()]
        assert len(there) <= MOST_CONNECTIONS
        for reader, _ in idle:
            with suppress(ConnectionResetError):
                assert b"" == await reader.read()
        assert (await ask(f"127.0.0.1:{served.port}", asked)).endswith(b"the page")
        for _, writer in idle:
            writer.close()


async def test_listeners_are_served_on_and_closed() -> None:
    """A confined process cannot make any; these were made before."""
    listeners = listening("localhost", 0, setting="[metrics] listen")
    port = listeners[0].getsockname()[1]
    assert [port] * len(listeners) == [listener.getsockname()[1] for listener in listeners]
    async with endpoint(listeners=listeners):
        for address in {listener.getsockname()[0] for listener in listeners}:
            assert (await ask(f"{address}:{port}", b"GET /metrics HTTP/1.1\r\n\r\n")).endswith(b"the page")
    assert [-1] * len(listeners) == [listener.fileno() for listener in listeners]


async def test_a_client_that_is_served_at_the_end_is_hung_up_on(caplog: pytest.LogCaptureFixture) -> None:
    async with endpoint() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(b"GET ")
        await writer.drain()
        while not served._server._open:  # noqa: ASYNC110 - nothing announces that a client was taken in
            await asyncio.sleep(0)
    with suppress(ConnectionResetError):
        assert b"" == await reader.read()
    writer.close()
    assert [] == caplog.records


def test_a_busy_port_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(ListeningFailed, match=rf"\[metrics\] listen.*127\.0\.0\.1:{port}"):
            listening("127.0.0.1", port, setting="[metrics] listen")


class FakeHealth:
    """Is as it was made."""

    def __init__(self, *, hindrances: tuple[str, ...] = (), stall: str | None = None) -> None:
        self._hindrances = hindrances
        self._stall = stall

    def hindrances(self) -> tuple[str, ...]:
        return self._hindrances

    async def stall(self) -> str | None:
        return self._stall


@pytest.mark.parametrize(
    ("health", "path", "status", "body"),
    [
        (FakeHealth(), "/health/live", "200 OK", "alive\n"),
        (FakeHealth(), "/health/ready", "200 OK", "ready\n"),
        (FakeHealth(hindrances=("a", "b")), "/health/ready", "503 Service Unavailable", "a\nb\n"),
        (FakeHealth(hindrances=("a",)), "/health/live", "200 OK", "alive\n"),
        (FakeHealth(stall="stuck"), "/health/live", "503 Service Unavailable", "stuck\n"),
    ],
)
async def test_health_is_a_status_and_a_line_for_each_reason(
    health: FakeHealth, path: str, status: str, body: str
) -> None:
    async with endpoint(pages=health_pages(health)) as served:
        answer = await ask(f"127.0.0.1:{served.port}", f"GET {path} HTTP/1.1\r\n\r\n".encode())
    head, _, text = answer.decode().partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status}\r\n")
    assert "Cache-Control: no-store" in head
    assert body == text
