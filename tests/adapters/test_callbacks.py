"""The endpoint of Twilio's callbacks, over real sockets; Twilio's own library signs."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from tests.support.fakes import RecordingEvents
from twilio_notifications.adapters.twilio import CallbackEndpoint, callback_listeners
from twilio_notifications.adapters.twilio.callbacks import MOST_BODY_BYTES, MOST_FIELDS
from twilio_notifications.core.errors import JournalClosed
from twilio_notifications.core.model import Secret
from twilio_notifications.ports import Callback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

TOKEN = "0123456789abcdef0123456789abcdef"
PUBLIC_URL = "https://alarms.example.com/twilio"
QUERY = "request=1&attempt=1&key=abc"
TEXT = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003", "To": "+12345000000"}


class Taker:
    """Remembers what it is given."""

    def __init__(self) -> None:
        self.taken: list[Callback] = []
        self.forbade = 0
        self.unread = 0
        self.error: Exception | None = None

    async def take(self, callback: Callback) -> None:
        if self.error is not None:
            raise self.error
        self.taken.append(callback)

    def forbidden(self) -> None:
        self.forbade += 1

    def unreadable(self) -> None:
        self.unread += 1


class House:
    """An open endpoint, and a client for it."""

    def __init__(self, port: int, taker: Taker) -> None:
        self.port = port
        self.taker = taker

    async def ask(self, request: bytes) -> bytes:
        """The whole answer; empty where the connection was closed without one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer

    async def call(
        self, fields: Mapping[str, str], *, target: str = f"/twilio?{QUERY}", token: str = TOKEN
    ) -> str:
        """The number of the answer to a callback that is signed with `token`."""
        signature = RequestValidator(token).compute_signature(
            f"https://alarms.example.com{target}", dict(fields)
        )
        answer = await self.ask(a_post(target, urlencode(fields).encode(), signature))
        return answer.split(b" ")[1].decode()


def a_post(target: str, body: bytes, signature: str, *extra: str) -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: 127.0.0.1", f"X-Twilio-Signature: {signature}", *extra]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@asynccontextmanager
async def a_house(tokens: Sequence[str] = (TOKEN,)) -> AsyncIterator[House]:
    async def read() -> list[Secret]:
        return [Secret(token) for token in tokens]

    taker = Taker()
    listeners = callback_listeners("127.0.0.1", 0)
    port = listeners[0].getsockname()[1]
    events = RecordingEvents()
    async with CallbackEndpoint(listeners, public_url=PUBLIC_URL, tokens=read, taker=taker, events=events):
        assert [f"127.0.0.1:{port}"] == [told.fields["address"] for told in events.lines]
        yield House(port, taker)
    assert [-1] * len(listeners) == [listener.fileno() for listener in listeners]


async def test_a_callback_that_twilio_signed_is_taken() -> None:
    async with a_house() as house:
        assert "204" == await house.call(TEXT)
        expected = Callback(
            sid="SM1", query=QUERY, state="undelivered", code=30_003, phone_number="+12345000000"
        )
        assert [expected] == house.taker.taken


async def test_a_call_says_who_answered_and_whether_a_key_was_pressed() -> None:
    async with a_house() as house:
        await house.call(
            {"CallSid": "CA1", "CallStatus": "in-progress", "AnsweredBy": "human", "Digits": "1"}
        )
        (callback,) = house.taker.taken
        assert ("CA1", "in-progress", "human", True) == (
            callback.sid,
            callback.state,
            callback.answered_by,
            callback.key_pressed,
        )


async def test_a_proxy_may_take_the_path_of_the_public_url_off() -> None:
    async with a_house() as house:
        signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC_URL}/?{QUERY}", TEXT)
        answer = await house.ask(a_post(f"/?{QUERY}", urlencode(TEXT).encode(), signature))
        assert answer.startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("token", ["", "another token"])
async def test_a_wrong_signature_is_forbidden_and_nothing_is_taken(token: str) -> None:
    async with a_house() as house:
        assert "403" == await house.call(TEXT, token=token)
        assert "403" == (await house.ask(a_post("/twilio", b"MessageSid=SM1", ""))).split(b" ")[1].decode()
        assert ([], 2) == (house.taker.taken, house.taker.forbade)


async def test_in_a_rotation_either_token_may_have_signed() -> None:
    async with a_house(tokens=("the next one", TOKEN)) as house:
        assert "204" == await house.call(TEXT)


async def test_without_a_token_twilio_is_asked_to_come_again() -> None:
    async with a_house(tokens=()) as house:
        assert "503" == await house.call(TEXT)
        assert [] == house.taker.taken


async def test_a_journal_that_has_closed_takes_nothing() -> None:
    async with a_house() as house:
        house.taker.error = JournalClosed("the journal is closed")
        assert "503" == await house.call(TEXT)


async def test_what_names_no_text_and_no_call_is_no_callback() -> None:
    async with a_house() as house:
        assert "400" == await house.call({"To": "+12345000000"})
        assert "400" == await house.call({"MessageSid": "S" * 65})
        assert ([], 2) == (house.taker.taken, house.taker.unread)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /twilio HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"405"),
        (b"GET /twilio HTTP/1.1\r\n\r\n", b"405"),
        (b"HEAD /twilio HTTP/1.1\r\n\r\n", b"405"),
        (b"POST /twilio HTTP/1.1\r\n\r\n", b"411"),
        (b"POST /twilio HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1", b"411"),
        (b"POST /twilio HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST /twilio HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MOST_BODY_BYTES + 1), b"413"),
        (b"POST /twilio HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"9" * 5000), b"413"),
        (b"POST /twilio HTTP/1.1\r\nContent-Length: %s\r\n\r\n" % (b"0" * 5000), b"413"),
        (b"POST /twilio HTTP/1.1\r\nContent-Length: %s9999999999\r\n\r\n" % (b"0" * 20), b"413"),
        (a_post("/twilio", b"\xff\xfe", ""), b"400"),
        (a_post("/twilio", b"&".join(b"a=1" for _ in range(MOST_FIELDS + 1)), ""), b"400"),
        (b"POST /twilio HTTP/1.1\r\nX: " + b"x" * 9000, b""),
        (b"POST /twilio HTTP/1.1\r\nContent-Length: 1\r\n" + b"x: y\r\n" * 2000, b""),
    ],
    ids=lambda value: str(value[:40]),
)
async def test_a_request_out_of_bounds_is_refused_unread(request_: bytes, status: bytes) -> None:
    async with a_house() as house:
        try:
            answer = await house.ask(request_)
        except ConnectionResetError:
            answer = b""
        assert status == b"".join(answer.split(b" ")[1:2])
        assert [] == house.taker.taken


async def test_fields_that_come_twice_and_other_characters_are_checked_as_twilio_does() -> None:
    async with a_house() as house:
        body = urlencode([("MessageSid", "SM1"), ("Body", "grüße +1 & 2"), ("Tag", "b"), ("Tag", "a")])
        values = {"MessageSid": "SM1", "Body": "grüße +1 & 2", "Tag": ["a", "b"]}
        signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC_URL}?{QUERY}", multi(values))
        answer = await house.ask(a_post(f"/twilio?{QUERY}", body.encode(), signature))
        assert answer.startswith(b"HTTP/1.1 204 ")


class multi(dict[str, Any]):  # noqa: N801 - as the frameworks name theirs
    """A form with repeated fields, as the web frameworks hand it to Twilio's library."""

    def getall(self, name: str) -> list[str]:
        value = self[name]
        return value if isinstance(value, list) else [value]
