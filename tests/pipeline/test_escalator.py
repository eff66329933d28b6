"""Chains that go on until a person acknowledges, and the races between all that can end them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.escalating import (
    DARLA,
    DEPUTY,
    FREEZER,
    NEIGHBOUR,
    OWNER,
    a_house,
)
from tests.support.factories import a_payload, refused, too_many, unauthorized
from twilio_notifications.adapters.journal.wishing import ENDED_AT_ONCE
from twilio_notifications.core.model import Channel, SpokenText, Unreadable
from twilio_notifications.core.policy import Limits
from twilio_notifications.core.quiet_hours import QuietHours
from twilio_notifications.pipeline.line.assembly import Calling
from twilio_notifications.ports.events import Level

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline.escalating import House

TEXT, CALL = "SMS", "CALL"


# What goes out, and when.


async def test_a_chain_goes_on_to_others_until_it_ends_without_an_acknowledgement() -> None:
    async with a_house() as house:
        await house.alarm()
        assert [(TEXT, OWNER)] == house.went()
        await house.line.clock.advance(299)
        assert [(TEXT, OWNER)] == house.went()
        await house.line.clock.advance(2)
        assert (CALL, DARLA) == house.went()[-1]
        await house.line.clock.advance(300)
        assert [(TEXT, DEPUTY), (TEXT, NEIGHBOUR)] == house.went()[2:]
        await house.line.clock.advance(298)
        assert ["queued"] == await house.words()
        await house.line.clock.advance(2)
        assert ["queued", "NotAcknowledged"] == await house.words()
        assert 1 == house.line.events.count("chain_ended")
        assert [("thaw", "NotAcknowledged")] == failures(house)
        assert [] == house.line.events.defects


async def test_a_repeated_chain_begins_a_round_some_time_after_the_last_step() -> None:
    async with a_house(replace(FREEZER, repeat=1, wait_seconds=60)) as house:
        await house.alarm()
        await house.line.clock.advance(601)
        assert 4 == len(house.went())
        await house.line.clock.advance(61)
        assert [(CALL, DARLA)] == house.went()[4:]
        await house.line.clock.advance(300)
        assert 7 == len(house.went())
        await house.line.clock.advance(61)
        assert ["queued", "NotAcknowledged"] == await house.words()


async def test_a_step_is_due_at_once_when_everything_before_it_has_failed() -> None:
    async with a_house() as house:
        house.line.sender.script(OWNER, refused(21610))
        house.line.sender.script(DARLA, refused(21211))
        await house.alarm()
        await house.line.clock.advance(3)
        assert [(TEXT, OWNER), (CALL, DARLA), (TEXT, DEPUTY), (TEXT, NEIGHBOUR)] == house.went()
        assert ["RecipientOptedOut"] == await house.words()


async def test_a_step_publishes_no_status_of_its_own() -> None:
    async with a_house() as house:
        house.line.sender.script(DARLA, refused(21211))
        await house.alarm()
        await house.line.clock.advance(700)
        assert ["queued"] == await house.words()


async def test_texts_end_with_the_code_of_their_chain_at_the_telephone() -> None:
    async with a_house() as house:
        await house.alarm(request_id="one")
        await house.alarm(request_id="two")
        assert ["It thaws\nReply 1 to acknowledge.", "It thaws\nReply 2 to acknowledge."] == house.texts_to(
            OWNER
        )
        await house.line.clock.advance(602)
        assert 2 == len(house.texts_to(DEPUTY))


async def test_no_text_and_no_call_says_how_to_acknowledge_where_no_answer_is_heard() -> None:
    async with a_house(takes_answers=False) as house:
        await house.alarm()
        await house.line.clock.advance(301)
        await house.line.clock.advance(300)
        assert ["It thaws"] == house.texts_to(OWNER)
        assert ["It thaws"] == house.texts_to(DEPUTY)
        (call,) = house.line.sender.to(DARLA)
        assert SpokenText(text="It thaws") == call.notification.content


@pytest.mark.parametrize("reports", [True, False])
async def test_only_the_calls_of_chains_wait_for_a_key(*, reports: bool) -> None:
    calling = Calling(public_url="https://example.com/t", secret=b"the journal's", reports=reports)
    async with a_house(calling=calling) as house:
        await house.alarm()
        await house.line.clock.advance(301)
        await house.alarm(DEPUTY, request_id="other", escalation=None)
        sender = house.line.sender
        assert [True, True, False] == [url is not None for url in sender.key_urls]
        assert [reports] * 3 == [url is not None for url in sender.callback_urls]


async def test_a_code_is_free_again_when_its_chain_has_ended() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.alarm(request_id="one")
        await house.alarm(request_id="two")
        await house.acknowledge("one")
        await house.alarm(request_id="three")
        assert "It thaws\nReply 1 to acknowledge." == house.texts_to(OWNER)[2]


# Acknowledgements, through each door.


async def test_an_acknowledgement_on_the_topic_ends_the_chain_and_says_so() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.acknowledge(by="Deputy")
        assert ["queued", "acknowledged"] == await house.words()
        await house.line.clock.advance(2_000)
        assert [(TEXT, OWNER), (TEXT, OWNER)] == house.went()
        assert "Deputy has it" == house.texts_to(OWNER)[-1]


async def test_a_step_that_twilio_puts_off_while_its_chain_ends_is_not_sent_again() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.alarm()
        house.line.sender.script(DARLA, too_many(retry_after=5))
        house.line.sender.hold(DARLA)
        await house.line.clock.advance(301)
        await house.acknowledge()
        house.line.sender.release(DARLA)
        await house.line.clock.advance(2_000)
        assert [(TEXT, OWNER), (CALL, DARLA)] == house.went()
        assert ["queued", "acknowledged"] == await house.words()


async def test_those_who_are_told_after_the_end_get_their_text_though_twilio_puts_it_off() -> None:
    async with a_house() as house:
        await house.alarm()
        house.line.sender.script(OWNER, too_many(retry_after=5))
        await house.acknowledge(by="Deputy")
        await house.line.clock.advance(60)
        assert "Deputy has it" == house.texts_to(OWNER)[-1]
        assert 3 == len(house.went())


async def test_a_chain_does_not_end_while_twilio_cannot_be_reached() -> None:
    async with a_house() as house:
        house.line.sender.hold(NEIGHBOUR)
        await house.alarm()
        await house.line.clock.advance(2_000)
        assert ["queued"] == await house.words()
        house.line.sender.release(NEIGHBOUR)
        await house.line.clock.advance(FREEZER.wait_seconds + 1)
        assert ["queued", "NotAcknowledged"] == await house.words()


async def test_a_step_that_is_due_while_the_login_is_refused_goes_out_when_it_is_taken_again() -> None:
    async with a_house() as house:
        house.line.sender.script(DARLA, unauthorized(), unauthorized())
        await house.alarm()
        await house.line.clock.advance(301)
        assert [(TEXT, OWNER), (CALL, DARLA)] == house.went()
        await house.line.clock.advance(1_200)
        assert [(CALL, DARLA)] * 3 + [(TEXT, DEPUTY), (TEXT, NEIGHBOUR)] == house.went()[1:]
        await house.line.clock.advance(FREEZER.wait_seconds + 1)
        assert ["queued", "NotAcknowledged"] == await house.words()


async def test_a_chain_goes_on_at_once_when_the_request_that_began_it_expires() -> None:
    """Twilio has slowed the account down meanwhile: the step leaves when it may."""
    async with a_house() as house:
        house.line.sender.script(OWNER, too_many(retry_after=20.0))
        await house.alarm(valid_for_seconds=10)
        await house.line.clock.advance(15)
        assert ["RateLimited"] == await house.words()
        await house.line.clock.advance(10)
        assert [(TEXT, OWNER), (CALL, DARLA)] == house.went()


async def test_a_person_who_acknowledges_by_name_is_not_told() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.acknowledge(by="Darla")
        await house.line.clock.advance(60)
        assert [(TEXT, OWNER)] == house.went()


async def test_a_second_acknowledgement_changes_nothing() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.alarm()
        await house.acknowledge()
        await house.acknowledge()
        assert ["queued", "acknowledged"] == await house.words()


async def test_two_acknowledgements_at_once_end_a_chain_once() -> None:
    async with a_house() as house:
        await house.alarm()
        await asyncio.gather(house.acknowledge(by="Darla"), house.acknowledge(by="Deputy"))
        assert ["queued", "acknowledged"] == await house.words()


async def test_a_text_back_with_the_code_ends_the_chain_and_tells_the_others() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.line.clock.advance(601)
        await house.comes_back(DEPUTY, "1")
        await house.line.clock.advance(6)
        assert ["queued", "acknowledged"] == await house.words()
        told = house.went()[4:]
        assert {(TEXT, OWNER), (TEXT, DARLA), (TEXT, NEIGHBOUR)} == set(told)
        assert "Deputy has it" == house.texts_to(OWNER)[-1]


async def test_a_word_acknowledges_the_newest_chain() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.alarm(request_id="one")
        await house.line.clock.advance(10)
        await house.alarm(request_id="two")
        await house.line.clock.advance(10)
        await house.comes_back(OWNER, "OK")
        await house.line.clock.advance(6)
        (last,) = (await house.line.statuses())[2:]
        assert "two" == last["id"]


async def test_a_call_back_ends_the_chain() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.line.clock.advance(301)
        await house.comes_back(DARLA, channel=Channel.CALL)
        await house.line.clock.advance(6)
        assert ["queued", "acknowledged"] == await house.words()


async def test_a_key_ends_the_chain_of_its_call() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.line.clock.advance(301)
        assert await house.escalator.key_pressed(2)
        assert not await house.escalator.key_pressed(2)
        assert ["queued", "acknowledged"] == await house.words()


async def test_a_text_from_an_unknown_number_means_nothing_and_is_not_answered() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.comes_back("+19995550100", "1")
        await house.line.clock.advance(10)
        assert ["queued"] == await house.words()
        assert [(TEXT, OWNER)] == house.went()


async def test_a_text_that_was_written_before_the_alarm_acknowledges_nothing() -> None:
    async with a_house() as house:
        await house.comes_back(OWNER, "ok")
        await house.line.clock.advance(10)
        await house.alarm()
        await house.line.clock.advance(10)
        assert ["queued"] == await house.words()


async def test_an_answer_is_found_behind_a_page_of_others() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        house.line.sender.inbox_page_size = 2
        await house.alarm()
        await house.line.clock.advance(1)
        await house.comes_back(OWNER, "1")
        await house.line.clock.advance(1)
        for _ in range(4):
            await house.comes_back("+19995550100", "1")
        await house.line.clock.advance(6)
        assert ["queued", "acknowledged"] == await house.words()


async def test_stop_is_no_acknowledgement_and_the_operator_learns_of_it_once() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.comes_back(OWNER, "STOP")
        await house.line.clock.advance(20)
        assert ["queued"] == await house.words()
        assert 1 == house.line.events.count("reply_from_opted_out")


async def test_lists_are_read_only_while_a_chain_waits() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.line.clock.advance(60)
        assert [] == house.line.sender.inbox_looks
        await house.alarm()
        await house.line.clock.advance(6)
        assert house.line.sender.inbox_looks
        await house.acknowledge()
        looks = len(house.line.sender.inbox_looks)
        await house.line.clock.advance(60)
        assert looks == len(house.line.sender.inbox_looks)


async def test_lists_that_cannot_be_read_hold_up_no_step_and_are_told_once() -> None:
    async with a_house() as house:
        house.line.sender.inbox[Channel.SMS] = Unreadable(detail="HTTP 503")
        await house.alarm()
        await house.line.clock.advance(320)
        assert (CALL, DARLA) in house.went()
        assert 1 == house.line.events.count("inbound_unreadable")


# What races.


async def test_an_acknowledgement_while_the_next_step_is_open_hangs_up_its_call() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.alarm()
        house.line.sender.hold(DARLA)
        await house.line.clock.advance(301)
        await house.acknowledge()
        assert [] == house.line.sender.hung_up
        house.line.sender.release(DARLA)
        await house.line.clock.advance(2)
        assert 1 == len(house.line.sender.hung_up)
        assert ["queued", "acknowledged"] == await house.words()


async def test_an_acknowledgement_hangs_up_a_call_that_may_still_ring() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.line.clock.advance(301)
        await house.acknowledge()
        await house.line.clock.advance(2)
        assert 1 == len(house.line.sender.hung_up)


async def test_an_acknowledgement_is_not_overtaken_by_a_step_that_waits() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.alarm()
        house.line.sender.online = False
        await house.line.clock.advance(301)
        await house.acknowledge()
        before = len(house.went())
        house.line.sender.online = True
        await house.line.clock.advance(400)
        assert before == len(house.went())


async def test_a_text_that_acknowledged_one_chain_never_acknowledges_another() -> None:
    async with a_house(replace(FREEZER, tell_others=False)) as house:
        await house.alarm(request_id="one")
        await house.line.clock.advance(2)
        await house.alarm(request_id="two")
        await house.line.clock.advance(2)
        await house.comes_back(OWNER, "ok")
        await house.line.clock.advance(60)
        house.replies._seen.clear()
        await house.line.clock.advance(60)
        assert 1 == (await house.words()).count("acknowledged")


# Cancelled and superseded.


def failures(house: House) -> list[tuple[object, object]]:
    """The id and the reason of each line about a request that ended without success."""
    return [(line.fields["id"], line.fields["reason"]) for line in house.line.events.named("request_failed")]


async def test_a_cancellation_ends_the_chain() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.cancel(id="thaw")
        await house.line.clock.advance(2_000)
        assert ["queued", "Cancelled"] == await house.words()
        assert [(TEXT, OWNER)] == house.went()


async def test_a_cancellation_answers_what_waits_and_only_that() -> None:
    async with a_house() as house:
        house.line.sender.hold(OWNER)
        await house.alarm(request_id="sent", escalation=None, about="door")
        await house.alarm(request_id="waits", escalation=None)
        await house.cancel(id="waits")
        house.line.sender.release(OWNER)
        await house.line.clock.advance(5)
        assert [("waits", "Cancelled"), ("sent", "success")] == await house.line.results()
        assert 1 == len(house.went())
        assert [("waits", "Cancelled")] == failures(house)


async def test_a_newer_request_about_the_same_takes_the_place_of_one_that_waits() -> None:
    async with a_house() as house:
        house.line.sender.hold(OWNER)
        for id_ in ("first", "second", "third"):
            await house.alarm(request_id=id_, escalation=None, about="door")
        house.line.sender.release(OWNER)
        await house.line.clock.advance(5)
        assert [("second", "Superseded"), ("first", "success"), ("third", "success")] == (
            await house.line.results()
        )
        assert [("second", "Superseded")] == failures(house)


async def test_what_was_cancelled_during_an_attempt_that_twilio_defers_is_not_sent() -> None:
    async with a_house() as house:
        house.line.sender.hold(OWNER)
        house.line.sender.script(OWNER, too_many(retry_after=1))
        await house.alarm(escalation=None)
        await house.cancel(id="thaw")
        house.line.sender.release(OWNER)
        await house.line.clock.advance(60)
        assert [("thaw", "Cancelled")] == await house.line.results()
        assert 1 == len(house.went())


async def test_what_was_superseded_during_an_attempt_that_twilio_defers_is_not_sent() -> None:
    async with a_house() as house:
        house.line.sender.hold(OWNER)
        house.line.sender.script(OWNER, too_many(retry_after=1))
        await house.alarm(request_id="first", escalation=None, about="door")
        await house.alarm(request_id="second", escalation=None, about="door")
        house.line.sender.release(OWNER)
        await house.line.clock.advance(60)
        assert [("first", "Superseded"), ("second", "success")] == await house.line.results()
        assert 2 == len(house.went())


async def test_a_wish_that_goes_on_ends_everything_and_is_told_once() -> None:
    count = 2 * ENDED_AT_ONCE + 1
    async with a_house() as house:
        house.line.sender.hold(OWNER)
        await house.alarm(request_id="sent", escalation=None)
        for _ in range(count):
            await house.alarm(escalation=None)
        await house.cancel(id="thaw")
        await house.line.clock.advance(5)
        told = [
            (one.fields["wish"], one.fields["requests"])
            for one in house.line.events.named("wish_carried_out")
        ]
        assert [("cancel", count)] == told
        assert count == house.line.events.count("waiting_request_ended")
        house.line.sender.release(OWNER)
        await house.line.clock.advance(5)
        assert 1 == len(house.went())
        assert [] == house.line.events.defects


async def test_a_chain_of_an_older_request_about_the_same_ends() -> None:
    async with a_house() as house:
        await house.alarm(request_id="first", about="freezer")
        await house.alarm(request_id="all clear", escalation=None, about="freezer")
        await house.line.clock.advance(2_000)
        assert ["queued", "Superseded", "queued"] == await house.words()
        assert [(TEXT, OWNER), (TEXT, OWNER)] == house.went()


async def test_a_retained_cancellation_is_dropped() -> None:
    async with a_house() as house:
        await house.alarm()
        await house.publish("twilio/cancel", b'{"id":"thaw"}', retained=True)
        assert ["queued"] == await house.words()
        assert ["twilio/txt", "twilio/cancel"] == house.acknowledged


async def test_a_wrong_wish_with_an_id_is_answered_and_one_without_is_only_counted() -> None:
    async with a_house() as house:
        await house.publish("twilio/acknowledge", b'{"id":"thaw","by":7}')
        await house.publish("twilio/acknowledge", b'{"by":"Darla"}')
        assert ["InvalidParameter"] == await house.words()
        assert 1 == house.line.events.count("wish_dropped")
        assert 2 == len(house.acknowledged)


async def test_wrong_wishes_have_one_warning_a_minute_with_a_sentence_and_their_count() -> None:
    async with a_house() as house:
        for pause in (0, 1, 60):
            await house.line.clock.advance(pause)
            await house.publish("twilio/cancel", b"{}")
        told = [(one.level, one.fields["count"]) for one in house.line.events.named("wish_dropped")]
        assert [(Level.WARNING, 1), (Level.DEBUG, 0), (Level.WARNING, 2)] == told
        assert {"Id or about must be specified"} == {
            one.fields["error"] for one in house.line.events.named("wish_dropped")
        }


# Limits, and starts.


async def test_a_step_that_the_operator_does_not_allow_counts_as_failed() -> None:
    async with a_house() as house:
        await house.line.admission.change_rules(Limits(paused=True), QuietHours())
        await house.alarm()
        await house.line.clock.advance(3)
        assert ["NotAllowed"] == await house.words()
        assert [] == house.went()


async def test_a_chain_goes_on_after_a_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_house(path=path) as house:
        await house.alarm()
        await house.line.clock.advance(301)
    async with a_house(path=path) as house:
        await house.line.clock.advance(601)
        assert [(TEXT, DEPUTY), (TEXT, NEIGHBOUR)] == house.went()


@pytest.mark.parametrize("acknowledges", [True, False])
async def test_a_chain_that_is_configured_no_more_waits_for_its_acknowledgement_and_ends(
    tmp_path: Path, *, acknowledges: bool
) -> None:
    path = tmp_path / "journal.db"
    async with a_house(path=path) as house:
        await house.alarm()
        await house.line.clock.advance(10)
    async with a_house(None, path=path) as house:
        if acknowledges:
            await house.comes_back(OWNER, "1")
        await house.line.clock.advance(601)
        assert [] == house.went()
        end = "acknowledged" if acknowledges else "NotAcknowledged"
        assert ["queued", end] == await house.words()


async def test_a_request_that_comes_twice_begins_its_chain_once() -> None:
    async with a_house() as house:
        payload = a_payload(OWNER, request_id="thaw", message="It thaws", escalation="freezer")
        await house.publish("twilio/txt", payload, packet_id=7)
        await house.publish("twilio/txt", payload, packet_id=7, redelivered=True)
        await house.line.clock.advance(302)
        assert [(TEXT, OWNER), (CALL, DARLA)] == house.went()
        await house.acknowledge()
        assert ["queued", "acknowledged"] == await house.words()
