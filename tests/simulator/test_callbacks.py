"""Status callbacks: signed as Twilio signs them, repeated, out of order, early, lost, or not made at all."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from twilio.request_validator import RequestValidator

from tests.simulator.desk import (
    A_CALL,
    A_TEXT,
    ACCOUNT,
    CALLS,
    DARLA,
    MESSAGES,
    NOON,
    SENDER,
    SERVICE,
    TOKEN,
    Rest,
    call_path,
    chance,
    message_path,
)
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_http import RawHttp
from twilio_notifications.simulator.announcer import CallbackTreatment
from twilio_notifications.simulator.errors import OrderRefused
from twilio_notifications.simulator.faults import AnswerLost, Fault
from twilio_notifications.simulator.sender import Patience
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.support.raw_http import Asked, Exchange

PERSON = "<Response><Gather action='{url}/keys?step=2' numDigits='1'><Say>Press 1</Say></Gather></Response>"
EVERY_EVENT = "initiated ringing answered completed"


async def take(exchange: Exchange) -> None:
    exchange.answer(204, b"")


@dataclass(slots=True, kw_only=True)
class Stage:
    """A simulator with a clock that is turned by hand, a client, and a receiver of callbacks."""

    simulator: Simulator
    rest: Rest
    receiver: RawHttp
    clock: list[float] = field(repr=False)

    @property
    def callback(self) -> str:
        return f"{self.receiver.url}/twilio?key=a%20b"

    async def text(self, **changes: str) -> str:
        return await self._create(MESSAGES, {**A_TEXT, "StatusCallback": self.callback, **changes})

    async def call(self, **changes: str) -> str:
        return await self._create(CALLS, {**A_CALL, "StatusCallback": self.callback, **changes})

    async def _create(self, target: str, form: Mapping[str, str]) -> str:
        answer = await self.rest.ask("POST", target, form=form)
        assert 201 == answer.status, answer.json
        sid: str = answer.json["sid"]
        return sid

    async def turn(self, seconds: float) -> list[dict[str, str]]:
        """The fields of the callbacks of this time."""
        seen = len(self.receiver.asked)
        self.clock[0] += seconds
        await self.simulator.catch_up()
        return [fields_of(asked) for asked in self.receiver.asked[seen:]]


def fields_of(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(asked.body.decode(), keep_blank_values=True))


@asynccontextmanager
async def staged(*scripts: Any, **settings: Any) -> AsyncIterator[Stage]:
    clock = [NOON]
    async with (
        RawHttp(*(scripts or (take,))) as receiver,
        Simulator(clock=lambda: clock[0], random=chance(), **settings) as simulator,
        Rest(simulator.base_url) as rest,
    ):
        yield Stage(simulator=simulator, rest=rest, receiver=receiver, clock=clock)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with staged() as stage:
        yield stage


def accepts(stage: Stage, asked: Asked, *, token: str = TOKEN) -> bool:
    """Whether Twilio's own validator takes the request as Twilio's."""
    fields = fields_of(asked) if asked.method == "POST" else {}
    signature = asked.headers.get("x-twilio-signature", "")
    valid: bool = RequestValidator(token).validate(stage.receiver.url + asked.target, fields, signature)
    return valid


async def test_each_state_after_the_first_has_one_callback(stage: Stage) -> None:
    sid = await stage.text()
    made = await stage.turn(60)
    assert ["sending", "sent", "delivered"] == [fields["MessageStatus"] for fields in made]
    expected = {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "From": SENDER,
        "MessageSid": sid,
        "MessageStatus": "delivered",
        "RawDlrDoneDate": "2311151200",
        "SmsSid": sid,
        "SmsStatus": "delivered",
        "To": DARLA,
    }
    assert expected == made[-1]
    assert [] == await stage.turn(60), "nothing is made twice by itself"


async def test_twilios_own_validator_accepts_the_callbacks(stage: Stage) -> None:
    await stage.text(To="+15005550101", Body="Grüße & mehr")
    await stage.call(StatusCallbackEvent=EVERY_EVENT)
    await stage.turn(60)
    asked = stage.receiver.asked
    assert 7 == len(asked)
    assert all(accepts(stage, request) for request in asked)
    assert not any(accepts(stage, request, token="another") for request in asked)


async def test_the_error_code_comes_with_the_state_that_has_it(stage: Stage) -> None:
    await stage.text(To="+15005550101")
    made = await stage.turn(60)
    assert [None, None, "30003"] == [fields.get("ErrorCode") for fields in made]


async def test_a_messaging_services_callbacks_name_its_sender_once_it_is_chosen(stage: Stage) -> None:
    await stage.text(From="", MessagingServiceSid=SERVICE)
    made = await stage.turn(60)
    assert ["queued", "sending", "sent", "delivered"] == [fields["MessageStatus"] for fields in made]
    assert {("+15005550006", SERVICE)} == {(fields["From"], fields["MessagingServiceSid"]) for fields in made}


async def test_a_resource_without_an_address_has_no_callbacks(stage: Stage) -> None:
    await stage.text(StatusCallback="")
    await stage.call(StatusCallback="")
    assert [] == await stage.turn(60)
    assert [] == list(stage.simulator.callbacks)


async def test_a_call_reports_its_end_unless_it_asks_for_more(stage: Stage) -> None:
    sid = await stage.call()
    (made,) = await stage.turn(60)
    expected = {
        "CallSid": sid,
        "CallStatus": "completed",
        "CallDuration": "6",
        "SequenceNumber": "0",
        "Timestamp": "Wed, 15 Nov 2023 12:00:10 +0000",
        "Direction": "outbound-api",
    }
    assert expected.items() <= made.items()


async def test_a_call_reports_the_events_that_it_asks_for(stage: Stage) -> None:
    await stage.call(StatusCallbackEvent=EVERY_EVENT, MachineDetection="Enable", To="+15005550105")
    made = await stage.turn(60)
    assert [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")] == [
        (fields["CallStatus"], fields["SequenceNumber"]) for fields in made
    ]
    assert [None, None, None, "machine_start"] == [fields.get("AnsweredBy") for fields in made]


@pytest.mark.parametrize("number", ["+15005550101", "+15005550102", "+15005550103", "+15005550104"])
async def test_the_callback_of_an_end_names_how_the_call_ended(stage: Stage, number: str) -> None:
    sid = await stage.call(To=number)
    (made,) = await stage.turn(100)
    assert (await stage.rest.ask("GET", call_path(sid))).json["status"] == made["CallStatus"]


async def test_a_call_that_is_ended_reports_that_end(stage: Stage) -> None:
    sid = await stage.call()
    await stage.turn(2)
    await stage.rest.ask("POST", call_path(sid), form={"Status": "canceled"})
    (made,) = await stage.turn(60)
    assert "canceled" == made["CallStatus"]


async def test_a_text_that_is_deleted_reports_nothing_more(stage: Stage) -> None:
    sid = await stage.text(To="+15005550103")
    stage.clock[0] += 5
    stage.simulator.set_callbacks(CallbackTreatment(delay_seconds=60))
    await stage.turn(0)
    await stage.rest.ask("DELETE", message_path(sid))
    stage.simulator.change(await stage.text(), "delivered")
    made = await stage.turn(100)
    assert 3 == sum(fields["MessageSid"] == sid for fields in made), "those on their way still arrive"


async def test_asynchronous_detection_has_a_callback_of_its_own(stage: Stage) -> None:
    url = f"{stage.receiver.url}/amd"
    sid = await stage.call(
        MachineDetection="DetectMessageEnd", AsyncAmd="true", AsyncAmdStatusCallback=url, To="+15005550105"
    )
    made = await stage.turn(60)
    found = next(fields for fields in made if "MachineDetectionDuration" in fields)
    expected = {
        "AccountSid": ACCOUNT,
        "AnsweredBy": "machine_end_beep",
        "CallSid": sid,
        "MachineDetectionDuration": "5000",
    }
    assert expected == found
    assert all(accepts(stage, asked) for asked in stage.receiver.asked)


async def test_a_get_has_its_fields_in_the_query_and_signs_them(stage: Stage) -> None:
    await stage.call(StatusCallbackMethod="GET")
    await stage.turn(60)
    (asked,) = stage.receiver.asked
    assert "completed" == dict(parse_qsl(urlsplit(asked.target).query))["CallStatus"]
    assert accepts(stage, asked)


async def test_callbacks_are_repeated(stage: Stage) -> None:
    stage.simulator.set_callbacks(CallbackTreatment(copies=2))
    await stage.text()
    made = [fields["MessageStatus"] for fields in await stage.turn(60)]
    assert ["sending", "sending", "sent", "sent", "delivered", "delivered"] == made


async def test_callbacks_overtake_each_other(stage: Stage) -> None:
    stage.simulator.set_callbacks(CallbackTreatment(shuffle_seconds=60, seed=1))
    for _ in range(5):
        await stage.text()
    made = await stage.turn(100)
    by_text: dict[str, list[str]] = {}
    for fields in made:
        by_text.setdefault(fields["MessageSid"], []).append(fields["MessageStatus"])
    assert all({"sending", "sent", "delivered"} == set(states) for states in by_text.values())
    assert any(["sending", "sent", "delivered"] != states for states in by_text.values())


async def test_lost_callbacks_are_in_the_ledger_only(stage: Stage) -> None:
    stage.simulator.set_callbacks(CallbackTreatment(lost=0.5, seed=1))
    for _ in range(10):
        await stage.text()
    made = await stage.turn(60)
    entries = stage.simulator.callbacks
    assert 30 == len(entries)
    assert 0 < len(made) < 30
    assert len(made) == sum(not entry.lost for entry in entries)
    assert {0} == {entry.requests for entry in entries if entry.lost}


async def test_callbacks_can_be_left_out(stage: Stage) -> None:
    stage.simulator.set_callbacks(CallbackTreatment(copies=0, early=True))
    await stage.text()
    assert [] == await stage.turn(60)
    assert [] == list(stage.simulator.callbacks)


@asynccontextmanager
async def a_text_that_is_called_about(
    stage: Stage,
) -> AsyncIterator[tuple[asyncio.Task[str], asyncio.Event, RawHttp]]:
    """The creation of a text whose early callback has come to the receiver, which answers when released."""
    asked, release = asyncio.Event(), asyncio.Event()

    async def hold(exchange: Exchange) -> None:
        asked.set()
        await release.wait()
        exchange.answer(204, b"")

    async with RawHttp(hold) as receiver:
        creating = asyncio.create_task(stage.text(StatusCallback=receiver.url))
        await asyncio.wait_for(asked.wait(), WAIT_SECONDS)
        yield creating, release, receiver


async def test_an_early_callback_comes_before_the_answer_to_the_create(stage: Stage) -> None:
    """The receiver is asked while the POST is under way, and knows the SID before the client does."""
    stage.simulator.set_callbacks(CallbackTreatment(early=True))
    async with a_text_that_is_called_about(stage) as (creating, release, receiver):
        assert not creating.done()
        release.set()
        sid = await asyncio.wait_for(creating, WAIT_SECONDS)
        await stage.turn(60)
        made = [fields_of(asked) for asked in receiver.asked]
    assert ["sending", "sent", "delivered"] == [fields["MessageStatus"] for fields in made]
    assert {sid} == {fields["MessageSid"] for fields in made}


async def test_a_client_may_leave_before_an_early_callback_is_answered(stage: Stage) -> None:
    stage.simulator.set_callbacks(CallbackTreatment(early=True))
    async with a_text_that_is_called_about(stage) as (creating, release, _):
        creating.cancel()
        await asyncio.gather(creating, return_exceptions=True)
        release.set()
        await stage.simulator.catch_up()
    assert 1 == len(stage.simulator.ledger)
    assert 201 == (await stage.rest.create()).status


async def test_the_callbacks_of_a_create_whose_answer_is_lost_prove_it(stage: Stage) -> None:
    stage.simulator.add_fault(Fault(effect=AnswerLost(), times=1))
    with pytest.raises(Exception, match="error"):
        await stage.text()
    made = await stage.turn(60)
    assert {stage.simulator.ledger[0].sid} == {fields["MessageSid"] for fields in made}


async def test_a_change_is_reported_and_may_contradict_the_end(stage: Stage) -> None:
    sid = await stage.text()
    await stage.turn(60)
    stage.simulator.change(sid, "undelivered", error_code=30008)
    (made,) = await stage.turn(0)
    assert ("undelivered", "30008") == (made["MessageStatus"], made["ErrorCode"])
    shown = (await stage.rest.ask("GET", message_path(sid))).json
    assert ("undelivered", 30008) == (shown["status"], shown["error_code"])


async def test_an_unreachable_receiver_is_tried_twice(stage: Stage) -> None:
    async with RawHttp(take) as gone:
        url = gone.url
    await stage.text(StatusCallback=url, To="+15005550105")
    await stage.turn(60)
    (entry,) = stage.simulator.callbacks
    assert (2, None) == (entry.requests, entry.status)
    assert "refused" in (entry.failure or "")


@pytest.mark.parametrize(("fragment", "requests"), [("", 1), ("#rc=2&rp=all", 3), ("#rc=2&rp=4xx", 1)])
async def test_the_fragment_decides_what_is_tried_again_and_is_not_signed(
    fragment: str, requests: int
) -> None:
    async def fail(exchange: Exchange) -> None:
        exchange.answer(500)

    async with staged(fail) as stage:
        await stage.text(StatusCallback=stage.callback + fragment, To="+15005550105")
        await stage.turn(60)
        asked = stage.receiver.asked
        assert requests == len(asked)
        assert all(accepts(stage, request) for request in asked)
        assert 1 == len({request.headers["i-twilio-idempotency-token"] for request in asked})
        assert 500 == stage.simulator.callbacks[0].status


def test_what_cannot_be_read_in_a_fragment_counts_as_absent() -> None:
    assert Patience() == Patience.of("https://example.com/#rc=many&rt=&x")
    assert 5 == Patience.of("https://example.com/#rc=99").retries


async def test_a_silent_receiver_is_given_up(stage: Stage) -> None:
    async def silent(exchange: Exchange) -> None:
        await exchange.wait_for_the_end()

    async with RawHttp(silent) as receiver:
        await stage.text(StatusCallback=f"{receiver.url}/#rt=50", To="+15005550105")
        await stage.turn(60)
    assert (None, 1) == ((entry := stage.simulator.callbacks[0]).status, entry.requests)
    assert entry.failure


async def test_an_api_keys_callbacks_need_the_signing_token() -> None:
    """Twilio signs with the account's auth token, which an API key does not show."""
    async with staged() as stage, Rest(stage.simulator.base_url, user="SK" + "0" * 32) as keyed:
        form = {**A_TEXT, "StatusCallback": stage.callback, "To": "+15005550105"}
        await keyed.ask("POST", MESSAGES, form=form)
        await stage.turn(60)
        assert "x-twilio-signature" not in stage.receiver.asked[0].headers
        stage.simulator.set_signing_token("primary")
        await keyed.ask("POST", MESSAGES, form=form)
        await stage.turn(60)
        assert accepts(stage, stage.receiver.asked[1], token="primary")


async def test_callbacks_are_made_when_the_clock_reaches_them() -> None:
    """Without a test that turns the clock: as a user of the command meets it."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()

    async def note(exchange: Exchange) -> None:
        exchange.answer(204, b"")
        arrived.set()

    async with (
        RawHttp(note) as receiver,
        Simulator(clock=lambda: NOON + 100 * loop.time(), random=chance()) as simulator,
        Rest(simulator.base_url) as rest,
    ):
        await rest.ask("POST", MESSAGES, form={**A_TEXT, "StatusCallback": receiver.url})
        await asyncio.wait_for(arrived.wait(), WAIT_SECONDS)


async def test_pressed_keys_go_to_the_action_of_the_gather(stage: Stage) -> None:
    twiml = PERSON.format(url=stage.receiver.url)
    sid = await stage.call(Url="", Twiml=twiml, StatusCallback="")
    await stage.turn(5)
    stage.simulator.press(sid, "12")
    (made,) = await stage.turn(0)
    expected = {"CallSid": sid, "Digits": "1", "CallStatus": "in-progress", "To": DARLA}
    assert expected.items() <= made.items()
    assert "/keys?step=2" == stage.receiver.asked[0].target
    assert accepts(stage, stage.receiver.asked[0])


async def test_a_plan_can_press_keys(stage: Stage) -> None:
    await stage.call(
        Url="", Twiml=PERSON.format(url=stage.receiver.url), To="+15005550107", StatusCallback=""
    )
    (made,) = await stage.turn(60)
    assert "1" == made["Digits"]


async def test_keys_are_refused_where_the_call_takes_none(stage: Stage) -> None:
    twiml = PERSON.format(url=stage.receiver.url)
    ringing, deaf = await stage.call(Url="", Twiml=twiml), await stage.call()
    with pytest.raises(OrderRefused, match="not in progress"):
        stage.simulator.press(ringing, "1")
    await stage.turn(5)
    with pytest.raises(OrderRefused, match="takes no keys"):
        stage.simulator.press(deaf, "1")
    with pytest.raises(OrderRefused, match="only a call"):
        stage.simulator.press(await stage.text(), "1")
    with pytest.raises(OrderRefused, match="no message or call"):
        stage.simulator.press("CA" + "0" * 32, "1")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(200, b"<Response><Hangup/></Response>", None), (500, b"", "11200"), (200, b"OK", "12100")],
)
async def test_an_action_without_twiml_is_in_the_calls_notifications(
    status: int, body: bytes, code: str | None
) -> None:
    async def act(exchange: Exchange) -> None:
        exchange.answer(status, body)

    async with staged(act) as stage:
        twiml = PERSON.format(url=stage.receiver.url)
        sid = await stage.call(Url="", Twiml=twiml, StatusCallback="")
        await stage.turn(5)
        stage.simulator.press(sid, "1")
        await stage.turn(0)
        path = call_path(sid).replace(".json", "/Notifications.json")
        found = (await stage.rest.ask("GET", path)).json["notifications"]
    assert ([] if code is None else [code]) == [shown["error_code"] for shown in found]


async def test_drawn_ends_are_what_the_last_callbacks_say() -> None:
    async with staged(delivery_seed="7") as stage:
        sids = [await stage.text(To=f"+1234500{n:04}") for n in range(60)]
        sids += [await stage.call(To=f"+1234500{n:04}") for n in range(20)]
        made = await stage.turn(1_000)
        last = {fields.get("MessageSid") or fields["CallSid"]: fields for fields in made}
        for sid in sids:
            path = call_path(sid) if sid.startswith("CA") else message_path(sid)
            shown = (await stage.rest.ask("GET", path)).json["status"]
            assert shown == (last[sid].get("MessageStatus") or last[sid]["CallStatus"])


async def test_orders_work_over_http_too(stage: Stage) -> None:
    sid = await stage.text()
    order = {"plan": {"end": "undelivered", "error_code": 30003}, "to": DARLA}
    added = await stage.rest.ask("POST", "/simulator/deliveries", content=order)
    assert {"order": order, "given": 0} == added.json
    assert [added.json] == (await stage.rest.ask("GET", "/simulator/deliveries")).json
    await stage.rest.ask("DELETE", "/simulator/deliveries")
    assert [] == (await stage.rest.ask("GET", "/simulator/deliveries")).json
    changed = await stage.rest.ask(
        "POST", "/simulator/changes", content={"sid": sid, "status": "failed", "error_code": 30001}
    )
    assert ("failed", 30001) == (changed.json["status"], changed.json["error_code"])
    await stage.turn(0)
    shown = (await stage.rest.ask("GET", "/simulator/callbacks?start=0&limit=1")).json
    assert (1, "failed", 204) == (
        shown["total"],
        shown["entries"][0]["fields"]["MessageStatus"],
        shown["entries"][0]["status"],
    )


async def test_an_order_that_cannot_be_carried_out_says_why(stage: Stage) -> None:
    answer = await stage.rest.ask("POST", "/simulator/keys", content={"sid": "CA1", "digits": "1"})
    assert (409, "There is no message or call CA1") == (answer.status, answer.json["message"])
    answer = await stage.rest.ask("POST", "/simulator/keys", content={"sid": "CA1", "digits": "one"})
    assert 400 == answer.status


async def test_the_end_of_the_simulator_ends_its_callbacks() -> None:
    """Also those that wait for an earlier one of the same text."""
    asked = asyncio.Event()

    async def silent(exchange: Exchange) -> None:
        asked.set()
        await exchange.wait_for_the_end()

    async with RawHttp(silent) as receiver:
        clock = [NOON]
        async with (
            Simulator(clock=lambda: clock[0], random=chance()) as simulator,
            Rest(simulator.base_url) as rest,
        ):
            await rest.ask("POST", MESSAGES, form={**A_TEXT, "StatusCallback": receiver.url})
            clock[0] += 60
            await rest.ask("GET", MESSAGES)
            await asyncio.wait_for(asked.wait(), WAIT_SECONDS)
        assert [] == [running for running in asyncio.all_tasks() if "CallbackSender" in repr(running)]
