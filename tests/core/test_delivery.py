"""What becomes of a text or a call: states by rank, results of calls, looks by age, follow-up statuses."""

from __future__ import annotations

import json
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core import contract
from twilio_notifications.core.delivery import (
    RANKS,
    CallResult,
    Certainty,
    Delivery,
    Following,
    FollowUp,
    Sighting,
    Who,
    accepted,
    advance,
    contradicts,
    ending,
    follow_up,
    given_up,
    is_final,
    next_look,
    next_notification_look,
    notifications_read,
    result,
)
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable

START = 1_700_000_000.0
DARLA = Who(sender_number="+19999999999", phone_number="+12345000000", name="Darla")
LAST_RANK = 4

LAST_WORDS = {
    channel: sorted(word for word, rank in ranks.items() if rank == LAST_RANK)
    for channel, ranks in RANKS.items()
}


def a_text(state: str = "queued") -> Delivery:
    return accepted(Channel.SMS, state=state, at=START)


def a_call(state: str = "queued") -> Delivery:
    return accepted(Channel.CALL, state=state, at=START)


def seen(
    delivery: Delivery,
    *states: str,
    code: int | None = None,
    answered_by: str | None = None,
    key_pressed: bool = False,
) -> Delivery:
    """The delivery after these states, one second apart; the details come with each of them."""
    for number, state in enumerate(states, start=1):
        sighting = Sighting(
            state=state, at=START + number, code=code, answered_by=answered_by, key_pressed=key_pressed
        )
        delivery = advance(delivery, sighting)
    return delivery


def without_instants(delivery: Delivery) -> tuple[object, ...]:
    return delivery.state, delivery.code, delivery.answered_by, delivery.key_pressed


@st.composite
def lives(draw: st.DrawFn) -> tuple[Channel, list[Sighting]]:
    """All that Twilio says of one text or call, in its order: rising ranks, one last word with its code."""
    channel = draw(st.sampled_from(Channel))
    last = draw(st.sampled_from(LAST_WORDS[channel]))
    earlier = draw(st.sets(st.sampled_from([w for w, rank in RANKS[channel].items() if rank < LAST_RANK])))
    code = draw(st.none() | st.sampled_from([30003, 30008, 11200]))
    words = [*sorted(earlier, key=RANKS[channel].__getitem__), last]
    if last == "delivered" and draw(st.booleans()):
        words.append("read")
    sightings = [Sighting(state=word, at=START) for word in words[:-1]]
    answered_by = draw(st.none() | st.just("machine_start")) if channel is Channel.CALL else None
    return channel, [*sightings, Sighting(state=words[-1], at=START, code=code, answered_by=answered_by)]


def after_all(delivery: Delivery, sightings: Iterable[Sighting]) -> Delivery:
    return reduce(advance, sightings, delivery)


class TestStates:
    @given(lives(), st.data())
    def test_any_order_and_repetition_ends_in_the_same_state(
        self, life: tuple[Channel, list[Sighting]], data: st.DataObject
    ) -> None:
        channel, sightings = life
        repeated = data.draw(st.lists(st.sampled_from(sightings), max_size=8))
        mixed = data.draw(st.permutations([*sightings, *repeated]))
        first = accepted(channel, state="queued", at=START)
        in_order, out_of_order = after_all(first, sightings), after_all(first, mixed)
        assert without_instants(in_order) == without_instants(out_of_order)

    @given(lives(), st.data())
    def test_published_changes_rise_in_rank_and_come_once(
        self, life: tuple[Channel, list[Sighting]], data: st.DataObject
    ) -> None:
        channel, sightings = life
        repeated = data.draw(st.lists(st.sampled_from(sightings), max_size=8))
        mixed = data.draw(st.permutations([*sightings, *repeated]))
        deliveries = [accepted(channel, state="accepted", at=START)]
        for sighting in mixed:
            deliveries.append(advance(deliveries[-1], sighting))
        deliveries += [notifications_read(deliveries[-1], ())]
        deliveries += [notifications_read(deliveries[-1], ())]
        contents = [
            follow_up(before, after, mode=FollowUp.ALL, who=DARLA) for before, after in pairwise(deliveries)
        ]
        ranks = [RANKS[channel][word_of(content)] for content in contents if content is not None]
        assert sorted(set(ranks)) == ranks
        assert word_of_last(contents) == deliveries[-1].state

    @given(st.lists(st.sampled_from([*RANKS[Channel.SMS], "a word to come"])))
    def test_no_order_of_words_lowers_the_rank(self, words: list[str]) -> None:
        delivery = a_text("accepted")
        for word in words:
            after = seen(delivery, word)
            assert RANKS[Channel.SMS][after.state] >= RANKS[Channel.SMS][delivery.state]
            delivery = after

    @pytest.mark.parametrize("word", ["queued", "scheduled", "receiving", "accepted"])
    def test_an_equal_or_lower_rank_changes_nothing(self, word: str) -> None:
        assert a_text("queued") == seen(a_text("queued"), word)

    def test_a_word_that_the_table_does_not_know_changes_nothing(self) -> None:
        assert a_text("sent") == seen(a_text("sent"), "teleported")

    def test_a_known_word_follows_an_unknown_first_one(self) -> None:
        assert "queued" == seen(a_text("teleported"), "queued").state

    @pytest.mark.parametrize("channel", Channel)
    def test_the_first_last_word_wins_and_others_contradict(self, channel: Channel) -> None:
        for first in LAST_WORDS[channel]:
            for second in LAST_WORDS[channel]:
                delivery = seen(accepted(channel, state="queued", at=START), first)
                sighting = Sighting(state=second, at=START, code=30008)
                assert (first != second) is contradicts(delivery, sighting)
                assert first == advance(delivery, sighting).state

    def test_a_contradicting_sighting_brings_no_code(self) -> None:
        assert (
            seen(a_text(), "delivered").code is seen(seen(a_text(), "delivered"), "failed", code=30008).code
        )

    def test_read_follows_delivered_and_contradicts_undelivered(self) -> None:
        assert "read" == seen(a_text(), "delivered", "read").state
        assert "undelivered" == seen(a_text(), "undelivered", "read").state
        assert contradicts(seen(a_text(), "undelivered"), Sighting(state="read", at=START))
        assert not contradicts(seen(a_text(), "read"), Sighting(state="delivered", at=START))

    def test_a_later_sighting_without_a_code_erases_none(self) -> None:
        assert 30003 == seen(seen(a_text(), "undelivered", code=30003), "undelivered").code

    def test_a_code_that_comes_after_its_state_is_kept(self) -> None:
        assert 30003 == seen(seen(a_text(), "undelivered"), "undelivered", code=30003).code


class TestCalls:
    @pytest.mark.parametrize("state", ["busy", "no-answer", "failed", "canceled"])
    def test_a_call_that_was_not_completed_has_its_result_at_once(self, state: str) -> None:
        assert CallResult(state) is result(seen(a_call(), "ringing", state))

    @pytest.mark.parametrize(
        ("answered_by", "expected"),
        [
            ("human", CallResult.PERSON),
            ("machine", CallResult.MACHINE),
            ("machine_start", CallResult.MACHINE),
            ("machine_end_beep", CallResult.MACHINE),
            ("machine_end_silence", CallResult.MACHINE),
            ("machine_end_other", CallResult.MACHINE),
            ("fax", CallResult.MACHINE),
            ("unknown", None),
            (None, None),
        ],
    )
    def test_machine_detection_gives_the_result(
        self, answered_by: str | None, expected: CallResult | None
    ) -> None:
        assert expected is result(seen(a_call(), "completed", answered_by=answered_by))

    def test_a_pressed_key_is_a_person_whatever_detection_says(self) -> None:
        call = seen(a_call(), "in-progress", "completed", answered_by="machine_start", key_pressed=True)
        assert CallResult.PERSON is result(call)

    def test_a_call_without_detection_is_unknown_after_two_looks_at_its_notifications(self) -> None:
        call = seen(a_call(), "completed")
        once = notifications_read(call, ())
        assert [None, None, CallResult.UNKNOWN] == [
            result(each) for each in (call, once, notifications_read(once, ()))
        ]

    @pytest.mark.parametrize(
        ("code", "expected"),
        [(11199, None), (11200, "voice-document-failed"), (13999, "voice-document-failed"), (14000, None)],
    )
    def test_a_broken_voice_document_is_the_result(self, code: int, expected: str | None) -> None:
        assert expected == result(notifications_read(seen(a_call(), "completed"), [21000, code]))

    def test_a_human_who_heard_no_voice_document_was_not_reached(self) -> None:
        call = notifications_read(seen(a_call(), "completed", answered_by="human"), [11200])
        end = ending(call)
        assert end is not None
        assert Reason.NOT_REACHED is end.reason
        assert end.message.startswith("Twilio error 11200: Twilio could not fetch the voice document.")

    def test_a_running_call_and_a_text_have_no_result(self) -> None:
        assert [None, None] == [result(seen(a_call(), "in-progress")), result(seen(a_text(), "delivered"))]

    def test_notifications_are_read_1_and_12_units_after_the_end(self) -> None:
        call = seen(a_call(), "completed")
        once = notifications_read(call, ())
        twice = notifications_read(once, ())
        looks = [next_notification_look(each, initial=5.0) for each in (a_call(), call, once, twice)]
        assert [None, START + 1 + 5, START + 1 + 60, None] == looks


class TestLooks:
    @staticmethod
    def _pauses(following: Following, count: int, initial: float = 5.0) -> list[float]:
        at, pauses = START, list[float]()
        for _ in range(count):
            later = next_look(
                accepted_at=START, now=at, initial=initial, give_up_after=129_600.0, following=following
            )
            assert later is not None
            pauses.append(round((later - at) / initial, 3))
            at = later
        return pauses

    @pytest.mark.parametrize("initial", [0.05, 1.0, 5.0])
    def test_pauses_of_polling_grow_with_age(self, initial: float) -> None:
        assert [1, 3, 12, 60, 180, 720, 2880, 2880] == self._pauses(Following.POLL, 8, initial)

    def test_behind_callbacks_the_first_look_comes_at_12(self) -> None:
        assert [12, 60, 180, 720, 2880, 2880] == self._pauses(Following.CALLBACK, 6)

    def test_a_late_look_is_followed_by_the_pause_of_its_age(self) -> None:
        later = next_look(
            accepted_at=START,
            now=START + 400.0,
            initial=5.0,
            give_up_after=129_600.0,
            following=Following.POLL,
        )
        assert START + 400.0 + 900.0 == later

    def test_the_last_look_is_when_following_ends(self) -> None:
        look = {"accepted_at": START, "initial": 5.0, "give_up_after": 100.0}
        assert START + 100.0 == next_look(now=START + 90.0, following=Following.POLL, **look)
        assert next_look(now=START + 100.0, following=Following.POLL, **look) is None

    def test_with_following_off_nothing_is_looked_at(self) -> None:
        look = {"accepted_at": START, "initial": 5.0, "give_up_after": 100.0}
        assert next_look(now=START, following=Following.OFF, **look) is None

    @given(st.floats(0, 200_000), st.sampled_from([Following.POLL, Following.CALLBACK]))
    def test_the_next_look_is_later_than_now_and_not_after_the_end(
        self, age: float, following: Following
    ) -> None:
        now = START + age
        later = next_look(
            accepted_at=START, now=now, initial=5.0, give_up_after=129_600.0, following=following
        )
        assert (later is None) is (now - START >= 129_600.0)
        assert later is None or now < later <= START + 129_600.0


class TestEndings:
    @pytest.mark.parametrize(
        ("delivery", "certainty"),
        [
            (seen(a_text(), "delivered"), Certainty.CERTAIN),
            (seen(a_text(), "read"), Certainty.CERTAIN),
            (given_up(seen(a_text(), "sent"), at=START), Certainty.PROBABLE),
            (seen(a_call(), "completed", answered_by="human"), Certainty.CERTAIN),
            (
                notifications_read(notifications_read(seen(a_call(), "completed"), ()), ()),
                Certainty.PROBABLE,
            ),
        ],
    )
    def test_a_success_says_how_certain_it_is(self, delivery: Delivery, certainty: Certainty) -> None:
        end = ending(delivery)
        assert end is not None
        assert (certainty, None) == (end.certainty, end.reason)

    @pytest.mark.parametrize(
        "delivery", [a_text(), seen(a_text(), "sent"), a_call(), seen(a_call(), "ringing")]
    )
    def test_what_goes_on_has_no_ending(self, delivery: Delivery) -> None:
        assert ending(delivery) is None

    @pytest.mark.parametrize("state", ["undelivered", "failed", "canceled", "partially_delivered"])
    @pytest.mark.parametrize("code", [None, 30003, 99_999])
    def test_a_text_that_did_not_arrive_says_why(self, state: str, code: int | None) -> None:
        end = ending(seen(a_text(), state, code=code))
        assert end is not None
        assert Reason.UNDELIVERED is end.reason
        assert end.message
        assert code is None or end.message.startswith(f"Twilio error {code}: ")

    @pytest.mark.parametrize("state", ["busy", "no-answer", "failed", "canceled"])
    def test_a_call_that_reached_no_one_says_why(self, state: str) -> None:
        end = ending(seen(a_call(), state))
        assert end is not None
        assert Reason.NOT_REACHED is end.reason

    def test_a_machine_is_no_success(self) -> None:
        end = ending(seen(a_call(), "completed", answered_by="machine_start"))
        assert end is not None
        assert (Reason.NOT_REACHED, True) == (end.reason, "A machine answered" in end.message)

    @pytest.mark.parametrize("delivery", [a_text(), a_call()])
    def test_cancelled_by_our_own_order_is_cancelled(self, delivery: Delivery) -> None:
        ordered = Delivery(channel=delivery.channel, state="queued", changed_at=START, cancelled_by_us=True)
        end = ending(seen(ordered, "canceled"))
        assert end is not None
        assert Reason.CANCELLED is end.reason

    @pytest.mark.parametrize("delivery", [seen(a_text(), "sending"), seen(a_call(), "ringing")])
    def test_what_never_ends_is_not_known_to_have_failed(self, delivery: Delivery) -> None:
        end = ending(given_up(delivery, at=START))
        assert end is not None
        assert Reason.OUTCOME_UNKNOWN is end.reason
        assert delivery.state in end.message


Published = contract.Success | contract.LateFailure | None


def word_of(content: contract.Success | contract.LateFailure) -> str:
    match content:
        case contract.Success():
            return content.message_status
        case contract.LateFailure():
            return content.delivery.message_status


def word_of_last(contents: list[Published]) -> str | None:
    words = [word_of(content) for content in contents if content is not None]
    return words[-1] if words else None


class TestFollowUps:
    def test_none_publishes_nothing(self) -> None:
        for after in (seen(a_text(), "sent"), seen(a_text(), "delivered"), seen(a_text(), "failed")):
            assert follow_up(a_text(), after, mode=FollowUp.NONE, who=DARLA) is None

    def test_final_publishes_the_end_alone(self) -> None:
        steps = [a_text(), seen(a_text(), "sent"), seen(a_text(), "delivered"), seen(a_text(), "read")]
        contents = [follow_up(one, two, mode=FollowUp.FINAL, who=DARLA) for one, two in pairwise(steps)]
        assert [None, "delivered", None] == [content and word_of(content) for content in contents]

    def test_final_publishes_sent_where_following_ends(self) -> None:
        sent = seen(a_text(), "sent")
        content = follow_up(sent, given_up(sent, at=START), mode=FollowUp.FINAL, who=DARLA)
        assert isinstance(content, contract.Success)
        assert "sent" == content.message_status

    def test_all_does_not_repeat_sent_where_following_ends(self) -> None:
        sent = seen(a_text(), "sent")
        assert follow_up(sent, given_up(sent, at=START), mode=FollowUp.ALL, who=DARLA) is None

    @pytest.mark.parametrize("mode", [FollowUp.FINAL, FollowUp.ALL])
    def test_a_completed_call_is_published_once_with_its_result(self, mode: FollowUp) -> None:
        talking = seen(a_call(), "in-progress")
        completed = seen(talking, "completed")
        failed = notifications_read(completed, [11200])
        assert follow_up(talking, completed, mode=mode, who=DARLA) is None
        content = follow_up(completed, failed, mode=mode, who=DARLA)
        assert isinstance(content, contract.LateFailure)
        assert follow_up(failed, notifications_read(failed, ()), mode=mode, who=DARLA) is None

    def test_a_failure_has_the_object_of_a_success(self) -> None:
        content = follow_up(
            a_text(), seen(a_text(), "undelivered", code=30005), mode=FollowUp.FINAL, who=DARLA
        )
        assert content is not None
        status = json.loads(contract.render(content, request_id="request123"))
        assert ["status", "error_message", "error", "payload"] == list(status["response"])
        assert "Undelivered" == status["response"]["error"]
        assert {
            "from_number": "+19999999999",
            "messages": {"message_status": "undelivered", "to_number": "+12345000000", "name": "Darla"},
        } == status["response"]["payload"]

    @given(lives(), st.sampled_from([FollowUp.FINAL, FollowUp.ALL]))
    def test_every_life_has_exactly_one_end(
        self, life: tuple[Channel, list[Sighting]], mode: FollowUp
    ) -> None:
        channel, sightings = life
        deliveries = [accepted(channel, state="accepted", at=START)]
        for sighting in sightings:
            deliveries.append(advance(deliveries[-1], sighting))
        for _ in range(2):
            deliveries.append(notifications_read(deliveries[-1], ()))
        contents = [follow_up(one, two, mode=mode, who=DARLA) for one, two in pairwise(deliveries)]
        ends = [c for c in contents if c is not None and RANKS[channel][word_of(c)] == LAST_RANK]
        assert 1 == len(ends)
        assert is_final(deliveries[-1])
