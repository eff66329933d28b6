"""The schema refuses rows that the life cycle does not know, whichever program writes them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.factories import START
from twilio_notifications.adapters.sqlite.opening import APPLICATION_ID, migrations, open_connection
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.steps import AttemptOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = {
    "request_id": '"x"',
    "channel": "SMS",
    "name": "Darla",
    "phone_number": "+12345000000",
    "sender_number": "+19999999999",
    "body": "Hello",
    "accepted_at": START,
}
WAITING = {
    "request": 1,
    "state": "WAITING",
    "channel": "SMS",
    "phone_number": "+12345000000",
    "expires_at": START + 9,
    "due_at": START,
    "waiting_since": START,
}
OPEN = WAITING | {
    "state": "OPEN",
    "due_at": None,
    "waiting_since": None,
    "opened": 1,
    "opened_at": START,
}
IN_DOUBT = OPEN | {"state": "IN_DOUBT", "doubt_at": START, "doubt": "No answer", "settle_at": START}
FINISHED = WAITING | {"state": "FINISHED", "due_at": None, "waiting_since": None, "finished_at": START}
ROWS: dict[State, dict[str, Any]] = {
    State.WAITING: WAITING,
    State.OPEN: OPEN,
    State.IN_DOUBT: IN_DOUBT,
    State.FINISHED: FINISHED,
    State.REPORTED: FINISHED | {"state": "REPORTED"},
}
"""A row that is as it should be, for each state."""

BREACHES: dict[str, tuple[State, dict[str, Any]]] = {
    "of no request": (State.WAITING, {"request": 99}),
    "an unknown state": (State.WAITING, {"state": "LOST"}),
    "an unknown priority": (State.WAITING, {"priority": 3}),
    "half a turn": (State.WAITING, {"turn": 2}),
    "fewer than no attempts": (State.WAITING, {"attempts": -1}),
    "fewer than no deferrals": (State.WAITING, {"deferrals": -1}),
    "fewer than no opened attempts": (State.WAITING, {"opened": -1}),
    "waiting for no instant": (State.WAITING, {"due_at": None}),
    "waiting since no instant": (State.WAITING, {"waiting_since": None}),
    "open and due": (State.OPEN, {"due_at": START}),
    "open and waiting": (State.OPEN, {"waiting_since": START}),
    "open at no instant": (State.OPEN, {"opened_at": None}),
    "open and to be settled": (State.OPEN, {"settle_at": START, "doubt_at": START, "doubt": "No answer"}),
    "in doubt and never settled": (State.IN_DOUBT, {"settle_at": None}),
    "in doubt since no instant": (State.IN_DOUBT, {"doubt_at": None}),
    "in doubt for no reason": (State.IN_DOUBT, {"doubt": None}),
    "half cut off": (State.IN_DOUBT, {"cut_off": 2}),
    "finished and due": (State.FINISHED, {"due_at": START}),
    "finished with an open attempt": (State.FINISHED, {"opened_at": START}),
    "open and in turn": (State.OPEN, {"turn": 1}),
    "waiting and finished": (State.WAITING, {"finished_at": START}),
    "finished at no instant": (State.FINISHED, {"finished_at": None}),
    "reported and never finished": (State.REPORTED, {"finished_at": None}),
    "waiting without a recipient": (State.WAITING, {"phone_number": None}),
    "waiting without end": (State.WAITING, {"expires_at": None}),
    "a number that is none": (State.WAITING, {"due_at": "soon"}),
}

REQUESTS: dict[str, dict[str, Any]] = {
    "an unknown channel": {"channel": "FAX"},
    "an unknown origin": {"origin": "the moon"},
    "fewer than no retries": {"retries": -1},
    "no id": {"request_id": None},
    "accepted at no instant": {"accepted_at": None},
}

ATTEMPT = {"request": 1, "number": 1, "opened_at": START, "closed_at": START, "outcome": "ACCEPTED"}
ATTEMPTS: dict[str, dict[str, Any]] = {
    "of no request": {"request": 99},
    "an unknown outcome": {"outcome": "LOST"},
    "closed without an outcome": {"outcome": None},
    "closed at no instant": {"closed_at": None},
}

STATUS = {"position": 1, "request": 1, "status": b"{}", "written_at": START}
STATUSES: dict[str, dict[str, Any]] = {
    "of no request": {"request": 99},
    "of no bytes": {"status": None},
    "written at no instant": {"written_at": None},
    "fewer than no points": {"suspicion": -1},
}

ORDER = {"name": "resend", "request": 1, "by": "Ann", "at": START}
ORDERS: dict[str, dict[str, Any]] = {
    "of no such request": {"request": 99},
    "of an unknown kind": {"name": "destroy"},
    "of no person": {"by": None},
    "about all requests and one": {"name": "pause"},
    "about one request and none": {"request": None},
    "done without a result": {"done_at": START},
    "with a result before it is done": {"result": "as request 2"},
    "done and refused": {"done_at": START, "result": "as request 2", "refusal": "no"},
}


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(open_connection(None)) as connection:
        yield connection


def insert(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    columns, places = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", tuple(row.values()))  # noqa: S608 - ours


def with_request(connection: sqlite3.Connection, *requests: dict[str, Any]) -> None:
    for request in requests or (REQUEST,):
        insert(connection, "requests", request)


@pytest.mark.parametrize("state", State)
def test_a_row_of_each_state_can_be_stored(connection: sqlite3.Connection, state: State) -> None:
    with_request(connection)
    insert(connection, "states", ROWS[state])


@pytest.mark.parametrize("name", BREACHES)
def test_a_state_that_cannot_be_is_refused(connection: sqlite3.Connection, name: str) -> None:
    state, wrong = BREACHES[name]
    with_request(connection)
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, "states", ROWS[state] | wrong)


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        *(("requests", REQUEST | wrong) for wrong in REQUESTS.values()),
        *(("attempts", ATTEMPT | wrong) for wrong in ATTEMPTS.values()),
        *(("statuses", STATUS | wrong) for wrong in STATUSES.values()),
        *(("orders", ORDER | wrong) for wrong in ORDERS.values()),
    ],
    ids=[*REQUESTS, *ATTEMPTS, *STATUSES, *ORDERS],
)
def test_a_row_that_cannot_be_is_refused(
    connection: sqlite3.Connection, table: str, wrong: dict[str, Any]
) -> None:
    with_request(connection)
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, table, wrong)


def test_each_outcome_of_an_attempt_can_be_stored(connection: sqlite3.Connection) -> None:
    with_request(connection)
    for number, outcome in enumerate(AttemptOutcome):
        insert(connection, "attempts", ATTEMPT | {"number": number, "outcome": outcome})


@pytest.mark.parametrize("first", [State.OPEN, State.IN_DOUBT])
@pytest.mark.parametrize("second", [State.OPEN, State.IN_DOUBT])
def test_a_recipient_cannot_have_two_open_attempts(
    connection: sqlite3.Connection, first: State, second: State
) -> None:
    """Contract, section 5.4, kept by the database itself."""
    with_request(connection, REQUEST, REQUEST)
    insert(connection, "states", ROWS[first])
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, "states", ROWS[second] | {"request": 2})
    insert(connection, "states", ROWS[second] | {"request": 2, "channel": "CALL"})


def test_a_recipients_turn_cannot_be_given_twice(connection: sqlite3.Connection) -> None:
    with_request(connection, REQUEST, REQUEST)
    insert(connection, "states", WAITING | {"turn": 1})
    with pytest.raises(sqlite3.IntegrityError):
        insert(connection, "states", WAITING | {"turn": 1, "request": 2})


def test_what_is_removed_takes_all_its_rows_along(connection: sqlite3.Connection) -> None:
    with_request(connection)
    insert(connection, "states", FINISHED)
    insert(connection, "attempts", ATTEMPT)
    insert(connection, "statuses", STATUS)
    insert(connection, "waits", {"request": 1, "begun_at": START, "due_at": START, "ended_at": START})
    connection.execute("DELETE FROM requests")
    for table in ("states", "attempts", "statuses", "waits"):
        assert (0,) == connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()  # noqa: S608 - ours


def test_the_states_of_the_schema_are_those_of_the_life_cycle(connection: sqlite3.Connection) -> None:
    (schema,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'states'").fetchone()
    assert {f"'{state}'" for state in State} == set(re.findall(r"'[A-Z_]+'", schema))


def test_a_new_journal_says_what_it_is(connection: sqlite3.Connection) -> None:
    newest = max(migration.version for migration in migrations())
    assert (APPLICATION_ID,) == connection.execute("PRAGMA application_id").fetchone()
    assert (newest,) == connection.execute("PRAGMA user_version").fetchone()
    assert (1,) == connection.execute("PRAGMA foreign_keys").fetchone()
    assert (2,) == connection.execute("PRAGMA synchronous").fetchone()  # FULL


def test_the_migrations_one_after_the_other_give_the_schema(connection: sqlite3.Connection) -> None:
    query = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
    with closing(sqlite3.connect(":memory:")) as by_hand:
        by_hand.execute("PRAGMA legacy_alter_table = ON")
        for migration in migrations():
            by_hand.executescript(migration.script)
        by_hand.executescript("DROP TABLE old_attempts; DROP TABLE old_requests")
        assert by_hand.execute(query).fetchall() == connection.execute(query).fetchall()
