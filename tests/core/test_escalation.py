"""Chains as timelines: which step comes when, what ends a chain, and what its steps say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import DARLA, SENDER_NUMBER, START, a_notification
from twilio_notifications.core import contract
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.escalation import (
    TWILIOS_WORDS,
    Acknowledged,
    Chain,
    ChainEnd,
    ChainHistory,
    ChainStep,
    Code,
    Door,
    EndKind,
    EndOfChain,
    OptIn,
    OptOut,
    Over,
    Reply,
    Take,
    TakenStep,
    Until,
    WaitingAt,
    Word,
    acknowledged_by,
    ended,
    message_of,
    newest,
    next_step,
    read_reply,
    report,
    requests_of,
    smallest_free,
    told,
    with_hint,
)
from twilio_notifications.core.model import (
    Channel,
    Contact,
    Content,
    Notification,
    Priority,
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)

CALL_DARLA = ChainStep(after_seconds=300.0, channel=Channel.CALL, contacts=("darla",))
TEXT_OTHERS = ChainStep(after_seconds=600.0, channel=Channel.SMS, contacts=("deputy", "neighbour"))
FREEZER = Chain(steps=(CALL_DARLA, TEXT_OTHERS), repeat=1, wait_seconds=200.0)
SEEN = Acknowledged(by="Darla", door=Door.TEXT)


def began(*, failed: bool = False) -> ChainHistory:
    return ChainHistory(began=TakenStep(at=START, failed=failed))


def with_taken(history: ChainHistory, *after: float, failed: bool = False) -> ChainHistory:
    """The history with steps taken so many seconds after the beginning."""
    taken = tuple(TakenStep(at=START + seconds, failed=failed) for seconds in after)
    return replace(history, taken=history.taken + taken)


def acknowledged(at: float = START + 1) -> ChainEnd:
    return ChainEnd(kind=EndKind.ACKNOWLEDGED, at=at, acknowledged=SEEN)


def run(chain: Chain, history: ChainHistory, *, tick: float = 1.0, until: float = 10_000.0) -> list[float]:
    """The seconds after the beginning at which steps are taken and the chain ends, with a look each tick."""
    instants, now = list[float](), START
    while now <= START + until:
        match next_step(chain, history, now=now):
            case Take():
                history = replace(history, taken=(*history.taken, TakenStep(at=now)))
                instants.append(now - START)
            case Until(at=at):
                assert at > now
                now += tick
            case EndOfChain() | Over():
                return [*instants, now - START]
    raise AssertionError("the chain did not end")


class TestTimeline:
    def test_steps_rounds_and_the_end_come_at_their_times(self) -> None:
        assert [300, 600, 800, 1100, 1300] == run(FREEZER, began())

    def test_without_repetition_the_chain_ends_after_its_wait(self) -> None:
        assert [300, 600, 800] == run(replace(FREEZER, repeat=0), began())

    def test_before_its_time_a_step_waits(self) -> None:
        assert Until(at=START + 300) == next_step(FREEZER, began(), now=START + 299)

    def test_when_step_0_has_failed_the_first_step_comes_at_once(self) -> None:
        """Refused, not allowed, expired and not delivered are all the same here."""
        assert Take(position=0, step=CALL_DARLA) == next_step(FREEZER, began(failed=True), now=START + 2)

    def test_when_everything_before_has_failed_the_next_step_comes_at_once(self) -> None:
        history = with_taken(began(failed=True), 2.0, failed=True)
        assert Take(position=1, step=TEXT_OTHERS) == next_step(FREEZER, history, now=START + 40)

    def test_when_only_a_part_has_failed_the_next_step_keeps_its_time(self) -> None:
        history = with_taken(began(failed=False), 300.0, failed=True)
        assert Until(at=START + 600) == next_step(FREEZER, history, now=START + 310)

    def test_a_step_that_came_early_does_not_move_the_next_one(self) -> None:
        history = with_taken(began(failed=True), 2.0)
        assert Until(at=START + 600) == next_step(FREEZER, history, now=START + 40)

    def test_a_round_waits_also_where_everything_has_failed(self) -> None:
        """A telephone that is off would otherwise use up every round within seconds."""
        history = with_taken(began(failed=True), 2.0, 4.0, failed=True)
        assert Until(at=START + 204) == next_step(FREEZER, history, now=START + 5)

    def test_a_late_step_moves_the_next_round(self) -> None:
        history = with_taken(began(), 300.0, 700.0)
        assert Until(at=START + 900) == next_step(FREEZER, history, now=START + 700)

    def test_the_chain_does_not_end_while_one_of_its_requests_is_still_to_be_sent(self) -> None:
        history = with_taken(began(), 300.0, 600.0, 800.0, 1_100.0)
        pending = replace(history, taken=(*history.taken[:-1], replace(history.taken[-1], pending=True)))
        overdue = START + 10_000
        assert Until(at=overdue + FREEZER.wait_seconds) == next_step(FREEZER, pending, now=overdue)
        assert EndOfChain() == next_step(FREEZER, history, now=overdue)
        first = replace(history, began=replace(history.began, pending=True))
        assert isinstance(next_step(FREEZER, first, now=overdue), Until)

    def test_the_chain_ends_though_the_last_step_has_failed_only_after_its_wait(self) -> None:
        chain = replace(FREEZER, repeat=0)
        history = with_taken(began(failed=True), 2.0, 4.0, failed=True)
        assert Until(at=START + 204) == next_step(chain, history, now=START + 5)
        assert EndOfChain() == next_step(chain, history, now=START + 204)

    @given(
        st.lists(st.floats(0, 1000), min_size=1, max_size=4),
        st.integers(0, 3),
        st.floats(0, 500),
        st.floats(1, 400),
    )
    def test_every_chain_takes_each_step_once_in_order_and_ends(
        self, after: list[float], repeat: int, wait: float, tick: float
    ) -> None:
        steps = tuple(replace(CALL_DARLA, after_seconds=seconds) for seconds in sorted(after))
        chain = Chain(steps=steps, repeat=repeat, wait_seconds=wait)
        instants = run(chain, began(), tick=tick, until=50_000.0)
        assert len(steps) * (repeat + 1) + 1 == len(instants)
        assert sorted(instants) == instants


class TestRaces:
    def test_an_acknowledgement_while_a_step_is_open_takes_no_further_step(self) -> None:
        history = ended(with_taken(began(), 300.0), acknowledged(START + 301))
        assert Over() == next_step(FREEZER, history, now=START + 9_999)

    def test_an_acknowledgement_wins_over_a_step_that_was_claimed_before_it(self) -> None:
        """The stage asks again in the transaction that opens the step."""
        claimed = next_step(FREEZER, began(), now=START + 300)
        assert isinstance(claimed, Take)
        assert Over() == next_step(FREEZER, ended(began(), acknowledged()), now=START + 300)

    def test_of_two_acknowledgements_the_first_one_stays(self) -> None:
        first = ended(began(), acknowledged())
        second = ChainEnd(
            kind=EndKind.ACKNOWLEDGED, at=START + 1, acknowledged=Acknowledged(by="Eva", door=Door.TOPIC)
        )
        assert first == ended(first, second)

    @pytest.mark.parametrize("kind", EndKind)
    def test_after_any_end_nothing_changes(self, kind: EndKind) -> None:
        history = ended(began(), ChainEnd(kind=kind, at=START))
        assert history == ended(history, acknowledged())
        assert Over() == next_step(FREEZER, history, now=START + 9_999)

    def test_stop_as_an_answer_acknowledges_nothing(self) -> None:
        reply = read_reply("STOP", words=["ok"])
        assert acknowledged_by(reply, [WaitingAt(chain=1, code=1, notified_at=START)], at=START + 9) is None

    def test_delivered_is_no_acknowledgement_however_late(self) -> None:
        """Delivered one second before the next step: a telephone has it, perhaps not a person."""
        history = with_taken(began(failed=False), 300.0)
        assert isinstance(next_step(FREEZER, history, now=START + 600), Take)

    def test_a_step_in_doubt_or_with_refused_credentials_has_not_failed(self) -> None:
        """It may still arrive, so the next step comes at its time and not at once."""
        history = with_taken(began(failed=True), 2.0, failed=False)
        assert Until(at=START + 600) == next_step(FREEZER, history, now=START + 100)

    def test_a_201_that_comes_after_the_failure_takes_no_step_again(self) -> None:
        """The lease was lost while the POST ran: the step counts as failed, and then as not failed."""
        failed = with_taken(began(failed=True), 2.0, failed=True)
        later = with_taken(replace(failed, taken=(TakenStep(at=START + 2.0, failed=False),)), 3.0)
        assert Until(at=START + 203) == next_step(FREEZER, later, now=START + 10)

    def test_a_clock_that_jumps_ahead_takes_the_due_steps_of_one_round(self) -> None:
        """The next round waits from the instant at which the steps were really taken."""
        assert [5000, 5000, 10_000, 15_000, 20_000] == run(FREEZER, began(), tick=5000.0, until=30_000.0)

    def test_a_clock_that_jumps_back_repeats_no_step(self) -> None:
        history = with_taken(began(), 300.0)
        assert Until(at=START + 600) == next_step(FREEZER, history, now=START - 3600)

    def test_no_quiet_hours_and_no_expiry_hold_a_step_back(self) -> None:
        """A step has neither the lifetime of its request nor a rule of its own about hours."""
        request = replace(a_notification(), valid_for_seconds=1.0)
        (step,) = made(CALL_DARLA, request)
        assert step.valid_for_seconds is None


class TestReplies:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ("ok", Word()),
            (" OK! ", Word()),
            ("Okay", Word()),
            ("on my way", Word()),
            ("1", Code(code=1)),
            ("#12", Code(code=12)),
            (" 2. ", Code(code=2)),
            ("ok 2", Code(code=2)),
            ("OK, 2", Code(code=2)),
            ("on my way 3", Code(code=3)),
            ("oka", None),
            ("not ok", None),
            ("call me at 5", None),
            ("1 2", None),
            ("1234567", None),
            ("", None),
            ("ok" * 60, None),
            ("STOP", OptOut()),
            ("stop ", OptOut()),
            ("Arrêt", OptOut()),
            ("START", OptIn()),
            ("yes", OptIn()),
        ],
    )
    def test_a_text_is_a_code_a_word_or_nothing(self, body: str, expected: Reply | None) -> None:
        assert expected == read_reply(body, words=["ok", "okay", "On my way"])

    @pytest.mark.parametrize("word", sorted(TWILIOS_WORDS))
    def test_words_of_twilio_never_acknowledge_even_where_they_are_configured(self, word: str) -> None:
        assert read_reply(word.upper(), words=[word]) in (OptOut(), OptIn())

    @given(st.text(max_size=300))
    def test_no_text_raises(self, body: str) -> None:
        read_reply(body, words=["ok"])

    WAITING = (
        WaitingAt(chain=7, code=1, notified_at=START),
        WaitingAt(chain=8, code=2, notified_at=START + 60),
    )

    def acknowledged(self, reply: Reply, at: float) -> int | None:
        found = acknowledged_by(reply, self.WAITING, at=at)
        return None if found is None else found.chain

    def test_a_code_acknowledges_its_own_chain_and_a_word_the_newest(self) -> None:
        assert [7, 8, None, 8] == [
            self.acknowledged(reply, START + 90)
            for reply in (Code(code=1), Code(code=2), Code(code=3), Word())
        ]

    def test_a_reply_from_before_the_second_chain_means_the_first(self) -> None:
        """The word was written before the second text came, and is read after it."""
        assert [7, None] == [self.acknowledged(reply, START + 30) for reply in (Word(), Code(code=2))]

    def test_a_reply_dated_in_whole_seconds_is_not_too_old(self) -> None:
        assert 7 == self.acknowledged(Word(), START - 0.9)
        assert self.acknowledged(Word(), START - 2.0) is None

    def test_a_call_back_means_the_newest_chain(self) -> None:
        assert self.WAITING[1] == newest(self.WAITING, at=START + 90)
        assert newest((), at=START) is None

    @pytest.mark.parametrize(("used", "code"), [((), 1), ((1, 2), 3), ((2, 3), 1), ((1, 3), 2)])
    def test_a_chain_has_the_smallest_free_code(self, used: tuple[int, ...], code: int) -> None:
        assert code == smallest_free(used)


CONTACTS = {
    "darla": Contact(name="Darla", phone_number=DARLA),
    "deputy": Contact(name="Dan", phone_number="+12345000001"),
    "neighbour": Contact(name="Nora", phone_number="+12345000002", language="de-DE"),
}
SERVICE = "MG0123456789abcdef0123456789abcdef"
DOCUMENT = VoiceLocation(url="https://example.com/v")


def made(step: ChainStep, request: Notification) -> tuple[Notification, ...]:
    return requests_of(step, request, contacts=CONTACTS, default_sender_number="+15005550006")


def contents(step: ChainStep, content: Content) -> list[Content]:
    channel = Channel.SMS if isinstance(content, Text) else Channel.CALL
    return [each.content for each in made(step, a_notification(channel=channel, content=content))]


class TestSteps:
    def test_a_step_is_one_request_for_each_contact(self) -> None:
        request = replace(a_notification(priority=Priority.URGENT), about="freezer 3", escalation="freezer")
        first, second = made(TEXT_OTHERS, request)
        assert ("Dan", "+12345000001", "deputy") == (
            first.recipient.name,
            first.recipient.phone_number,
            first.contact,
        )
        assert "Nora" == second.recipient.name
        assert (None, None, Priority.URGENT, "request123") == (
            first.about,
            first.escalation,
            first.priority,
            first.request_id,
        )

    def test_a_text_step_of_a_service_comes_from_the_service_and_a_call_from_the_default(self) -> None:
        request = replace(a_notification(sender_number=SERVICE), messaging_service_sid=SERVICE)
        (call,), (text, _) = made(CALL_DARLA, request), made(TEXT_OTHERS, request)
        assert ("+15005550006", None) == (call.sender_number, call.messaging_service_sid)
        assert (SERVICE, SERVICE) == (text.sender_number, text.messaging_service_sid)

    def test_a_number_next_to_a_service_calls_itself(self) -> None:
        (call,) = made(CALL_DARLA, replace(a_notification(), messaging_service_sid=SERVICE))
        assert SENDER_NUMBER == call.sender_number

    @pytest.mark.parametrize(
        ("step", "content", "expected"),
        [
            (CALL_DARLA, Text(body="Thaw!"), SpokenText(text="Thaw!")),
            (CALL_DARLA, DOCUMENT, DOCUMENT),
            (CALL_DARLA, Twiml(document="<Response/>"), Twiml(document="<Response/>")),
            (
                CALL_DARLA,
                SpokenText(text="Tau!", language="de-DE"),
                SpokenText(text="Tau!", language="de-DE"),
            ),
            (
                replace(CALL_DARLA, voice_message="Alarm: {message} {code} {"),
                Text(body="{message}"),
                SpokenText(text="Alarm: {message} {code} {"),
            ),
            (replace(CALL_DARLA, voice_message="Look!"), DOCUMENT, SpokenText(text="Look!")),
        ],
    )
    def test_a_call_says_its_template_or_the_content(
        self, step: ChainStep, content: Content, expected: Content
    ) -> None:
        assert [expected] == contents(step, content)

    @pytest.mark.parametrize(
        ("message", "content", "expected"),
        [
            (
                None,
                Text(body="Thaw!", media_urls=("https://a",)),
                Text(body="Thaw!", media_urls=("https://a",)),
            ),
            (None, SpokenText(text="Thaw!"), Text(body="Thaw!")),
            ("Help: {message}", SpokenText(text="Thaw!"), Text(body="Help: Thaw!")),
            ("Help!", DOCUMENT, Text(body="Help!")),
        ],
    )
    def test_a_text_has_its_template_or_what_was_said(
        self, message: str | None, content: Content, expected: Content
    ) -> None:
        assert [expected] * 2 == contents(replace(TEXT_OTHERS, message=message), content)

    @pytest.mark.parametrize("content", [DOCUMENT, Twiml(document="<Response/>")])
    def test_a_text_about_a_document_without_a_message_of_its_own_is_not_made(self, content: Content) -> None:
        assert [] == contents(TEXT_OTHERS, content)
        assert message_of(content) is None

    def test_a_contact_hears_its_language(self) -> None:
        step = replace(CALL_DARLA, contacts=("neighbour",))
        assert [SpokenText(text="Tau!", language="de-DE")] == contents(step, Text(body="Tau!"))

    def test_what_grows_too_long_by_its_template_is_cut(self) -> None:
        step = replace(TEXT_OTHERS, message="Help: {message}")
        (text, _) = contents(step, Text(body="a" * 1600))
        assert isinstance(text, Text)
        assert (1600, "…") == (len(text.body), text.body[-1])
        (call,) = contents(CALL_DARLA, Text(body="&" * 1600))
        assert isinstance(call, SpokenText)
        assert call.text.endswith("…")

    def test_the_hint_stands_on_a_line_of_its_own(self) -> None:
        assert "Thaw!\nReply 2 to acknowledge." == with_hint(
            "Thaw!", hint="Reply {code} to acknowledge.", code=2
        )

    @pytest.mark.parametrize(("body", "hint"), [("Thaw!", ""), ("a" * 1600, "Reply {code}.")])
    def test_without_a_hint_or_room_for_it_the_text_stays_as_it_is(self, body: str, hint: str) -> None:
        assert body == with_hint(body, hint=hint, code=1)

    def test_the_others_learn_who_has_it(self) -> None:
        notified = {DARLA: "Darla", "+12345000001": "Dan"}
        assert {"+12345000001": "Darla has it"} == told("Darla", notified=notified, number=DARLA)
        assert {DARLA: "A person has it", "+12345000001": "A person has it"} == told(
            None, notified=notified, number=None
        )


class TestReports:
    def test_an_acknowledged_chain_is_a_success(self) -> None:
        content = report(acknowledged(), a_notification())
        assert (
            contract.Success(
                message_status="acknowledged", sender_number=SENDER_NUMBER, phone_number=DARLA, name="Darla"
            )
            == content
        )

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            (EndKind.UNACKNOWLEDGED, Reason.NOT_ACKNOWLEDGED),
            (EndKind.CANCELLED, Reason.CANCELLED),
            (EndKind.SUPERSEDED, Reason.SUPERSEDED),
        ],
    )
    def test_any_other_end_is_a_failure(self, kind: EndKind, reason: Reason) -> None:
        content: Any = report(ChainEnd(kind=kind, at=START), a_notification())
        assert reason is content.reason
