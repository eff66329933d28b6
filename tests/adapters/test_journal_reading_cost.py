"""What a person reads costs little, counted in steps of SQLite's machine: a page passes each request once."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import START
from twilio_notifications.adapters.journal.reading.reader import SqlReader
from twilio_notifications.adapters.sqlite.access import SqliteAccess, sqlite_reader
from twilio_notifications.adapters.sqlite.opening import open_connection
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Channel
from twilio_notifications.core.policy import Limits
from twilio_notifications.ports.journal.reader import Only, Search

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from twilio_notifications.ports.journal.reader import JournalReader

FEW, MANY = 2_000, 20_000
NOW = START + MANY

STEPS_FOR_A_PAGE = 20_000
"""Of fifty entries with all that belongs to them, whatever the journal holds."""

STEPS_FOR_EACH = 16
"""Of a search by what has no index: 3 million steps for 200,000 requests, a tenth of a second on a PC."""


def fill(path: Path, requests: int) -> None:
    """As many requests, each accepted, reported and delivered; each hundredth failed; a second apart."""
    with closing(open_connection(path)) as connection:
        connection.execute("BEGIN")
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO requests"
            " (id, request_id, channel, name, phone_number, sender_number, body, accepted_at)"
            " SELECT i, json_quote('request' || i), 'SMS', 'Darla', '+1234' || (1000000 + i % 500),"
            " '+15005550006', 'Hello', ? + i FROM n",
            (requests, START),
        )
        connection.execute(
            "INSERT INTO states (request, state, channel, phone_number, expires_at, finished_at)"
            " SELECT id, 'REPORTED', channel, phone_number, accepted_at + 9, accepted_at FROM requests"
        )
        connection.execute(
            "INSERT INTO statuses (position, request, status, reason, written_at, reported_at)"
            " SELECT id, id, x'7b7d', IIF(id % 100 = 0, 'Expired', NULL), accepted_at, accepted_at"
            " FROM requests"
        )
        connection.execute(
            "INSERT INTO deliveries (request, sid, begun_at, word, changed_at)"
            " SELECT id, 'SM' || id, accepted_at, 'delivered', accepted_at FROM requests"
        )
        connection.execute("COMMIT")


class CountingAccess(SqliteAccess):
    """Counts the steps of SQLite's machine."""

    steps = 0

    @contextmanager
    def reading(self, *, glance: bool = False) -> Iterator[sqlite3.Connection]:
        def step() -> int:
            type(self).steps += 1
            return 0

        with super().reading(glance=glance) as connection:
            connection.set_progress_handler(step, 1)
            yield connection
            connection.set_progress_handler(None, 0)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[int, SqlReader]:
    """Of a small journal and of a large one, by the number of requests."""
    found = {}
    for requests in (FEW, MANY):
        path = tmp_path_factory.mktemp("reading") / "journal.db"
        fill(path, requests)
        found[requests] = SqlReader(CountingAccess(path))
    return found


def steps(reader: SqlReader, read: Callable[[JournalReader], object]) -> int:
    CountingAccess.steps = 0
    read(reader)
    return CountingAccess.steps


PAGES: dict[str, Callable[[JournalReader], object]] = {
    "newest": lambda reader: reader.entries(Search(), now=NOW),
    "an older page": lambda reader: reader.entries(Search(before=1_000), now=NOW),
    "success": lambda reader: reader.entries(Search(only=Only.SUCCESS), now=NOW),
    "failed": lambda reader: reader.entries(Search(only=Only.FAILED, limit=10), now=NOW),
    "undelivered": lambda reader: reader.entries(Search(only=Only.UNDELIVERED), now=NOW),
    "unacknowledged": lambda reader: reader.entries(Search(only=Only.UNACKNOWLEDGED), now=NOW),
    "one request": lambda reader: reader.timeline(7, now=NOW),
    "what has changed": lambda reader: reader.changes(None),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_costs_the_same_in_a_journal_ten_times_as_large(
    readers: dict[int, SqlReader], page: str
) -> None:
    small, large = (steps(readers[requests], PAGES[page]) for requests in (FEW, MANY))
    assert 0 < large <= STEPS_FOR_A_PAGE
    assert large <= small * 1.2


SEARCHES: dict[str, Callable[[JournalReader], object]] = {
    "id": lambda reader: reader.entries(Search(id="request7"), now=NOW),
    "name": lambda reader: reader.entries(Search(name="nothing"), now=NOW),
    "contact": lambda reader: reader.entries(Search(contact="nothing"), now=NOW),
    "number": lambda reader: reader.entries(Search(phone_number="+1"), now=NOW),
    "state": lambda reader: reader.entries(Search(state=State.OPEN), now=NOW),
    "channel": lambda reader: reader.entries(Search(channel=Channel.CALL), now=NOW),
    "reason": lambda reader: reader.entries(Search(reason=Reason.NOT_ALLOWED), now=NOW),
    "wait": lambda reader: reader.entries(Search(reason=WaitReason.RETRY), now=NOW),
    "time": lambda reader: reader.entries(Search(since=NOW + 1), now=NOW),
    "waiting": lambda reader: reader.entries(Search(only=Only.WAITING), now=NOW),
    "doubt": lambda reader: reader.entries(Search(only=Only.DOUBT), now=NOW),
    "rejected": lambda reader: reader.entries(Search(only=Only.REJECTED), now=NOW),
    "several": lambda reader: reader.entries(
        Search(name="nothing", only=Only.SUCCESS, channel=Channel.SMS, until=NOW), now=NOW
    ),
    "status": lambda reader: reader.standing(now=NOW, limits=Limits()),
    "hours": lambda reader: reader.activity(now=NOW),
    "needs": lambda reader: reader.needing_a_person(now=NOW),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_passes_each_request_at_most_once(readers: dict[int, SqlReader], search: str) -> None:
    assert 0 < steps(readers[MANY], SEARCHES[search]) <= STEPS_FOR_EACH * MANY


def test_of_a_paced_sender_only_so_many_are_foreseen(tmp_path: Path) -> None:
    """A backlog of a million would be worked out for each page."""
    path = tmp_path / "journal.db"
    fill(path, MANY)
    with closing(open_connection(path)) as connection:
        connection.execute("INSERT INTO senders (id, number, channel, unit) VALUES (1, '+1', 'SMS', 1000000)")
        connection.execute(
            "UPDATE states SET state = 'WAITING', sender = 1, due_at = 0, waiting_since = 0, turn = 1,"
            " finished_at = NULL, phone_number = '+1' || request"
        )
        behind = sqlite_reader(path).entries(Search(limit=1), now=NOW).entries[0].waits
        first = sqlite_reader(path).entries(Search(before=3, limit=1), now=NOW).entries[0].waits
    assert first is not None
    assert behind is not None
    assert (WaitReason.SENDER_PACE, NOW + 1) == (first.reason, first.until)
    assert (WaitReason.SENDER_PACE, None) == (behind.reason, behind.until)
