"""How much of an answer the Twilio adapter reads, and which answers it takes for Twilio's own."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING

import pytest

from tests.adapters.twilio_steps import LOGIN, NOW, a_sender
from tests.support.factories import DARLA, SENDER_NUMBER, a_notification
from tests.support.raw_http import Exchange, RawHttp
from twilio_notifications.adapters.twilio.api import ANSWER_BYTES, LIST_BYTES, PAGE_BYTES
from twilio_notifications.core.answers import classify
from twilio_notifications.core.model import Answered, InDoubt, NotSent, Records, Unanswered, Unreadable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.core.model import Answer

    Script = Callable[[Exchange], Awaitable[None]]

PIECE = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
IN_SOCKETS = 16_000_000
"""More than the buffers of two sockets and of the client can hold."""
AHEAD = "Tue, 14 Nov 2023 22:23:20 GMT"
BEHIND = "Tue, 14 Nov 2023 22:03:20 GMT"
CREATED = json.dumps({"sid": "SM1", "status": "queued", "from": SENDER_NUMBER, "to": DARLA}).encode()
AT_NOW = "Tue, 14 Nov 2023 22:13:20 +0000"


def answering(status: int, body: bytes, **headers: str) -> Script:
    async def answer(exchange: Exchange) -> None:
        exchange.answer(status, body, **headers)

    return answer


class Flood:
    """Sends without an end, as long as the client reads, and counts the bytes that went out."""

    def __init__(self, status: int, head: bytes = b"") -> None:
        self.status = status
        self.head = head
        self.sent = 0

    async def __call__(self, exchange: Exchange) -> None:
        exchange.say(b"HTTP/1.1 %d -\r\nTransfer-Encoding: chunked\r\n%s\r\n" % (self.status, self.head))
        try:
            while self.sent < 50 * IN_SOCKETS:
                exchange.say(PIECE)
                self.sent += 0x10000
                await exchange.flushed()
        except ConnectionError:
            exchange.hang_up()


async def send(script: Script) -> Answer:
    async with RawHttp(script) as server, a_sender(server.url) as sender:
        return await sender.send(a_notification(), LOGIN)


async def look_up(*scripts: Script) -> Records | Unreadable:
    async with RawHttp(*scripts) as server, a_sender(server.url) as sender:
        return await sender.look_up(a_notification(), since=NOW, login=LOGIN)


def page(*rows: dict[str, object], next_uri: object = None) -> bytes:
    whole = {"sid": "SM1", "to": DARLA, "from": None, "status": "sent", "date_created": AT_NOW, "body": "b"}
    return json.dumps({"messages": [{**whole, **row} for row in rows], "next_page_uri": next_uri}).encode()


# How much is read


@pytest.mark.parametrize("status", [201, 400, 401, 429, 502])
async def test_an_answer_without_an_end_is_doubt_after_a_megabyte(status: int) -> None:
    flood = Flood(status)
    answer = await send(flood)
    assert Unanswered(detail=f"the answer is larger than {ANSWER_BYTES} bytes") == answer
    assert flood.sent < ANSWER_BYTES + IN_SOCKETS


async def test_a_page_without_an_end_is_unreadable_after_some_megabytes() -> None:
    flood = Flood(200)
    assert Unreadable(detail=f"the answer is larger than {PAGE_BYTES} bytes") == await look_up(flood)
    assert flood.sent < PAGE_BYTES + IN_SOCKETS


async def test_many_large_pages_together_are_bounded_too() -> None:
    large = page({"body": "x" * 3_000_000}, next_uri="/again")
    async with RawHttp(answering(200, large)) as server, a_sender(server.url) as sender:
        records = await sender.look_up(a_notification(), since=NOW, login=LOGIN)
    assert isinstance(records, Unreadable)
    assert len(server.asked) <= LIST_BYTES // 3_000_000 + 1


async def test_verifying_and_probing_read_no_more_than_that() -> None:
    flood = Flood(200)
    async with RawHttp(flood) as server, a_sender(server.url) as sender:
        assert isinstance(await sender.verify(LOGIN), Unanswered)
    assert flood.sent < PAGE_BYTES + IN_SOCKETS


async def test_no_encoding_is_asked_for() -> None:
    async with RawHttp(answering(201, CREATED)) as server, a_sender(server.url) as sender:
        await sender.send(a_notification(), LOGIN)
        await sender.look_up(a_notification(), since=NOW, login=LOGIN)
    assert ["identity"] * 2 == [asked.headers["accept-encoding"] for asked in server.asked]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"x" * 50_000_000)),
        ("deflate", zlib.compress(b"x" * 50_000_000)),
        ("gzip", gzip.compress(CREATED)),
        ("br", CREATED),
        ("zstd", CREATED),
        ("identity, gzip", CREATED),
    ],
    ids=range(6),
)
async def test_what_is_encoded_is_neither_decoded_nor_taken_for_twilios(encoding: str, body: bytes) -> None:
    """A few bytes would become gigabytes."""
    answer = await send(answering(201, body, Content_Encoding=encoding))
    assert Answered(http_status=201, is_twilios=False) == answer
    assert isinstance(classify(answer, notification=a_notification()), InDoubt)
    assert isinstance(await look_up(answering(200, body, Content_Encoding=encoding)), Unreadable)


@pytest.mark.parametrize("encoding", ["identity", " Identity ", ""])
async def test_an_encoding_that_is_none_changes_nothing(encoding: str) -> None:
    answer = await send(answering(201, CREATED, Content_Encoding=encoding))
    assert isinstance(answer, Answered)
    assert answer.is_twilios


# Strings


@pytest.mark.parametrize(
    "fields",
    [
        {"sid": "S" * 65},
        {"status": "q" * 33},
        {"from": "+" * 33},
        {"to": "1" * 33},
        {"sid": "SM\ud800"},
        {"status": "queued\udc00"},
        {"from": "\ud800"},
        {"to": "\ud800"},
        {"sid": "SM\n1"},
        {"sid": "S" * 270_000},
    ],
    ids=range(10),
)
async def test_a_string_that_no_status_can_hold_leaves_the_attempt_in_doubt(fields: dict[str, str]) -> None:
    body = json.dumps({"sid": "SM1", "status": "queued", **fields}).encode()
    answer = await send(answering(201, body))
    assert isinstance(answer, Answered)
    assert not answer.is_twilios
    assert isinstance(classify(answer, notification=a_notification()), InDoubt)


@pytest.mark.parametrize(
    "row",
    [
        {"sid": "S" * 65},
        {"sid": "SM\ud800"},
        {"status": "q" * 33},
        {"to": "1" * 33},
        {"from": "\ud800"},
        {"from": "x" * 257},
        {"date_created": "x" * 65},
    ],
    ids=range(7),
)
async def test_a_record_with_such_a_string_makes_the_list_unreadable(row: dict[str, object]) -> None:
    assert isinstance(await look_up(answering(200, page({}, row))), Unreadable)


async def test_a_record_of_an_agent_with_a_long_name_is_read() -> None:
    """RCS names its senders so; the record is another program's."""
    assert isinstance(await look_up(answering(200, page({"from": f"rcs:{'agent' * 20}"}))), Records)


async def test_what_a_list_says_of_itself_can_stand_in_a_status() -> None:
    body = json.dumps({"code": 20500, "message": "a\ud800\x1b[2J" + "x" * 5_000, "status": 500}).encode()
    records = await look_up(answering(500, body))
    assert isinstance(records, Unreadable)
    assert records.detail.isprintable()
    assert len(records.detail) < 300


@pytest.mark.parametrize("next_uri", ["/a\ud800", "/a b", "/a\r\nX: y", "/" + "a" * 5_000])
async def test_the_address_of_the_next_page_is_a_bounded_path(next_uri: str) -> None:
    assert isinstance(await look_up(answering(200, page({}, next_uri=next_uri))), Unreadable)


@pytest.mark.parametrize("header", ["9" * 1000, "86400", "Fri, 31 Dec 9999 23:59:59 GMT"])
async def test_a_retry_after_is_at_most_an_hour(header: str) -> None:
    answer = await send(answering(429, b"{}", Retry_After=header))
    assert isinstance(answer, Answered)
    assert 3600.0 == answer.retry_after


# Twilio's form, and Twilio's clock

HTML = b"<html><body>Bad Gateway</body></html>"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, HTML),
        (403, HTML),
        (407, b""),
        (502, HTML),
        (201, b'{"sid": "SM1"}'),
        (403, b'{"code": 403, "message": "Forbidden"}'),
        (403, b'{"code": 20403}'),
        (404, b'{"code": 20404, "message": "No", "status": 200}'),
        (401, b'{"message": "Unauthorized"}'),
        (200, b'{"messages": {}}'),
        (302, b""),
    ],
    ids=range(11),
)
@pytest.mark.parametrize("date", [AHEAD, BEHIND])
async def test_an_answer_that_is_not_twilios_tells_no_clock(status: int, body: bytes, date: str) -> None:
    async with RawHttp(answering(status, body, Date=date)) as server, a_sender(server.url) as sender:
        answer = await sender.send(a_notification(), LOGIN)
        await sender.verify(LOGIN)
        await sender.look_up(a_notification(), since=NOW, login=LOGIN)
        await sender.reachable()
        assert None is sender.clock_offset
    assert isinstance(answer, Answered)
    assert (False, None) == (answer.is_twilios, answer.clock_offset)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, CREATED),
        (
            400,
            b'{"code": 21211, "message": "Invalid", "more_info": "https://www.twilio.com/", "status": 400}',
        ),
        (401, b'{"code": 20003, "message": "Authenticate", "status": 401}'),
        (503, b'{"code": 20503, "message": "Service Unavailable", "status": 503}'),
    ],
)
async def test_an_answer_of_twilios_form_tells_its_clock(status: int, body: bytes) -> None:
    async with RawHttp(answering(status, body, Date=AHEAD)) as server, a_sender(server.url) as sender:
        await sender.send(a_notification(), LOGIN)
        assert 600.0 == sender.clock_offset


async def test_a_page_of_a_list_tells_twilios_clock() -> None:
    records = await look_up(answering(200, page({}), Date=AHEAD))
    assert isinstance(records, Records)
    assert 600.0 == records.clock_offset


@pytest.mark.parametrize("status", [401, 403])
async def test_a_proxys_refusal_of_a_list_blames_no_login(status: int) -> None:
    records = await look_up(answering(status, HTML))
    assert isinstance(records, Unreadable)
    assert not records.unauthorized


@pytest.mark.parametrize("status", [200, 401, 403, 407, 502])
async def test_a_page_for_a_browser_verifies_nothing_and_refuses_nothing(status: int) -> None:
    async with RawHttp(answering(status, HTML)) as server, a_sender(server.url) as sender:
        assert isinstance(await sender.verify(LOGIN), Unanswered)


# Systems without authorities


@pytest.fixture
def without_authorities(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("authorities")
    (folder / "none.pem").write_bytes(b"")
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(folder))


@pytest.mark.usefixtures("without_authorities")
async def test_http_needs_no_authorities() -> None:
    answer = await send(answering(201, CREATED))
    assert isinstance(answer, Answered)


@pytest.mark.usefixtures("without_authorities")
async def test_https_without_authorities_is_surely_not_sent_and_says_what_to_do() -> None:
    async with a_sender("https://127.0.0.1:1") as sender:
        answer = await sender.send(a_notification(), LOGIN)
        assert not await sender.reachable()
    assert isinstance(answer, NotSent)
    assert "ca-certificates" in answer.detail
    assert "[twilio] ca_file" in answer.detail


async def test_authorities_that_come_later_are_used_with_the_next_request(
    monkeypatch: pytest.MonkeyPatch, without_authorities: None
) -> None:
    async with a_sender("https://127.0.0.1:1") as sender:
        first = await sender.send(a_notification(), LOGIN)
        monkeypatch.delenv("SSL_CERT_FILE")
        monkeypatch.delenv("SSL_CERT_DIR")
        second = await sender.send(a_notification(), LOGIN)
    assert isinstance(first, NotSent)
    assert isinstance(second, NotSent)
    assert "ca-certificates" in first.detail
    assert "refused" in second.detail
