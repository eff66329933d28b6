"""The oracle: Twilio's own Python library works against the simulator, with another host and nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from tests.simulator.desk import ACCOUNT, DARLA, NOON, SENDER, SERVICE, TOKEN, chance
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.simulator.deliveries import DeliveryOrder
from twilio_notifications.simulator.faults import Fault, RateLimited
from twilio_notifications.simulator.plans import Plan
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

TWILIO = "https://api.twilio.com"
OTHER = "+12345000001"
VOICE = "https://some-public-TwiML"


class RedirectedHttpClient(TwilioHttpClient):  # type: ignore[misc]  # the library is skipped by mypy
    """Twilio's HTTP client, which has no other way to learn of another host."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=WAIT_SECONDS)
        self.session.trust_env = False  # no proxy between a test and its server
        self._base_url = base_url

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        assert url.startswith(TWILIO), url
        return super().request(method, url.replace(TWILIO, self._base_url), *args, **kwargs)


class Later:
    """The simulator's clock: stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
async def simulator(clock: Later) -> AsyncIterator[Simulator]:
    async with Simulator(clock=clock, random=chance(), account_sid=ACCOUNT, auth_tokens=[TOKEN]) as simulator:
        yield simulator


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Any]:
    http = RedirectedHttpClient(simulator.base_url)
    yield Client(ACCOUNT, TOKEN, http_client=http)
    http.session.close()


async def ask(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call the library, which blocks, next to the event loop of the simulator."""
    return await asyncio.to_thread(function, *args, **kwargs)


async def a_text(client: Any, **changes: Any) -> Any:
    return await ask(
        client.messages.create, **{"to": DARLA, "from_": SENDER, "body": "Hello from the edge", **changes}
    )


async def a_call(client: Any, **changes: Any) -> Any:
    return await ask(client.calls.create, **{"to": DARLA, "from_": SENDER, "url": VOICE, **changes})


async def test_a_text_is_created_and_fetched(client: Any, simulator: Simulator, clock: Later) -> None:
    text = await a_text(client)
    noon = datetime.fromtimestamp(NOON, UTC)
    assert ("queued", DARLA, SENDER, noon) == (text.status, text.to, text.from_, text.date_created)
    clock.now += 60
    fetched = await ask(client.messages(text.sid).fetch)
    assert ("delivered", "Hello from the edge") == (fetched.status, fetched.body)
    assert [text.sid] == [entry.sid for entry in simulator.ledger]


async def test_a_call_is_created_and_fetched(client: Any, simulator: Simulator, clock: Later) -> None:
    call = await a_call(client)
    assert ("queued", DARLA, SENDER) == (call.status, call.to, call._from)
    clock.now += 60
    fetched = await ask(client.calls(call.sid).fetch)
    assert ("completed", "6") == (fetched.status, fetched.duration)
    assert VOICE == simulator.ledger[0].url


async def test_a_call_may_speak_a_text_of_its_own(client: Any, simulator: Simulator) -> None:
    twiml = "<Response><Say>Grüße</Say></Response>"
    await a_call(client, url=None, twiml=twiml)
    assert twiml == simulator.ledger[0].twiml


async def test_a_text_through_a_messaging_service_is_accepted_first(client: Any) -> None:
    text = await ask(client.messages.create, to=DARLA, messaging_service_sid=SERVICE, body="Hello")
    assert ("accepted", None, "0") == (text.status, text.from_, text.num_segments)


async def test_texts_are_listed_through_all_pages(client: Any) -> None:
    sids = [(await a_text(client, body=str(n))).sid for n in range(5)]
    listed = await ask(client.messages.list, page_size=2)
    assert sids[::-1] == [text.sid for text in listed]


async def test_a_page_leads_to_the_next_and_back(client: Any) -> None:
    for n in range(3):
        await a_text(client, body=str(n))
    page = await ask(client.messages.page, page_size=2)
    following = await ask(page.next_page)
    assert ["2", "1"] == [text.body for text in page]
    assert ["0"] == [text.body for text in following]
    assert ["2", "1"] == [text.body for text in await ask(following.previous_page)]
    assert await ask(following.next_page) is None


async def test_texts_are_listed_by_number_and_by_day(client: Any, clock: Later) -> None:
    text = await a_text(client)
    await a_text(client, to=OTHER)
    clock.now += 60
    found = await ask(client.messages.list, to=DARLA, from_=SENDER, date_sent=date(2023, 11, 15))
    assert [text.sid] == [shown.sid for shown in found]
    after = await ask(client.messages.list, date_sent_after=datetime(2023, 11, 15, 12, 0, 2, tzinfo=UTC))
    assert 2 == len(after)
    assert [] == await ask(client.messages.list, date_sent_before=date(2023, 11, 14))


async def test_calls_are_listed_by_status_and_by_time(client: Any, clock: Later) -> None:
    call = await a_call(client)
    clock.now += 60
    later = await a_call(client)
    assert [call.sid] == [shown.sid for shown in await ask(client.calls.list, status="completed")]
    started = await ask(client.calls.list, start_time_after=date(2023, 11, 15))
    assert [call.sid] == [shown.sid for shown in started], "a queued call has not started"
    both = await ask(client.calls.list, to=DARLA)
    assert [later.sid, call.sid] == [shown.sid for shown in both]


async def test_a_scheduled_text_is_canceled_and_a_call_is_hung_up(client: Any) -> None:
    send_at = datetime.fromtimestamp(NOON + 3_600, UTC)
    text = await a_text(client, messaging_service_sid=SERVICE, schedule_type="fixed", send_at=send_at)
    call = await a_call(client)
    canceled = await ask(client.messages(text.sid).update, status="canceled")
    ended = await ask(client.calls(call.sid).update, status="canceled")
    assert ("canceled", "canceled") == (canceled.status, ended.status)


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [
        ("+15005550101", "undelivered", 30003),
        ("+15005550106", "failed", 30034),
        ("+15005550107", "sent", None),
    ],
)
async def test_the_end_of_a_text_is_fetched_and_listed(
    client: Any, clock: Later, number: str, status: str, code: int | None
) -> None:
    text = await a_text(client, to=number)
    clock.now += 60
    fetched = await ask(client.messages(text.sid).fetch)
    (listed,) = await ask(client.messages.list, to=number)
    for shown in (fetched, listed):
        assert (status, code, "outbound-api") == (shown.status, shown.error_code, shown.direction)
        assert clock.now > shown.date_updated.timestamp() > NOON


async def test_machine_detection_is_fetched(client: Any, clock: Later) -> None:
    call = await a_call(client, to="+15005550105", machine_detection="Enable")
    assert call.answered_by is None
    clock.now += 60
    fetched = await ask(client.calls(call.sid).fetch)
    assert ("completed", "machine") == (fetched.status, fetched.answered_by)


async def test_the_notifications_of_a_call_are_listed_and_fetched(client: Any, clock: Later) -> None:
    call = await a_call(client, to="+15005550106")
    clock.now += 60
    (listed,) = await ask(client.calls(call.sid).notifications.list, log=0)
    fetched = await ask(client.calls(call.sid).notifications(listed.sid).fetch)
    for shown in (listed, fetched):
        assert ("11200", "0", VOICE) == (shown.error_code, shown.log, shown.request_url)
    assert listed.message_date.timestamp() <= clock.now
    assert [] == await ask(client.calls(call.sid).notifications.list, log=1)
    with pytest.raises(TwilioRestException) as raised:
        await ask(client.calls(call.sid).notifications("NO" + "0" * 32).fetch)
    assert (404, 20404) == (raised.value.status, raised.value.code)


async def test_a_ringing_call_is_canceled_and_an_answered_one_is_ended(client: Any, clock: Later) -> None:
    ringing, answered = await a_call(client), await a_call(client, to=OTHER)
    clock.now += 2
    assert "canceled" == (await ask(client.calls(ringing.sid).update, status="canceled")).status
    clock.now += 3
    assert "completed" == (await ask(client.calls(answered.sid).update, status="completed")).status


async def test_a_queued_text_cannot_be_canceled(client: Any) -> None:
    text = await a_text(client)
    with pytest.raises(TwilioRestException) as raised:
        await ask(client.messages(text.sid).update, status="canceled")
    assert (409, 30409) == (raised.value.status, raised.value.code)


async def test_what_comes_from_outside_is_listed(client: Any, simulator: Simulator) -> None:
    await a_text(client)
    sid = simulator.receive_text("ok", sender=DARLA, to=SENDER)
    call = simulator.receive_call(sender=DARLA, to=SENDER)
    (text,) = await ask(client.messages.list, from_=DARLA)
    assert (sid, "inbound", "received", "ok") == (text.sid, text.direction, text.status, text.body)
    assert NOON == text.date_created.timestamp()
    (back,) = await ask(client.calls.list, from_=DARLA)
    assert (call, "inbound") == (back.sid, back.direction)


async def test_a_picture_a_validity_and_a_callback_are_taken(client: Any, simulator: Simulator) -> None:
    urls = ["https://example.com/1.png", "https://example.com/2.png"]
    text = await a_text(client, media_url=urls, validity_period=300, status_callback="https://example.com/x")
    assert ("2", "MM") == (text.num_media, text.sid[:2])
    assert tuple(urls) == simulator.ledger[0].media_urls


async def test_a_late_text_fails_when_its_validity_is_over(
    client: Any, simulator: Simulator, clock: Later
) -> None:
    simulator.add_delivery(DeliveryOrder(plan=Plan(late_seconds=600)))
    text = await a_text(client, validity_period=300)
    clock.now += 300
    fetched = await ask(client.messages(text.sid).fetch)
    assert ("failed", 30036) == (fetched.status, fetched.error_code)


async def test_a_text_is_deleted(client: Any, clock: Later) -> None:
    text = await a_text(client)
    clock.now += 60
    assert await ask(client.messages(text.sid).delete)
    with pytest.raises(TwilioRestException) as raised:
        await ask(client.messages(text.sid).fetch)
    assert (404, 20404) == (raised.value.status, raised.value.code)


async def test_the_account_is_fetched(client: Any) -> None:
    assert "active" == (await ask(client.api.accounts(ACCOUNT).fetch)).status


async def test_the_accounts_number_is_listed(client: Any) -> None:
    (number,) = await ask(client.incoming_phone_numbers.list, phone_number="+15005550006")
    assert ("+15005550006", True, "in-use") == (
        number.phone_number,
        number.capabilities["sms"],
        number.status,
    )
    assert [] == await ask(client.incoming_phone_numbers.list, phone_number="+15005550001")
    assert [] == await ask(client.incoming_phone_numbers.list)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"to": "+15005550001"}, 21211), ({"from_": "+15005550008"}, 21611), ({"body": "x" * 1_601}, 21617)],
)
async def test_a_refusal_is_an_exception_with_its_code(
    client: Any, changes: dict[str, str], code: int
) -> None:
    with pytest.raises(TwilioRestException) as raised:
        await a_text(client, **changes)
    assert (400, code) == (raised.value.status, raised.value.code)


async def test_a_wrong_token_is_an_exception_with_its_code(simulator: Simulator) -> None:
    http = RedirectedHttpClient(simulator.base_url)
    with pytest.raises(TwilioRestException) as raised:
        await a_text(Client(ACCOUNT, "wrong", http_client=http))
    http.session.close()
    assert (401, 20003) == (raised.value.status, raised.value.code)
    assert "Authenticate" in raised.value.msg


async def test_a_rate_limit_is_an_exception_with_its_code(client: Any, simulator: Simulator) -> None:
    simulator.add_fault(Fault(effect=RateLimited(retry_after=1), times=1))
    with pytest.raises(TwilioRestException) as raised:
        await a_text(client)
    assert (429, 20429) == (raised.value.status, raised.value.code)
