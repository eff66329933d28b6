"""Timelines of deliveries: looks by age, their budget, results of calls, follow-ups, and what survives."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.pipeline.line import Line, a_line
from tests.support.deliveries import (
    BUSY,
    COMPLETED,
    DELIVERED,
    NEVER_RECEIPTED,
    UNDELIVERED,
    Course,
    DeliveringTwilio,
)
from tests.support.factories import START, too_many
from twilio_notifications.core.delivery import (
    LAST_NOTIFICATION_LOOK,
    RANKS,
    Following,
    FollowUp,
    Tracking,
    is_final,
)
from twilio_notifications.core.model import Channel, Unreadable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from twilio_notifications.core.delivery import Followed
    from twilio_notifications.core.model import Notification

DARLA = "+12345000001"
SID = f"SM{1:032x}"
CALL_SID = f"CA{1:032x}"
HOUR = 3600.0
ENDLESS = 6000
"""Requests a minute, where a test is not about the budget."""


def told(follow_up: FollowUp = FollowUp.ALL, following: Following = Following.POLL) -> Tracking:
    return Tracking(following=following, follow_up=follow_up)


@asynccontextmanager
async def a_tracked_line(
    *, tracking: Tracking | None = None, looks_per_minute: int = ENDLESS, **arguments: Any
) -> AsyncIterator[Line]:
    """A line that sends and follows until the test ends."""
    async with a_line(
        twilio=DeliveringTwilio,
        tracking=tracking or told(),
        looks_per_minute=looks_per_minute,
        **arguments,
    ) as line:
        stages = [
            asyncio.create_task(stage, name=name)
            for name, stage in (
                ("dispatcher", line.dispatcher.run()),
                ("settler", line.stages.settler.run()),
                ("tracker", line.stages.tracker.run()),
                ("callbacks", line.stages.callbacks.run()),
            )
        ]
        try:
            await line.clock.settle()
            yield line
            ended = [stage for stage in stages if stage.done() and stage.get_name() != "tracker"]
            assert [] == ended
            assert [] == line.events.defects
        finally:
            for stage in stages:
                stage.cancel()
            await asyncio.wait(stages)


def twilio_of(line: Line) -> DeliveringTwilio:
    return cast("DeliveringTwilio", line.sender)


async def the_delivery(line: Line, request: int = 1) -> Followed:
    followed = await line.journal.delivery(request)
    assert followed is not None
    return followed


async def words(line: Line) -> list[str]:
    """Twilio's words in the statuses, behind the error of a failure, in their order."""
    responses = [status["response"] for status in await line.statuses()]
    return [
        "/".join(filter(None, (response.get("error"), response["payload"]["messages"]["message_status"])))
        for response in responses
    ]


def ages(line: Line) -> list[float]:
    """When Twilio was asked, from the start of the test on."""
    return [round(at - START, 1) for at in twilio_of(line).asked_at]


async def test_a_text_is_looked_at_until_it_has_arrived() -> None:
    async with a_tracked_line() as line:
        await line.accept(DARLA)
        await line.clock.advance(60)
        assert ["queued", "delivered"] == await words(line)
        assert [5.0] == ages(line)
        assert await line.journal.next_look() is None


async def test_the_pauses_between_looks_grow_and_end_after_36_hours_with_sent() -> None:
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        twilio_of(line).course = lambda _: NEVER_RECEIPTED
        await line.accept(DARLA)
        await line.clock.advance(40 * HOUR)
        assert [5.0, 20.0, 80.0, 380.0, 1280.0, 4880.0] == ages(line)[:6]
        assert 36 * HOUR == ages(line)[-1]
        assert ["queued", "sent"] == await words(line)
        assert (await the_delivery(line)).delivery.given_up_at is not None


async def test_what_did_not_arrive_is_told_with_what_to_do_and_has_one_line_in_the_log() -> None:
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        twilio_of(line).course = lambda _: UNDELIVERED
        await line.accept(DARLA)
        await line.clock.advance(60)
        assert ["queued", "Undelivered/undelivered"] == await words(line)
        status = (await line.statuses())[-1]
        assert DARLA == status["id"]
        assert status["response"]["error_message"].startswith("Twilio error 30003: ")
        (warning,) = line.events.named("delivery_failed")
        assert ("Undelivered", "undelivered", 1) == (
            warning.fields["reason"],
            warning.fields["state"],
            warning.fields["number"],
        )


async def test_a_queue_that_was_full_after_the_acceptance_stalls_its_sender_and_no_other() -> None:
    """30001, which comes with the delivery and not with the answer."""
    overflow = Course(words=((1.0, "failed"),), code=30_001)
    async with a_tracked_line() as line:
        twilio_of(line).course = lambda _: overflow
        await line.accept(DARLA)
        await line.clock.advance(10)  # the first look is after 5 s
        twilio_of(line).course = lambda _: DELIVERED
        await line.accept("+12345000002")
        await line.accept("+12345000003", sender_number="+18888888888")
        await line.clock.advance(24)
        assert [DARLA, "+12345000003"] == line.sender.ids()
        await line.clock.advance(2)
        assert [DARLA, "+12345000003", "+12345000002"] == line.sender.ids()
        (paused,) = line.events.named("sender_paused")
        (resumed,) = line.events.named("sender_resumed")
        assert paused.fields["sender_number"] == resumed.fields["sender_number"]


@pytest.mark.parametrize("follow_up", FollowUp)
async def test_each_change_is_told_once_as_configured(follow_up: FollowUp) -> None:
    course = Course(words=((0.5, "sending"), (7.0, "sent"), (30.0, "delivered")))
    expected = {
        FollowUp.NONE: ["queued"],
        FollowUp.FINAL: ["queued", "delivered"],
        FollowUp.ALL: ["queued", "sending", "sent", "delivered"],
    }
    async with a_tracked_line(tracking=told(follow_up)) as line:
        twilio_of(line).course = lambda _: course
        await line.accept(DARLA)
        await line.clock.advance(HOUR)
        assert expected[follow_up] == await words(line)
        assert await line.journal.next_look() is None


async def test_nothing_is_asked_and_nothing_kept_where_tracking_is_off() -> None:
    async with a_tracked_line(tracking=told(following=Following.OFF)) as line:
        await line.accept(DARLA)
        await line.clock.advance(HOUR)
        assert [] == ages(line)
        assert await line.journal.delivery(1) is None
        assert ["queued"] == await words(line)


async def call(line: Line, course: Course) -> list[str]:
    """Twilio's words in the statuses of one call."""
    twilio_of(line).course = lambda _: course
    await line.accept(DARLA, channel=Channel.CALL)
    await line.clock.advance(HOUR)
    return await words(line)


async def test_a_completed_call_is_told_when_its_notifications_were_read_twice() -> None:
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        assert ["queued", "completed"] == await call(line, COMPLETED)
        asked = [what for _, what, _ in twilio_of(line).looks]
        assert [CALL_SID, CALL_SID, f"notices of {CALL_SID}", f"notices of {CALL_SID}"] == asked
        assert [5.0, 20.0, 25.0, 80.0] == ages(line)


async def test_a_call_whose_document_could_not_be_fetched_reached_nobody() -> None:
    course = Course(words=COMPLETED.words, notices=(11_200,), notices_after=30.0)
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        assert ["queued", "NotReached/completed"] == await call(line, course)
        message = (await line.statuses())[-1]["response"]["error_message"]
        assert message.startswith("Twilio error 11200: ")


async def test_a_person_needs_no_look_at_notifications() -> None:
    course = Course(words=COMPLETED.words, answered_by="human")
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        assert ["queued", "completed"] == await call(line, course)
        assert [5.0, 20.0] == ages(line)


@pytest.mark.parametrize(
    ("course", "word"),
    [
        (BUSY, "NotReached/busy"),
        (Course(words=COMPLETED.words, answered_by="machine_start"), "NotReached/completed"),
    ],
)
async def test_a_call_that_reached_no_person_is_not_reached(course: Course, word: str) -> None:
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        assert ["queued", word] == await call(line, course)
        assert 1 == line.events.count("delivery_failed")


async def test_several_that_are_due_at_once_cost_one_page() -> None:
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        await line.accept(*(f"+1234500{n:04}" for n in range(100)))
        await line.clock.advance(5)
        assert [(Channel.SMS, None)] == [(channel, path) for channel, path, _ in twilio_of(line).looks]
        assert Counter(queued=100, delivered=100) == Counter(await words(line))


async def test_a_page_is_followed_by_the_next_one_while_that_costs_less() -> None:
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        for n in range(500):
            await line.accept(f"+1234500{n:04}")
            await line.clock.advance(0.004)
        await line.clock.advance(10)
        paths = [path for _, path, _ in twilio_of(line).looks]
        assert {None, "200", "400"} >= {path for path in paths if path is None or path.isdecimal()}
        assert Counter(queued=500, delivered=500) == Counter(await words(line))
        assert len(paths) < 20


async def several(line: Line, count: int, *, first: int = 0, seconds: float) -> None:
    """So many texts, evenly over so many seconds."""
    for n in range(first, first + count):
        await line.accept(f"+1234500{n:04}")
        await line.clock.advance(seconds / count)


def looks(line: Line) -> Counter[str]:
    """Looks by kind; forgets them."""
    asked = twilio_of(line).looks
    kinds = Counter("page" if what is None or what.isdecimal() else "single" for _, what, _ in asked)
    asked.clear()
    return kinds


async def test_many_that_stand_on_later_pages_cost_those_pages() -> None:
    """400 are due again while 400 newer ones, of which nothing is due, fill the first two pages."""
    async with a_tracked_line() as line:
        twilio_of(line).course = lambda _: NEVER_RECEIPTED
        await several(line, 400, seconds=4)
        await line.clock.advance(6)
        twilio_of(line).course = lambda _: DELIVERED
        await several(line, 400, first=400, seconds=0.4)
        await line.clock.advance(8.5)
        looks(line)
        await line.clock.advance(8)
        asked = looks(line)
        assert 0 == asked["single"]
        assert asked["page"] <= 20  # a hundred at a time become due, and they stand on up to four pages


async def test_few_that_stand_on_later_pages_are_looked_at_singly() -> None:
    async with a_tracked_line() as line:
        twilio_of(line).course = lambda _: NEVER_RECEIPTED
        await several(line, 3, seconds=0.3)
        await line.clock.advance(6)
        twilio_of(line).course = lambda _: DELIVERED
        await several(line, 600, first=3, seconds=0.6)
        await line.clock.advance(8)
        looks(line)
        await line.clock.advance(10)
        assert Counter(single=3) == looks(line)


async def test_what_a_page_does_not_show_is_looked_at_by_itself() -> None:
    async with a_tracked_line() as line:
        await line.accept(DARLA, "+12345000002")
        twilio_of(line).deleted.add(SID)
        await line.clock.advance(6)
        assert [None, SID] == [what for _, what, _ in twilio_of(line).looks]
        assert "queued" == (await the_delivery(line, 1)).delivery.state
        assert "delivered" == (await the_delivery(line, 2)).delivery.state
        assert START + 20.0 <= cast("float", (await the_delivery(line, 1)).look_at)


async def test_many_that_no_page_shows_are_looked_at_without_reading_the_journal_for_each() -> None:
    async with a_tracked_line() as line:
        await line.accept(*(f"+1234500{n:04}" for n in range(100)))
        twilio_of(line).deleted.update(twilio_of(line).taken)
        await line.clock.advance(60)
        singles = [what for _, what, _ in twilio_of(line).looks if what is not None]
        assert 200 <= len(singles)
        assert 40 > line.watched.count("due_deliveries")


async def test_a_twilio_that_does_not_answer_is_asked_ever_less_and_told_of_once() -> None:
    async with a_tracked_line() as line:
        twilio_of(line).unreadable = Unreadable(detail="HTTP 503")
        await line.accept(DARLA)
        await line.clock.advance(400)
        assert [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0] == ages(line)
        assert 1 == line.events.count("deliveries_unreadable")
        twilio_of(line).unreadable = None
        await line.clock.advance(400)
        assert 1 == line.events.count("deliveries_readable")
        assert ["queued", "delivered"] == await words(line)


async def test_what_twilio_never_gives_is_followed_twice_as_long_and_then_no_more() -> None:
    """A login that may send and not read: its deliveries must not stay in the journal without end."""
    tracking = Tracking(following=Following.POLL, follow_up=FollowUp.FINAL, give_up_after=600.0)
    async with a_tracked_line(tracking=tracking) as line:
        twilio_of(line).unreadable = Unreadable(detail="HTTP 403", unauthorized=True)
        await line.accept(DARLA)
        await line.clock.advance(1100)
        assert ["queued"] == await words(line)
        await line.clock.advance(400)
        assert ["queued", "OutcomeUnknown/queued"] == await words(line)
        assert await line.journal.next_look() is None


async def test_after_a_long_sleep_of_the_machine_one_list_that_fails_gives_nothing_up() -> None:
    """Everything is older than the longest following then, and nothing of it was asked for."""
    tracking = Tracking(following=Following.POLL, follow_up=FollowUp.FINAL, give_up_after=600.0)
    async with a_tracked_line(tracking=tracking) as line:
        await line.accept(DARLA)
        twilio_of(line).unreadable = Unreadable(detail="HTTP 503")
        line.clock.set(START + 86_400)
        await line.clock.advance(20)
        assert 1 == line.events.count("deliveries_unreadable")
        twilio_of(line).unreadable = None
        await line.clock.advance(60)
        assert ["queued", "delivered"] == await words(line)


async def test_a_connection_that_is_lost_while_following_costs_a_look_and_no_change() -> None:
    async with a_tracked_line() as line:
        twilio_of(line).unreadable = Unreadable(detail="connection lost")
        await line.accept(DARLA)
        await line.clock.advance(6)
        twilio_of(line).unreadable = None
        await line.clock.advance(60)
        assert ["queued", "delivered"] == await words(line)


async def test_credentials_that_are_refused_while_following_are_told_and_following_goes_on() -> None:
    async with a_tracked_line() as line:
        await line.accept(DARLA)
        twilio_of(line).unreadable = Unreadable(detail="HTTP 401", unauthorized=True)
        await line.clock.advance(60)
        assert 1 == line.events.count("deliveries_unreadable")
        twilio_of(line).unreadable = None
        await line.clock.advance(400)
        assert ["queued", "delivered"] == await words(line)


async def test_notifications_that_may_not_be_read_hold_up_nothing_else() -> None:
    """A login may be allowed to read texts and calls alone; the call's result stays unknown."""
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        twilio_of(line).notices_unreadable = Unreadable(detail="HTTP 403", unauthorized=True)
        twilio_of(line).course = lambda notification: (
            COMPLETED if notification.channel is Channel.CALL else DELIVERED
        )
        await line.accept(DARLA, channel=Channel.CALL)
        await line.clock.advance(100)
        await line.accept("+12345000002")
        await line.clock.advance(6)
        assert "delivered" == (await the_delivery(line, 2)).delivery.state
        await line.clock.advance(HOUR)
        assert ["queued", "queued", "delivered", "completed"] == await words(line)
        assert 1 == line.events.count("deliveries_unreadable")


async def test_after_a_long_sleep_notifications_that_fail_once_are_asked_for_again() -> None:
    async with a_tracked_line(tracking=told(FollowUp.FINAL)) as line:
        twilio_of(line).course = lambda _: COMPLETED
        await line.accept(DARLA, channel=Channel.CALL)
        while not is_final((await the_delivery(line)).delivery):
            await line.clock.advance(1)
        twilio_of(line).notices_unreadable = Unreadable(detail="HTTP 503")
        line.clock.set(line.clock.now() + 86_400)
        await line.clock.advance(20)
        assert 1 == line.events.count("deliveries_unreadable")
        assert 0 == (await the_delivery(line)).delivery.notification_looks
        twilio_of(line).notices_unreadable = None
        await line.clock.advance(60)
        assert LAST_NOTIFICATION_LOOK == (await the_delivery(line)).delivery.notification_looks


async def test_attempts_that_wait_for_a_place_go_before_looks_for_some_seconds_each() -> None:
    async with a_tracked_line(concurrency=1) as line:
        await line.accept(DARLA)
        twilio_of(line).hold("+12345000002")
        await line.accept("+12345000002")
        await line.clock.advance(9)
        assert [] == ages(line)
        await line.clock.advance(60)
        assert [10.0] == ages(line)
        assert ["queued", "delivered"] == await words(line)


async def test_nothing_is_looked_at_while_twilio_wants_a_pause() -> None:
    async with a_tracked_line(concurrency=1) as line:
        await line.accept(DARLA)
        await line.clock.advance(1)
        twilio_of(line).script("+12345000002", too_many(retry_after=100.0))
        await line.accept("+12345000002")
        await line.clock.advance(90)
        assert [] == ages(line)
        await line.clock.advance(20)
        assert "delivered" == (await the_delivery(line)).delivery.state


async def test_an_hour_at_one_request_a_second_costs_thirty_looks_a_minute_and_delays_none() -> None:
    random = Random(12)  # noqa: S311 - the same at each run
    courses = (DELIVERED, DELIVERED, DELIVERED, UNDELIVERED, NEVER_RECEIPTED)
    async with a_tracked_line(tracking=told(FollowUp.NONE), looks_per_minute=30) as line:
        drawn: dict[str, Course] = defaultdict(lambda: random.choice(courses))
        twilio_of(line).course = lambda notification: drawn[notification.recipient.phone_number]
        for n in range(3600):
            await line.accept(f"+1234{n:07}")
            await line.clock.advance(1)
        asked = twilio_of(line).asked_at
        assert max(most_within_a_minute(asked), 1) <= 30
        assert [START + n for n in range(3600)] == line.sender.instants()
        await line.clock.advance(2 * HOUR)
        assert most_within_a_minute(asked) <= 30
        for request, course in enumerate(drawn.values(), start=1):
            assert course.last == (await the_delivery(line, request)).delivery.state


async def test_looks_that_hang_delay_no_attempt() -> None:
    """They take no place of the attempts: with a single place, every text leaves at once."""
    async with a_tracked_line(concurrency=1) as line:
        twilio_of(line).stalled = asyncio.Event()
        await line.accept(DARLA)
        await line.clock.advance(6)
        assert [5.0] == ages(line)
        for n in range(100):
            await line.accept(f"+1234{n:07}")
            await line.clock.advance(0.1)
        assert [START, *(round(START + 6 + n / 10, 1) for n in range(100))] == [
            round(at, 1) for at in line.sender.instants()
        ]
        assert [5.0] == ages(line)


def most_within_a_minute(instants: Sequence[float]) -> int:
    """The most of them within any sixty seconds."""
    most, begin = 0, 0
    for end, instant in enumerate(instants):
        while instants[begin] <= instant - 60.0:
            begin += 1
        most = max(most, end - begin + 1)
    return most


TEXT_ENDS = (
    *(DELIVERED, UNDELIVERED, NEVER_RECEIPTED),
    Course(words=((0.4, "sending"), (2.0, "failed")), code=30_008),
    Course(words=((1.0, "sending"), (100.0, "sent"), (900.0, "delivered"))),
    Course(words=((2.0, "canceled"),)),
)
CALL_ENDS = (
    *(COMPLETED, BUSY),
    Course(words=((0.2, "ringing"), (60.0, "no-answer"))),
    Course(words=((0.1, "initiated"), (1.0, "failed")), code=13_225),
    Course(words=COMPLETED.words, answered_by="machine_end_beep"),
    Course(words=COMPLETED.words, answered_by="human"),
    Course(words=COMPLETED.words, notices=(11_200,), notices_after=3.0),
)


async def test_a_thousand_texts_and_two_hundred_calls_end_as_twilio_has_them() -> None:
    """By polling alone; each change is published once, in the order of its rank."""
    random = Random(7)  # noqa: S311 - the same at each run
    drawn: dict[str, Course] = {}

    def course(notification: Notification) -> Course:
        ends = TEXT_ENDS if notification.channel is Channel.SMS else CALL_ENDS
        return drawn.setdefault(notification.recipient.phone_number, random.choice(ends))

    async with a_tracked_line(looks_per_minute=600) as line:
        twilio_of(line).course = course
        await line.accept(*(f"+1234500{n:04}" for n in range(1000)))
        await line.accept(*(f"+1234600{n:04}" for n in range(200)), channel=Channel.CALL)
        await line.clock.advance(40 * HOUR)
        assert await line.journal.next_look() is None
        rows = await line.journal.unreported(after=0, limit=10_000)
        assert_each_change_is_told_once_in_order([json.loads(row.status) for row in rows])
        for request, (phone_number, end) in enumerate(drawn.items(), start=1):
            followed = await the_delivery(line, request)
            assert phone_number == followed.request.notification.recipient.phone_number
            assert end.last == followed.delivery.state


def assert_each_change_is_told_once_in_order(statuses: list[dict[str, Any]]) -> None:
    seen: dict[str, list[str]] = defaultdict(list)
    for status in statuses:
        seen[status["id"]].append(status["response"]["payload"]["messages"]["message_status"])
    for id_, told_words in seen.items():
        ranks = RANKS[Channel.SMS if id_.startswith("+12345") else Channel.CALL]
        in_order = [ranks[word] for word in told_words]
        assert sorted(set(in_order)) == in_order, (id_, told_words)


async def test_following_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_tracked_line(path=path) as line:
        twilio_of(line).course = lambda _: NEVER_RECEIPTED
        await line.accept(DARLA)
        await line.clock.advance(30)
        assert [5.0, 20.0] == ages(line)
        taken = twilio_of(line).taken
    async with a_tracked_line(path=path) as line:
        twilio_of(line).taken = taken
        await line.clock.advance(100)
        assert [80.0] == ages(line)
        assert ["queued", "sent"] == await words(line)
