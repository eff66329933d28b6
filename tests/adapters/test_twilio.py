"""What the Twilio adapter asks, and what it makes of the answers: form, credentials, headers, bodies."""

from __future__ import annotations

import base64
import json
import random
import traceback
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.twilio_steps import ACCOUNT, LOGIN, NOW, TOKEN, a_sender
from tests.support.factories import DARLA, SENDER_NUMBER, a_notification
from tests.support.raw_http import RawHttp
from twilio_notifications.adapters.twilio import CallForm, DateReader, retry_after_seconds
from twilio_notifications.core.model import (
    Answered,
    Channel,
    Login,
    Notification,
    NotSent,
    Records,
    Secret,
    Text,
    Unanswered,
    Unreadable,
    VoiceLocation,
)
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.support.raw_http import Exchange

    Script = Callable[[Exchange], Awaitable[None]]

CREATED = json.dumps({"sid": "SM1", "status": "queued", "from": SENDER_NUMBER, "to": DARLA}).encode()
CALL = a_notification(channel=Channel.CALL, content=VoiceLocation(url="https://example.org/a?b=c&d=é"))


def answering(status: int, body: bytes = b"{}", **headers: str) -> Script:
    async def answer(exchange: Exchange) -> None:
        exchange.answer(status, body, **headers)

    return answer


async def send(script: Script, **settings: float) -> object:
    async with RawHttp(script) as server, a_sender(server.url, **settings) as sender:
        return await sender.send(a_notification(), LOGIN)


# What is asked


async def test_a_text_is_posted_with_exactly_these_fields() -> None:
    body = "Grüße 🔔 & = + % \n zwei"
    async with RawHttp(answering(201, CREATED)) as server, a_sender(server.url) as sender:
        await sender.send(a_notification(content=Text(body=body)), LOGIN)
    (asked,) = server.asked
    assert ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json") == (asked.method, asked.target)
    assert "application/x-www-form-urlencoded" == asked.headers["content-type"]
    assert [("To", DARLA), ("From", SENDER_NUMBER), ("Body", body)] == parse_qsl(asked.body.decode())


async def test_a_call_is_posted_with_exactly_these_fields() -> None:
    async with RawHttp(answering(201, CREATED)) as server, a_sender(server.url) as sender:
        await sender.send(CALL, LOGIN)
    (asked,) = server.asked
    assert ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json") == (asked.method, asked.target)
    expected = [("To", DARLA), ("From", SENDER_NUMBER), ("Url", "https://example.org/a?b=c&d=é")]
    assert expected == parse_qsl(asked.body.decode())


@pytest.mark.parametrize(("seconds", "written"), [(600.0, "600"), (0.2, "1"), (59.5, "60")])
async def test_each_call_has_its_time_limit_and_a_text_has_none(seconds: float, written: str) -> None:
    """A document can forward the call, which would go on for hours."""
    async with (
        RawHttp(answering(201, CREATED)) as server,
        a_sender(server.url, calls=CallForm(time_limit_seconds=seconds)) as sender,
    ):
        await sender.send(CALL, LOGIN)
        await sender.send(a_notification(), LOGIN)
    call, text = (dict(parse_qsl(asked.body.decode())) for asked in server.asked)
    assert written == call["TimeLimit"]
    assert "TimeLimit" not in text


async def test_account_and_token_go_as_basic_authentication_with_every_request_that_needs_them() -> None:
    async with RawHttp(answering(200, page())) as server, a_sender(server.url) as sender:
        await sender.send(a_notification(), LOGIN)
        await sender.verify(LOGIN)
        await sender.look_up(a_notification(), since=NOW, login=LOGIN)
        await sender.reachable()
    *asked, head = server.asked
    expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    assert [expected] * 3 == [request.headers["authorization"] for request in asked]
    assert "authorization" not in head.headers, "nobody needs to know it to see that there is a network"


async def test_each_attempt_has_the_login_that_it_is_given_and_the_url_its_account() -> None:
    """A token that is renewed must not need a restart; an API key's SID is no account."""
    async with RawHttp(answering(201, CREATED)) as server, a_sender(server.url) as sender:
        await sender.send(a_notification(), LOGIN)
        await sender.send(a_notification(), Login(user="SK1", secret=Secret("renewed")))
    assert [f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"] * 2 == [asked.target for asked in server.asked]
    assert base64.b64encode(b"SK1:renewed").decode() in server.asked[1].headers["authorization"]


async def test_a_base_url_may_end_with_a_slash_and_hold_a_path() -> None:
    async with RawHttp(answering(201, CREATED)) as server, a_sender(f"{server.url}/twilio/") as sender:
        await sender.send(a_notification(), LOGIN)
    assert f"/twilio/2010-04-01/Accounts/{ACCOUNT}/Messages.json" == server.asked[0].target


async def test_this_machine_is_reached_without_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would see the demo's requests, and could not carry them out."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert isinstance(await send(answering(201, CREATED)), Answered)


# What is answered


async def test_an_accepted_request_is_answered_with_what_twilio_says() -> None:
    expected = Answered(
        http_status=201, sid="SM1", message_status="queued", sender_number=SENDER_NUMBER, phone_number=DARLA
    )
    assert expected == await send(answering(201, CREATED))


async def test_a_refusal_is_answered_with_its_code_and_text() -> None:
    body = json.dumps({"code": 21211, "message": "Invalid 'To'", "status": 400}).encode()
    expected = Answered(http_status=400, code=21211, message="Invalid 'To'")
    assert expected == await send(answering(400, body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Bad Gateway</body></html>",
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe\x00",
        b'{"sid": "SM1"',
        b"[" * 100_000,
        b'{"sid": 1, "status": true, "from": [], "to": {}, "code": "21211", "message": 7}',
        b'{"code": true}',
        b'{"code": 1e400}',
        b'{"code": ' + b"9" * 5_000 + b"}",
    ],
    ids=range(12),
)
@pytest.mark.parametrize("status", [200, 201, 400, 500])
async def test_a_body_that_is_not_twilios_leaves_the_fields_empty(status: int, body: bytes) -> None:
    assert Answered(http_status=status, is_twilios=False) == await send(answering(status, body))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(status: int) -> None:
    """A redirected POST could be carried out twice."""
    async with RawHttp(answering(201, CREATED)) as other:
        location = f"{other.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        expected = Answered(http_status=status, is_twilios=False)
        assert expected == await send(answering(status, Location=location))
    assert [] == other.asked


async def test_a_large_answer_is_read_whole() -> None:
    body = json.dumps({"sid": "SM1", "status": "queued", "body": "x" * 1_000_000}).encode()
    answer = await send(answering(201, body))
    assert isinstance(answer, Answered)
    assert "SM1" == answer.sid


# Headers


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tuesday, 14-Nov-23 22:13:30 GMT", 10.0),
        ("Tue, 14 Nov 2023 22:13:10 GMT", 0.0),
        ("-7", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Tue, 99 Nov 2023 22:13:30 GMT", None),
        ("ÿ", None),
    ],
)
async def test_retry_after_is_read_in_both_forms(header: str, seconds: float | None) -> None:
    answer = await send(answering(429, Retry_After=header))
    assert isinstance(answer, Answered)
    assert seconds == answer.retry_after


async def test_the_date_of_an_answer_tells_how_far_our_clock_is_off() -> None:
    script = answering(201, CREATED, Date="Tue, 14 Nov 2023 22:13:17 GMT")
    async with RawHttp(script, answering(500)) as server, a_sender(server.url) as sender:
        assert sender.clock_offset is None
        answer = await sender.send(a_notification(), LOGIN)
        assert isinstance(answer, Answered)
        assert -3.0 == answer.clock_offset == sender.clock_offset
        await sender.send(a_notification(), LOGIN)
        assert -3.0 == sender.clock_offset, "an answer without a date changes nothing"


@given(
    st.text(max_size=60)
    | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{1,5} \d\d:\d\d:\d\d [-+]\d{4}")
)
def test_no_header_is_an_error(header: str) -> None:
    assert (retry_after_seconds(header, now=NOW) or 0.0) >= 0.0
    assert isinstance(DateReader().offset(header, now=NOW), float | None)


# Lists


def page(*created: str, next_uri: object = None) -> bytes:
    rows = [
        {"sid": f"SM{number}", "to": DARLA, "from": None, "status": "sent", "date_created": date, "body": "b"}
        for number, date in enumerate(created)
    ]
    return json.dumps({"messages": rows, "next_page_uri": next_uri}).encode()


AT_NOW = "Tue, 14 Nov 2023 22:13:20 +0000"
LONG_BEFORE = "Tue, 14 Nov 2023 20:00:00 +0000"


async def look_up(*scripts: Script) -> tuple[Records | Unreadable, list[str]]:
    async with RawHttp(*scripts) as server, a_sender(server.url) as sender:
        records = await sender.look_up(a_notification(), since=NOW, login=LOGIN)
    return records, [asked.target for asked in server.asked]


async def test_a_list_is_read_page_by_page_until_it_is_older_than_the_attempt() -> None:
    next_uri = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?Page=1&PageToken=PASM1"
    first = answering(200, page(AT_NOW, next_uri=next_uri))
    second = answering(200, page(AT_NOW, LONG_BEFORE, next_uri="/older"))
    records, targets = await look_up(first, second)
    assert isinstance(records, Records)
    assert ["SM0", "SM0"] == [record.sid for record in records.found]
    assert [
        f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?To=%2B12345000000&PageSize=200",
        next_uri,
    ] == targets


async def test_a_number_with_two_spellings_is_looked_for_under_both() -> None:
    """Twilio may have recorded the other one, and a filter is an exact one."""
    async with RawHttp(answering(200, page(AT_NOW))) as server, a_sender(server.url) as sender:
        records = await sender.look_up(a_notification("+5215512345678"), since=NOW, login=LOGIN)
    assert isinstance(records, Records)
    assert 2 == len(records.found)
    assert ["To=%2B5215512345678&PageSize=200", "To=%2B525512345678&PageSize=200"] == [
        asked.target.partition("?")[2] for asked in server.asked
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"messages": {}}',
        b'{"messages": [1]}',
        b'{"messages": [{"sid": "SM1"}]}',
        page("yesterday"),
        page(AT_NOW, next_uri=1),
    ],
    ids=range(7),
)
async def test_a_list_that_cannot_be_read_whole_proves_nothing(body: bytes) -> None:
    records, _ = await look_up(answering(200, body))
    assert isinstance(records, Unreadable)


async def test_a_list_that_is_not_given_says_why_and_when_to_ask_again() -> None:
    records, _ = await look_up(answering(429, b'{"message": "Too Many Requests"}', Retry_After="3"))
    assert Unreadable(detail="HTTP 429 Too Many Requests", retry_after=3.0) == records


@pytest.mark.parametrize(("status", "expected"), [(401, True), (403, True), (404, False), (500, False)])
async def test_a_list_that_is_refused_says_whether_the_login_is_to_blame(
    status: int, *, expected: bool
) -> None:
    body = json.dumps({"code": 20_000 + status, "message": "No", "status": status}).encode()
    records, _ = await look_up(answering(status, body))
    assert isinstance(records, Unreadable)
    assert expected == records.unauthorized


@pytest.mark.parametrize("next_uri", ["@evil.invalid/x", "https://evil.invalid/x", "x", ""])
async def test_the_next_page_is_asked_for_nowhere_else(next_uri: str) -> None:
    """The token goes with it: what is no path on the same host is not followed."""
    records, targets = await look_up(answering(200, page(AT_NOW, next_uri=next_uri)))
    assert isinstance(records, Unreadable)
    assert 1 == len(targets)


async def test_a_list_without_an_end_is_given_up() -> None:
    records, targets = await look_up(answering(200, page(AT_NOW, next_uri="/again")))
    assert isinstance(records, Unreadable)
    assert 100 == len(targets)


# Secrets


async def test_the_token_is_in_no_repr_and_in_no_error() -> None:
    encoded = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()

    async def hang_up(exchange: Exchange) -> None:
        exchange.hang_up()

    async with RawHttp(hang_up) as server, a_sender(server.url) as sender:
        answer = await sender.send(a_notification(), LOGIN)
        client = sender._clients.current()
        assert not isinstance(client, NotSent)
        shown = [repr(answer), repr(sender), repr(vars(sender)), repr(vars(sender._clients)), repr(client)]
        try:
            await client.get(server.url).header("Authorization", encoded, is_sensitive=True).build().send()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not show the header
            shown += ["".join(traceback.format_exception(error)), repr(error), repr(error.args)]
    assert isinstance(answer, Unanswered)
    assert 8 == len(shown)
    for text in shown:
        assert TOKEN not in text
        assert encoded not in text


# The simulator


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    async with Simulator(clock=lambda: NOW, random=random.Random(1), auth_tokens=[TOKEN]) as twilio:  # noqa: S311
        yield twilio


@pytest.mark.parametrize(("notification", "prefix"), [(a_notification(), "SM"), (CALL, "CA")])
async def test_what_the_simulator_creates_is_found_in_its_lists(
    twilio: Simulator, notification: Notification, prefix: str
) -> None:
    async with a_sender(twilio.base_url) as sender:
        answer = await sender.send(notification, LOGIN)
        records = await sender.look_up(notification, since=NOW, login=LOGIN)
    assert isinstance(answer, Answered)
    assert isinstance(records, Records)
    (record,) = records.found
    assert answer.sid == record.sid
    assert str(answer.sid).startswith(prefix)
    assert (201, "queued", SENDER_NUMBER, DARLA) == (
        answer.http_status,
        answer.message_status,
        answer.sender_number,
        answer.phone_number,
    )
    assert 0.0 == answer.clock_offset == records.clock_offset


@pytest.mark.parametrize("status", [200, 401])
async def test_credentials_are_verified_without_sending_anything(twilio: Simulator, status: int) -> None:
    twilio.set_auth_tokens([TOKEN if status == 200 else "another"])
    async with a_sender(twilio.base_url) as sender:
        answer = await sender.verify(LOGIN)
    assert isinstance(answer, Answered)
    assert status == answer.http_status
    assert [] == list(twilio.ledger)


async def test_a_success_that_is_not_twilios_verifies_nothing() -> None:
    """The log-in page of a hotel's network."""
    async with RawHttp(answering(200, b"<html></html>")) as server, a_sender(server.url) as sender:
        assert isinstance(await sender.verify(LOGIN), Unanswered)


async def test_an_answer_that_is_lost_is_no_answer(twilio: Simulator) -> None:
    twilio.add_fault(Fault(effect=faults.AnswerLost(after_bytes=40)))
    async with a_sender(twilio.base_url) as sender:
        assert isinstance(await sender.send(a_notification(), LOGIN), Unanswered)
    assert 1 == len(twilio.ledger)
