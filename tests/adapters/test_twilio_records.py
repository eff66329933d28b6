"""Looking an attempt up in Twilio's lists, over HTTP: what cannot be read is never taken for absent."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.adapters.twilio_steps import ACCOUNT, LOGIN, NOW, TOKEN, a_sender
from tests.support.factories import DARLA, SENDER_NUMBER, a_notification
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.twilio import PAGE_SIZE
from twilio_notifications.core import settlement
from twilio_notifications.core.model import (
    Answered,
    Channel,
    Records,
    Text,
    Unanswered,
    Unreadable,
    VoiceLocation,
)
from twilio_notifications.simulator.faults import (
    AnswerLost,
    ConnectionClosed,
    Fault,
    Garbage,
    Hang,
    ListLag,
    RateLimited,
    ServerError,
)
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.adapters.twilio import TwilioSender
    from twilio_notifications.core.model import Notification, Record
    from twilio_notifications.core.settlement import Settlement
    from twilio_notifications.simulator.faults import Effect

OTHER = "+12345000001"
HOUR = 3600.0
DAY = 24 * HOUR
TEXT = a_notification()
CALL = a_notification(channel=Channel.CALL, content=VoiceLocation(url="https://some-public-TwiML"))


@dataclass(slots=True)
class Twilio:
    """The simulator and the sender that talks to it; `now` is the simulator's time, ours stands at NOW."""

    simulator: Simulator
    sender: TwilioSender
    now: float = NOW

    async def send(self, notification: Notification = TEXT) -> str:
        """The SID under which it was carried out."""
        answer = await self.sender.send(notification, LOGIN)
        assert isinstance(answer, Answered)
        assert answer.sid is not None, answer
        return answer.sid

    async def found(self, notification: Notification = TEXT, *, since: float = NOW) -> list[Record]:
        records = await self.sender.look_up(notification, since=since, login=LOGIN)
        assert isinstance(records, Records), records
        return list(records.found)

    async def sids(self, notification: Notification = TEXT, *, since: float = NOW) -> list[str]:
        return [record.sid for record in await self.found(notification, since=since)]

    async def unreadable(self, effect: Effect, notification: Notification = TEXT) -> Unreadable:
        """What a look says while lists suffer that."""
        self.simulator.add_fault(Fault(effect=effect, on="lists"))
        records = await self.sender.look_up(notification, since=NOW, login=LOGIN)
        assert isinstance(records, Unreadable), records
        return records


@asynccontextmanager
async def a_twilio(*, timeout_seconds: float = WAIT_SECONDS) -> AsyncIterator[Twilio]:
    opened: list[Twilio] = []
    chance = random.Random(1)  # noqa: S311 - nothing here is secret
    simulator = Simulator(clock=lambda: opened[0].now, random=chance, auth_tokens=[TOKEN])
    async with simulator, a_sender(simulator.base_url, timeout_seconds=timeout_seconds) as sender:
        opened.append(Twilio(simulator, sender))
        yield opened[0]


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    async with a_twilio() as twilio:
        yield twilio


# What is found.


async def test_a_text_is_found_with_all_that_settling_needs(twilio: Twilio) -> None:
    sid = await twilio.send()
    (record,) = await twilio.found()
    assert (sid, DARLA, SENDER_NUMBER, "Hello from the edge", NOW) == (
        record.sid,
        record.phone_number,
        record.sender_number,
        record.body,
        record.created_at,
    )


async def test_a_call_is_found_without_a_body(twilio: Twilio) -> None:
    sid = await twilio.send(CALL)
    (record,) = await twilio.found(CALL)
    assert (sid, DARLA, SENDER_NUMBER, None) == (
        record.sid,
        record.phone_number,
        record.sender_number,
        record.body,
    )


async def test_an_empty_list_is_no_unreadable_one(twilio: Twilio) -> None:
    assert [] == await twilio.found()


@pytest.mark.parametrize("notification", [TEXT, CALL], ids=["text", "call"])
async def test_other_recipients_and_the_other_channel_are_not_returned(
    twilio: Twilio, notification: Notification
) -> None:
    for other in (
        a_notification(OTHER),
        a_notification(OTHER, channel=Channel.CALL, content=CALL.content),
        CALL if notification is TEXT else TEXT,
    ):
        await twilio.send(other)
    assert [] == await twilio.found(notification)
    sid = await twilio.send(notification)
    assert [sid] == await twilio.sids(notification)


async def test_another_sender_and_another_text_are_returned_for_the_core_to_judge(twilio: Twilio) -> None:
    """With a messaging service the sender is not known at first: no filter but the recipient is safe."""
    sids = [
        await twilio.send(a_notification(sender_number="+18888888888")),
        await twilio.send(a_notification(content=Text(body="Something else"))),
    ]
    assert sids[::-1] == await twilio.sids()


async def test_a_message_that_is_still_queued_is_found(twilio: Twilio) -> None:
    """It has no date of sending yet, so a filter by it would hide just the fresh ones."""
    await twilio.send()
    (record,) = await twilio.found()
    assert "queued" == record.message_status


async def test_the_status_is_that_of_the_moment(twilio: Twilio) -> None:
    await twilio.send()
    twilio.now += HOUR
    (record,) = await twilio.found()
    assert "delivered" == record.message_status


async def test_what_was_created_before_is_left_out(twilio: Twilio) -> None:
    twilio.now -= DAY
    await twilio.send()
    twilio.now += DAY
    sid = await twilio.send()
    assert [sid] == await twilio.sids()
    assert 2 == len(await twilio.sids(since=0.0))


async def test_a_record_of_the_same_second_is_found(twilio: Twilio) -> None:
    """Records have whole seconds: one made at 20.9 s is shown as made at 20 s."""
    twilio.now += 0.9
    sid = await twilio.send()
    assert [sid] == await twilio.sids(since=NOW)


# Several pages.


async def test_a_record_on_a_later_page_is_found(twilio: Twilio) -> None:
    first = await twilio.send()
    for number in range(2 * PAGE_SIZE):
        await twilio.send(a_notification(content=Text(body=f"Number {number}")))
    sids = await twilio.sids()
    assert (2 * PAGE_SIZE + 1, first) == (len(sids), sids[-1])
    assert len(sids) == len(set(sids))


async def test_old_pages_are_not_asked_for(twilio: Twilio) -> None:
    twilio.now -= DAY
    for _ in range(PAGE_SIZE + 1):
        await twilio.send()
    twilio.now += DAY
    sid = await twilio.send()
    asked = twilio.simulator.counters.requests
    assert [sid] == await twilio.sids()
    assert 1 == twilio.simulator.counters.requests - asked


async def test_a_page_that_fails_makes_the_whole_unreadable(twilio: Twilio) -> None:
    """Half a list would be taken for the whole, and the record on its other half for absent."""
    for _ in range(PAGE_SIZE + 1):
        await twilio.send()
    twilio.simulator.add_fault(Fault(effect=ServerError(status=503), on="lists", every=2))
    assert isinstance(await twilio.sender.look_up(TEXT, since=NOW, login=LOGIN), Unreadable)


# Lists that lag, and lists that cannot be read.


async def test_a_list_that_lags_shows_a_record_later(twilio: Twilio) -> None:
    twilio.simulator.add_fault(Fault(effect=ListLag(seconds=5.0)))
    sid = await twilio.send()
    assert [] == await twilio.sids()
    twilio.now += 5.0
    assert [sid] == await twilio.sids()


@pytest.mark.parametrize("notification", [TEXT, CALL], ids=["text", "call"])
@pytest.mark.parametrize(
    "effect",
    [
        ConnectionClosed(),
        AnswerLost(after_bytes=100),
        ServerError(status=500),
        ServerError(status=503),
        RateLimited(),
        Garbage(),
        Garbage(body=""),
        Garbage(body="{}"),
        Garbage(body='{"messages": null, "calls": null}'),
    ],
)
async def test_a_list_that_fails_is_unreadable_and_not_empty(
    twilio: Twilio, effect: Effect, notification: Notification
) -> None:
    await twilio.send(notification)
    assert None is (await twilio.unreadable(effect, notification)).retry_after


@pytest.mark.parametrize("effect", [ConnectionClosed(), AnswerLost(after_bytes=100), Hang()])
async def test_what_is_said_of_an_unreadable_list_does_not_name_the_recipient(effect: Effect) -> None:
    """It is logged, and the address of the list has the number in it."""
    async with a_twilio(timeout_seconds=0.2) as twilio:
        detail = (await twilio.unreadable(effect)).detail
    assert DARLA.removeprefix("+") not in detail
    assert ACCOUNT not in detail
    assert twilio.simulator.base_url.removeprefix("http://") in detail


async def test_a_list_that_hangs_is_unreadable_after_the_time_out() -> None:
    async with a_twilio(timeout_seconds=0.2) as twilio:
        await twilio.unreadable(Hang())


async def test_twilio_says_when_to_ask_again(twilio: Twilio) -> None:
    assert 7.0 == (await twilio.unreadable(RateLimited(retry_after=7))).retry_after


async def test_refused_credentials_make_lists_unreadable(twilio: Twilio) -> None:
    twilio.simulator.set_auth_tokens(["another"])
    records = await twilio.sender.look_up(TEXT, since=NOW, login=LOGIN)
    assert isinstance(records, Unreadable)
    assert "401" in records.detail


@pytest.mark.parametrize(
    "broken",
    [
        '"sid": 7',
        '"to": null',
        '"status": null',
        '"date_created": null',
        '"date_created": "today"',
        '"date_created": "Tue, 14 Nov 99999999999999999999 22:13:20 +0000"',
    ],
)
async def test_one_unreadable_record_makes_the_list_unreadable(twilio: Twilio, broken: str) -> None:
    """It may be the one that is looked for."""
    whole = (
        f'"sid": "SM1", "to": "{DARLA}", "from": null, "status": "sent", "body": "Hello", '
        '"date_created": "Tue, 14 Nov 2023 22:13:20 +0000"'
    )
    body = f'{{"messages": [{{{whole}}}, {{{whole}, {broken}}}], "next_page_uri": null}}'
    assert "HTTP 200 and an unreadable list" == (await twilio.unreadable(Garbage(body=body))).detail


async def test_a_list_is_read_again_when_the_fault_has_passed(twilio: Twilio) -> None:
    sid = await twilio.send()
    await twilio.unreadable(ConnectionClosed())
    twilio.simulator.clear_faults()
    assert [sid] == await twilio.sids()


# Twilio's clock, and ours that is off.


@pytest.mark.parametrize("ahead", [-DAY, -10.0, 0.0, 10.0, DAY])
async def test_a_look_tells_how_far_our_clock_is_off(twilio: Twilio, ahead: float) -> None:
    twilio.simulator.set_clock_offset(ahead)
    records = await twilio.sender.look_up(TEXT, since=0.0, login=LOGIN)
    assert isinstance(records, Records)
    assert ahead == records.clock_offset == twilio.sender.clock_offset


async def test_a_list_that_fails_tells_twilios_clock_too(twilio: Twilio) -> None:
    twilio.simulator.set_clock_offset(DAY)
    await twilio.unreadable(ServerError(status=503))
    assert DAY == twilio.sender.clock_offset


async def doubt(twilio: Twilio, *, executed: bool) -> settlement.Attempt:
    """An attempt whose answer is lost, opened with what the sender knows of Twilio's clock."""
    offset = twilio.sender.clock_offset
    effect = AnswerLost() if executed else ConnectionClosed()
    twilio.simulator.add_fault(Fault(effect=effect, on="creates", times=1))
    assert isinstance(await twilio.sender.send(TEXT, LOGIN), Unanswered)
    return settlement.Attempt(
        notification=TEXT, opened_at=NOW, doubt_at=NOW, clock_offset=offset, cut_off=False
    )


async def settled(twilio: Twilio, attempt: settlement.Attempt) -> Settlement:
    """What the one look after the settling time concludes."""
    since = settlement.since(attempt, clock_offset=twilio.sender.clock_offset)
    records = await twilio.sender.look_up(TEXT, since=since, login=LOGIN)
    assert isinstance(records, Records)
    return settlement.settle(
        attempt, records, known_sids=frozenset(), looked_at=NOW + 30.0, settle_seconds=30.0
    )


@pytest.mark.parametrize("ahead", [-DAY, -10.5, 0.0, 0.999, 10.5, DAY])
@pytest.mark.parametrize("known", [True, False])
async def test_a_lost_answer_is_found_whatever_our_clock_says(
    twilio: Twilio, ahead: float, *, known: bool
) -> None:
    """The first attempt of a run: no answer has shown Twilio's clock before the look itself."""
    twilio.simulator.set_clock_offset(ahead)
    if known:
        await twilio.sender.verify(LOGIN)
    attempt = await doubt(twilio, executed=True)
    assert isinstance(await settled(twilio, attempt), settlement.Found)


@pytest.mark.parametrize("ahead", [-DAY, 0.0, DAY])
@pytest.mark.parametrize("known", [True, False])
async def test_what_was_not_carried_out_is_absent_whatever_our_clock_says(
    twilio: Twilio, ahead: float, *, known: bool
) -> None:
    twilio.simulator.set_clock_offset(ahead)
    if known:
        await twilio.sender.verify(LOGIN)
    attempt = await doubt(twilio, executed=False)
    assert settlement.Absent() == await settled(twilio, attempt)


async def test_a_default_number_without_a_plus_is_found(twilio: Twilio) -> None:
    """The AWS CLI's examples for the connector pass 4254492999; Twilio's records complete it."""
    notification = a_notification(sender_number="4254492999")
    sid = await twilio.send(notification)
    attempt = settlement.Attempt(
        notification=notification, opened_at=NOW, doubt_at=NOW, clock_offset=0.0, cut_off=False
    )
    records = Records(found=tuple(await twilio.found(notification)), clock_offset=0.0)
    assert [sid] == [record.sid for record in settlement.candidates(attempt, records)]
