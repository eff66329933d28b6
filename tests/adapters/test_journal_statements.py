"""What holds for the journal's statements: the states that they name, and what they cost SQLite."""

from __future__ import annotations

import re
from contextlib import closing
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest

from twilio_notifications.adapters.journal import statements
from twilio_notifications.adapters.journal.statements import (
    arrivals,
    care,
    chains,
    deliveries,
    orders,
    outbox,
    work,
)
from twilio_notifications.adapters.sqlite.opening import open_connection
from twilio_notifications.core.lifecycle import TRANSITIONS, Move, State, sources

if TYPE_CHECKING:
    import sqlite3
    from types import ModuleType

MOVES: dict[Move, dict[str, str]] = {
    Move.OPEN_ATTEMPT: {"OPEN": work.OPEN},
    Move.FINISH: {"FINISH": work.FINISH},
    Move.POSTPONE: {"POSTPONE": work.POSTPONE},
    Move.DOUBT: {"DOUBT": work.DOUBT},
    Move.REPORT: {"REPORT_REQUEST": outbox.REPORT_REQUEST, "KEPT_STATE": chains.KEPT_STATE},
    Move.FOLLOW_UP: {"FOLLOW_UP": deliveries.FOLLOW_UP},
    Move.RESOLVE: {"RESOLVE": orders.RESOLVE},
}
"""The statements that carry out each move."""

CUT_OFF = {"RECOVER_OPEN": care.RECOVER_OPEN, "RECOVER_ONE_OPEN": care.RECOVER_ONE_OPEN}
"""What a start does with attempts that the end of the last run cut off: doubts, but only what is open."""

ON_THE_LINE = {
    "INSERT_REQUEST": arrivals.INSERT_REQUEST,
    "INSERT_WAITING": arrivals.INSERT_WAITING,
    "INSERT_OPEN": arrivals.INSERT_OPEN,
    "INSERT_FINISHED": arrivals.INSERT_FINISHED,
    "BUSY": arrivals.BUSY,
    "STANDINGS": work.STANDINGS,
    "OPEN": work.OPEN,
    "INSERT_ATTEMPT": work.INSERT_ATTEMPT,
    "INSERT_WAIT": work.INSERT_WAIT,
    "INSERT_STATUS": work.INSERT_STATUS,
    "INSERT_DELIVERY": deliveries.INSERT_DELIVERY,
    "CHANGE": deliveries.CHANGE,
    "NEXT_LOOK": deliveries.NEXT_LOOK,
    "FINISH": work.FINISH,
    "POSTPONE": work.POSTPONE,
    "DOUBT": work.DOUBT,
    "CLAIM": work.CLAIM,
    "FIRST_IN_ORDER": work.FIRST_IN_ORDER,
    "TAKE_TURN": work.TAKE_TURN,
    "GIVE_TURN": work.GIVE_TURN,
    "NEXT_DUE": work.NEXT_DUE,
    "NEXT_EXPIRY": work.NEXT_EXPIRY,
    "NEXT_SETTLEMENT": work.NEXT_SETTLEMENT,
    "REPORT": outbox.REPORT,
    "REPORT_REQUEST": outbox.REPORT_REQUEST,
    "UNREPORTED": outbox.UNREPORTED,
}


def states_after(statement: str) -> set[str]:
    """The state that an UPDATE sets."""
    return set(re.findall(r"SET\s+state = '(\w+)'", statement))


def states_before(statement: str) -> set[str]:
    """The states that its WHERE clause allows; a list that is narrowed by AND counts as what is left."""
    _, condition = statement.split("WHERE", 1)
    outer = re.sub(r"\(SELECT.*?\)(?!\))", "", condition, flags=re.DOTALL)
    return set(re.findall(r"state(?: \|\| '')? = '(\w+)'", outer))


@pytest.mark.parametrize(
    ("move", "statement"),
    [(move, statement) for move, statements in MOVES.items() for statement in statements.values()],
    ids=[name for statements in MOVES.values() for name in statements],
)
def test_a_statement_allows_what_the_table_allows(move: Move, statement: str) -> None:
    assert {str(state) for state in sources(move)} == states_before(statement)
    after = {str(TRANSITIONS[state][move]) for state in sources(move)}
    assert after == states_after(statement)


def test_every_move_of_the_table_has_a_statement() -> None:
    assert set(Move) == MOVES.keys()


def test_no_other_statement_sets_a_state() -> None:
    known = {statement for statements in MOVES.values() for statement in statements.values()}
    known |= {*CUT_OFF.values(), outbox.NOT_REPORTED}
    setting = {text for module in modules() for text in statements_of(module) if sets_a_state(text)}
    assert known == setting


@pytest.mark.parametrize("statement", CUT_OFF.values(), ids=CUT_OFF)
def test_a_start_doubts_what_was_open(statement: str) -> None:
    assert {"IN_DOUBT"} == states_after(statement)
    assert TRANSITIONS[State.OPEN][Move.DOUBT] is State.IN_DOUBT
    assert "AND state = 'OPEN'" in statement


def test_what_is_reported_no_more_is_followed_up() -> None:
    assert {"FINISHED"} == states_after(outbox.NOT_REPORTED)
    assert TRANSITIONS[State.REPORTED][Move.FOLLOW_UP] is State.FINISHED
    assert {"REPORTED"} == states_before(outbox.NOT_REPORTED)


@pytest.mark.parametrize(
    ("statement", "sets"),
    [
        ("UPDATE states SET state = 'OPEN' WHERE request = ?", True),
        ("UPDATE states\nSET due_at = NULL,\n    state = ?\nWHERE request = ?", True),
        ("INSERT INTO states (state) VALUES (?) ON CONFLICT DO UPDATE SET state = 'OPEN'", True),
        ("UPDATE states SET turn = 1 WHERE request = ? AND state = 'WAITING'", False),
        ("SELECT request FROM states WHERE state = 'OPEN'", False),
    ],
)
def test_a_statement_that_sets_a_state_is_found(statement: str, *, sets: bool) -> None:
    assert sets == sets_a_state(statement)


def sets_a_state(statement: str) -> bool:
    """Wherever the state stands among the columns that it sets."""
    assignments = re.findall(r"\bSET\b(.*?)(?:\bWHERE\b|$)", statement, re.DOTALL)
    return any(re.search(r"\bstate\s*=", each) for each in assignments)


def modules() -> list[ModuleType]:
    """Every module of the room of the statements."""
    return [
        import_module(f"{statements.__name__}.{found.name}") for found in iter_modules(statements.__path__)
    ]


def statements_of(module: ModuleType) -> list[str]:
    return [text for name, text in vars(module).items() if name.isupper() and isinstance(text, str)]


@pytest.fixture
def connection() -> sqlite3.Connection:
    return open_connection(None)


@pytest.mark.parametrize("name", ON_THE_LINE)
def test_no_statement_of_the_line_opens_an_ephemeral_table(connection: sqlite3.Connection, name: str) -> None:
    """SQLite does so for IN with three or more, also in a CHECK and in the condition of an index."""
    with closing(connection):
        text = ON_THE_LINE[name]
        parameters = dict.fromkeys(re.findall(r":(\w+)", text), 1) or (1,) * text.count("?")
        program = connection.execute(f"EXPLAIN {text}", parameters).fetchall()
    assert not [step for step in program if step[1] in {"OpenEphemeral", "OpenAutoindex"}]


def test_an_ephemeral_table_is_found(connection: sqlite3.Connection) -> None:
    with closing(connection):
        program = connection.execute(
            "EXPLAIN SELECT 1 FROM states WHERE state IN ('OPEN', 'WAITING', 'IN_DOUBT')"
        ).fetchall()
    assert [step for step in program if step[1] == "OpenEphemeral"]
