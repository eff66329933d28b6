"""The conformance suite of the ports Orders and OrderDesk: what people order, and what becomes of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engines import ENGINES, access_of, desk_of, lasting, place_of
from tests.support.factories import (
    START,
    a_doubt,
    a_failure,
    a_postponement,
    a_rejection,
    a_request,
    a_success,
)
from tests.support.journals import A, B, C, accept, begin, end, outbox, record, report, statuses
from tests.support.orders import BY, WRITER, carried_out, ordered, place
from tests.support.reading import entry, of_kind
from twilio_notifications.adapters.sqlite.opening import APPLICATION_ID, migrations
from twilio_notifications.core.errors import JournalError, Reason, WaitReason
from twilio_notifications.core.escalation import Acknowledged, ChainEnd, Door, EndKind
from twilio_notifications.core.lifecycle import TRANSITIONS, UNFINISHED, Move, State, sources
from twilio_notifications.core.model import Channel, SpokenText
from twilio_notifications.core.orders import (
    AcknowledgeOrder,
    CancelOrder,
    OrderName,
    PauseOrder,
    ResendOrder,
    ResolveOrder,
    ResumeOrder,
)
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports import NewStep, Selection
from twilio_notifications.ports.journal.timeline import AttemptClosed, OrderCarriedOut

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engines import Place
    from tests.support.journals import OpenJournal
    from twilio_notifications.ports import CarriedOut, Journal

SID, OTHER_SID = "SM" + 32 * "7", "SM" + 32 * "8"
UNKNOWN = Reason.OUTCOME_UNKNOWN
EVERYTHING = Selection()

OF_VERSION_10 = """
INSERT INTO requests (id, request_id, channel, name, phone_number, sender_number, body, accepted_at)
VALUES (1, '"a"', 'SMS', 'Darla', '+12345000001', '+19999999999', 'Hello', 0),
       (2, '"a"', 'SMS', 'Darla', '+12345000001', '+19999999999', 'Hello', 0);
INSERT INTO states (request, state, channel, phone_number, expires_at, finished_at)
VALUES (1, 'REPORTED', 'SMS', '+12345000001', 9, 1), (2, 'REPORTED', 'SMS', '+12345000001', 9, 1);
INSERT INTO orders (request, name, detail, by, at, done_at, refusal)
VALUES (1, 'resolve', 'not sent', 'Ann', 1, 1, NULL), (1, 'resend', 'as request 2', 'Ann', 1, 1, NULL),
       (1, 'acknowledge', '', 'Ann', 1, 1, NULL),
       (1, 'acknowledge', '', 'Ann', 1, 1, 'it belongs to no escalation'),
       (1, 'acknowledge', '', 'Darla', 1, NULL, NULL);
"""


@pytest.fixture(params=ENGINES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return place_of(request, tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """For what only a file has."""
    return tmp_path / "journal.db"


@pytest.fixture
def a_store(path: Place) -> OpenJournal:
    """One that lasts: an order comes from another process."""
    return lasting(path)


async def advance(
    journal: Journal, state: State, *, reason: Reason | None = UNKNOWN, number: str = A
) -> None:
    """Brings the newest request to a state, with that reason where it is finished."""
    await accept(journal, number)
    (request,) = [one.id for one in await journal.claim(due_before=START, limit=99)][-1:]
    if state is State.WAITING:
        return
    await begin(journal, request)
    if state is State.IN_DOUBT:
        await end(journal, a_doubt(request))
    if state in UNFINISHED:
        return
    await end(journal, a_success(request) if reason is None else a_failure(request, reason=reason))
    if state is State.REPORTED:
        await report(journal, [request])


async def begin_chain(journal: Journal, number: str = A, **request: Any) -> None:
    arrival = a_request(number, escalation="freezer", **request)
    await record(journal, replace(arrival, writer=WRITER.chains))


def rows(path: Place, statement: str) -> list[tuple[Any, ...]]:
    with access_of(path).reading(glance=True) as connection:
        return [tuple(row) for row in connection.execute(statement)]


# Placing, and the result.


async def test_orders_wait_in_the_order_in_which_they_were_placed(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await accept(journal, A, B)
        place(path, CancelOrder(request=2), door=Door.CONSOLE)
        place(path, PauseOrder(until=START + 9), ResumeOrder())
        found = await journal.orders(limit=9)
        assert [CancelOrder(request=2), PauseOrder(until=START + 9), ResumeOrder()] == [
            one.order for one in found
        ]
        assert [(BY, Door.CONSOLE), (BY, Door.COMMAND), (BY, Door.COMMAND)] == [
            (one.by, one.door) for one in found
        ]
        assert found[:1] == await journal.orders(limit=1)


async def test_orders_that_are_placed_together_have_the_number_of_one_bulk(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await accept(journal, A, B)
    place(path, CancelOrder(request=1))
    first, second = place(path, CancelOrder(request=1), CancelOrder(request=2))
    assert [None, first, first] == [bulk for (bulk,) in rows(path, "SELECT bulk FROM orders ORDER BY number")]
    assert first < second


async def test_an_order_about_a_request_that_is_not_there_is_not_placed_nor_are_those_with_it(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        with pytest.raises(JournalError, match=r"holds no request 7\b.*journal list"):
            place(path, CancelOrder(request=1), CancelOrder(request=7))
        assert [] == await journal.orders(limit=9)


async def test_an_order_is_carried_out_once_with_its_result(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        (number,) = place(path, CancelOrder(request=1))
        desk = desk_of(path)
        assert [(None, None, None)] == [
            (one.done_at, one.result, one.refusal) for one in desk.results([number])
        ]
        (placed,) = await journal.orders(limit=9)
        first = await journal.carry_out(placed, at=START + 5, writer=WRITER)
        assert first is not None
        assert await journal.carry_out(placed, at=START + 6, writer=WRITER) is None
        assert [] == await journal.orders(limit=9)
        (result,) = desk.results([number])
        assert (START + 5, first.result, None) == (result.done_at, result.result, result.refusal)
        assert [1] == await outbox(journal)


async def test_a_refused_order_says_why_and_waits_no_more(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        (number,) = place(path, CancelOrder(request=1))
        await journal.refuse_order(number, "not today", at=START)
        await journal.refuse_order(number, "never", at=START)
        assert [] == await journal.orders(limit=9)
        assert ["not today"] == [one.refusal for one in desk_of(path).results([number])]


@pytest.mark.parametrize(
    ("name", "request_", "parameters"),
    [
        ("resolve", 1, "{}"),
        ("resolve", 1, '{"sent": 1}'),
        ("resolve", 1, '{"sent": true, "sid": "nonsense"}'),
        ("acknowledge", 1, '{"by": 7}'),
        ("acknowledge", 1, '{"by": "' + 300 * "x" + '"}'),
        ("cancel", 1, "[]"),
        ("cancel", 1, "no JSON"),
        ("pause", None, '{"until": "tomorrow"}'),
        ("pause", None, '{"until": NaN}'),
    ],
)
async def test_an_order_of_another_program_that_cannot_be_read_is_refused(
    a_store: OpenJournal, path: Place, name: str, request_: int | None, parameters: str
) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        with access_of(path).ordering() as other:
            other.execute(
                "INSERT INTO orders (name, request, parameters, by, at) VALUES (?, ?, ?, 'me', 0)",
                (name, request_, parameters),
            )
        (done,) = await carried_out(journal)
        assert "cannot be read" in (done.refusal or "")


async def test_an_order_of_another_program_needs_no_more_than_its_name_its_request_and_a_person(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        with access_of(path).ordering() as other:
            other.execute("INSERT INTO orders (name, request, by, at) VALUES ('cancel', 1, 'me', 0)")
        (done,) = await carried_out(journal)
        assert done.refusal is None


async def test_orders_about_all_requests_are_purged_with_their_age(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await ordered(journal, path, PauseOrder(), at=START)
        place(path, ResumeOrder())
        await journal.purge(finished_before=START + 1, limit=9)
        assert [("resume",)] == rows(path, "SELECT name FROM orders")


async def test_orders_of_a_journal_of_version_10_stay_and_those_that_wait_are_carried_out(file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for migration in migrations():
            if migration.version <= 10:
                connection.executescript(migration.script)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 10")
        connection.executescript(OF_VERSION_10)
    async with lasting(file)() as journal:
        (waiting,) = await journal.orders(limit=9)
        assert (5, AcknowledgeOrder(request=1), "Darla") == (waiting.number, waiting.order, waiting.by)
        (done,) = await carried_out(journal)
        assert "it belongs to no escalation" == done.refusal
        assert (6,) == place(file, CancelOrder(request=1))
    kept = rows(file, "SELECT number, result, refusal, made FROM orders WHERE number < 5 ORDER BY number")
    assert [
        (1, "not sent", None, None),
        (2, "as request 2", None, 2),
        (3, "acknowledged", None, None),
        (4, None, "it belongs to no escalation", None),
    ] == kept
    assert [(None,), (1,)] == rows(file, "SELECT resent_from FROM requests ORDER BY id")


# Sending again.


@pytest.mark.parametrize("state", [State.FINISHED, State.REPORTED])
@pytest.mark.parametrize("reason", [None, UNKNOWN, Reason.EXPIRED])
async def test_a_finished_request_is_sent_again_as_a_new_one(
    a_store: OpenJournal, path: Place, state: State, reason: Reason | None
) -> None:
    async with a_store() as journal:
        await advance(journal, state, reason=reason)
        done = await ordered(journal, path, ResendOrder(request=1), at=START + 100)
        (claimed,) = await journal.claim(due_before=START + 100, limit=9)
        assert (2, "as request 2", a_request(A).notification) == (
            done.made,
            done.result,
            claimed.notification,
        )
        assert (START + 100, START + 160, 0) == (claimed.accepted_at, claimed.expires_at, claimed.attempts)
    assert [(None,), (1,)] == rows(path, "SELECT resent_from FROM requests ORDER BY id")
    assert state == entry(path, 1).state


async def test_the_lifetime_of_a_request_counts_again_from_when_it_is_sent_again(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await accept(journal, A, valid_for_seconds=30)
        await end(journal, a_failure(1))
        await ordered(journal, path, ResendOrder(request=1), at=START + 100)
        (claimed,) = await journal.claim(due_before=START + 100, limit=9)
        assert (30, START + 130) == (claimed.notification.valid_for_seconds, claimed.expires_at)


async def test_a_request_that_is_sent_again_waits_for_its_turn(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await advance(journal, State.REPORTED)
        await accept(journal, A)
        await ordered(journal, path, ResendOrder(request=1))
        await ordered(journal, path, ResendOrder(request=1))
        for next_ in (2, 3, 4):
            assert [next_] == [one.id for one in await journal.claim(due_before=START, limit=9)]
            await end(journal, a_failure(next_))


async def test_a_request_that_is_sent_again_is_counted(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await advance(journal, State.REPORTED)
        await ordered(journal, path, ResendOrder(request=1))
        assert 1 == journal.by_state()[State.WAITING]
    async with a_store() as journal:
        assert 1 == (await journal.recover(now=START)).waiting


async def test_the_chain_of_a_request_that_is_sent_again_does_not_begin_again(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await begin_chain(journal)
        await ordered(journal, path, AcknowledgeOrder(request=1))
        await ordered(journal, path, ResendOrder(request=1))
        assert [] == await journal.due_chains(now=START + 1e6, limit=9)


@pytest.mark.parametrize("state", sorted(UNFINISHED))
async def test_an_unfinished_request_is_not_sent_again(
    a_store: OpenJournal, path: Place, state: State
) -> None:
    async with a_store() as journal:
        await advance(journal, state)
        done = await ordered(journal, path, ResendOrder(request=1))
        assert ("in doubt" if state is not State.WAITING else "waits still") in (done.refusal or "")
    assert [(1,)] == rows(path, "SELECT COUNT(*) FROM requests")


async def test_a_rejection_is_not_sent_again(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await record(journal, a_rejection())
        done = await ordered(journal, path, ResendOrder(request=1))
        assert "its content was not kept" in (done.refusal or "")


async def test_a_full_journal_sends_no_request_again(a_store: OpenJournal, path: Place) -> None:
    async with a_store(maximum_waiting=1) as journal:
        await advance(journal, State.REPORTED)
        await accept(journal, B)
        done = await ordered(journal, path, ResendOrder(request=1))
        assert "at its limit" in (done.refusal or "")


# Cancelling.


async def test_a_waiting_request_that_is_cancelled_is_answered_and_not_sent(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await accept(journal, A, A)
        done = await ordered(journal, path, CancelOrder(request=1))
        assert ((1,), (Reason.CANCELLED,)) == (
            done.ended.requests,
            tuple(why.reason for why in done.ended.unsuccessful),
        )
        assert [2] == [one.id for one in await journal.claim(due_before=START, limit=9)]
        assert b'"error":"Cancelled"' in (await statuses(journal))[0].status


@pytest.mark.parametrize("state", [State.OPEN, State.IN_DOUBT])
async def test_a_request_that_is_cancelled_during_an_attempt_is_not_attempted_again(
    a_store: OpenJournal, path: Place, state: State
) -> None:
    async with a_store() as journal:
        await advance(journal, state)
        done = await ordered(journal, path, CancelOrder(request=1))
        assert "is the last one" in (done.result or "")
        again = await ordered(journal, path, CancelOrder(request=1))
        assert "cancelled already" in (again.refusal or "")
        await end(journal, a_postponement(1, outcome=AttemptOutcome.DEFERRED, at=START, due_at=START + 900))
        (claimed,) = await journal.claim(due_before=START, limit=9)
        assert Reason.CANCELLED is claimed.recalled


async def test_a_call_that_is_cancelled_before_it_is_answered_is_hung_up(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        call = a_request(A, channel=Channel.CALL, content=SpokenText(text="It thaws"))
        await record(journal, call)
        await begin(journal, 1)
        await end(journal, a_success(1, sid="CA7"))
        done = await ordered(journal, path, CancelOrder(request=1))
        assert "asked to end its call" in (done.result or "")
        assert ["CA7"] == [one.sid for one in await journal.due_hangups(now=START, limit=9)]


async def test_a_chain_that_is_cancelled_ends_with_its_waiting_requests(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await begin_chain(journal)
        await begin(journal, 1)
        await end(journal, a_success(1))
        await journal.take_step(NewStep(chain=1, position=0, at=START, requests=(a_request(B),)))
        done = await ordered(journal, path, CancelOrder(request=1))
        assert ((1,), (2,)) == (done.ended.chains, done.ended.requests)
        assert done.end is not None
        assert EndKind.CANCELLED is done.end.kind


@pytest.mark.parametrize("state", [State.FINISHED, State.REPORTED])
async def test_what_is_finished_is_not_cancelled(a_store: OpenJournal, path: Place, state: State) -> None:
    async with a_store() as journal:
        await advance(journal, state, reason=None)
        done = await ordered(journal, path, CancelOrder(request=1))
        assert "nothing of it waits" in (done.refusal or "")


# Acknowledging.


@pytest.mark.parametrize(("by", "door"), [(None, Door.COMMAND), ("Darla", Door.CONSOLE)])
async def test_an_acknowledgement_ends_the_chain_with_the_person_and_the_door(
    a_store: OpenJournal, path: Place, by: str | None, door: Door
) -> None:
    async with a_store() as journal:
        await begin_chain(journal)
        done = await ordered(journal, path, AcknowledgeOrder(request=1, by=by), door=door)
        expected = ChainEnd(
            kind=EndKind.ACKNOWLEDGED, at=START, acknowledged=Acknowledged(by=by or BY, door=door)
        )
        assert ((1,), expected) == (done.ended.chains, done.end)
        again = await ordered(journal, path, AcknowledgeOrder(request=1))
        assert "its escalation has ended already" == again.refusal


async def test_a_request_without_a_chain_is_not_acknowledged(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        done = await ordered(journal, path, AcknowledgeOrder(request=1))
        assert "it belongs to no escalation" == done.refusal


async def test_chains_are_found_by_the_number_or_the_id_of_their_request(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await begin_chain(journal, request_id="thaw")
        await accept(journal, B, request_id="thaw")
        await begin_chain(journal, C, request_id="thaw")
    desk = desk_of(path)
    assert ([1, 3], [3], [], []) == tuple(desk.chains(name) for name in ("thaw", "3", "2", "other"))


# Resolving.


async def resolved(
    journal: Journal, path: Place, *, sent: bool = True, sid: str | None = None, request: int = 1
) -> CarriedOut:
    return await ordered(journal, path, ResolveOrder(request=request, sent=sent, sid=sid))


@pytest.mark.parametrize("state", State)
async def test_the_table_says_what_can_be_resolved(a_store: OpenJournal, path: Place, state: State) -> None:
    """Every state with an unknown outcome, where it has an outcome at all; the table and the SQL agree."""
    async with a_store() as journal:
        await advance(journal, state)
        done = await resolved(journal, path)
        assert (state in sources(Move.RESOLVE)) == (done.refusal is None)
    now = TRANSITIONS[state][Move.RESOLVE] if done.refusal is None else state
    assert now == entry(path, 1).state


@pytest.mark.parametrize("state", [State.FINISHED, State.REPORTED])
@pytest.mark.parametrize("reason", [None, Reason.EXPIRED, Reason.TWILIO_UNAVAILABLE])
async def test_a_known_outcome_is_not_replaced(
    a_store: OpenJournal, path: Place, state: State, reason: Reason | None
) -> None:
    async with a_store() as journal:
        await advance(journal, state, reason=reason)
        done = await resolved(journal, path, sent=False)
        assert "nothing to resolve" in (done.refusal or "")
    assert reason == entry(path, 1).reason


@pytest.mark.parametrize("state", [State.FINISHED, State.REPORTED])
async def test_a_resolved_request_is_reported_anew_and_once(
    a_store: OpenJournal, path: Place, state: State
) -> None:
    async with a_store() as journal:
        await advance(journal, state)
        done = await resolved(journal, path)
        assert list(done.ended.written) == await statuses(journal)
        (status,) = done.ended.written
        assert (1, True) == (status.request, b'"message_status":"sent"' in status.status)
        assert 1 == journal.by_state()[State.FINISHED]
        await report(journal, [1])
        assert 0 == journal.by_state()[State.FINISHED]


async def test_resolved_as_not_sent_stays_a_failure_with_another_reason(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await advance(journal, State.REPORTED)
        done = await resolved(journal, path, sent=False)
        (status,) = await statuses(journal)
        assert ("not sent", True) == (done.result, b'"error":"TwilioUnavailable"' in status.status)


async def test_a_resolution_leaves_the_end_of_its_chain_in_the_outbox(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await begin_chain(journal)
        await begin(journal, 1)
        await end(journal, a_failure(1, reason=UNKNOWN))
        await ordered(journal, path, AcknowledgeOrder(request=1))
        await resolved(journal, path)
        found = await statuses(journal)
        assert [True, False] == [b'"acknowledged"' in status.status for status in found]


async def test_a_resolved_status_leaves_after_those_that_wait(a_store: OpenJournal, path: Place) -> None:
    """The reporter reads on from the last position: a status put before it would never leave."""
    async with a_store() as journal:
        await advance(journal, State.FINISHED)
        await advance(journal, State.FINISHED, reason=None, number=B)
        await resolved(journal, path)
        await advance(journal, State.FINISHED, reason=None, number=C)
        assert [2, 1, 3] == await outbox(journal)


async def test_the_sid_that_a_person_names_is_known_from_then_on(a_store: OpenJournal, path: Place) -> None:
    """Else the next equal text in doubt would be taken for it."""
    async with a_store() as journal:
        await advance(journal, State.FINISHED)
        await resolved(journal, path, sid=SID)
        assert {SID} == await journal.known_sids([SID, OTHER_SID])


async def test_a_wrong_resolution_can_be_corrected_until_its_status_is_acknowledged(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await advance(journal, State.REPORTED)
        await resolved(journal, path, sid=SID)
        await resolved(journal, path, sent=False)
        await report(journal, [1])
        late = await resolved(journal, path)
        assert "has been acknowledged already" in (late.refusal or "")
    (attempt,) = of_kind(path, 1, AttemptClosed)
    assert (Reason.TWILIO_UNAVAILABLE, None) == (entry(path, 1).reason, attempt.sid)
    assert [f"sent {SID}", "not sent", None] == [order.result for order in of_kind(path, 1, OrderCarriedOut)]


async def test_a_status_that_was_replaced_before_it_left_is_kept_and_not_published(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await advance(journal, State.FINISHED)
        await resolved(journal, path)
        assert [1] == await outbox(journal)
    kept = rows(path, "SELECT reason, remark FROM statuses ORDER BY position")
    assert [(UNKNOWN, True), (None, False)] == [(reason, remark is not None) for reason, remark in kept]


async def test_what_a_person_resolves_with_its_sid_is_followed_from_then_on(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await advance(journal, State.REPORTED)
        await resolved(journal, path, sid=SID)
        (due,) = await journal.due_deliveries(now=START + 5, limit=9)
        assert (1, SID, "accepted") == (due.request.id, due.sid, due.delivery.state)
        await resolved(journal, path, sid=OTHER_SID)
        assert [OTHER_SID] == [due.sid for due in await journal.due_deliveries(now=START + 5, limit=9)]
        await resolved(journal, path, sent=False)
        assert await journal.next_look() is None


async def test_a_sid_that_belongs_to_another_request_or_another_channel_is_refused(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await advance(journal, State.FINISHED)
        await advance(journal, State.FINISHED, number=B)
        await resolved(journal, path, sid=SID)
        used = await resolved(journal, path, sid=SID, request=2)
        assert f"{SID} is the SID of request 1 already" in (used.refusal or "")
        wrong = await resolved(journal, path, sid="CA" + 32 * "7", request=2)
        assert "begins with SM or MM" in (wrong.refusal or "")
    assert UNKNOWN == entry(path, 2).reason


async def test_a_step_of_a_chain_that_was_not_sent_publishes_no_status_and_has_failed(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await begin_chain(journal)
        await begin(journal, 1)
        await end(journal, a_success(1))
        await journal.take_step(NewStep(chain=1, position=0, at=START, requests=(a_request(B),)))
        await begin(journal, 2)
        await end(journal, a_failure(2, reason=UNKNOWN))
        (running,) = await journal.due_chains(now=START + 1e6, limit=9)
        await journal.put_off(running, look_at=START + 900)
        done = await resolved(journal, path, sent=False, request=2)
        assert ((), [1]) == (done.ended.written, await outbox(journal))
        (running,) = await journal.due_chains(now=START, limit=9)
        assert running.taken[0].failed


# Pausing.


async def test_a_pause_lasts_until_a_person_ends_it(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await ordered(journal, path, PauseOrder(), at=START)
    async with a_store() as journal:
        (lasting,) = await journal.lasting_pauses()
        assert (WaitReason.OPERATOR_PAUSE, START, None) == (lasting.reason, lasting.begun_at, lasting.until)
        assert BY in lasting.message
        done = await ordered(journal, path, ResumeOrder(), at=START + 9)
        assert done.pause == replace(lasting, ended_at=START + 9)
        assert [] == await journal.lasting_pauses()


async def test_another_pause_changes_the_end_of_the_one_that_lasts(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await ordered(journal, path, PauseOrder(), at=START)
        await ordered(journal, path, PauseOrder(until=START + 60), at=START + 9)
        (lasting,) = await journal.lasting_pauses()
        assert (START, START + 60) == (lasting.begun_at, lasting.until)


async def test_a_pause_whose_end_has_passed_does_not_begin(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        done = await ordered(journal, path, PauseOrder(until=START - 1), at=START)
        assert "before it could begin" in (done.refusal or "")
        assert [] == await journal.lasting_pauses()


async def test_what_was_put_off_for_a_pause_is_due_at_its_end(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await ordered(journal, path, PauseOrder())
        await accept(journal, A)
        reason = WaitReason.OPERATOR_PAUSE
        await end(journal, a_postponement(1, outcome=None, reason=reason, due_at=START + 60))
        await ordered(journal, path, ResumeOrder(), at=START + 9)
        assert [1] == [one.id for one in await journal.claim(due_before=START + 9, limit=9)]


async def test_where_nothing_is_paused_there_is_nothing_to_resume(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        done = await ordered(journal, path, ResumeOrder())
        assert "requests are not paused" == done.refusal


# Choosing many.


def chosen(path: Place, name: OrderName, selection: Selection = EVERYTHING, *, limit: int = 9) -> list[int]:
    return [one.number for one in desk_of(path).selected(name, selection, limit=limit)]


async def test_many_are_sent_again_of_those_that_failed_and_were_not_sent_again_since(
    a_store: OpenJournal, path: Place
) -> None:
    async with a_store() as journal:
        await advance(journal, State.REPORTED, reason=Reason.EXPIRED)
        await advance(journal, State.REPORTED, reason=None, number=B)
        await advance(journal, State.FINISHED, reason=Reason.CANCELLED, number=B)
        await advance(journal, State.REPORTED, reason=UNKNOWN, number=B)
        await record(journal, a_rejection())
        await advance(journal, State.WAITING, number=C)
        assert [3, 1] == chosen(path, OrderName.RESEND)
        assert [3] == chosen(path, OrderName.RESEND, limit=1)
        assert [4] == chosen(path, OrderName.RESEND, Selection(reason=UNKNOWN))
        assert [1] == chosen(path, OrderName.RESEND, Selection(reason=Reason.EXPIRED))
        assert [1] == chosen(path, OrderName.RESEND, Selection(phone_number=A))
        assert [] == chosen(path, OrderName.RESEND, Selection(channel=Channel.CALL))
        assert [] == chosen(path, OrderName.RESEND, Selection(since=START + 1))
        place(path, ResendOrder(request=1))
        assert [3] == chosen(path, OrderName.RESEND)
        await carried_out(journal)
        assert [3] == chosen(path, OrderName.RESEND)
        assert [7, 6] == chosen(path, OrderName.CANCEL)


async def test_a_request_is_described_before_it_is_ordered_about(a_store: OpenJournal, path: Place) -> None:
    async with a_store() as journal:
        await advance(journal, State.REPORTED, reason=Reason.EXPIRED)
    one = desk_of(path).request(1)
    assert (State.REPORTED, Reason.EXPIRED, A) == (one.state, one.reason, one.phone_number)
    with pytest.raises(JournalError, match="holds no request 2"):
        desk_of(path).request(2)


def test_a_journal_that_does_not_exist_is_named_and_not_created(file: Path) -> None:
    for order in (
        lambda: place(file, ResumeOrder()),
        lambda: desk_of(file).results([1]),
        lambda: desk_of(file).request(1),
        lambda: desk_of(file).chains("thaw"),
        lambda: chosen(file, OrderName.RESEND),
    ):
        with pytest.raises(JournalError, match=r"journal\.db"):
            order()
    assert not file.exists()
