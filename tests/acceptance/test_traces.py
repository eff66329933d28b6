"""The traces of the real program, confined as it is by default, at a collector on the loopback."""

from __future__ import annotations

import asyncio
import gzip
import sys
from typing import TYPE_CHECKING, Self

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.acceptance.house import TEXT_TOPIC, text
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tests.acceptance.house import MakeConnector
    from tests.support.mosquitto import Mosquitto

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50"}
"""Spans leave after so many milliseconds."""


class Collector:
    """Takes OTLP over HTTP, and keeps the spans; closes each connection, as a small server may."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._arrived = asyncio.Event()
        self._server: asyncio.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1/traces"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        body = await reader.readexactly(length)
        request = ExportTraceServiceRequest()
        request.ParseFromString(gzip.decompress(body) if "content-encoding: gzip" in head else body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        self._arrived.set()

    async def named(self, *names: str) -> dict[str, Span]:
        """The spans of these names, as soon as all of them are there; there must be one of each."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not set(names) <= {span.name for span in self.spans}:
                self._arrived.clear()
                await self._arrived.wait()
        found = [span for span in self.spans if span.name in names]
        assert len(names) == len(found)
        return {span.name: span for span in found}


@pytest.mark.mosquitto
async def test_a_text_is_one_trace_from_its_receipt_to_its_status_within_that_of_its_client(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with Collector() as collector:
        connector = make_connector(broker.url, traces={"url": collector.url}, environ=SOON)
        async with connector, Peer(broker.url) as peer:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, text(), user_property=("traceparent", TRACEPARENT))
            await peer.next_message()
            found = await collector.named("request", "record", "wait", "send", "close", "report")
            assert 0 == await connector.terminate()
    root = found["request"]
    assert {TRACE} == {span.trace_id.hex() for span in found.values()}
    assert PARENT == root.parent_span_id.hex()
    assert {root.span_id} == {span.parent_span_id for name, span in found.items() if name != "request"}
    assert "Hello from the edge" not in str(collector.spans)
    assert [] == connector.events("traces_lost")


@pytest.mark.mosquitto
async def test_a_request_that_waits_over_a_restart_is_still_one_trace(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with Collector() as collector, Peer(broker.url) as peer:
        traces = {"url": collector.url}
        limited = make_connector(broker.url, limits={"texts_per_day": 1}, traces=traces, environ=SOON)
        async with limited:
            await limited.ready()
            await peer.publish(TEXT_TOPIC, text("first"))
            await peer.next_message()
            await collector.named("request", "record", "wait", "send", "close", "report")
            collector.spans.clear()
            await peer.publish(TEXT_TOPIC, text("second"), user_property=("traceparent", TRACEPARENT))
            recorded = (await collector.named("record"))["record"]
            await limited.kill()
        async with make_connector(broker.url, traces=traces, environ=SOON) as free:
            await free.ready()
            await peer.next_message()
            found = await collector.named("request", "wait", "send", "close", "report")
            assert 0 == await free.terminate()
    root = found["request"]
    assert {TRACE} == {span.trace_id.hex() for span in (recorded, *found.values())}
    assert recorded.parent_span_id == root.span_id
    assert PARENT == root.parent_span_id.hex()


@pytest.mark.mosquitto
async def test_a_collector_that_is_away_costs_one_warning_and_no_request(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with Collector() as collector:
        url = collector.url
    connector = make_connector(broker.url, traces={"url": url}, environ=SOON)
    async with connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        assert "success" == (await peer.next_message()).json()["response"]["status"]
        assert 0 == await connector.terminate()


async def test_without_traces_nothing_of_opentelemetry_is_imported() -> None:
    script = (
        "import sys, twilio_notifications.bootstrap, twilio_notifications.commands.run; "
        "others = ('opentelemetry', 'requests', 'google.protobuf'); "
        "sys.exit(any(name.startswith(others) for name in sys.modules))"
    )
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert 0 == await program.wait()
