"""The Test page: what it publishes, and what it shows of what arrives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.console.conftest import HOSTILE
from tests.console.console_steps import Desk
from twilio_notifications.console.trial import MOST_MESSAGES, MOST_PAYLOAD_BYTES
from twilio_notifications.core.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

STATUS = b'{"response":{"status":"success","payload":{}},"id":"request123"}'


@pytest.fixture
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with Desk(folder) as desk:
        yield desk


FORM = {"phone_number": "+12345000000", "name": "Darla", "content": "Hello", "id": "one"}
RECIPIENT = {"phone_number": "+12345000000", "name": "Darla"}


@pytest.mark.parametrize(
    ("fields", "topic", "request_"),
    [
        ({"channel": "txt"}, "twilio/txt", {"recipient": RECIPIENT | {"message": "Hello"}}),
        ({"channel": "call"}, "twilio/call", {"recipient": RECIPIENT | {"voice_message_location": "Hello"}}),
        (
            {"channel": "call", "speaks": "text"},
            "twilio/call",
            {"recipient": RECIPIENT | {"voice_message": "Hello"}},
        ),
        (
            {"channel": "txt", "from_number": "+19999999999", "priority": "urgent"},
            "twilio/txt",
            {
                "recipient": RECIPIENT | {"message": "Hello"},
                "from_number": "+19999999999",
                "priority": "urgent",
            },
        ),
    ],
)
async def test_the_form_publishes_the_documents_request(
    desk: Desk, fields: dict[str, str], topic: str, request_: dict[str, object]
) -> None:
    answer = await desk.send("/test", **FORM, **fields)
    assert 303 == answer.status_code
    ((where, payload),) = desk.visitor.published
    assert topic == where
    assert {"request": request_, "id": "one"} == json.loads(payload)


async def test_a_form_that_is_sent_twice_publishes_once(desk: Desk) -> None:
    form_id = await desk.hidden("form_id", page="/test")
    for _ in range(2):
        assert 303 == (await desk.send("/test", **FORM, form_id=form_id)).status_code
    assert 1 == len(desk.visitor.published)


async def test_raw_bytes_are_published_as_they_were_typed(desk: Desk) -> None:
    await desk.send("/test", channel="call", raw='{"not":\r\n "valid"')
    assert [("twilio/call", b'{"not":\r\n "valid"')] == desk.visitor.published


async def test_a_status_that_arrives_is_shown_and_open_pages_hear_of_it(desk: Desk) -> None:
    await desk.get("/test")
    assert desk.visitor.is_connected
    events = desk.console._feed.events("a browser")
    await anext(events)
    desk.visitor.arrive("twilio/message/status", STATUS)
    assert b"event: changed\ndata: \n\n" == await anext(events)
    await events.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
    page = (await desk.get("/test")).text
    assert "arrived on twilio/message/status" in page
    assert '<span class="badge good">success</span>' in page


@pytest.mark.parametrize(
    "payload",
    [
        HOSTILE.encode(),
        json.dumps({"response": {"status": HOSTILE}}).encode(),
        b"\xff\x00",
        b"[1]",
        b"[" * 10_000,
        b"x" * 200_000,
        b'{"response": 1}',
        b'{"response": {"status": "\\ud800"}}',
    ],
)
async def test_a_hostile_message_is_shown_as_text(desk: Desk, payload: bytes) -> None:
    await desk.get("/test")
    desk.visitor.arrive("twilio/message/status", payload)
    page = await desk.get("/test")
    assert 200 == page.status_code
    assert HOSTILE not in page.text
    assert 50_000 > len(page.text)


async def test_the_page_keeps_the_newest_messages_only(desk: Desk) -> None:
    await desk.get("/test")
    for number in range(MOST_MESSAGES + 5):
        desk.visitor.arrive("twilio/message/status", b"message %d." % number)
    page = (await desk.get("/test")).text
    assert "message 4." not in page
    assert page.index("message 54.") < page.index("message 5.")


async def test_a_broker_that_is_not_there_is_said_and_the_form_keeps_what_was_typed(desk: Desk) -> None:
    token = await desk.form_token("/test")
    desk.visitor.failure = TransportError("no connection to mqtt://broker:1883: nothing listens there")
    answer = await desk.post("/test", form_token=token, **FORM)
    assert 502 == answer.status_code
    assert "nothing listens there" in answer.text
    assert 'value="+12345000000"' in answer.text
    assert "nothing listens there" in (await desk.get("/test")).text


async def test_a_request_that_is_too_large_is_not_published(desk: Desk) -> None:
    answer = await desk.send("/test", raw="x" * (MOST_PAYLOAD_BYTES + 1))
    assert 400 == answer.status_code
    assert [] == desk.visitor.published


async def test_on_a_nucleus_there_is_no_broker_to_test_with(folder: Path) -> None:
    async with Desk(folder, toml='[transport]\nkind = "greengrass"\n') as desk:
        assert "a nucleus takes requests from its components alone" in (await desk.get("/test")).text
        assert 400 == (await desk.send("/test", **FORM)).status_code
