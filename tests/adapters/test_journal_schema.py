"""The schema refuses what the life cycle does not know, whoever writes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.factories import START
from twilio_notifications.adapters.sqlite.opening import APPLICATION_ID, migrations, open_connection
from twilio_notifications.core.lifecycle import UNFINISHED, State

if TYPE_CHECKING:
    from collections.abc import Iterator

WAITING = {
    "request_id": '"x"',
    "channel": "SMS",
    "state": "WAITING",
    "name": "Darla",
    "phone_number": "+12345000000",
    "sender_number": "+19999999999",
    "body": "Hello",
    "accepted_at": START,
    "expires_at": START + 9,
    "due_at": START,
}
FINISHED = WAITING | {
    "state": "FINISHED",
    "due_at": None,
    "finished_at": START,
    "status": b"{}",
    "position": 1,
}
ROWS: dict[State, dict[str, Any]] = {
    State.WAITING: WAITING,
    State.OPEN: WAITING | {"state": "OPEN", "due_at": None},
    State.IN_DOUBT: WAITING | {"state": "IN_DOUBT", "due_at": None},
    State.FINISHED: FINISHED,
    State.REPORTED: FINISHED | {"state": "REPORTED", "reported_at": START},
}
"""A row that is as it should be, for each state."""

BREACHES: dict[str, tuple[State, dict[str, Any]]] = {
    "an unknown channel": (State.WAITING, {"channel": "FAX"}),
    "an unknown state": (State.WAITING, {"state": "LOST"}),
    "fewer than no retries": (State.WAITING, {"retries": -1}),
    "an unknown priority": (State.WAITING, {"priority": 3}),
    "half a turn": (State.WAITING, {"turn": 2}),
    "fewer than no attempts": (State.WAITING, {"attempts": -1}),
    "fewer than no deferrals": (State.WAITING, {"deferrals": -1}),
    "waiting for no instant": (State.WAITING, {"due_at": None}),
    "open and due": (State.OPEN, {"due_at": START}),
    "finished and due": (State.FINISHED, {"due_at": START}),
    "open and in turn": (State.OPEN, {"turn": 1}),
    "waiting and finished": (State.WAITING, {"finished_at": START, "status": b"{}", "position": 1}),
    "finished at no instant": (State.FINISHED, {"finished_at": None}),
    "finished without a status": (State.FINISHED, {"status": None}),
    "finished without a place in the outbox": (State.FINISHED, {"position": None}),
    "waiting with a status": (State.WAITING, {"status": b"{}", "position": 1}),
    "reported at no instant": (State.REPORTED, {"reported_at": None}),
    "not reported but at an instant": (State.FINISHED, {"reported_at": START}),
    "waiting without a name": (State.WAITING, {"name": None}),
    "waiting without a recipient": (State.WAITING, {"phone_number": None}),
    "open without a sender": (State.OPEN, {"sender_number": None}),
    "waiting for ever": (State.WAITING, {"expires_at": None}),
    "waiting with no content": (State.WAITING, {"body": None}),
    "waiting with both contents": (State.WAITING, {"voice_location": "https://example.com"}),
    "no id": (State.WAITING, {"request_id": None}),
    "a number that is none": (State.WAITING, {"accepted_at": "soon"}),
}

ATTEMPTS: dict[str, dict[str, Any]] = {
    "of no request": {"request": 99},
    "an unknown outcome": {"outcome": "LOST"},
    "closed without an outcome": {"closed_at": START},
    "closed and to be settled": {
        "closed_at": START,
        "outcome": "IN_DOUBT",
        "doubt_at": START,
        "settle_at": START,
    },
    "to be settled and accepted": {"outcome": "ACCEPTED", "doubt_at": START, "settle_at": START},
    "to be settled without a doubt": {"outcome": "IN_DOUBT", "settle_at": START},
    "half cut off": {"cut_off": 2},
}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(open_connection(None)) as connection:
        yield connection


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    columns, places = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", tuple(row.values()))  # noqa: S608 - ours


@pytest.mark.parametrize("state", State)
def test_a_row_of_each_state_can_be_stored(connection: sqlite3.Connection, state: State) -> None:
    insert(connection, "requests", ROWS[state])


@pytest.mark.parametrize("name", BREACHES)
def test_a_request_that_cannot_be_is_refused(connection: sqlite3.Connection, name: str) -> None:
    state, wrong = BREACHES[name]
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, "requests", ROWS[state] | wrong)


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_that_cannot_be_is_refused(connection: sqlite3.Connection, name: str) -> None:
    insert(connection, "requests", ROWS[State.OPEN])
    attempt = {"request": 1, "opened_at": START}
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, "attempts", attempt | ATTEMPTS[name])
    insert(connection, "attempts", attempt)
    with pytest.raises(sqlite3.IntegrityError):  # a second one that is not closed
        insert(connection, "attempts", attempt)


@pytest.mark.parametrize("first", [State.OPEN, State.IN_DOUBT])
@pytest.mark.parametrize("second", [State.OPEN, State.IN_DOUBT])
def test_a_recipient_cannot_have_two_open_attempts(
    connection: sqlite3.Connection, first: State, second: State
) -> None:
    """Contract, section 5.4, kept by the database itself."""
    insert(connection, "requests", ROWS[first])
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, "requests", ROWS[second])
    insert(connection, "requests", ROWS[second] | {"channel": "CALL"})


def test_a_recipients_turn_cannot_be_given_twice(connection: sqlite3.Connection) -> None:
    insert(connection, "requests", WAITING | {"turn": 1})
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, "requests", WAITING | {"turn": 1})


def test_the_states_of_the_schema_are_those_of_the_life_cycle(connection: sqlite3.Connection) -> None:
    (schema,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'requests'").fetchone()
    (order,) = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE name = 'requests_recipient'"
    ).fetchone()
    assert all(f"'{state}'" in schema for state in State)
    assert {state for state in State if f"'{state}'" in order} == UNFINISHED


def test_a_new_journal_says_what_it_is(connection: sqlite3.Connection) -> None:
    newest = max(migration.version for migration in migrations())
    assert (APPLICATION_ID,) == connection.execute("PRAGMA application_id").fetchone()
    assert (newest,) == connection.execute("PRAGMA user_version").fetchone()
    assert (1,) == connection.execute("PRAGMA foreign_keys").fetchone()
    assert (2,) == connection.execute("PRAGMA synchronous").fetchone()  # FULL


def test_the_migrations_one_after_the_other_give_the_schema(connection: sqlite3.Connection) -> None:
    query = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    with closing(sqlite3.connect(":memory:")) as by_hand:
        for migration in migrations():
            by_hand.executescript(migration.script)
        assert by_hand.execute(query).fetchall() == connection.execute(query).fetchall()
