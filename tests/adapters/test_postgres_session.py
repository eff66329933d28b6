"""What a session of the journal keeps on the server: statements that are parsed once, and their plans."""

from __future__ import annotations

import asyncio
import gc
import selectors
import socket
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.support.mosquitto import HOST
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


class Freezing:
    """The way to a server, which passes nothing on and ends no connection from `freeze` on."""

    def __init__(self, url: str) -> None:
        self._to = int(url.rpartition("/")[0].rpartition(":")[2])
        self._listener = socket.create_server((HOST, 0))
        self._awake, self._end = socket.socketpair()
        self._is_frozen = threading.Event()
        self._thread = threading.Thread(target=self._pass_on)
        self.url = url.replace(f":{self._to}/", f":{self._listener.getsockname()[1]}/")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.close()
        self._thread.join()
        self._awake.close()
        self._listener.close()

    def freeze(self) -> None:
        self._is_frozen.set()

    def _pass_on(self) -> None:
        """In a thread: the session's event loop turns only while it is used."""
        others: dict[Any, socket.socket] = {}
        with selectors.DefaultSelector() as selector:
            for each in (self._listener, self._awake):
                selector.register(each, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    one: Any = key.fileobj
                    if one is self._awake:
                        for each in others:
                            each.close()
                        return
                    if one is self._listener:
                        client = one.accept()[0]
                        server = socket.create_connection((HOST, self._to))
                        others |= {client: server, server: client}
                        for each in (client, server):
                            selector.register(each, selectors.EVENT_READ)
                        continue
                    data = one.recv(65536)
                    if not data:
                        selector.unregister(one)
                    if not self._is_frozen.is_set():
                        others[one].sendall(data) if data else others[one].shutdown(socket.SHUT_WR)


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


def test_a_server_that_does_not_answer_in_time_costs_a_connection_and_no_trace(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cancellation would need a second connection, which is not answered either."""
    said: list[str] = []
    with Freezing(postgresql_url) as way, closing(asyncio.new_event_loop()) as loop:
        loop.set_exception_handler(lambda _loop, context: said.append(str(context)))
        with closing(Session(way.url, run=loop.run_until_complete)) as session:
            session.command("SELECT 1")
            way.freeze()
            for limit in ("COMMAND_SECONDS", "CONNECT_SECONDS"):
                monkeypatch.setattr(sessions, limit, 0.2)
                with pytest.raises(TimeoutError):
                    session.command("SELECT 1")
                assert not session.is_open()
        loop.run_until_complete(asyncio.sleep(0))
        gc.collect()
    assert [] == said
