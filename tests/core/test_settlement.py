"""An attempt in doubt, told as timelines: what Twilio's records show when, and what may be concluded.

Instants count from the opening of the attempt, by Twilio's clock, unless a test says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import DARLA, SENDER_NUMBER, START, a_claimed
from twilio_notifications.core import settlement
from twilio_notifications.core.model import Channel, Record, Records, Text, VoiceLocation
from twilio_notifications.core.rewriting import TRIAL_PREFIX
from twilio_notifications.core.settlement import (
    DRIFT_SECONDS,
    LONGEST_PAUSE_SECONDS,
    UNTRUSTED_SECONDS,
    Absent,
    Found,
    LookAgain,
    Undecidable,
    first_look,
    next_look,
    settle,
    since,
)
from twilio_notifications.core.steps import Doubtful

if TYPE_CHECKING:
    from twilio_notifications.core.settlement import Settlement

HELLO = "Hello from the edge"
TIME_OUT = 30.0
SETTLE = 30.0
DEADLINE = TIME_OUT + SETTLE
HOUR = 3600.0
YEAR = 365 * 86_400.0

SERVICE = "MG0123456789abcdef0123456789abcdef"
A_CALL: dict[str, Any] = {"channel": Channel.CALL, "content": VoiceLocation(url="https://some-public-TwiML")}


def an_attempt(
    *,
    opened: float = 0.0,
    doubt: float = TIME_OUT,
    offset: float | None = 0.0,
    cut_off: bool = False,
    **notification: Any,
) -> Doubtful:
    """Opened at the start, in doubt after the time-out; `opened` and `doubt` are by our clock."""
    return Doubtful(
        request=a_claimed(accepted_at=START + opened, **notification),
        opened_at=START + opened,
        doubt_at=START + doubt,
        clock_offset=offset,
        cut_off=cut_off,
        message="operation timed out",
    )


def a_record(
    created: float = 0.0,
    *,
    sid: str = "SM1",
    to: str = DARLA,
    sender: str | None = SENDER_NUMBER,
    body: str | None = HELLO,
) -> Record:
    return Record(
        sid=sid,
        phone_number=to,
        sender_number=sender,
        message_status="sent",
        created_at=START + created,
        body=body,
    )


def look(
    attempt: Doubtful,
    *records: Record,
    at: float = DEADLINE,
    known: set[str] | None = None,
    offset: float | None = 0.0,
    settle_seconds: float = SETTLE,
) -> Settlement:
    """What a look `at` an instant of our clock concludes; `offset` is Twilio's clock minus ours by then."""
    return settle(
        attempt,
        Records(found=records, clock_offset=offset),
        known_sids=frozenset(known or ()),
        looked_at=START + at,
        settle_seconds=settle_seconds,
    )


def found(sid: str, settled: Settlement) -> bool:
    return isinstance(settled, Found) and settled.record.sid == sid


# When to look.


def test_the_first_look_comes_a_second_after_the_doubt() -> None:
    assert 101.0 == first_look(doubt_at=100.0, settle_seconds=30.0)


def test_with_a_short_settling_time_the_first_look_comes_early_in_it() -> None:
    assert 100.1 == pytest.approx(first_look(doubt_at=100.0, settle_seconds=0.4))


def looks(*, doubt_at: float, settle_seconds: float, until: float) -> list[float]:
    """When looks come that last no time and find nothing."""
    instants = [first_look(doubt_at=doubt_at, settle_seconds=settle_seconds)]
    while instants[-1] < until:
        instants.append(next_look(now=instants[-1], doubt_at=doubt_at, settle_seconds=settle_seconds))
    return instants


def test_pauses_double_and_the_last_look_is_at_the_deadline() -> None:
    """A record that shows up late costs at most as much again as it was late."""
    assert [1.0, 2.0, 4.0, 8.0, 16.0, 26.0, 30.0] == looks(doubt_at=0.0, settle_seconds=30.0, until=30.0)


def test_a_short_settling_time_has_several_looks_too() -> None:
    assert [0.25, 0.5, 1.0] == looks(doubt_at=0.0, settle_seconds=1.0, until=1.0)


def test_what_cannot_be_read_by_the_deadline_is_looked_at_every_few_seconds() -> None:
    instants = looks(doubt_at=0.0, settle_seconds=30.0, until=60.0)
    assert [40.0, 50.0, 60.0] == instants[-3:]


@given(
    doubt_at=st.floats(1.5e9, 2e9),
    passed=st.floats(0.0, 1e6),
    settle_seconds=st.floats(0.0, 600.0),
)
def test_the_next_look_always_lies_ahead_and_never_far(
    doubt_at: float, passed: float, settle_seconds: float
) -> None:
    """Else a list that cannot be read would be asked for in a loop without a pause, or never again."""
    now = doubt_at + passed
    at = next_look(now=now, doubt_at=doubt_at, settle_seconds=settle_seconds)
    assert now < at <= now + LONGEST_PAUSE_SECONDS + 1e-3


# Twilio's lists show a resource a while after it was made.


def test_a_record_is_found_at_the_first_look() -> None:
    assert found("SM1", look(an_attempt(), a_record(), at=TIME_OUT + 1))


def test_as_long_as_the_list_may_lag_nothing_is_concluded() -> None:
    attempt = an_attempt()
    assert LookAgain(at=START + TIME_OUT + 2) == look(attempt, at=TIME_OUT + 1)
    assert found("SM1", look(attempt, a_record(), at=TIME_OUT + 2))


def test_absence_needs_a_look_that_began_after_the_settling_time() -> None:
    attempt = an_attempt()
    assert LookAgain(at=START + DEADLINE) == look(attempt, at=DEADLINE - 0.001)
    assert Absent() == look(attempt, at=DEADLINE)


def test_a_late_record_is_found_at_the_last_look() -> None:
    assert found("SM1", look(an_attempt(), a_record(29.0), at=DEADLINE))


def test_without_a_settling_time_the_first_look_decides() -> None:
    attempt = an_attempt()
    assert Absent() == look(attempt, at=TIME_OUT, settle_seconds=0.0)
    assert found("SM1", look(attempt, a_record(), at=TIME_OUT, settle_seconds=0.0))


# Which record is ours.


@pytest.mark.parametrize(
    "record",
    [
        a_record(to="+12345000001"),
        a_record(sender="+18888888888"),
        a_record(sender=None, body="Hello from the cloud"),
        a_record(-10.0),
        a_record(-10.0, body="Hello from the cloud"),
        a_record(DEADLINE + DRIFT_SECONDS + 1, body="Hello from the cloud"),
    ],
    ids=["recipient", "sender", "body of no sender", "older", "older and body", "younger and body"],
)
def test_a_record_that_differs_is_not_ours(record: Record) -> None:
    assert Absent() == look(an_attempt(), record)


def test_another_text_of_our_sender_at_that_time_is_left_to_a_person() -> None:
    """Something on the way may have changed it, so that the recipient may get a second text."""
    stranger = a_record(body="Hello from the cloud")
    assert isinstance(look(an_attempt(), stranger, at=TIME_OUT + 1), LookAgain)
    settled = look(an_attempt(), stranger)
    assert isinstance(settled, Undecidable)
    assert "SM1" in settled.message
    assert Absent() == look(an_attempt(), stranger, known={"SM1"})


@pytest.mark.parametrize(
    ("sent", "recorded"),
    [
        ("a\r\nb", "a\nb"),
        ("a\rb", "a\nb"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("\u201cIt\u2019s\u201d \u2014 on\u2026", '"It\'s" - on...'),
        ("a\u00a0b\u200b \u2022 c", "a b * c"),
        ("\u26a0\ufe0f on", "\u26a0 on"),
        ("\uff26ire", "Fire"),
        ("a  b\n", "a b"),
        ("half \ud83d", "half"),
        (HELLO, TRIAL_PREFIX + HELLO + " "),
    ],
    ids=range(10),
)
def test_a_text_that_was_rewritten_on_the_way_is_found(sent: str, recorded: str) -> None:
    for first, second in ((sent, recorded), (recorded.removeprefix(TRIAL_PREFIX), sent)):
        assert found("SM1", look(an_attempt(content=Text(body=first)), a_record(body=second)))


@pytest.mark.parametrize(
    ("sent", "recorded"), [("on", "off"), ("1", "2"), ("a", "A"), ("Fire", "Fire!"), ("ab", "a b")]
)
def test_texts_that_read_differently_are_not_equal(sent: str, recorded: str) -> None:
    attempt = an_attempt(content=Text(body=sent))
    assert isinstance(look(attempt, a_record(body=recorded)), Undecidable)


@pytest.mark.parametrize(
    ("requested", "recorded"),
    [
        ("+5215512345678", "+525512345678"),
        ("+525512345678", "+5215512345678"),
        ("+5491123456789", "+541123456789"),
        ("+551187654321", "+5511987654321"),
        ("+4401234567890", "+441234567890"),
    ],
)
def test_a_number_that_was_rewritten_is_found(requested: str, recorded: str) -> None:
    attempt = an_attempt(phone_number=requested)
    assert found("SM1", look(attempt, a_record(to=recorded)))


def test_a_sender_number_that_was_rewritten_is_found() -> None:
    attempt = an_attempt(sender_number="+5215512345678")
    assert found("SM1", look(attempt, a_record(sender="+525512345678")))
    assert Absent() == look(attempt, a_record(sender="+525512345679"))


def test_of_two_equal_texts_in_a_row_the_second_is_not_taken_for_the_first() -> None:
    """The first one's SID stands in the journal."""
    first, second = a_record(-1.0, sid="SM1"), a_record(0.0, sid="SM2")
    assert Absent() == look(an_attempt(), first, known={"SM1"})
    assert found("SM2", look(an_attempt(), second, first, known={"SM1"}))


def test_somebody_elses_older_twin_is_not_ours() -> None:
    assert Absent() == look(an_attempt(), a_record(-3.0))


def test_somebody_elses_younger_twin_is_taken_for_ours() -> None:
    """Nothing distinguishes them; the recipient has the text, and must not get a second one."""
    assert found("SM1", look(an_attempt(), a_record(20.0)))


def test_of_several_twins_the_first_after_the_opening_is_taken() -> None:
    twins = [a_record(20.0, sid="SM3"), a_record(1.0, sid="SM2"), a_record(-100.0, sid="SM1")]
    assert found("SM2", look(an_attempt(), *twins))


def test_a_known_twin_hides_no_unknown_one() -> None:
    twins = [a_record(2.0, sid="SM2"), a_record(1.0, sid="SM1")]
    assert found("SM2", look(an_attempt(), *twins, known={"SM1"}))


@pytest.mark.parametrize("sender", [None, ""])
def test_a_record_without_a_sender_may_be_ours(sender: str | None) -> None:
    """A messaging service chooses the number later."""
    assert found("SM1", look(an_attempt(), a_record(sender=sender)))


def test_a_text_of_a_messaging_service_is_found_under_any_number_of_its_pool() -> None:
    """Compared with the SID of the service, it would count as absent, and be sent a second time."""
    attempt = an_attempt(sender_number=SERVICE, messaging_service_sid=SERVICE)
    assert found("SM1", look(attempt, a_record(sender="+14254492999")))


def test_a_number_next_to_a_messaging_service_is_compared() -> None:
    attempt = an_attempt(messaging_service_sid=SERVICE)
    assert Absent() == look(attempt, a_record(sender="+14254492999"))


def test_a_default_number_without_a_plus_is_found_under_its_full_form() -> None:
    """It is sent as it is; the record shows it as Twilio completed it."""
    attempt = an_attempt(sender_number="4254492999")
    assert found("SM1", look(attempt, a_record(sender="+14254492999")))
    assert Absent() == look(attempt, a_record(sender="+14254490000"))


def test_a_full_sender_number_is_compared_in_full() -> None:
    assert Absent() == look(an_attempt(sender_number="+4254492999"), a_record(sender="+14254492999"))


def test_the_prefix_of_a_trial_account_does_not_hide_the_text() -> None:
    assert found("SM1", look(an_attempt(), a_record(body=TRIAL_PREFIX + HELLO)))


def test_white_space_at_the_ends_does_not_hide_the_text() -> None:
    attempt = an_attempt(content=Text(body=f" {HELLO}\n"))
    assert found("SM1", look(attempt, a_record(body=HELLO)))


@pytest.mark.parametrize("body", [None, ""])
def test_a_redacted_text_may_be_ours(body: str | None) -> None:
    """Its content is gone; recipient, sender and time are what is left, as with a call."""
    assert found("SM1", look(an_attempt(), a_record(body=body)))


def test_a_call_is_known_by_recipient_sender_and_time() -> None:
    attempt = an_attempt(**A_CALL)
    assert found("CA1", look(attempt, a_record(sid="CA1", body=None)))


@pytest.mark.parametrize(
    "record",
    [
        a_record(to="+12345000001", body=None),
        a_record(sender="+18888888888", body=None),
        a_record(-3.0, body=None),
    ],
    ids=["recipient", "sender", "older"],
)
def test_another_call_is_not_ours(record: Record) -> None:
    assert Absent() == look(an_attempt(**A_CALL), record)


# The clocks: Twilio's has whole seconds, ours may be wrong.


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.5, 0.999])
@pytest.mark.parametrize("latency", [0.0, 0.3])
def test_whole_seconds_never_hide_a_record(fraction: float, latency: float) -> None:
    """The record's second is cut off, and so is the one from which the offset was taken."""
    opened = START + fraction
    heard_at = opened - 10
    offset = float(int(heard_at - latency)) - heard_at
    record = a_record(float(int(opened)) - START)
    attempt = an_attempt(opened=fraction, offset=offset)
    assert found("SM1", look(attempt, record, offset=offset))


@pytest.mark.parametrize("ahead", [-YEAR, -HOUR, -10.0, 10.0, HOUR, YEAR])
class TestOurClockIsAhead:
    """By so much, the whole time: `offset` is what Twilio's answers say of it."""

    def attempt(self, ahead: float, *, offset: float | None) -> Doubtful:
        return an_attempt(opened=ahead, doubt=ahead + TIME_OUT, offset=offset)

    @pytest.mark.parametrize("known_at_opening", [True, False])
    def test_and_our_record_is_found(self, ahead: float, *, known_at_opening: bool) -> None:
        attempt = self.attempt(ahead, offset=-ahead if known_at_opening else None)
        assert found("SM1", look(attempt, a_record(1.0), at=ahead + TIME_OUT + 1, offset=-ahead))

    def test_and_an_older_twin_is_told_from_ours(self, ahead: float) -> None:
        attempt = self.attempt(ahead, offset=-ahead)
        assert Absent() == look(attempt, a_record(-5.0), at=ahead + DEADLINE, offset=-ahead)

    def test_and_an_older_twin_is_not_told_from_ours_if_nobody_knew(self, ahead: float) -> None:
        """The attempt may be of a process that is gone, whose clock was another."""
        attempt = self.attempt(ahead, offset=None)
        settled = look(attempt, a_record(-5.0), at=ahead + DEADLINE, offset=-ahead)
        assert isinstance(settled, Undecidable)

    def test_and_without_any_twin_it_is_absent_all_the_same(self, ahead: float) -> None:
        attempt = self.attempt(ahead, offset=None)
        assert Absent() == look(attempt, at=ahead + DEADLINE, offset=-ahead)


@pytest.mark.parametrize("drift", [-50.0, -5.0, 5.0, 50.0])
def test_drift_since_the_last_answer_does_not_hide_our_record(drift: float) -> None:
    """The offset is as old as the last answer, which may be days; the look itself tells today's."""
    attempt = an_attempt(opened=drift, doubt=drift + TIME_OUT, offset=0.0)
    assert found("SM1", look(attempt, a_record(), at=drift + DEADLINE, offset=-drift))


def test_a_machine_that_slept_meanwhile_does_not_hide_our_record() -> None:
    """Our clock stood still, so today's offset is an hour more than it was at the opening."""
    assert found("SM1", look(an_attempt(offset=0.0), a_record(), offset=HOUR))


class TestTwoClocks:
    """Two of Twilio's answers tell offsets that lie far apart, and one of them is wrong."""

    @pytest.mark.parametrize("at_opening", [600.0, -600.0, HOUR, -HOUR])
    @pytest.mark.parametrize("created", [0.0, 20.0])
    def test_our_record_is_neither_absent_nor_hidden(self, at_opening: float, created: float) -> None:
        settled = look(an_attempt(offset=at_opening), a_record(created))
        assert isinstance(settled, Undecidable)
        assert "SM1" in settled.message

    @pytest.mark.parametrize("created", [-300.0, -450.0])
    def test_an_older_twin_is_not_taken_for_ours(self, created: float) -> None:
        """By the offset of the opening it would be younger than our attempt."""
        assert isinstance(look(an_attempt(offset=-600.0), a_record(created)), Undecidable)

    @pytest.mark.parametrize("at_opening", [600.0, -600.0])
    def test_without_any_record_it_is_absent_by_both(self, at_opening: float) -> None:
        assert Absent() == look(an_attempt(offset=at_opening))


class TestCutOff:
    """Our own end cut the attempt off: it was found at a start, by a process with a clock of its own."""

    def test_the_record_is_found_by_the_clock_of_the_opening(self) -> None:
        attempt = an_attempt(opened=YEAR, doubt=0.0, offset=-YEAR, cut_off=True)
        assert found("SM1", look(attempt, a_record(), offset=7.0))

    def test_drift_leaves_it_undecided(self) -> None:
        """Today's offset is of another clock, so it cannot tell the drift; but a minute covers it."""
        attempt = an_attempt(opened=DRIFT_SECONDS / 2, doubt=100.0, offset=0.0, cut_off=True)
        assert isinstance(look(attempt, a_record(), at=130.0), Undecidable)

    def test_beyond_drift_an_older_twin_is_not_ours(self) -> None:
        attempt = an_attempt(doubt=100.0, offset=0.0, cut_off=True)
        assert Absent() == look(attempt, a_record(-DRIFT_SECONDS - 1), at=130.0)

    @pytest.mark.parametrize("ahead", [3.0, HOUR, UNTRUSTED_SECONDS - 1])
    def test_a_clock_that_was_fast_unnoticed_leaves_it_undecided(self, ahead: float) -> None:
        """If the record is ours, the recipient would certainly get a second text."""
        attempt = an_attempt(opened=ahead, doubt=2 * UNTRUSTED_SECONDS, offset=None, cut_off=True)
        at = 2 * UNTRUSTED_SECONDS
        assert LookAgain(at=START + at + SETTLE) == look(attempt, a_record(), at=at + SETTLE - 0.1)
        assert isinstance(look(attempt, a_record(), at=at + SETTLE), Undecidable)

    def test_a_clock_that_was_years_fast_leaves_it_undecided(self) -> None:
        """It was certainly opened before it was found."""
        attempt = an_attempt(opened=30 * YEAR, doubt=HOUR, offset=None, cut_off=True)
        assert isinstance(look(attempt, a_record(), at=HOUR + SETTLE), Undecidable)

    def test_a_clock_that_was_hours_slow_hides_nothing(self) -> None:
        attempt = an_attempt(opened=-HOUR, doubt=60.0, offset=None, cut_off=True)
        assert found("SM1", look(attempt, a_record(), at=DEADLINE))

    def test_a_clock_that_began_in_1970_claims_no_old_twin(self) -> None:
        """Every record is younger than such an opening: one of last year would pass for our alarm."""
        attempt = an_attempt(opened=-START, doubt=60.0, offset=None, cut_off=True)
        settled = look(attempt, a_record(-YEAR), at=DEADLINE + 60)
        assert isinstance(settled, Undecidable)
        assert "SM1" in settled.message

    def test_known_twins_leave_no_doubt(self) -> None:
        attempt = an_attempt(doubt=100.0, offset=None, cut_off=True)
        assert Absent() == look(attempt, a_record(-5.0), at=130.0, known={"SM1"})


# Which records to ask for.


def test_all_records_are_asked_for_while_twilios_clock_is_unknown() -> None:
    """The answer tells its clock; a list that was cut by the wrong clock would look empty."""
    assert 0.0 == since(an_attempt(offset=None), clock_offset=None)


offsets = st.one_of(st.none(), st.floats(-2 * YEAR, 2 * YEAR))


@st.composite
def attempts(draw: st.DrawFn) -> Doubtful:
    opened = draw(st.floats(-YEAR, YEAR))
    return an_attempt(
        opened=opened,
        doubt=opened + draw(st.floats(0.0, 100.0)),
        offset=draw(offsets),
        cut_off=draw(st.booleans()),
        **draw(st.sampled_from([{}, A_CALL])),
    )


records = st.builds(
    a_record,
    st.integers(-200, 200).map(float) | st.integers(-int(YEAR), int(YEAR)).map(float),
    sid=st.sampled_from(["S1", "S2", "S3", "S4"]),
    to=st.sampled_from([DARLA, DARLA, "+12345000001"]),
    sender=st.sampled_from([SENDER_NUMBER, SENDER_NUMBER, None, "", "+18888888888"]),
    body=st.sampled_from([HELLO, HELLO, TRIAL_PREFIX + HELLO, None, "Something else"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A look, and everything it depends on."""

    attempt: Doubtful
    records: tuple[Record, ...]
    known: frozenset[str]
    after: float
    """How long after the doubt the look began."""
    today: float
    """Twilio's clock minus ours when the look was answered."""
    settle_seconds: float

    @property
    def at(self) -> float:
        return self.attempt.doubt_at + self.after

    def settled(self) -> Settlement:
        return settle(
            self.attempt,
            Records(found=self.records, clock_offset=self.today),
            known_sids=self.known,
            looked_at=self.at,
            settle_seconds=self.settle_seconds,
        )


scenes = st.builds(
    Scene,
    attempt=attempts(),
    records=st.lists(records, max_size=5).map(tuple),
    known=st.frozensets(st.sampled_from(["S1", "S2", "S3", "S4"])),
    after=st.floats(0.0, 120.0),
    today=st.floats(-2 * YEAR, 2 * YEAR),
    settle_seconds=st.floats(0.0, 60.0),
)


@given(scenes)
def test_nothing_but_a_find_is_concluded_before_the_settling_time_has_passed(scene: Scene) -> None:
    settled = scene.settled()
    if isinstance(settled, Absent | Undecidable):
        assert scene.attempt.doubt_at + scene.settle_seconds <= scene.at


@given(scenes)
def test_the_next_look_is_soon(scene: Scene) -> None:
    settled = scene.settled()
    if isinstance(settled, LookAgain):
        assert scene.at < settled.at <= scene.attempt.doubt_at + scene.settle_seconds
        assert settled.at <= scene.at + LONGEST_PAUSE_SECONDS + 1e-3


@given(scenes)
def test_absent_is_never_said_while_an_unclaimed_record_could_be_ours(scene: Scene) -> None:
    attempt = scene.attempt
    offset = scene.today if attempt.clock_offset is None else attempt.clock_offset
    if isinstance(scene.settled(), Absent):
        found_records = Records(found=scene.records, clock_offset=scene.today)
        assert [] == [
            record
            for record in settlement.candidates(attempt, found_records)
            if record.sid not in scene.known and record.created_at >= attempt.opened_at + offset
        ]


@given(scenes)
def test_what_is_found_is_unclaimed_and_could_be_ours(scene: Scene) -> None:
    settled = scene.settled()
    if isinstance(settled, Found):
        assert settled.record.sid not in scene.known
        assert settled.record in settlement.candidates(
            scene.attempt, Records(found=scene.records, clock_offset=scene.today)
        )


@given(scenes, st.sampled_from([None, 0.0, DRIFT_SECONDS / 2, -DRIFT_SECONDS / 2]))
def test_what_is_not_asked_for_changes_nothing(scene: Scene, since_then: float | None) -> None:
    """Twilio's clock may be known only by the answer, or a little differently by it."""
    known_before = None if since_then is None else scene.today + since_then
    start = since(scene.attempt, clock_offset=known_before)
    asked_for = tuple(record for record in scene.records if record.created_at >= start)
    assert scene.settled() == replace(scene, records=asked_for).settled()


def test_the_order_of_the_list_does_not_matter() -> None:
    twins = [a_record(20.0, sid="SM3"), a_record(1.0, sid="SM2")]
    assert look(an_attempt(), *twins) == look(an_attempt(), *reversed(twins))


def test_cut_off_alone_changes_nothing_where_the_clock_was_known() -> None:
    attempt = an_attempt(offset=0.0)
    for records_ in ([], [a_record()], [a_record(-HOUR)]):
        assert look(attempt, *records_) == look(replace(attempt, cut_off=True), *records_)
