"""The settler as timelines: a doubt ends with a record, with its sure absence, or with a person."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.pipeline.settling import NO_NETWORK, SETTLE, TIME_OUT, a_running_scene, a_scene
from tests.support.crash_points import CrashPoint
from tests.support.factories import DARLA, SENDER_NUMBER, accepted, unauthorized
from twilio_notifications.core.model import Channel, Unanswered, Unreadable, VoiceLocation
from twilio_notifications.pipeline.line.settler import CONCURRENCY
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from twilio_notifications.core.steps import Doubtful
    from twilio_notifications.ports import Journal

OTHER = "+12345000001"
HOUR = 3600.0
FIRST, SECOND = "SM" + "1" * 32, "SM" + "2" * 32


# Found.


async def test_a_record_makes_a_success_of_a_doubt() -> None:
    """With the SID and the words of the record."""
    async with a_running_scene() as scene:
        await scene.doubt()
        scene.sender.carries_out(sid=FIRST, message_status="delivered")
        assert [] == await scene.results()
        await scene.advance(1.0)
        (status,) = await scene.line.statuses()
        assert {"message_status": "delivered", "to_number": DARLA, "name": "Darla"} == status["response"][
            "payload"
        ]["messages"]
        assert {FIRST} == await scene.line.journal.known_sids([FIRST])


async def test_a_record_without_a_sender_is_reported_with_the_one_that_was_asked_for() -> None:
    async with a_running_scene() as scene:
        await scene.doubt()
        scene.sender.carries_out(sid=FIRST, sender_number=None)
        await scene.advance(1.0)
        (status,) = await scene.line.statuses()
        assert SENDER_NUMBER == status["response"]["payload"]["from_number"]


async def test_a_list_that_lags_is_looked_at_again() -> None:
    async with a_running_scene() as scene:
        await scene.doubt()
        start = scene.line.clock.now()
        scene.sender.carries_out(sid=FIRST, lag=5.0)
        await scene.advance(SETTLE)
        assert [(DARLA, "success")] == await scene.results()
        assert [1.0, 2.0, 4.0, 8.0] == [at - start for at in scene.looks()]


async def test_a_record_that_was_found_is_not_found_for_the_next_request() -> None:
    """Two equal texts in a row: the second was not carried out, and the first one's record is no proof."""
    async with a_running_scene() as scene:
        await scene.doubt(request_id="first")
        scene.sender.carries_out(sid=FIRST)
        await scene.doubt(request_id="second")
        await scene.advance(1.0)
        await scene.advance(SETTLE)
        assert [("first", "success"), ("second", "TwilioUnavailable")] == await scene.results()


async def test_a_record_that_twilio_answered_with_is_not_found_for_the_next_request() -> None:
    async with a_running_scene() as scene:
        scene.sender.script(DARLA, accepted(FIRST))
        scene.sender.carries_out(sid=FIRST)
        await scene.line.accept(DARLA, request_id="first")
        await scene.doubt(request_id="second")
        await scene.advance(SETTLE)
        assert [("first", "success"), ("second", "TwilioUnavailable")] == await scene.results()


async def test_a_call_is_found_without_a_body() -> None:
    async with a_running_scene() as scene:
        content = VoiceLocation(url="https://some-public-TwiML")
        await scene.doubt(channel=Channel.CALL, content=content)
        scene.sender.carries_out(sid="CA1", body=None, message_status="ringing")
        await scene.advance(1.0)
        (status,) = await scene.line.statuses()
        assert "ringing" == status["response"]["payload"]["messages"]["message_status"]


async def test_the_events_are_told_in_their_order() -> None:
    async with a_running_scene() as scene:
        await scene.doubt()
        scene.sender.carries_out(sid=FIRST)
        await scene.advance(1.0)
        expected = [CrashPoint.ATTEMPT_IN_DOUBT, CrashPoint.RECORDS_LOOKED_UP, CrashPoint.DOUBT_SETTLED]
        assert expected == scene.line.events.points[-3:]


# Absent.


async def test_absence_fails_a_request_without_retries() -> None:
    async with a_running_scene() as scene:
        await scene.doubt()
        await scene.advance(SETTLE - 0.1)
        assert [] == await scene.results()
        await scene.advance(0.1)
        assert [(DARLA, "TwilioUnavailable")] == await scene.results()
        (sentence,) = await scene.errors()
        assert "operation timed out; Twilio's records show that nothing was sent" in sentence
        assert 1 == len(scene.sender.sent)


async def test_absence_is_retried_while_retries_last_with_backoff() -> None:
    """Each attempt is settled first; with full jitter drawn at its end, the waits are 4 and 8 seconds."""
    async with a_running_scene() as scene:
        start = scene.line.clock.now()
        scene.sender.script(DARLA, TIME_OUT, TIME_OUT)
        await scene.doubt(retries=2)
        await scene.advance(200.0)
        assert [(DARLA, "TwilioUnavailable")] == await scene.results()
        expected = [0.0, SETTLE + 4.0, 2 * SETTLE + 12.0]
        assert expected == [at - start for at in scene.sender.instants()]


async def test_a_retry_that_is_accepted_is_a_success() -> None:
    async with a_running_scene() as scene:
        await scene.doubt(retries=1)
        await scene.advance(SETTLE + 4.0)
        assert [(DARLA, "success")] == await scene.results()
        assert 2 == len(scene.sender.sent)


async def test_jitter_spreads_the_retries() -> None:
    async with a_running_scene(jitter=0.25) as scene:
        await scene.doubt(retries=1)
        await scene.advance(SETTLE + 1.0)
        assert 2 == len(scene.sender.sent)


async def test_an_answer_without_a_sid_is_looked_up_too() -> None:
    async with a_running_scene() as scene:
        await scene.doubt(answer=accepted(""))
        scene.sender.carries_out(sid=FIRST)
        await scene.advance(1.0)
        assert [(DARLA, "success")] == await scene.results()


async def test_without_a_settling_time_one_look_decides() -> None:
    async with a_running_scene(settle=0.0) as scene:
        await scene.doubt()
        await scene.advance(30.0)
        assert [(DARLA, "TwilioUnavailable")] == await scene.results()


# Cut off: our own end is not the sender's failure.


@pytest.mark.parametrize("retries", [0, 1])
async def test_an_attempt_that_was_cut_off_is_made_again_at_no_cost(retries: int) -> None:
    async with a_scene() as scene:
        scene.sender.hold(DARLA)
        async with scene.running():
            await scene.line.accept(DARLA, retries=retries)
        await scene.recover()
        scene.sender.release(DARLA)
        async with scene.running():
            await scene.advance(SETTLE)
            assert 2 == len(scene.sender.sent)
            assert [(DARLA, "success")] == await scene.results()


async def test_an_attempt_that_was_cut_off_leaves_all_its_retries() -> None:
    async with a_scene() as scene:
        scene.sender.hold(DARLA)
        async with scene.running():
            await scene.line.accept(DARLA, retries=1)
        await scene.recover()
        scene.sender.release(DARLA)
        scene.sender.script(DARLA, TIME_OUT, TIME_OUT)
        async with scene.running():
            await scene.advance(10 * SETTLE)
            assert 3 == len(scene.sender.sent)
            assert [(DARLA, "TwilioUnavailable")] == await scene.results()


async def test_an_attempt_that_was_cut_off_and_carried_out_is_not_made_again() -> None:
    async with a_scene() as scene:
        scene.sender.hold(DARLA)
        async with scene.running():
            await scene.line.accept(DARLA)
            scene.sender.carries_out(sid=FIRST)
        await scene.advance(HOUR)
        await scene.recover()
        async with scene.running():
            assert [(DARLA, "success")] == await scene.results()
            assert 1 == len(scene.sender.sent)


async def test_settling_begins_anew_at_a_start() -> None:
    """How much of the time had passed, only the clock of a process that is gone could tell."""
    async with a_scene() as scene:
        async with scene.running():
            await scene.doubt()
            await scene.advance(SETTLE - 1.0)
        await scene.recover()
        async with scene.running():
            await scene.advance(SETTLE - 1.0)
            assert [] == await scene.results()
            await scene.advance(1.0)
            assert [(DARLA, "TwilioUnavailable")] == await scene.results()


async def test_a_doubt_that_was_no_crash_costs_its_retry_even_if_a_crash_follows() -> None:
    async with a_scene() as scene:
        async with scene.running():
            await scene.doubt()
        await scene.recover()
        async with scene.running():
            await scene.advance(SETTLE)
            assert [(DARLA, "TwilioUnavailable")] == await scene.results()


async def test_a_clock_that_was_wrong_unnoticed_is_a_matter_for_a_person() -> None:
    """Opened an hour fast, before Twilio's clock was known; then the power was cut, the clock set right."""
    async with a_scene() as scene:
        clock = scene.line.clock
        right = clock.now()
        clock.set(right + HOUR)
        scene.sender.ahead = -HOUR
        scene.sender.hold(DARLA)
        async with scene.running():
            await scene.line.accept(DARLA)
            scene.sender.carries_out(sid=FIRST)
        clock.set(right + 10.0)
        scene.sender.ahead, scene.sender.clock_offset = 0.0, None
        await scene.recover()
        async with scene.running():
            await scene.advance(SETTLE)
            assert [(DARLA, "OutcomeUnknown")] == await scene.results()
            assert 1 == len(scene.sender.sent)


async def test_a_doubt_of_an_earlier_clock_is_a_matter_for_a_person() -> None:
    """As above, but the answer was awaited in vain before the power was cut."""
    async with a_scene() as scene:
        clock = scene.line.clock
        right = clock.now()
        clock.set(right + HOUR)
        scene.sender.ahead = -HOUR
        scene.sender.unreadable[DARLA] = NO_NETWORK
        async with scene.running():
            await scene.doubt()
            scene.sender.carries_out(sid=FIRST)
        clock.set(right + 10.0)
        scene.sender.unreadable.clear()
        scene.sender.ahead = 0.0
        await scene.recover()
        async with scene.running():
            await scene.advance(SETTLE)
            assert [(DARLA, "OutcomeUnknown")] == await scene.results()


# Twilio's clock.


@pytest.mark.parametrize("ahead", [-HOUR, -10.0, 10.0, HOUR])
async def test_a_clock_that_nobody_could_compare_does_not_hide_the_record(ahead: float) -> None:
    """The first readable list comes after the settling time, and is the first to tell Twilio's clock."""
    async with a_running_scene() as scene:
        scene.sender.ahead = ahead
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt()
        scene.sender.carries_out(sid=FIRST)
        await scene.advance(SETTLE + 60.0)
        scene.sender.unreadable.clear()
        await scene.advance(10.0)
        assert [(DARLA, "success")] == await scene.results()


@pytest.mark.parametrize("ahead", [-HOUR, -600.0, 600.0, HOUR])
async def test_a_clock_that_was_told_wrongly_at_the_opening_sends_nothing_again(ahead: float) -> None:
    """The first list that is asked for is cut by the wrong clock; its own answer tells the right one."""
    async with a_running_scene() as scene:
        scene.sender.clock_offset = ahead
        await scene.doubt(retries=3)
        scene.sender.carries_out(sid=FIRST)
        await scene.advance(SETTLE + 60.0)
        assert [(DARLA, "OutcomeUnknown")] == await scene.results()
        assert 1 == len(scene.sender.sent)


async def test_a_first_list_that_was_cut_by_a_wrong_clock_proves_no_absence() -> None:
    """It comes after the settling time, so that no other look would follow; it is asked for again at once."""
    async with a_running_scene() as scene:
        scene.sender.clock_offset = HOUR
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt(retries=3)
        scene.sender.carries_out(sid=FIRST)
        await scene.advance(SETTLE + 60.0)
        scene.sender.unreadable.clear()
        await scene.advance(60.0)
        assert [(DARLA, "OutcomeUnknown")] == await scene.results()
        assert 1 == len(scene.sender.sent)


async def test_an_older_twin_is_no_success_where_the_clock_was_told_wrongly() -> None:
    async with a_running_scene() as scene:
        scene.sender.carries_out(sid=FIRST)
        await scene.advance(300.0)
        scene.sender.clock_offset = -600.0
        await scene.doubt(retries=3)
        await scene.advance(SETTLE + 60.0)
        assert [(DARLA, "OutcomeUnknown")] == await scene.results()


# Lists that cannot be read.


async def test_while_the_list_cannot_be_read_nothing_is_concluded() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt(retries=5)
        await scene.advance(HOUR)
        assert [] == await scene.results()
        assert 1 == len(scene.sender.sent)
        scene.sender.carries_out(sid=FIRST)
        scene.sender.unreadable.clear()
        await scene.advance(10.0)
        assert [(DARLA, "success")] == await scene.results()


async def test_a_list_that_cannot_be_read_is_asked_for_every_ten_seconds() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt()
        await scene.advance(SETTLE)
        before = len(scene.looks())
        await scene.advance(100.0)
        assert 10 == len(scene.looks()) - before


async def test_after_the_lifetime_an_unreadable_doubt_is_given_to_a_person() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt(lifetime=120.0)
        await scene.advance(119.9)
        assert [] == await scene.results()
        await scene.advance(0.1)
        assert [(DARLA, "OutcomeUnknown")] == await scene.results()
        await scene.advance(HOUR)
        assert 1 == len(scene.sender.sent)


async def test_the_sentence_of_an_unknown_outcome_says_what_is_known_and_what_to_do() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt(lifetime=60.0)
        await scene.advance(60.0)
        (sentence,) = await scene.errors()
        assert "operation timed out" in sentence
        assert "Twilio's records cannot be read: dns error" in sentence
        command = "twilio-notifications journal resolve 1"
        assert sentence.endswith(f"settle it with: {command} --sent or {command} --not-sent")


async def test_at_a_start_after_the_lifetime_the_network_has_a_settling_time_to_come_up() -> None:
    """A power cut of hours: at the first look there is no network yet, and a record to be found."""
    async with a_scene() as scene:
        scene.sender.hold(DARLA)
        async with scene.running():
            await scene.line.accept(DARLA, lifetime=60.0)
            scene.sender.carries_out(sid=FIRST)
        await scene.advance(5 * HOUR)
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.recover()
        async with scene.running():
            await scene.advance(10.0)
            scene.sender.unreadable.clear()
            await scene.advance(10.0)
            assert [(DARLA, "success")] == await scene.results()


async def test_at_a_start_after_the_lifetime_a_person_is_asked_after_a_settling_time() -> None:
    async with a_scene() as scene:
        scene.sender.hold(DARLA)
        async with scene.running():
            await scene.line.accept(DARLA, lifetime=60.0)
        await scene.advance(5 * HOUR)
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.recover()
        async with scene.running():
            await scene.advance(SETTLE)
            assert [(DARLA, "OutcomeUnknown")] == await scene.results()


async def test_an_absent_request_whose_lifetime_has_ended_expires() -> None:
    async with a_running_scene() as scene:
        await scene.doubt(retries=3, lifetime=SETTLE + 2.0)
        await scene.advance(SETTLE + 3.0)
        assert [(DARLA, "Expired")] == await scene.results()


async def test_twilio_is_not_asked_earlier_than_it_wishes() -> None:
    async with a_running_scene() as scene:
        start = scene.line.clock.now()
        scene.sender.unreadable[DARLA] = Unreadable(detail="HTTP 429", retry_after=45.0)
        await scene.doubt()
        await scene.advance(100.0)
        assert [1.0, 46.0, 91.0] == [at - start for at in scene.looks()]


async def test_a_wish_beyond_the_lifetime_is_cut_at_its_end() -> None:
    async with a_running_scene() as scene:
        start = scene.line.clock.now()
        scene.sender.unreadable[DARLA] = Unreadable(detail="HTTP 429", retry_after=float("inf"))
        await scene.doubt(lifetime=60.0)
        await scene.advance(60.0)
        assert [1.0, 60.0] == [at - start for at in scene.looks()]
        assert [(DARLA, "OutcomeUnknown")] == await scene.results()


async def test_unreadable_lists_are_told_once_and_so_is_their_return() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt()
        await scene.advance(HOUR)
        assert (1, 0) == (scene.told("records_unreadable"), scene.told("records_readable"))
        scene.sender.unreadable.clear()
        await scene.advance(HOUR)
        assert (1, 1) == (scene.told("records_unreadable"), scene.told("records_readable"))


async def test_one_recipients_unreadable_list_among_readable_ones_is_told_once() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt(DARLA)
        for number in range(5):
            await scene.doubt(OTHER, request_id=f"other{number}")
            await scene.advance(SETTLE)
        assert 5 == len(await scene.results())
        assert (1, 0) == (scene.told("records_unreadable"), scene.told("records_readable"))


async def test_a_defect_of_a_look_is_told_and_the_look_repeated() -> None:
    """One list that our code cannot bear must not end the connector, start after start."""
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = RuntimeError("a defect")
        await scene.doubt()
        scene.sender.carries_out(sid=FIRST)
        await scene.advance(1.0)
        assert ["look_up_failed"] == [name for name, _ in scene.line.events.defects]
        scene.sender.unreadable.clear()
        await scene.advance(SETTLE)
        assert [(DARLA, "success")] == await scene.results()


# Others.


async def test_the_next_request_of_a_recipient_waits_until_the_doubt_is_settled() -> None:
    """ "All clear" must not overtake "alarm"."""
    async with a_running_scene() as scene:
        await scene.doubt(request_id="alarm", retries=1)
        await scene.line.accept(DARLA, request_id="all clear")
        await scene.advance(SETTLE)
        assert ["alarm"] == scene.sender.ids()
        await scene.advance(4.0)
        assert ["alarm", "alarm", "all clear"] == scene.sender.ids()
        assert [("alarm", "success"), ("all clear", "success")] == await scene.results()


async def test_the_next_request_goes_as_soon_as_the_record_is_found() -> None:
    async with a_running_scene() as scene:
        await scene.doubt(request_id="alarm")
        scene.sender.carries_out(sid=FIRST)
        await scene.line.accept(DARLA, request_id="all clear")
        await scene.advance(1.0)
        assert [("alarm", "success"), ("all clear", "success")] == await scene.results()


async def test_other_recipients_go_on_while_one_is_in_doubt() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt(DARLA)
        await scene.doubt(OTHER)
        scene.sender.carries_out(OTHER, sid=SECOND)
        await scene.advance(1.0)
        await scene.line.accept(OTHER, request_id="next")
        assert [(OTHER, "success"), ("next", "success")] == await scene.results()


class LateAnswers:
    """A journal whose answer to what is due arrives when a test lets it."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.arriving = asyncio.Event()
        self.arriving.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]:
        due = await self._journal.doubtful(now=now, limit=limit)
        await self.arriving.wait()
        return due


async def test_a_request_that_is_settled_before_the_journal_has_answered_is_not_looked_at_again() -> None:
    """Its step would be forbidden, and a request that has its status would be set aside."""
    async with a_scene() as scene:
        late = LateAnswers(scene.line.journal)
        surroundings = replace(scene.line.surroundings, journal=cast("Journal", late))
        scene.line = replace(scene.line, surroundings=surroundings)
        async with scene.running():
            scene.sender.withhold(DARLA)
            await scene.doubt()
            scene.sender.carries_out(sid=FIRST)
            await scene.advance(1.0)
            late.arriving.clear()
            scene.line.bells.doubts.ring()
            await scene.line.clock.settle()
            scene.sender.give(DARLA)
            await scene.line.clock.settle()
            late.arriving.set()
            await scene.advance(5.0)
            assert [(DARLA, "success")] == await scene.results()
            assert (1, 0) == (len(scene.looks()), scene.told("request_set_aside"))


async def test_a_look_that_hangs_holds_up_no_other() -> None:
    async with a_running_scene() as scene:
        scene.sender.withhold(DARLA)
        await scene.doubt(DARLA)
        await scene.advance(10.0)
        await scene.doubt(OTHER)
        scene.sender.carries_out(OTHER, sid=SECOND)
        await scene.advance(2.0)
        assert [(OTHER, "success")] == await scene.results()
        assert 1 == len(scene.looks(DARLA))


async def test_many_doubts_are_looked_up_a_few_at_a_time_and_all_of_them() -> None:
    async with a_running_scene() as scene:
        numbers = [f"+1234500{number:04}" for number in range(3 * CONCURRENCY)]
        for number in numbers:
            scene.sender.withhold(number)
            await scene.doubt(number)
        await scene.advance(1.0)
        assert CONCURRENCY == len(scene.sender.looked)
        for number in numbers:
            scene.sender.give(number)
            scene.sender.carries_out(number, sid=f"SM{number}")
        await scene.advance(SETTLE)
        assert {(number, "success") for number in numbers} == set(await scene.results())


async def test_a_texts_doubt_does_not_hold_up_a_call() -> None:
    async with a_running_scene() as scene:
        await scene.doubt(request_id="text")
        content = VoiceLocation(url="https://some-public-TwiML")
        await scene.line.accept(DARLA, request_id="call", channel=Channel.CALL, content=content)
        assert [("call", "success")] == await scene.results()


async def test_settling_is_told_without_text_or_number() -> None:
    async with a_running_scene() as scene:
        await scene.doubt(lifetime=60.0)
        await scene.advance(SETTLE)
        (told,) = scene.line.events.named("doubt_settled")
        assert Level.INFO is told.level
        assert {"number": 1, "outcome": "absent", "seconds": SETTLE} == told.fields


async def test_an_unknown_outcome_is_an_error_in_the_log() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.doubt(lifetime=60.0)
        await scene.advance(60.0)
        (told,) = scene.line.events.named("doubt_settled")
        assert (Level.ERROR, "unknown") == (told.level, told.fields["outcome"])


async def test_looking_again_keeps_the_first_sentence() -> None:
    async with a_running_scene() as scene:
        await scene.doubt(answer=Unanswered(detail="connection reset"))
        scene.sender.unreadable[DARLA] = NO_NETWORK
        await scene.advance(5.0)
        scene.sender.unreadable.clear()
        await scene.advance(SETTLE)
        (sentence,) = await scene.errors()
        assert sentence.startswith("Twilio did not answer: connection reset")


async def test_a_status_is_announced_and_written_as_json() -> None:
    async with a_running_scene() as scene:
        await scene.doubt()
        assert [] == scene.line.written
        await scene.advance(SETTLE)
        (row,) = await scene.line.outbox()
        assert [row] == scene.line.written
        assert DARLA == json.loads(row.status)["id"]


async def test_refused_credentials_of_a_look_do_not_settle_it() -> None:
    async with a_running_scene() as scene:
        scene.sender.unreadable[DARLA] = Unreadable(detail=f"HTTP 401 {unauthorized().message}")
        await scene.doubt()
        await scene.advance(HOUR)
        assert [] == await scene.results()
