"""What a session of the journal keeps on the server: statements that are parsed once, and their plans."""

from __future__ import annotations

import asyncio
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from twilio_notifications.adapters.journal.statements import care, members
from twilio_notifications.adapters.postgres import session as sessions
from twilio_notifications.adapters.postgres.session import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgresql

PREPARED = "SELECT COUNT(*) FROM pg_prepared_statements WHERE name <> ''"
NAMES = "SELECT name FROM pg_prepared_statements WHERE statement LIKE '%WAITING%' AND name <> ''"

GROW = """
INSERT INTO requests (id, request_id, channel, phone_number, accepted_at)
    SELECT number, '"' || number || '"', 'SMS', '+1' || number, 1.0 FROM generate_series(1, 5000) AS number;
INSERT INTO states (request, state, channel, phone_number, due_at, waiting_since, expires_at)
    SELECT id, 'WAITING', channel, phone_number, 1.0, 1.0, 9.0 FROM requests
"""


@contextmanager
def a_session(url: str) -> Iterator[Session]:
    with (
        closing(asyncio.new_event_loop()) as loop,
        closing(Session(url, run=loop.run_until_complete)) as session,
    ):
        yield session


def number(session: Session, statement: str) -> int:
    found: int = session.run(lambda connection: connection.fetchval(statement))
    return found


def test_a_statement_is_parsed_once(postgresql_url: str) -> None:
    with a_session(postgresql_url) as session:
        for request in range(9):
            session.execute(members.HOLDERS, (f"[{request}]",))
            session.executemany(members.RELEASE_CLAIM, [(request, 1), (request, 2)])
        assert 2 == number(session, PREPARED)


@pytest.mark.pgbouncer
def test_behind_a_pooler_none_is_kept(pooled_url: str) -> None:
    with a_session(pooled_url) as session:
        for request in range(9):
            session.execute(members.HOLDERS, (f"[{request}]",))
            session.executemany(members.RELEASE_CLAIM, [(request, 1), (request, 2)])
            assert 0 == number(session, PREPARED)


def test_statements_that_are_not_needed_any_more_leave_the_server(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_PREPARED", 1)
    with a_session(postgresql_url) as session:
        for _ in range(9):
            session.execute(care.COUNT_WAITING)
            session.execute(care.COUNT_OPEN)
        assert number(session, PREPARED) <= 1 + 1


def test_a_statement_gets_a_plan_for_the_table_as_it_has_become(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without statistics of the server, which follow much later."""
    monkeypatch.setattr(sessions, "PLANS_LAST", 9)
    with a_session(postgresql_url) as session:
        session.execute(care.COUNT_WAITING)
        (name,) = session.execute(NAMES).fetchone()
        explained = f"EXPLAIN EXECUTE {name}"
        before = session.run(lambda connection: connection.fetch(explained))
        session.command(GROW)
        for _ in range(9):
            session.execute(care.COUNT_WAITING)
        assert before != session.run(lambda connection: connection.fetch(explained))
