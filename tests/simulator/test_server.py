"""The simulator on the wire: connections, faults as a client meets them, and its own endpoints."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.simulator.desk import (
    A_TEXT,
    ACCOUNT,
    DARLA,
    MESSAGES,
    NOON,
    Rest,
    authorization,
    chance,
    message_path,
)
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.simulator.faults import (
    AnswerLost,
    ConnectionClosed,
    Fault,
    Hang,
    ListLag,
    RateLimited,
    ServerError,
    Slow,
)
from twilio_notifications.simulator.sender import CallbackSender
from twilio_notifications.simulator.server import Simulator, _Site, serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.simulator.desk import Desk


class Wire:
    """One bare connection, to see bytes and their end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def send(self, content: bytes) -> None:
        self._writer.write(content)

    async def rest(self) -> bytes:
        """All that comes until the other side closes."""
        return await asyncio.wait_for(self._reader.read(), WAIT_SECONDS)

    async def answer(self) -> tuple[bytes, bytes]:
        """The head and the body of one answer."""
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), WAIT_SECONDS)
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return head, await asyncio.wait_for(self._reader.readexactly(length), WAIT_SECONDS)

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def wire(simulator: Simulator) -> AsyncIterator[Wire]:
    address = urlsplit(simulator.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


def create_request(form: dict[str, str] | None = None, *, extra: str = "") -> bytes:
    body = urlencode(form or A_TEXT)
    head = (
        f"POST {MESSAGES} HTTP/1.1\r\nHost: api.twilio.com\r\nAuthorization: {authorization()}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
    )
    return (head + body).encode()


async def until(condition: Any) -> None:
    """Let others run until the condition holds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for belongs to the simulator
            await asyncio.sleep(0.001)


async def test_a_text_is_created_over_http(simulator: Simulator, rest: Rest) -> None:
    answer = await rest.create()
    (entry,) = simulator.ledger
    assert (201, entry.sid) == (answer.status, answer.json["sid"])
    assert (DARLA, "Hello from the edge", ACCOUNT) == (entry.to, entry.body, entry.account_sid)
    assert answer.json == (await rest.ask("GET", message_path(entry.sid))).json


async def test_every_answer_has_twilios_headers(rest: Rest) -> None:
    for answer in (await rest.create(), await rest.create({}), await rest.ask("GET", MESSAGES)):
        assert "application/json" == answer.headers["content-type"]
        assert "1" == answer.headers["twilio-concurrent-requests"]
        assert answer.headers["twilio-request-id"].startswith("RQ")
        assert abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()) < 5


async def test_twilios_clock_can_be_off() -> None:
    async with Simulator(clock=lambda: NOON, random=chance()) as simulator:
        simulator.set_clock_offset(90)
        async with Rest(simulator.base_url) as rest:
            answer = await rest.create()
    assert "Wed, 15 Nov 2023 12:01:30 GMT" == answer.headers["date"]
    assert "Wed, 15 Nov 2023 12:01:30 +0000" == answer.json["date_created"]


async def test_a_connection_is_kept_for_the_next_request(simulator: Simulator) -> None:
    async with wire(simulator) as connection:
        for n in range(3):
            connection.send(create_request({**A_TEXT, "Body": str(n)}))
            head, _ = await connection.answer()
            assert head.startswith(b"HTTP/1.1 201 Created\r\n")
    assert ["0", "1", "2"] == [entry.body for entry in simulator.ledger]


async def test_requests_sent_without_waiting_are_answered_in_order(simulator: Simulator) -> None:
    simulator.set_latency(0.01)
    async with wire(simulator) as connection:
        connection.send(b"".join(create_request({**A_TEXT, "Body": str(n)}) for n in range(3)))
        bodies = [(await connection.answer())[1] for _ in range(3)]
    assert [entry.sid.encode() in body for entry, body in zip(simulator.ledger, bodies, strict=True)]
    assert 1 == simulator.counters.concurrent_maximum


async def test_a_request_may_arrive_byte_by_byte(simulator: Simulator) -> None:
    async with wire(simulator) as connection:
        for byte in create_request():
            connection.send(bytes([byte]))
            await asyncio.sleep(0)
        head, _ = await connection.answer()
    assert head.startswith(b"HTTP/1.1 201")


async def test_a_client_that_asks_for_it_is_disconnected_after_the_answer(simulator: Simulator) -> None:
    async with wire(simulator) as connection:
        connection.send(create_request(extra="Connection: close\r\n"))
        answer = await connection.rest()
    assert answer.startswith(b"HTTP/1.1 201")
    assert answer.endswith(b"}")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000, b"431"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_048_577, b"413"),
    ],
)
async def test_what_is_no_request_ends_the_connection(
    simulator: Simulator, content: bytes, status: bytes
) -> None:
    async with wire(simulator) as connection:
        connection.send(content)
        answer = await asyncio.wait_for(connection._reader.readuntil(b"\r\n"), WAIT_SECONDS)
    assert status == answer.split()[1]
    assert 0 == simulator.counters.requests


async def test_a_deleted_text_is_answered_without_a_body() -> None:
    now = [NOON]
    simulator = Simulator(clock=lambda: now[0], random=chance())
    async with simulator, Rest(simulator.base_url) as rest:
        sid = (await rest.create()).json["sid"]
        now[0] += 60
        answer = await rest.ask("DELETE", message_path(sid))
        assert (204, None) == (answer.status, answer.json)
        assert [] == (await rest.ask("GET", MESSAGES)).sids


async def test_an_answer_without_a_body_has_no_length(simulator: Simulator, rest: Rest) -> None:
    simulator.set_clock_offset(-60)
    sid = (await rest.create()).json["sid"]
    simulator.set_clock_offset(0)
    async with wire(simulator) as connection:
        head = f"DELETE {message_path(sid)} HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization()}\r\n"
        connection.send(f"{head}Connection: close\r\n\r\n".encode())
        answer = await connection.rest()
    assert answer.startswith(b"HTTP/1.1 204")
    assert b"content-length" not in answer.lower()


async def test_a_head_request_is_answered_without_a_body(simulator: Simulator) -> None:
    async with wire(simulator) as connection:
        connection.send(f"HEAD {MESSAGES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await connection.rest()
    assert answer.startswith(b"HTTP/1.1 401")
    assert answer.endswith(b"\r\n\r\n")


async def test_latency_lies_between_execution_and_answer(simulator: Simulator) -> None:
    simulator.set_latency(0.5)
    async with wire(simulator) as connection:
        began = time.monotonic()
        connection.send(create_request())
        await until(lambda: simulator.ledger)
        assert 1 == simulator.counters.concurrent
        await connection.answer()
        assert time.monotonic() - began >= 0.5
    await until(lambda: simulator.counters.concurrent == 0)


async def test_hundreds_of_connections_wait_together(simulator: Simulator) -> None:
    simulator.set_latency(0.2)
    async with asyncio.TaskGroup() as clients:

        async def one() -> None:
            async with wire(simulator) as connection:
                connection.send(create_request())
                head, _ = await connection.answer()
                assert head.startswith(b"HTTP/1.1 201")

        for _ in range(250):
            clients.create_task(one())
    assert 250 == len(simulator.ledger)
    assert simulator.counters.concurrent_maximum > 100
    await until(lambda: simulator.counters.concurrent == 0)


async def test_a_lost_answer_leaves_an_executed_request_and_a_closed_connection(
    simulator: Simulator,
) -> None:
    simulator.add_fault(Fault(effect=AnswerLost(), times=1))
    async with wire(simulator) as connection:
        connection.send(create_request())
        assert b"" == await connection.rest()
    assert 1 == len(simulator.ledger)


async def test_an_answer_may_be_cut_in_the_middle(simulator: Simulator) -> None:
    simulator.add_fault(Fault(effect=AnswerLost(after_bytes=300)))
    async with wire(simulator) as connection:
        connection.send(create_request())
        answer = await connection.rest()
    assert (300, b"HTTP/1.1 201 Created") == (len(answer), answer[:20])
    assert 1 == len(simulator.ledger)


async def test_a_closed_connection_means_that_nothing_was_done(simulator: Simulator) -> None:
    simulator.add_fault(Fault(effect=ConnectionClosed()))
    async with wire(simulator) as connection:
        connection.send(create_request())
        assert b"" == await connection.rest()
    assert not simulator.ledger
    assert 0 == simulator.counters.concurrent


async def test_a_hanging_request_lasts_until_the_client_gives_up(simulator: Simulator) -> None:
    armed = simulator.add_fault(Fault(effect=Hang(executed=True), times=1))
    async with wire(simulator) as connection:
        connection.send(create_request())
        await until(lambda: armed.fired == 1)
        assert (1, 1) == (len(simulator.ledger), simulator.counters.concurrent)
        simulator.clear_faults()
        async with Rest(simulator.base_url) as rest:
            assert 201 == (await rest.create()).status
        assert 1 == simulator.counters.concurrent, "still hanging"
    await until(lambda: simulator.counters.concurrent == 0)


async def test_a_slow_answer_comes_after_all(simulator: Simulator, rest: Rest) -> None:
    simulator.add_fault(Fault(effect=Slow(seconds=0.05)))
    began = time.monotonic()
    assert 201 == (await rest.create()).status
    assert time.monotonic() - began >= 0.05


async def test_lists_may_be_unavailable_while_creates_work(simulator: Simulator, rest: Rest) -> None:
    simulator.add_fault(Fault(effect=ServerError(status=503), on="lists"))
    assert 201 == (await rest.create()).status
    assert (503, 20503) == (await rest.ask("GET", MESSAGES)).error


async def test_a_client_that_leaves_early_costs_nothing(simulator: Simulator) -> None:
    simulator.set_latency(30)
    async with wire(simulator) as connection:
        connection.send(create_request())
        await until(lambda: simulator.counters.concurrent == 1)
    await until(lambda: simulator.counters.concurrent == 0)


async def test_closing_the_simulator_ends_what_still_waits() -> None:
    async with Simulator(clock=time.time, random=chance(), latency_seconds=30) as simulator:
        address = urlsplit(simulator.base_url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(create_request())
        await until(lambda: simulator.counters.concurrent == 1)
    assert b"" == await asyncio.wait_for(reader.read(), WAIT_SECONDS)
    writer.close()
    with pytest.raises(OSError, match=r"refused|failed|reset"):
        await asyncio.open_connection(address.hostname, address.port)


async def test_wrong_credentials_are_refused_and_tokens_can_change() -> None:
    simulator = Simulator(clock=time.time, random=chance(), account_sid=ACCOUNT, auth_tokens=["old"])
    async with simulator, Rest(simulator.base_url, token="new") as rest:
        assert (401, 20003) == (await rest.create()).error
        simulator.set_auth_tokens(["new"])
        assert 201 == (await rest.create()).status


async def test_serve_says_where_and_ends_when_told() -> None:
    stop, announced = asyncio.Event(), asyncio.Queue[str]()
    serving = asyncio.create_task(
        serve(
            host="127.0.0.1",
            port=0,
            latency_seconds=0.0,
            clock=time.time,
            random=chance(),
            delivery_seed=None,
            keep=None,
            stop=stop,
            announce=announced.put_nowait,
        )
    )
    url = await asyncio.wait_for(announced.get(), WAIT_SECONDS)
    async with Rest(url) as rest:
        assert 201 == (await rest.create()).status
    stop.set()
    await asyncio.wait_for(serving, WAIT_SECONDS)


# The simulator's own endpoints


async def test_a_fault_can_be_added_seen_and_cleared_from_another_process(rest: Rest) -> None:
    fault = {"effect": {"kind": "rate-limited", "retry_after": 5}, "times": 2}
    added = await rest.ask("POST", "/simulator/faults", content=fault)
    assert 200 == added.status
    answer = await rest.create()
    assert ((429, 20429), "5") == (answer.error, answer.headers["retry-after"])
    (shown,) = (await rest.ask("GET", "/simulator/faults")).json
    assert (1, 1, fault["effect"]) == (shown["seen"], shown["fired"], shown["fault"]["effect"])
    assert [] == (await rest.ask("DELETE", "/simulator/faults")).json
    assert 201 == (await rest.create()).status


async def test_the_ledger_can_be_read_page_by_page(rest: Rest) -> None:
    for n in range(5):
        await rest.create({**A_TEXT, "Body": str(n)})
    page = (await rest.ask("GET", "/simulator/ledger?start=2&limit=2")).json
    assert (5, 2, ["2", "3"]) == (page["total"], page["start"], [entry["body"] for entry in page["entries"]])
    assert (5, 5, 0) == tuple(page["counters"][name] for name in ("requests", "creates", "refusals"))
    entry = page["entries"][0]
    assert ("SMS", DARLA, A_TEXT["From"]) == (entry["channel"], entry["to"], entry["from"])


async def test_a_ledger_of_tens_of_thousands_is_read_at_once(simulator: Simulator, rest: Rest) -> None:
    await rest.create()
    simulator._engine.store.creates.entries *= 30_000  # what 30,000 creates leave, in less time
    page = (await rest.ask("GET", "/simulator/ledger?limit=100000")).json
    assert (30_000, 30_000) == (page["total"], len(page["entries"]))


async def test_latency_clock_and_credentials_can_be_set(simulator: Simulator, rest: Rest) -> None:
    await rest.ask("POST", "/simulator/latency", content={"seconds": 0.05})
    await rest.ask("POST", "/simulator/clock", content={"offset_seconds": -3_600})
    began = time.monotonic()
    before = time.time()
    answer = await rest.create()
    assert time.monotonic() - began >= 0.05
    told = parsedate_to_datetime(answer.headers["date"]).timestamp() + 3_600
    assert before - 1 <= told <= time.time()  # the header has whole seconds
    said = await rest.ask("POST", "/simulator/credentials", content={"auth_tokens": ["another-token"]})
    assert "another-token" not in str(said.json)
    assert (401, 20003) == (await rest.create()).error
    await rest.ask("POST", "/simulator/credentials", content={"auth_tokens": None})
    assert 201 == (await rest.create()).status


async def test_api_keys_can_be_set(simulator: Simulator, rest: Rest) -> None:
    accepted = {"auth_tokens": [], "api_keys": {"SK1": "another-secret"}}
    said = await rest.ask("POST", "/simulator/credentials", content=accepted)
    assert "another-secret" not in str(said.json)
    assert (401, 20003) == (await rest.create()).error
    async with Rest(simulator.base_url, user="SK1", token="another-secret") as keyed:
        assert 201 == (await keyed.create()).status


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/simulator/faults", {"effect": {"kind": "nonsense"}}, 400),
        ("POST", "/simulator/latency", {"seconds": -1}, 400),
        ("POST", "/simulator/latency", {"second": 1}, 400),
        ("POST", "/simulator/credentials", {"auth_tokens": [""]}, 400),
        ("POST", "/simulator/credentials", {"auth_tokens": None, "api_keys": {"SK1": ""}}, 400),
        ("POST", "/simulator/clock", None, 400),
        ("GET", "/simulator/ledger?limit=all", None, 400),
        ("GET", f"/simulator/ledger?start={'9' * 5_000}", None, 400),
        ("GET", "/simulator/nothing", None, 404),
        ("DELETE", "/simulator/ledger", None, 404),
    ],
)
async def test_a_wrong_control_request_is_told_what_is_wrong(
    rest: Rest, method: str, path: str, content: Any, status: int
) -> None:
    answer = await rest.ask(method, path, content=content)
    assert status == answer.status
    assert len(answer.json["message"]) > 20


async def test_faults_and_latency_do_not_touch_the_simulators_own_endpoints(
    simulator: Simulator, rest: Rest
) -> None:
    simulator.set_latency(30)
    simulator.add_fault(Fault(effect=RateLimited(), on="all"))
    simulator.add_fault(Fault(effect=ListLag(seconds=1)))
    counters = (await rest.ask("GET", "/simulator/counters")).json
    assert (0, 0) == (counters["requests"], counters["concurrent_maximum"])


def test_another_machine_cannot_control_it(desk: Desk) -> None:
    site = _Site(desk.engine, CallbackSender(desk.engine))
    content = b'{"effect": {"kind": "hang"}}'
    reply = site.begin(method="POST", target="/simulator/faults", authorization="", body=content, local=False)
    assert reply.response is not None
    assert 403 == reply.response.status
    assert [] == desk.engine.faults.armed
