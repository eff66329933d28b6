"""Callbacks: repeated, out of order, lost, before the answer to the POST, and as proof of an attempt."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.test_tracker import (
    CALL_ENDS,
    CALL_SID,
    DARLA,
    HOUR,
    SID,
    TEXT_ENDS,
    a_tracked_line,
    ages,
    assert_each_change_is_told_once_in_order,
    the_delivery,
    told,
    twilio_of,
    words,
)
from tests.support.deliveries import COMPLETED, DELIVERED, NEVER_RECEIPTED, Course
from tests.support.factories import START
from twilio_notifications.core.delivery import Following, FollowUp
from twilio_notifications.core.model import Channel, Unanswered
from twilio_notifications.pipeline.line.assembly import Calling
from twilio_notifications.pipeline.line.callbacks import KEPT_SECONDS, MOST_KEPT
from twilio_notifications.ports import Callback
from twilio_notifications.ports.events import CallbackAnswered

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tests.pipeline.line import Line
    from twilio_notifications.core.model import Notification

PUBLIC_URL = "https://alarms.example.com/twilio"


def a_called_line(follow_up: FollowUp = FollowUp.ALL) -> AbstractAsyncContextManager[Line]:
    return a_tracked_line(
        tracking=told(follow_up, Following.CALLBACK),
        calling=Calling(public_url=PUBLIC_URL, secret=b"the journal's"),
    )


def a_callback(state: str | None, sid: str = SID, *, query: str = "", code: int | None = None) -> Callback:
    return Callback(sid=sid, query=query, state=state, code=code)


async def hear(line: Line, *callbacks: Callback) -> list[str]:
    """What became of each callback."""
    before = len(answers(line))
    for callback in callbacks:
        await line.stages.callbacks.take(callback)
    await line.clock.settle()
    return answers(line)[before:]


def answers(line: Line) -> list[str]:
    return [event.result for event in line.events.told if isinstance(event, CallbackAnswered)]


def query_of(line: Line, place: int = -1) -> str:
    """The query of the URL that an attempt named."""
    url = line.sender.callback_urls[place]
    assert url is not None
    assert url.startswith(f"{PUBLIC_URL}?")
    return url.partition("?")[2]


async def test_callbacks_in_any_order_and_twice_tell_each_change_once() -> None:
    async with a_called_line() as line:
        await line.accept(DARLA)
        heard = await hear(line, *map(a_callback, ("sent", "sending", "sent", "delivered", "delivered")))
        assert ["taken", "nothing_new", "nothing_new", "taken", "nothing_new"] == heard
        assert ["queued", "sent", "delivered"] == await words(line)
        assert await line.journal.next_look() is None


async def test_a_callback_with_another_last_word_is_kept_and_changes_nothing() -> None:
    async with a_called_line() as line:
        await line.accept(DARLA)
        await hear(line, a_callback("delivered"), a_callback("undelivered", code=30_003))
        assert "delivered" == (await the_delivery(line)).delivery.state
        assert ["queued", "delivered"] == await words(line)


@pytest.mark.parametrize("course", [DELIVERED, NEVER_RECEIPTED])
async def test_a_look_and_a_callback_at_once_tell_each_change_once(course: Course) -> None:
    """The callback comes while the look is under way; its answer says the same, or what was before."""
    async with a_called_line() as line:
        twilio_of(line).course = lambda _: course
        twilio_of(line).stalled = answered = asyncio.Event()
        await line.accept(DARLA)
        await line.clock.advance(61)
        assert [60.0] == ages(line)
        assert ["taken"] == await hear(line, a_callback("delivered"))
        answered.set()
        await line.clock.settle()
        assert ["queued", "delivered"] == await words(line)
        assert await line.journal.next_look() is None


async def test_behind_callbacks_the_first_look_comes_later() -> None:
    async with a_called_line() as line:
        twilio_of(line).course = lambda _: NEVER_RECEIPTED
        await line.accept(DARLA)
        await line.clock.advance(61)
        assert [60.0] == ages(line)


async def test_a_key_that_is_pressed_says_that_a_person_was_reached() -> None:
    async with a_called_line(FollowUp.FINAL) as line:
        await line.accept(DARLA, channel=Channel.CALL)
        pressed = Callback(sid=CALL_SID, query="", state="in-progress", key_pressed=True)
        await hear(line, pressed, a_callback("completed", CALL_SID))
        assert ["queued", "completed"] == await words(line)
        assert [] == ages(line)


async def test_a_completed_call_waits_for_its_notifications() -> None:
    async with a_called_line(FollowUp.FINAL) as line:
        twilio_of(line).course = lambda _: Course(words=COMPLETED.words, notices=(11_200,))
        await line.accept(DARLA, channel=Channel.CALL)
        await line.clock.advance(20)
        await hear(line, a_callback("completed", CALL_SID))
        await line.clock.advance(6)
        assert ["queued", "NotReached/completed"] == await words(line)


async def test_a_callback_before_the_answer_to_its_post_is_kept_for_it() -> None:
    async with a_called_line() as line:
        twilio_of(line).hold(DARLA)
        await line.accept(DARLA)
        assert ["kept"] == await hear(line, a_callback("sent", query=query_of(line)))
        assert [] == await words(line)
        twilio_of(line).release(DARLA)
        await line.clock.settle()
        assert ["queued", "sent"] == await words(line)


async def test_a_callback_for_an_attempt_in_doubt_settles_it_at_once() -> None:
    """Twilio's records are not read: the callback proves the creation, and has its SID."""
    async with a_called_line() as line:
        line.sender.script(DARLA, Unanswered(detail="timed out"))
        await line.accept(DARLA)
        assert 1 == len(await line.journal.doubtful(now=START + HOUR, limit=9))
        assert ["kept"] == await hear(line, a_callback("sent", query=query_of(line)))
        assert [] == line.sender.lookups
        assert ["sent"] == await words(line)
        assert SID == (await the_delivery(line)).sid


async def test_a_callback_before_the_doubt_settles_it_when_it_comes() -> None:
    async with a_called_line() as line:
        line.sender.script(DARLA, Unanswered(detail="timed out"))
        twilio_of(line).hold(DARLA)
        await line.accept(DARLA)
        await hear(line, a_callback("delivered", query=query_of(line)))
        twilio_of(line).release(DARLA)
        await line.clock.settle()
        assert ["delivered", "delivered"] == await words(line)
        assert [] == line.sender.lookups


async def test_a_callback_with_a_wrong_key_settles_nothing() -> None:
    async with a_called_line() as line:
        line.sender.script(DARLA, Unanswered(detail="timed out"))
        await line.accept(DARLA)
        forged = query_of(line).replace("key=", "key=0")
        assert ["kept", "kept"] == await hear(line, a_callback("sent", query=forged), a_callback("sent"))
        assert [] == await words(line)


async def test_a_callback_of_an_earlier_attempt_does_not_settle_the_present_one() -> None:
    async with a_called_line() as line:
        line.sender.script(DARLA, Unanswered(detail="timed out"), Unanswered(detail="timed out"))
        await line.accept(DARLA, retries=1)
        first = query_of(line)
        await line.clock.advance(45)
        assert first != query_of(line)
        await hear(line, a_callback("sent", query=first))
        assert [] == await words(line)


async def test_callbacks_of_unknown_sids_are_kept_for_some_minutes_within_a_bound() -> None:
    async with a_called_line() as line:
        twilio_of(line).hold(DARLA)
        await line.accept(DARLA)
        await hear(line, a_callback("sent"))
        await hear(line, *(a_callback("sent", f"SM{n:032x}") for n in range(10, 10 + MOST_KEPT)))
        twilio_of(line).release(DARLA)
        await line.clock.settle()
        assert ["queued"] == await words(line), "the oldest made room"
        twilio_of(line).hold("+12345000002")
        await line.accept("+12345000002")
        await hear(line, a_callback("sent", f"SM{2:032x}"))
        await line.clock.advance(KEPT_SECONDS)
        await hear(line, a_callback("sent", f"SM{9:032x}"))
        twilio_of(line).release("+12345000002")
        await line.clock.settle()
        assert "sent" not in await words(line)


async def test_wrong_signatures_have_one_line_in_ten_minutes() -> None:
    async with a_called_line() as line:
        for _ in range(100):
            line.stages.callbacks.forbidden()
        assert 1 == line.events.count("callback_forbidden")
        await line.clock.advance(600)
        line.stages.callbacks.forbidden()
        assert 99 == line.events.named("callback_forbidden")[-1].fields["left_out"]


@pytest.mark.parametrize("lost", [0.0, 0.34, 1.0])
async def test_all_ends_are_twilios_whatever_becomes_of_the_callbacks(lost: float) -> None:
    """Callbacks come twice, in any order, and some not at all; polling finds out the rest."""
    random = Random(5)  # noqa: S311 - the same at each run
    drawn: dict[str, Course] = {}

    def course(notification: Notification) -> Course:
        ends = TEXT_ENDS if notification.channel is Channel.SMS else CALL_ENDS
        return drawn.setdefault(notification.recipient.phone_number, random.choice(ends))

    async with a_called_line() as line:
        twilio_of(line).course = course
        await line.accept(*(f"+1234500{n:04}" for n in range(200)))
        await line.accept(*(f"+1234600{n:04}" for n in range(40)), channel=Channel.CALL)
        await line.clock.advance(1)
        calls = [
            a_callback(word, taken.sid, code=taken.course.code if word == taken.course.last else None)
            for taken in twilio_of(line).taken.values()
            for _, word in taken.course.words
            for _ in range(2)
            if random.random() >= lost
        ]
        random.shuffle(calls)
        await hear(line, *calls)
        await line.clock.advance(40 * HOUR)
        assert await line.journal.next_look() is None
        assert_each_change_is_told_once_in_order(await line.statuses())
        for request, end in enumerate(drawn.values(), start=1):
            assert end.last == (await the_delivery(line, request)).delivery.state
