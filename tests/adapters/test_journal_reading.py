"""The conformance suite of the port JournalReader, on a journal with requests of every kind."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.engines import ENGINES, access_of, extend_lease, journal_of, place_of, reader_of
from tests.support.every_kind import (
    CONTACT,
    NAMES,
    NUMBERS,
    QUIET_UNTIL,
    STALLED,
    pause,
    phone_number,
    write_every_kind,
)
from tests.support.factories import SENDER_NUMBER, START, a_notification, a_request, a_success
from tests.support.fakes import RecordingEvents
from tests.support.journals import begin, end, record, report
from twilio_notifications.core.delivery import Delivery, ending
from twilio_notifications.core.errors import JournalError, Reason, WaitReason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Channel, Text
from twilio_notifications.core.policy import Charge, Limits, Period, Quota, Unit
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports.journal import timeline as moments
from twilio_notifications.ports.journal.facts import Fact, FactName, FactWord
from twilio_notifications.ports.journal.reader import Need, Only, Search

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engines import Place
    from twilio_notifications.ports.journal.reader import Entry, JournalReader

NOW = START + 500
TEXT = "Hello from the edge"


@pytest.fixture(params=ENGINES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """For what only a file has."""
    return tmp_path / "journal.db"


@pytest.fixture
async def reader(path: Place) -> JournalReader:
    await write_every_kind(path)
    return reader_of(path)


def found(reader: JournalReader, search: Search, *, now: float = NOW) -> set[str]:
    """The names of the requests that are found."""
    return {NAMES[entry.number - 1] for entry in reader.entries(search, now=now).entries}


def entry(reader: JournalReader, name: str, *, now: float = NOW, reveal: bool = False) -> Entry:
    return reader.timeline(NUMBERS[name], now=now, reveal=reveal).entry


def story(
    reader: JournalReader, name: str, *, now: float = NOW, reveal: bool = False
) -> list[moments.Moment]:
    return list(reader.timeline(NUMBERS[name], now=now, reveal=reveal).moments)


# Searching.


async def test_a_list_has_the_newest_first_and_goes_on_page_by_page(reader: JournalReader) -> None:
    read, search = list[int](), Search(limit=7)
    while True:
        page = reader.entries(search, now=NOW)
        assert len(page.entries) <= 7
        read += [one.number for one in page.entries]
        if page.before is None:
            break
        search = Search(limit=7, before=page.before)
    assert list(range(len(NAMES), 0, -1)) == read


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (Only.WAITING, {"quiet", "behind", "retry", "resent", "paced", "new"}),
        (Only.DOUBT, {"in doubt", "open"}),
        (Only.UNREPORTED, set()),
        (
            Only.SUCCESS,
            {"delivered", "alarm", "step", "acknowledged", "undelivered", "no answer"},
        ),
        (Only.FAILED, {"expired", "unknown", "rejected", "unacknowledged"}),
        (Only.UNKNOWN, {"unknown"}),
        (Only.UNDELIVERED, {"undelivered", "no answer"}),
        (Only.REJECTED, {"rejected"}),
        (Only.UNACKNOWLEDGED, {"alarm", "unacknowledged"}),
        (Only.ALL, set(NAMES)),
    ],
)
async def test_a_word_narrows_the_list(reader: JournalReader, only: Only, names: set[str]) -> None:
    assert names == found(reader, Search(only=only))


@pytest.mark.parametrize(
    ("search", "names"),
    [
        (Search(id="quiet"), {"quiet"}),
        (Search(id="qui"), set()),
        (Search(id="7"), {"rejected"}),
        (Search(contact=CONTACT), {"delivered"}),
        (Search(phone_number=phone_number("quiet")), {"quiet", "behind"}),
        (Search(phone_number=phone_number("quiet")[:-1]), set()),
        (Search(name="epu"), {"step"}),
        (Search(name="%"), set()),
        (Search(state=State.IN_DOUBT), {"in doubt"}),
        (Search(reason=Reason.EXPIRED), {"expired"}),
        (Search(reason=Reason.INVALID_PARAMETER), {"rejected"}),
        (Search(reason=Reason.NOT_ACKNOWLEDGED), {"unacknowledged"}),
        (Search(reason=WaitReason.QUIET_HOURS), {"quiet"}),
        (Search(reason=WaitReason.EARLIER_REQUEST), {"behind"}),
        (Search(reason=WaitReason.RETRY), {"retry"}),
        (Search(reason=WaitReason.SENDER_PACE), {"paced"}),
        (Search(channel=Channel.CALL), {"no answer"}),
        (Search(since=START + 1), {"step", "resent"}),
        (Search(until=START), set()),
        (Search(among=[2, 5, 99]), {"expired", "quiet"}),
        (Search(among=[]), set()),
        (Search(only=Only.FAILED, among=[1, 2]), {"expired"}),
        (Search(only=Only.WAITING, id="quiet", name="DARLA", channel=Channel.SMS), {"quiet"}),
        (Search(only=Only.SUCCESS, reason=Reason.EXPIRED), set()),
        (Search(only=Only.FAILED, reason=Reason.EXPIRED), {"expired"}),
        (Search(only=Only.UNACKNOWLEDGED, reason=Reason.NOT_ACKNOWLEDGED), {"unacknowledged"}),
        (Search(only=Only.UNDELIVERED, channel=Channel.CALL), {"no answer"}),
    ],
)
async def test_all_that_is_looked_for_has_to_hold(
    reader: JournalReader, search: Search, names: set[str]
) -> None:
    assert names == found(reader, search)


@pytest.mark.parametrize("only", list(Only))
@pytest.mark.parametrize("reason", [Reason.EXPIRED, WaitReason.SENDER_QUEUE_FULL, WaitReason.RETRY, None])
async def test_every_search_can_be_combined_with_every_other(
    reader: JournalReader, only: Only, reason: Reason | WaitReason | None
) -> None:
    narrow = Search(
        only=only,
        id="1e5",
        contact="\\_%",
        phone_number="+1",
        name="_",
        state=State.WAITING,
        reason=reason,
        channel=Channel.SMS,
        since=0.0,
        until=4e9,
        among=[1],
        before=3,
    )
    assert set() == found(reader, narrow)


@pytest.mark.parametrize(
    "typed", ["'; DROP TABLE requests; --", "[" * 9_999, "\x00", "\ud800", "NaN", "1" * 99]
)
async def test_what_is_typed_is_looked_for_as_it_is(reader: JournalReader, typed: str) -> None:
    assert set() == found(reader, Search(id=typed, name=typed, contact=typed))


# What a request waits for.


async def test_a_wait_has_its_reason_its_end_and_what_it_is_behind(reader: JournalReader) -> None:
    quiet, behind, new = (entry(reader, name).waits for name in ("quiet", "behind", "new"))
    assert quiet is not None
    assert behind is not None
    assert new is not None
    assert (WaitReason.QUIET_HOURS, "It waits", QUIET_UNTIL) == (quiet.reason, quiet.message, quiet.until)
    assert (WaitReason.EARLIER_REQUEST, NUMBERS["quiet"]) == (behind.reason, behind.behind)
    assert (None, START) == (new.reason, new.until)
    assert entry(reader, "delivered").waits is None


@pytest.mark.parametrize(
    ("about", "paused"),
    [("", {"resent", "paced", "new"}), (f"SMS {STALLED}", {"new"}), ("texts per day", set())],
)
async def test_what_lasts_keeps_those_waiting_that_it_concerns(
    path: Place, reader: JournalReader, about: str, paused: set[str]
) -> None:
    reason = WaitReason.ACCOUNT_SLOWED if not about else WaitReason.SENDER_QUEUE_FULL
    await pause(path, reason, about=about, until=NOW + 60)
    waiting = [entry(reader, name) for name in NAMES if entry(reader, name).waits is not None]
    held = {NAMES[one.number - 1] for one in waiting if one.waits and one.waits.reason is reason}
    assert paused == held == found(reader, Search(reason=reason))
    standing = reader.standing(now=NOW, limits=Limits())
    assert len(paused) == standing.waiting.get(reason, 0)
    assert held - paused == found(reader, Search(reason=reason), now=NOW + 61)


async def test_each_wait_is_counted_as_the_list_says_it(reader: JournalReader) -> None:
    counted: dict[WaitReason | None, int] = {}
    for one in reader.entries(Search(only=Only.WAITING), now=NOW).entries:
        assert one.waits is not None
        counted[one.waits.reason] = counted.get(one.waits.reason, 0) + 1
    # A paced sender with room for its next request lets it leave now.
    counted[WaitReason.SENDER_PACE] = counted.get(WaitReason.SENDER_PACE, 0) + 1
    counted[None] -= 1
    assert counted == reader.standing(now=NOW, limits=Limits()).waiting


# One request.


async def test_one_time_line_has_all_that_happened_in_its_order(reader: JournalReader) -> None:
    told = story(reader, "delivered")
    assert [
        moments.Arrived,
        moments.AttemptOpened,
        moments.AttemptClosed,
        moments.StatusWritten,
        moments.StatusLeft,
        moments.DeliveryMoved,
    ] == [type(moment) for moment in told]
    assert sorted(moment.at for moment in told) == [moment.at for moment in told]
    closed, moved = told[2], told[-1]
    assert isinstance(closed, moments.AttemptClosed)
    assert isinstance(moved, moments.DeliveryMoved)
    assert (AttemptOutcome.ACCEPTED, f"SM{1:032x}") == (closed.outcome, closed.sid)
    assert ("delivered", None) == (moved.word, moved.meaning)


async def test_a_doubt_says_when_it_is_looked_up(reader: JournalReader) -> None:
    (doubt,) = [one for one in story(reader, "in doubt") if isinstance(one, moments.DoubtArose)]
    assert (START + 3, 1, "Twilio did not answer", START + 5) == (
        doubt.at,
        doubt.attempt,
        doubt.message,
        doubt.look_at,
    )


async def test_an_undelivered_text_says_what_twilios_code_means(reader: JournalReader) -> None:
    moved = story(reader, "undelivered")[-1]
    assert isinstance(moved, moments.DeliveryMoved)
    assert "30003" in (moved.meaning or "")
    delivery = entry(reader, "undelivered").delivery
    assert delivery is not None
    assert ("undelivered", 30_003) == (delivery.state, delivery.code)


async def test_waits_that_ended_and_the_present_one_are_on_the_time_line(reader: JournalReader) -> None:
    (present,) = [one for one in story(reader, "quiet") if isinstance(one, moments.Waited)]
    assert (WaitReason.QUIET_HOURS, QUIET_UNTIL, None) == (present.reason, present.until, present.ended_at)
    (retry,) = [one for one in story(reader, "retry") if isinstance(one, moments.Waited)]
    assert (START + 2, WaitReason.RETRY) == (retry.at, retry.reason)


async def test_pauses_are_on_the_time_lines_of_those_that_they_concern(
    path: Place, reader: JournalReader
) -> None:
    await pause(path, WaitReason.SENDER_QUEUE_FULL, about=f"SMS {STALLED}")
    kinds = {name: [type(moment) for moment in story(reader, name)] for name in ("new", "quiet", "delivered")}
    assert {"new"} == {name for name, found in kinds.items() if moments.PauseLasted in found}


async def test_an_escalation_tells_its_steps_whom_it_notified_and_how_it_ended(reader: JournalReader) -> None:
    told = story(reader, "alarm")
    kinds = [type(moment) for moment in told]
    assert {moments.EscalationBegan, moments.EscalationStepTaken, moments.PersonNotified} <= set(kinds)
    (person,) = [one for one in told if isinstance(one, moments.PersonNotified)]
    assert (NUMBERS["step"], Channel.SMS, "D…") == (person.request, person.channel, person.name)
    assert moments.EscalationOver not in kinds
    (over,) = [one for one in story(reader, "acknowledged") if isinstance(one, moments.EscalationOver)]
    assert ("acknowledged", "Darla", "topic") == (over.ending, over.by, over.door)
    chain = entry(reader, "acknowledged").escalation
    assert chain is not None
    assert ("freezer", "acknowledged", "Darla") == (chain.escalation, chain.ending, chain.by)
    assert NUMBERS["alarm"] == entry(reader, "step").chain


async def test_a_persons_order_and_its_result_are_on_the_time_line(reader: JournalReader) -> None:
    placed, done = (
        one
        for one in story(reader, "expired")
        if isinstance(one, moments.OrderPlaced | moments.OrderCarriedOut)
    )
    assert isinstance(placed, moments.OrderPlaced)
    assert isinstance(done, moments.OrderCarriedOut)
    assert ("resend", "Ann", "command") == (placed.name, placed.by, placed.door)
    assert (NUMBERS["resent"], None) == (done.made, done.refusal)
    arrived = story(reader, "resent")[0]
    assert isinstance(arrived, moments.Arrived)
    assert NUMBERS["expired"] == arrived.resent_from == entry(reader, "resent").resent_from


async def test_a_rejection_has_neither_recipient_nor_attempts(reader: JournalReader) -> None:
    rejected = entry(reader, "rejected")
    assert (7, None, None, None, 0) == (
        rejected.id,
        rejected.name,
        rejected.phone_number,
        rejected.sender_number,
        rejected.attempts,
    )
    assert reader.timeline(NUMBERS["rejected"], now=NOW).particulars.kind is None


async def test_a_request_that_is_not_there_is_named(reader: JournalReader) -> None:
    with pytest.raises(JournalError, match=r"holds no request 99\b.*journal list"):
        reader.timeline(99, now=NOW)


async def test_what_another_program_wrote_into_an_order_is_shown_or_left_out(
    path: Place, reader: JournalReader
) -> None:
    with access_of(path).ordering() as connection:
        for parameters in ("[" * 9_999, "not JSON", "7"):
            order = "INSERT INTO orders (name, request, parameters, by, at) VALUES ('cancel', 1, ?, 'x', ?)"
            connection.execute(order, (parameters, START))
    orders = [one for one in story(reader, "delivered") if isinstance(one, moments.OrderPlaced)]
    assert [{}, {}, {}] == [order.parameters for order in orders]


# What is masked.


def texts(value: object) -> list[str]:
    """Each text within a value."""
    if isinstance(value, str):
        return [value]
    if is_dataclass(value):
        return [text for field in fields(value) for text in texts(getattr(value, field.name))]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts(one)]
    return []


async def test_numbers_names_and_texts_are_whole_only_where_asked_for(
    path: Place, reader: JournalReader
) -> None:
    await pause(path, WaitReason.SENDER_QUEUE_FULL, about=f"SMS {STALLED}")
    hidden = (TEXT, "+12345", "+1500", SENDER_NUMBER, "Deputy")
    for name in NAMES:
        said = texts(reader.timeline(NUMBERS[name], now=NOW))
        assert [] == [text for text in said if any(part in text for part in hidden)]
    standing = texts(list(reader.standing(now=NOW, limits=Limits()).paused))
    assert [] == [text for text in standing if "+1" in text]
    whole = reader.timeline(NUMBERS["delivered"], now=NOW, reveal=True)
    assert (phone_number("delivered"), SENDER_NUMBER, "Darla", TEXT) == (
        whole.entry.phone_number,
        whole.entry.sender_number,
        whole.entry.name,
        whole.particulars.content,
    )
    (masked,) = reader.entries(Search(id="delivered"), now=NOW).entries
    assert ("********0001", "********9999", "D…") == (masked.phone_number, masked.sender_number, masked.name)


# The whole.


async def test_the_standing_counts_what_waits_what_is_in_doubt_and_what_a_person_has_to_do(
    reader: JournalReader,
) -> None:
    standing = reader.standing(now=NOW, limits=Limits())
    assert (6, START, 1, 1, 0, 1) == (
        sum(standing.waiting.values()),
        standing.oldest_waiting_at,
        standing.in_doubt,
        standing.unknown,
        standing.unreported,
        standing.unacknowledged,
    )
    assert (START + 1, START + 9) == (standing.last_success_at, standing.last_failure_at)


async def test_a_journal_without_requests_stands_still(path: Place) -> None:
    async with journal_of(path, events=RecordingEvents()):
        pass
    reader = reader_of(path)
    standing = reader.standing(now=NOW, limits=Limits())
    assert ({}, None, None, None) == (
        standing.waiting,
        standing.oldest_waiting_at,
        standing.last_success_at,
        standing.connection,
    )
    assert [] == reader.needing_a_person(now=NOW)
    assert 0 == sum(hour.received for hour in reader.activity(now=NOW))


async def test_the_standing_says_what_is_used_of_each_quota(path: Place) -> None:
    day = START // 86_400 * 86_400
    charges = [Charge(scope="texts/day", since=day, amount=3)]
    async with journal_of(path, events=RecordingEvents()) as journal:
        await record(journal, a_request())
        await begin(journal, 1, charges={1: charges})
    quotas = (
        Quota(unit=Unit.TEXTS, period=Period.DAY, most=10),
        Quota(unit=Unit.CALLS, period=Period.HOUR, most=5),
    )
    texts_used, calls_used = reader_of(path).standing(now=START, limits=Limits(quotas=quotas)).limits
    assert (3, 10, day + 86_400) == (texts_used.used, texts_used.most, texts_used.ends_at)
    assert (0, 5) == (calls_used.used, calls_used.most)


async def test_the_connectors_notes_are_read_and_a_killed_one_has_no_connection(path: Place) -> None:
    running = Fact(name=FactName.CONNECTOR, word=FactWord.RUNNING, about="1.2.3", since=START)
    connected = Fact(name=FactName.CONNECTION, word=FactWord.CONNECTED, about="mqtt://b", since=START + 1)
    refused = Fact(name=FactName.CREDENTIALS, word=FactWord.REFUSED, detail="No", since=START + 2)
    reader = reader_of(path)
    async with journal_of(path, events=RecordingEvents()) as journal:
        await extend_lease(journal, seconds=600.0)
        await journal.keep_facts([running, connected, refused], at=START + 3)
        standing = reader.standing(now=NOW, limits=Limits())
        started_at = min((member.since for member in standing.members), default=START)
        assert (True, "1.2.3", started_at, NOW) == (
            standing.connector.running,
            standing.connector.version,
            standing.connector.started_at,
            standing.connector.seen_at,
        )
        assert (connected, refused) == (standing.connection, standing.credentials)
        await extend_lease(journal, seconds=0.0)
    standing = reader.standing(now=NOW, limits=Limits())
    assert (False, START + 3, None) == (
        standing.connector.running,
        standing.connector.seen_at,
        standing.connector.ended_at,
    )
    assert standing.connection is not None
    assert (FactWord.DISCONNECTED, "mqtt://b") == (standing.connection.word, standing.connection.about)


async def test_a_connector_that_ended_in_order_says_when(path: Place) -> None:
    ended = Fact(name=FactName.CONNECTOR, word=FactWord.ENDED, about="1.2.3", since=START + 7)
    async with journal_of(path, events=RecordingEvents()) as journal:
        await journal.keep_facts([ended], at=START + 7)
    connector = reader_of(path).standing(now=NOW, limits=Limits()).connector
    assert (False, None, START + 7) == (connector.running, connector.started_at, connector.ended_at)


async def test_the_hours_add_up_what_came_and_what_became_of_it(reader: JournalReader) -> None:
    hours = reader.activity(now=NOW, hours=3)
    assert [START // 3_600 * 3_600 - 3_600 * back for back in (2, 1, 0)] == [hour.at for hour in hours]
    *before, last = hours
    assert [0, 0] == [hour.received + hour.succeeded + sum(hour.failed.values()) for hour in before]
    assert len(NAMES) == last.received
    assert 7 == last.succeeded
    assert {
        Reason.EXPIRED: 1,
        Reason.OUTCOME_UNKNOWN: 1,
        Reason.INVALID_PARAMETER: 1,
        Reason.NOT_ACKNOWLEDGED: 1,
        Reason.UNDELIVERED: 1,
        Reason.NOT_REACHED: 1,
    } == last.failed


async def test_what_needs_a_person_comes_with_the_most_pressing_first(reader: JournalReader) -> None:
    needs = [(one.need, NAMES[one.entry.number - 1]) for one in reader.needing_a_person(now=NOW)]
    assert [
        (Need.UNACKNOWLEDGED, "unacknowledged"),
        (Need.UNACKNOWLEDGED, "alarm"),
        (Need.IN_DOUBT, "unknown"),
        (Need.IN_DOUBT, "in doubt"),
        (Need.FAILED, "no answer"),
        (Need.FAILED, "undelivered"),
        (Need.FAILED, "rejected"),
    ] == needs
    assert 2 == len(reader.needing_a_person(now=NOW, limit=2))


async def test_what_failed_a_day_ago_needs_a_person_no_more_but_a_doubt_does(reader: JournalReader) -> None:
    needs = reader.needing_a_person(now=NOW + 86_400)
    assert ["alarm", "unknown", "in doubt"] == [NAMES[one.entry.number - 1] for one in needs]


# What did not arrive, as the core says it and as the index has it.


WORDS = {
    Channel.SMS: [
        "accepted",
        "queued",
        "sending",
        "sent",
        "delivered",
        "undelivered",
        "failed",
        "canceled",
        "read",
        "partially_delivered",
    ],
    Channel.CALL: [
        "queued",
        "ringing",
        "in-progress",
        "completed",
        "busy",
        "no-answer",
        "failed",
        "canceled",
    ],
}

DELIVERIES = [
    Delivery(
        channel=channel,
        state=word,
        changed_at=START,
        answered_by=answered_by,
        key_pressed=key_pressed,
        document_code=document_code,
        notification_looks=9,
        given_up_at=given_up_at,
        cancelled_by_us=by_us,
    )
    for channel, words in WORDS.items()
    for word in words
    for answered_by in ((None, "human", "machine_start", "fax") if channel is Channel.CALL else (None,))
    for key_pressed in ((False, True) if channel is Channel.CALL else (False,))
    for document_code in ((None, 11_200) if channel is Channel.CALL else (None,))
    for given_up_at in (None, START)
    for by_us in (False, True)
]


async def test_the_index_of_what_did_not_arrive_agrees_with_the_core(path: Place) -> None:
    async with journal_of(path, events=RecordingEvents()):
        pass
    expected = set()
    with access_of(path).ordering() as connection:
        for number, one in enumerate(DELIVERIES, start=1):
            connection.execute(
                "INSERT INTO requests (id, request_id, channel, name, phone_number, accepted_at)"
                " VALUES (?, '1', ?, 'n', ?, ?)",
                (number, one.channel, f"+1{number:09}", START),
            )
            connection.execute(
                "INSERT INTO states (request, state, channel, phone_number, expires_at, finished_at)"
                " VALUES (?, 'REPORTED', ?, ?, 9e9, ?)",
                (number, one.channel, f"+1{number:09}", START),
            )
            found = (one.key_pressed, one.document_code)
            connection.execute(
                "INSERT INTO deliveries (request, sid, begun_at, word, changed_at, answered_by, key_pressed,"
                " document_code, notification_looks, given_up_at, cancelled_by_us)"
                " VALUES (?, 'SM', ?, ?, ?, ?, ?, ?, 9, ?, ?)",
                (
                    number,
                    START,
                    one.state,
                    START,
                    one.answered_by,
                    *found,
                    one.given_up_at,
                    one.cancelled_by_us,
                ),
            )
            end_ = ending(one)
            if end_ is not None and end_.reason not in {None, Reason.CANCELLED}:
                expected.add(number)
    page = reader_of(path).entries(Search(only=Only.UNDELIVERED, limit=999), now=NOW)
    differing = expected ^ {one.number for one in page.entries}
    assert [] == [DELIVERIES[number - 1] for number in sorted(differing)]


# Next to a running connector.


async def test_a_change_is_seen_and_names_the_requests_it_is_about(path: Place) -> None:
    reader = reader_of(path)
    async with journal_of(path, events=RecordingEvents(), report_seconds=0.0) as journal:
        first = reader.changes(None)
        assert [] == list(first.requests)
        await record(journal, a_request())
        second = reader.changes(first.mark)
        assert (True, [1]) == (second.anything, list(second.requests))
        await begin(journal, 1)
        third = reader.changes(second.mark)
        assert (True, [1]) == (third.anything, list(third.requests))
        await end(journal, a_success(1))
        fourth = reader.changes(third.mark)
        assert (True, [1]) == (fourth.anything, list(fourth.requests))
        await report(journal, [1])
        assert reader.changes(fourth.mark).anything


async def test_a_journal_that_is_not_written_to_has_not_changed(file: Path) -> None:
    await write_every_kind(file)
    reader = reader_of(file)
    for one in file.parent.iterdir():
        os.utime(one, (START, START))
    mark = reader.changes(None).mark
    again = reader.changes(mark)
    assert (False, mark) == (again.anything, again.mark)


async def test_a_reader_neither_waits_for_the_connector_nor_keeps_its_log_from_being_used_again(
    file: Path,
) -> None:
    reader = reader_of(file)
    async with journal_of(file, events=RecordingEvents()) as journal:
        await record(journal, a_request())
        with closing(sqlite3.connect(file, isolation_level=None)) as writing:
            writing.execute("BEGIN IMMEDIATE")
            assert 1 == len(reader.entries(Search(), now=NOW).entries)
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            assert 0 == busy


async def test_damage_within_the_journal_is_named(file: Path) -> None:
    await write_every_kind(file)
    damage(file)
    with pytest.raises(JournalError, match=r"journal\.db"):
        reader_of(file).entries(Search(), now=NOW)


def damage(file: Path) -> None:
    """Overwrites all but the first pages."""
    content = file.read_bytes()
    file.write_bytes(content[: 4096 * 2].ljust(len(content), b"\xff"))


async def test_a_hostile_name_is_no_reason_to_fail(path: Place) -> None:
    hostile = a_notification(name="\x1b[2J\u202e" * 9, content=Text(body="x"), request_id="\x1b[31m")
    async with journal_of(path, events=RecordingEvents()) as journal:
        request = a_request()
        await record(journal, type(request)(notification=hostile, accepted_at=START, expires_at=START + 9))
    (one,) = reader_of(path).entries(Search(), now=NOW, reveal=True).entries
    assert "\x1b[31m" == one.id
