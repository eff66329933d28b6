"""A journal that the version before wrote is taken over whole, at whatever point the process ends."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.factories import START, a_success
from tests.support.fakes import RecordingEvents
from tests.support.journals import begin, due, end, in_doubt, statuses, waiting
from tests.support.orders import ordered
from tests.support.reading import entry, of_kind
from twilio_notifications.adapters.sqlite import SqliteJournal, takeover
from twilio_notifications.adapters.sqlite.opening import inspect, newest_version, open_connection
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.orders import ResendOrder
from twilio_notifications.core.policy import Tally
from twilio_notifications.ports import Origin
from twilio_notifications.ports.journal.timeline import (
    AttemptClosed,
    AttemptOpened,
    OrderCarriedOut,
    OrderPlaced,
)

EARLIER = Path(__file__).with_name("journal_of_version_5.sql").read_text(encoding="utf-8")

MORE = """
WITH RECURSIVE numbers (number) AS
    (SELECT 100 UNION ALL SELECT number + 1 FROM numbers WHERE number < 6100)
INSERT INTO requests (id, request_id, channel, state, name, phone_number, sender_number, body, accepted_at,
                      expires_at, finished_at, status, position, reported_at, sid)
SELECT number, '"old"', 'SMS', 'REPORTED', 'Darla', '+15559999999', '+19999999999', 'Old', 1, 2, 3, x'7B7D',
       number, 4, 'SM' || number
FROM numbers
"""
"""More reported requests than one step of the takeover moves."""


def written(path: Path) -> Path:
    """The journal of the earlier version, as a file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(EARLIER)
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def a_journal(path: Path) -> SqliteJournal:
    return SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "journal.db")


async def everything(path: Path) -> dict[str, Any]:
    """What the connector will do with a journal, before it recovers."""
    async with a_journal(path) as journal:
        return {
            "states": journal.by_state(),
            "waiting": await waiting(journal),
            "due": await due(journal, at=START + 1e6),
            "in doubt": await in_doubt(journal),
            "statuses": await statuses(journal),
            "suspects": await journal.suspects(limit=9),
            "agenda": await journal.agenda(),
            "usage": await journal.usage(["all"], since=0.0),
            "too large": await journal.too_large(since=0.0),
        }


async def test_what_waits_is_due_as_before_and_in_its_order(path: Path) -> None:
    found = await everything(path)
    requests = {request.id: request for request in found["waiting"]}
    assert {5, 10, 11, 12} == requests.keys()
    assert [12, 5, 11] == found["due"]  # by priority; 10 stands behind 9
    postponed = requests[11]
    assert (START + 132, 1, "retry") == (
        postponed.due_at,
        postponed.attempts,
        postponed.waiting_reason,
    )
    assert "Text 1" == requests[5].notification.content.body
    assert (START + 51, START + 51 + 14_400) == (requests[5].accepted_at, requests[5].expires_at)


async def test_an_attempt_in_doubt_is_looked_up_as_before(path: Path) -> None:
    (doubtful,) = (await everything(path))["in doubt"]
    assert 9 == doubtful.request.id
    assert (START + 66, START + 67, 0.5, False, "the connection was lost") == (
        doubtful.opened_at,
        doubtful.doubt_at,
        doubtful.clock_offset,
        doubtful.cut_off,
        doubtful.message,
    )


async def test_an_attempt_that_was_open_is_in_doubt_after_the_start_and_is_not_made_again(path: Path) -> None:
    async with a_journal(path) as journal:
        recovery = await journal.recover(now=START + 200)
        assert (4, 2, 4) == (recovery.waiting, recovery.in_doubt, recovery.unreported)
        found = {each.request.id: each for each in await in_doubt(journal)}
        assert (START + 75, True) == (found[13].opened_at, found[13].cut_off)
        assert 13 not in await due(journal, at=START + 1e6)


async def test_what_was_not_reported_is_published_in_its_order(path: Path) -> None:
    found = await everything(path)
    assert [3, 6, 8] == [status.request for status in found["statuses"]]
    assert [7] == [status.request for status in found["suspects"]]
    resolved, success, rejection = found["statuses"]
    assert b'{"response":{"status":"success","payload":null},"id":"id-6"}' == success.status
    assert Origin.IOT_CORE == success.origin
    assert b'{"response":{"status":"fail"},"id":""}' == rejection.status
    assert b'"id":"id-3"}' == resolved.status[-12:]
    assert 3 == found["suspects"][0].suspicion


async def test_limits_broker_and_numbers_go_on_where_they_were(path: Path) -> None:
    found = await everything(path)
    assert Tally({("all", START + 60): 4}) == found["usage"]
    assert 9000 == found["too large"]
    async with a_journal(path) as journal:
        await begin(journal, 12, at=START + 100)
        (taken,) = await end(journal, a_success(12, at=START + 101))
        made = (await ordered(journal, path, ResendOrder(request=12), at=START + 102)).made
        assert made is not None
        assert made > 13
    assert max(status.position for status in found["statuses"]) < taken.written[0].position


async def test_a_duplicate_that_waited_has_the_status_of_its_original(path: Path) -> None:
    async with a_journal(path) as journal:
        await journal.recover(now=START + 200)
        await end(journal, a_success(9), a_success(10, status=b'{"id":"again"}'))
        assert [b'{"id":"again"}'] * 2 == [status.status for status in (await statuses(journal))[-2:]]


async def test_the_history_is_kept(path: Path) -> None:
    open_connection(path).close()
    assert ["DEFERRED", "ACCEPTED"] == [one.outcome for one in of_kind(path, 1, AttemptClosed)]
    assert "SM" + "1" * 32 == entry(path, 1).sid
    assert START + 4 == entry(path, 2).finished_at
    (order,), (done,) = of_kind(path, 3, OrderPlaced), of_kind(path, 3, OrderCarriedOut)
    assert ("resolve", "darla", True) == (order.name, order.by, done.result is not None)
    assert ["CA" + "3" * 32] == [one.sid for one in of_kind(path, 3, AttemptClosed)]
    assert "the status is set aside" == entry(path, 7).remark
    assert [START + 75] == [one.at for one in of_kind(path, 13, AttemptOpened)]
    assert [] == of_kind(path, 13, AttemptClosed)


def test_the_file_that_results_is_sound_and_holds_nothing_of_the_old_tables(path: Path) -> None:
    with closing(open_connection(path)) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
        assert [] == connection.execute("PRAGMA foreign_key_check").fetchall()
        assert (newest_version(),) == connection.execute("PRAGMA user_version").fetchone()
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        assert not [name for name in names if "old" in name]
        references = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'orders'").fetchone()
        assert "REFERENCES requests" in references[0]


def test_a_reader_says_who_brings_it_up_to_date_and_leaves_it_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(JournalError, match=r"has version 5.*start a connector"):
        entry(path, 1)
    assert f"of version 5; the next start brings it to version {newest_version()}" in inspect(path)
    assert before == path.read_bytes()


def test_a_disk_without_room_for_a_second_copy_is_named_and_nothing_is_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full:
        f_bavail = 1
        f_frsize = 4096

    before = path.read_bytes()
    monkeypatch.setattr(takeover.os, "statvfs", lambda _: Full)  # type: ignore[attr-defined]
    with pytest.raises(JournalError, match=r"takes [\d,]+ bytes on its disk, and 4,096 are free"):
        open_connection(path)
    assert before == path.read_bytes()


def test_a_long_takeover_says_how_far_it_is(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(MORE)
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(takeover, "PROGRESS_SECONDS", 0.0)
    with closing(open_connection(path, progress=lambda taken, of: told.append((taken, of)))) as connection:
        assert (6014,) == connection.execute("SELECT COUNT(*) FROM states").fetchone()
    assert sorted(told) == told
    assert 4 == len(told)
    assert {6100} == {of for _, of in told}


KILLING = """
import os, signal, sqlite3, sys
from pathlib import Path
from twilio_notifications.adapters.sqlite.opening import open_connection

beginning, left = sys.argv[2], int(sys.argv[3])

class Killed(sqlite3.Connection):
    # Ends the process, without a word, before the statement with that beginning is carried out.
    def execute(self, statement, *parameters):
        global left
        if " ".join(statement.split()).startswith(beginning):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(statement, *parameters)

connect = sqlite3.connect
sqlite3.connect = lambda *arguments, **named: connect(*arguments, factory=Killed, **named)
open_connection(Path(sys.argv[1]))
"""

POINTS = [
    ("SELECT COALESCE(MIN(id)", 0),
    ("INSERT INTO requests", 0),
    ("INSERT INTO states", 0),
    ("INSERT INTO attempts", 1),
    ("DELETE FROM old_requests", 2),
    ("INSERT INTO statuses (request, status, reason, message, code, sid, written_at, suspicion", 0),
    ("DROP TABLE old_attempts", 0),
    ("DROP TABLE old_requests", 0),
    ("PRAGMA user_version = 6", 0),
    ("COMMIT", 0),
    ("PRAGMA legacy_alter_table = OFF", 0),
]
"""The statement before which the process is killed, and how many like it were carried out."""


@pytest.mark.parametrize(("beginning", "earlier"), POINTS, ids=[f"{text[:24]} {n}" for text, n in POINTS])
async def test_a_process_that_is_killed_during_the_takeover_leaves_all_of_it(
    path: Path, beginning: str, earlier: int
) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(MORE)
    shutil.copy(path, path.with_name("other.db"))
    expected = await everything(path.with_name("other.db"))
    command = [sys.executable, "-c", KILLING, str(path), beginning, str(earlier)]
    killed = await asyncio.to_thread(subprocess.run, command, check=False)
    assert -signal.SIGKILL == killed.returncode
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        table = "requests" if version == 5 else "states"
        states = Counter(
            state
            for (state,) in connection.execute(f"SELECT state FROM {table}")  # noqa: S608 - ours
        )
    assert {
        State.WAITING: 4,
        State.OPEN: 1,
        State.IN_DOUBT: 1,
        State.FINISHED: 4,
        State.REPORTED: 6004,
    } == states
    assert expected == await everything(path)
