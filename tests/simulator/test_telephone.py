"""What a person does at a telephone of the simulator, and what the telephones show."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.desk import (
    A_CALL,
    A_TEXT,
    CALLS,
    DARLA,
    MESSAGES,
    SENDER,
    SERVICE,
    Desk,
    call_path,
    message_path,
)
from twilio_notifications.core.model import Channel
from twilio_notifications.core.twilio_codes import CODES
from twilio_notifications.simulator.deliveries import DeliveryOrder
from twilio_notifications.simulator.errors import OrderRefused
from twilio_notifications.simulator.inbound import InboundOrder
from twilio_notifications.simulator.plans import Plan
from twilio_notifications.simulator.telephone.failing import MOST_WAITING, FailureOrder, How, known_codes
from twilio_notifications.simulator.telephone.hands import HELD_SECONDS, VOICEMAIL_SECONDS, HandOrder
from twilio_notifications.simulator.telephone.memory import MOST_KEPT
from twilio_notifications.simulator.telephone.showing import Telephone, TelephoneEntry, telephones
from twilio_notifications.simulator.telephone.switches import MOST_SETTINGS, SwitchOrder
from twilio_notifications.simulator.world import KeyOrder

if TYPE_CHECKING:
    from twilio_notifications.simulator.telephone.hands import Act

OTHER = "+12345000001"
KEYS_URL = "https://alarms.example.com/keys"
SPEAKING = (
    f'<Response><Gather action="{KEYS_URL}" numDigits="1"><Say>It &lt;thaws&gt;</Say></Gather></Response>'
)


def act(desk: Desk, sid: str, what: Act, *, after: float = 0.0) -> None:
    desk.now += after
    desk.engine.world.act(HandOrder(sid=sid, act=what), now=desk.now)


def switch(desk: Desk, number: str | None = None, **settings: bool) -> None:
    desk.engine.world.switch(SwitchOrder(number=number, **settings), now=desk.now)


def answer(desk: Desk, body: str, *, sender: str = DARLA, **changes: Any) -> str:
    order = InboundOrder(channel=Channel.SMS, sender=sender, body=body, **changes)
    return desk.engine.world.receive(order, now=desk.now).sid


def fail(desk: Desk, code: int, **choice: Any) -> None:
    desk.engine.add_failure(FailureOrder(code=code, **choice))


def shown(
    desk: Desk, *, number: str | None = None, search: str = "", most: int = 20
) -> tuple[Telephone, ...]:
    return telephones(desk.engine.world, now=desk.now, number=number, search=search, most=most)


def entries(desk: Desk, number: str = DARLA, *, search: str = "") -> list[TelephoneEntry]:
    (telephone,) = shown(desk, number=number, search=search)
    return list(telephone.entries)


def status(desk: Desk, sid: str, *, after: float = 0.0) -> str:
    desk.now += after
    path = call_path(sid) if sid.startswith("CA") else message_path(sid)
    found: str = desk.get(path).json["status"]
    return found


# Calls


def test_a_call_that_no_one_touches_follows_its_plan(desk: Desk) -> None:
    sid = desk.call()
    assert "ringing" == status(desk, sid, after=2)
    assert "in-progress" == status(desk, sid, after=3)
    assert "completed" == status(desk, sid, after=6)


def test_a_telephone_answered_by_hand_rings_for_the_ring_time_of_the_call(desk: Desk) -> None:
    switch(desk, DARLA, by_hand=True)
    sid = desk.call(Timeout="30")
    assert "ringing" == status(desk, sid, after=30)
    assert "no-answer" == status(desk, sid, after=2)


@pytest.mark.parametrize("by_hand", [False, True], ids=["plan", "by hand"])
def test_a_call_that_is_picked_up_lasts_until_it_is_hung_up(desk: Desk, *, by_hand: bool) -> None:
    switch(desk, by_hand=by_hand)
    sid = desk.call()
    act(desk, sid, "pick-up", after=2)
    assert "in-progress" == status(desk, sid, after=HELD_SECONDS - 1)
    act(desk, sid, "hang-up")
    assert ("completed", "59") == tuple(
        desk.get(call_path(sid)).json[name] for name in ("status", "duration")
    )


def test_a_call_that_is_picked_up_ends_by_itself_within_its_time_limit(desk: Desk) -> None:
    long, short = desk.call(), desk.call(TimeLimit="10")
    for sid in (long, short):
        act(desk, sid, "pick-up", after=1)
    assert "completed" == status(desk, short, after=10)
    assert "completed" == status(desk, long, after=HELD_SECONDS)


def test_the_detection_finds_the_person_who_picks_up(desk: Desk) -> None:
    switch(desk, by_hand=True)
    sid = desk.call(MachineDetection="Enable")
    act(desk, sid, "pick-up", after=40)
    desk.now += 3
    assert "human" == desk.get(call_path(sid)).json["answered_by"]


def test_the_detection_finds_the_voicemail(desk: Desk) -> None:
    sid = desk.call(MachineDetection="DetectMessageEnd")
    act(desk, sid, "voicemail", after=2)
    desk.now += 6
    assert "machine" == desk.get(call_path(sid)).json["answered_by"]
    assert "completed" == status(desk, sid, after=VOICEMAIL_SECONDS)


@pytest.mark.parametrize("by_hand", [False, True], ids=["plan", "by hand"])
def test_a_call_that_is_ignored_rings_out(desk: Desk, *, by_hand: bool) -> None:
    switch(desk, by_hand=by_hand)
    sid = desk.call()
    act(desk, sid, "ignore", after=2)
    assert "ringing" == status(desk, sid, after=50)
    assert "no-answer" == status(desk, sid, after=10)


def test_an_ignored_call_can_still_be_picked_up(desk: Desk) -> None:
    sid = desk.call()
    act(desk, sid, "ignore", after=2)
    act(desk, sid, "pick-up", after=20)
    assert "in-progress" == status(desk, sid)


def test_a_declined_call_is_busy(desk: Desk) -> None:
    sid = desk.call()
    act(desk, sid, "decline", after=2)
    assert "busy" == status(desk, sid)


@pytest.mark.parametrize("what", ["pick-up", "voicemail", "decline", "ignore", "hang-up"])
def test_an_act_that_the_call_does_not_allow_is_refused(desk: Desk, what: Act) -> None:
    queued, ended = desk.call(), desk.call()
    with pytest.raises(OrderRefused, match=f"is queued: {what} is not possible"):
        act(desk, queued, what)
    act(desk, ended, "decline", after=2)
    with pytest.raises(OrderRefused, match=f"is busy: {what} is not possible"):
        act(desk, ended, what)
    with pytest.raises(OrderRefused, match="is a text"):
        act(desk, desk.text(), what)
    with pytest.raises(OrderRefused, match="There is no message or call"):
        act(desk, "CA" + "0" * 32, what)


def test_a_person_presses_keys_in_a_call_that_was_picked_up(desk: Desk) -> None:
    switch(desk, by_hand=True)
    sid = desk.call(Url="", Twiml=SPEAKING)
    act(desk, sid, "pick-up", after=20)
    desk.now += 10
    desk.engine.world.press(KeyOrder(sid=sid, digits="1"), now=desk.now)
    (made,) = desk.engine.announcer.take_due(desk.now)
    assert (KEYS_URL, "1") == (made.callback.url, made.callback.fields["Digits"])
    (call,) = entries(desk)
    assert ("1", True) == (call.keys, call.takes_keys)
    made.status, made.answer = 200, "<Response><Say>Thank you</Say></Response>"
    desk.engine.note_answer(made)
    assert ("Thank you",) == entries(desk)[0].heard


def test_the_keys_of_the_plan_are_not_pressed_where_a_person_answers(desk: Desk) -> None:
    sid = desk.call(To="+15005550107", Url="", Twiml=SPEAKING)
    act(desk, sid, "pick-up", after=2)
    assert [] == desk.engine.announcer.take_due(desk.now + 10)


def test_a_plan_without_an_answer_stands_where_a_person_answers(desk: Desk) -> None:
    switch(desk, by_hand=True)
    desk.engine.world.deliveries.add(DeliveryOrder(plan=Plan(end="busy")))
    assert "busy" == status(desk, desk.call(), after=5)


def test_a_document_that_cannot_be_fetched_shows_when_the_call_was_picked_up(desk: Desk) -> None:
    switch(desk, by_hand=True)
    fail(desk, 11_200)
    sid = desk.call()
    act(desk, sid, "pick-up", after=20)
    desk.now += HELD_SECONDS + 2
    (call,) = entries(desk)
    assert (11_200, "Twilio could not fetch the voice document") == (call.error_code, call.error_means)


# Switches


def test_a_text_to_a_telephone_that_is_off_does_not_arrive(desk: Desk) -> None:
    switch(desk, DARLA, on=False)
    sid, other = desk.text(), desk.text(To=OTHER)
    desk.now += 5
    assert ("undelivered", 30003) == tuple(
        desk.get(message_path(sid)).json[name] for name in ("status", "error_code")
    )
    assert "delivered" == status(desk, other)


def test_a_call_to_a_telephone_that_is_off_is_not_answered(desk: Desk) -> None:
    switch(desk, on=False)
    sid = desk.call(Timeout="20")
    assert "no-answer" == status(desk, sid, after=21)


def test_a_telephone_that_is_on_again_gets_texts_again(desk: Desk) -> None:
    switch(desk, DARLA, on=False)
    switch(desk, DARLA, on=True)
    assert "delivered" == status(desk, desk.text(), after=5)


def test_what_is_on_its_way_does_not_reach_a_telephone_that_goes_off(desk: Desk) -> None:
    arrived, talking = desk.text(), desk.call()
    desk.now += 5
    late, ringing, queued = desk.text(), desk.call(), desk.call()
    act(desk, ringing, "ignore", after=2)
    queued = desk.call()
    elsewhere = desk.text(To=OTHER)
    switch(desk, DARLA, on=False)
    assert "delivered" == status(desk, arrived)
    assert "completed" == status(desk, talking)
    assert ["undelivered", "no-answer", "no-answer"] == [
        status(desk, sid, after=61) for sid in (late, ringing, queued)
    ]
    assert "delivered" == status(desk, elsewhere)


def test_a_setting_of_all_telephones_holds_for_those_with_settings_of_their_own(desk: Desk) -> None:
    switch(desk, DARLA, by_hand=True)
    switch(desk, on=False)
    assert [(False, True)] == [(each.on, each.by_hand) for each in shown(desk, number=DARLA)]
    assert [(False, False)] == [(each.on, each.by_hand) for each in shown(desk, number=OTHER)]


def test_a_telephone_that_is_off_uses_up_no_order_for_new_texts(desk: Desk) -> None:
    standing = desk.engine.world.deliveries.add(DeliveryOrder(plan=Plan(end="failed"), times=1))
    switch(desk, on=False)
    desk.text()
    assert 0 == standing.given


def test_only_so_many_telephones_have_settings_of_their_own(desk: Desk) -> None:
    for number in range(MOST_SETTINGS):
        switch(desk, f"+1234{number:07}", by_hand=True)
    with pytest.raises(OrderRefused, match="leave the number out"):
        switch(desk, OTHER, by_hand=True)
    switch(desk, f"+1234{0:07}", by_hand=False)


# Answers


def test_an_answer_goes_to_the_number_that_wrote_last(desk: Desk) -> None:
    desk.text()
    desk.call(From="+19999999998")
    desk.text(To=OTHER, From="+19999999997")
    answer(desk, "1")
    (found,) = desk.get(MESSAGES, {"From": DARLA}).json["messages"]
    assert ("+19999999998", "1") == (found["to"], found["body"])


def test_an_answer_to_a_service_goes_to_the_number_that_it_chose(desk: Desk) -> None:
    desk.text(From="", MessagingServiceSid=SERVICE)
    desk.now += 5
    answer(desk, "OK")
    (found,) = desk.get(MESSAGES, {"From": DARLA}).json["messages"]
    assert "+15005550006" == found["to"]


def test_a_telephone_that_got_nothing_cannot_answer(desk: Desk) -> None:
    desk.text(To=OTHER)
    with pytest.raises(OrderRefused, match="got nothing yet"):
        answer(desk, "1")


def test_stop_as_an_answer_opts_out(desk: Desk) -> None:
    desk.text()
    answer(desk, "STOP")
    assert (400, 21610) == desk.post(MESSAGES, A_TEXT).error


# Failures


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (21610, (400, 21610)),
        (20429, (429, 20429)),
        (20003, (401, 20003)),
        (20404, (404, 20404)),
        (20500, (500, 20500)),
        (20503, (503, 20503)),
    ],
)
def test_the_next_request_is_refused_with_a_chosen_code(
    desk: Desk, code: int, expected: tuple[int, int]
) -> None:
    fail(desk, code)
    assert expected == desk.post(MESSAGES, A_TEXT).error
    assert 201 == desk.post(MESSAGES, A_TEXT).status


def test_the_next_text_does_not_arrive_for_a_chosen_reason(desk: Desk) -> None:
    fail(desk, 30005)
    sid = desk.text()
    desk.now += 5
    (text,) = entries(desk)
    assert (sid, "undelivered", 30005) == (text.sid, text.status, text.error_code)
    assert "the number does not exist" in (text.error_means or "")


def test_a_code_that_twilio_itself_finds_makes_the_text_fail(desk: Desk) -> None:
    fail(desk, 30007)
    assert "failed" == status(desk, desk.text(), after=5)


def test_a_failure_can_be_for_one_telephone_and_for_one_channel(desk: Desk) -> None:
    fail(desk, 20429, number=DARLA, channel=Channel.CALL)
    assert 201 == desk.post(MESSAGES, A_TEXT).status
    assert 201 == desk.post(CALLS, {**A_CALL, "To": OTHER}).status
    assert (429, 20429) == desk.post(CALLS, A_CALL).error


def test_a_failure_comes_before_other_plans_and_strikes_as_often_as_was_asked(desk: Desk) -> None:
    desk.engine.world.deliveries.add(DeliveryOrder(plan=Plan(end="sent")))
    fail(desk, 30006, times=2)
    ends = [status(desk, desk.text(), after=5) for _ in range(3)]
    assert ["undelivered", "undelivered", "sent"] == ends


def test_failures_that_have_struck_are_forgotten(desk: Desk) -> None:
    fail(desk, 21610)
    fail(desk, 30005, number=OTHER)
    desk.post(MESSAGES, A_TEXT)
    assert [(30005, 1)] == [(each.order.code, each.left) for each in desk.engine.failures.waiting()]
    assert [] == desk.engine.faults.armed
    desk.text(To=OTHER)
    assert () == desk.engine.failures.waiting()
    assert [] == desk.engine.world.deliveries.orders


def test_withdrawn_failures_do_not_strike(desk: Desk) -> None:
    fail(desk, 21610)
    fail(desk, 30005)
    desk.engine.failures.withdraw()
    assert "delivered" == status(desk, desk.text(), after=5)


def test_failures_whose_fault_was_removed_do_not_wait(desk: Desk) -> None:
    fail(desk, 21610)
    desk.engine.faults.clear()
    assert () == desk.engine.failures.waiting()


def test_a_code_that_cannot_be_shown_is_refused(desk: Desk) -> None:
    for code in (1, 15_000, 31_000):
        with pytest.raises(OrderRefused, match="GET /simulator/codes"):
            fail(desk, code)
    with pytest.raises(OrderRefused, match="one of the channel SMS"):
        fail(desk, 30005, channel=Channel.CALL)


def test_only_so_many_failures_wait(desk: Desk) -> None:
    for _ in range(MOST_WAITING):
        fail(desk, 21610)
    with pytest.raises(OrderRefused, match="DELETE /simulator/failures"):
        fail(desk, 21610)


def test_each_known_code_can_be_shown(desk: Desk) -> None:
    assert {code.code for code in known_codes()} <= CODES.keys()
    for known in known_codes():
        fail(desk, known.code)
        target, form = (CALLS, A_CALL) if known.how is How.DOCUMENT else (MESSAGES, A_TEXT)
        answered = desk.post(target, form)
        if known.how is How.REFUSED:
            assert known.code == answered.json["code"]
        else:
            desk.now += 60
            assert known.code == entries(desk)[0].error_code, known
        assert () == desk.engine.failures.waiting()


# What they show


def test_the_telephone_with_the_newest_entry_comes_first_and_so_does_the_entry(desk: Desk) -> None:
    first, second, third = desk.text(), desk.text(To=OTHER), desk.text()
    expected = [(DARLA, [third, first]), (OTHER, [second])]
    assert expected == [(each.number, [entry.sid for entry in each.entries]) for each in shown(desk)]


def test_a_text_shows_as_it_came(desk: Desk) -> None:
    sid = desk.text(Body="<b>Hello</b>", MediaUrl="https://example.com/a.png")
    desk.now += 5
    expected = TelephoneEntry(
        sid=sid,
        kind="text",
        outgoing=False,
        other=SENDER,
        created_at=desk.now - 5,
        status="delivered",
        body="<b>Hello</b>",
        media_urls=("https://example.com/a.png",),
    )
    assert [expected] == entries(desk)


def test_a_call_shows_what_is_spoken_and_what_can_be_done(desk: Desk) -> None:
    sid = desk.call(Url="", Twiml=SPEAKING)
    desk.now += 2
    (call,) = entries(desk)
    assert (sid, "ringing", "It <thaws>", None) == (call.sid, call.status, call.spoken, call.document)
    assert ("pick-up", "voicemail", "decline", "ignore") == call.acts
    assert not call.takes_keys


def test_a_text_that_is_spoken_twice_shows_once(desk: Desk) -> None:
    desk.call(
        Url="", Twiml="<Response><Say>It\n thaws</Say><Pause/><Say>It thaws</Say><Say> </Say></Response>"
    )
    assert ["It thaws"] == [call.spoken for call in entries(desk)]


@pytest.mark.parametrize("twiml", ["<Response", "<!DOCTYPE a><Response/>", "<Response/>"])
def test_a_document_that_says_nothing_shows_nothing(desk: Desk, twiml: str) -> None:
    desk.call(Url="", Twiml=twiml)
    assert [None] == [call.spoken for call in entries(desk)]


def test_a_call_by_document_shows_its_address(desk: Desk) -> None:
    desk.call()
    assert [(None, "https://some-public-TwiML")] == [(each.spoken, each.document) for each in entries(desk)]


def test_what_the_telephone_sends_is_its_own(desk: Desk) -> None:
    desk.text()
    answer(desk, "1")
    called = InboundOrder(channel=Channel.CALL, sender=DARLA, to=SENDER)
    desk.engine.world.receive(called, now=desk.now)
    assert [("call", True, SENDER), ("text", True, SENDER), ("text", False, SENDER)] == [
        (each.kind, each.outgoing, each.other) for each in entries(desk)
    ]
    assert () == entries(desk)[0].acts


def test_a_deleted_text_disappears(desk: Desk) -> None:
    sid = desk.text()
    desk.now += 5
    desk.ask("DELETE", message_path(sid))
    assert [] == entries(desk)


def test_a_telephone_that_got_nothing_shows_its_switches(desk: Desk) -> None:
    switch(desk, by_hand=True)
    expected = Telephone(number=DARLA, on=True, by_hand=True, kept=0, ringing=False, entries=[])
    assert (expected,) == shown(desk, number=DARLA)
    assert () == shown(desk)


@pytest.mark.parametrize("words", ["FREEZER", "thaws &", "4500000", "a.png"])
def test_a_search_finds_texts(desk: Desk, words: str) -> None:
    sid = desk.text(Body="The freezer thaws & drips", MediaUrl="https://example.com/a.png")
    desk.text(Body="All is well", To="+15005550100")
    assert [[sid]] == [[entry.sid for entry in each.entries] for each in shown(desk, search=words)]


@pytest.mark.parametrize("words", ["<THAWS>", "+19999"])
def test_a_search_finds_calls_by_what_is_spoken(desk: Desk, words: str) -> None:
    sid = desk.call(Url="", Twiml=SPEAKING)
    desk.call(From="+15005550006")
    assert [sid] == [entry.sid for entry in entries(desk, search=words)]


def test_a_search_finds_calls_by_the_address_of_their_document(desk: Desk) -> None:
    sid = desk.call()
    desk.call(Url="", Twiml=SPEAKING)
    assert [sid] == [entry.sid for entry in entries(desk, search="public-twiml")]
    assert [] == entries(desk, search="no such words")


def test_the_telephones_keep_the_latest_texts_and_calls_only(desk: Desk) -> None:
    desk.text(To=OTHER)
    for _ in range(MOST_KEPT):
        desk.text()
    (telephone,) = shown(desk, most=3)
    assert (DARLA, MOST_KEPT, 3) == (telephone.number, telephone.kept, len(telephone.entries))


# Whatever a person does

STEPS = st.tuples(
    st.floats(0, 40),
    st.one_of(
        st.sampled_from(["pick-up", "voicemail", "decline", "ignore", "hang-up"]),
        st.sampled_from(["off", "on", "by hand", "by plan"]),
        st.just("1"),
    ),
)
SETTINGS = {
    "off": {"on": False},
    "on": {"on": True},
    "by hand": {"by_hand": True},
    "by plan": {"by_hand": False},
}


@given(st.lists(STEPS, max_size=12))
def test_what_has_happened_to_a_call_stays_and_its_end_is_its_last_state(
    steps: list[tuple[float, str]],
) -> None:
    desk = Desk()
    sid = desk.call(Url="", Twiml=SPEAKING, MachineDetection="Enable")
    past: list[Any] = []
    for seconds, what in steps:
        desk.now += seconds
        with suppress(OrderRefused):
            if what in SETTINGS:
                switch(desk, DARLA, **SETTINGS[what])
            elif what == "1":
                desk.engine.world.press(KeyOrder(sid=sid, digits=what), now=desk.now)
            else:
                act(desk, sid, cast("Act", what))
        call = desk.engine.store.find(sid)
        assert call is not None
        assert sorted(call.timeline, key=lambda step: step.at) == list(call.timeline)
        assert past == list(call.timeline[: len(past)])
        past = [step for step in call.timeline if step.at < desk.now]
        assert [call.timeline[-1]] == [step for step in call.timeline if step.status in call.finals]
        entries(desk)
        desk.engine.announcer.take_due(desk.now)
