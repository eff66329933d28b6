"""The journal's disk is full, its file is not what it should be, and the clock is not what it was."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import until
from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, publish, recipient
from tests.support.crash_points import CrashPoint
from tests.support.disks import mounted
from tests.support.mqtt_peer import Peer
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

REQUESTS = [Request(number=number, to=recipient(number % 10)) for number in range(40)]

only_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="another process's limits are set on Linux only"
)


def journal(tmp_path: Path) -> Path:
    return tmp_path / "connector" / "journal" / "journal.db"


# A disk without space


def limit_files(connector: Connector, size: int) -> None:
    """No file of this process may grow beyond `size` bytes: to SQLite a disk that takes no more."""
    _, hard = resource.prlimit(connector.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(connector.pid, resource.RLIMIT_FSIZE, (size, hard))


def unlimit_files(connector: Connector) -> None:
    _, hard = resource.prlimit(connector.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(connector.pid, resource.RLIMIT_FSIZE, (hard, hard))


@only_linux
async def test_on_a_full_disk_nothing_is_acknowledged_and_work_resumes_by_itself(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """Clients can go on publishing: the broker keeps what the connector cannot write down."""
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, REQUESTS[:20])
            await answered(peer, REQUESTS[:20])
            limit_files(connector, 0)
            await publish(peer, REQUESTS[20:])
            complaint = await connector.wait_for_event("journal_unavailable")
            assert complaint["journal"].endswith("journal.db")
            assert "ERROR" == complaint["level"]
            assert 20 == len(twilio.ledger) == len(peer.received)
            unlimit_files(connector)
            await answered(peer, REQUESTS)
            # The journal's reserve may let a commit pass in between.
            failed, recovered = (
                len(connector.events(name)) for name in ("journal_unavailable", "journal_available")
            )
            assert 1 <= failed == recovered <= 3
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(REQUESTS, twilio.ledger, [message.payload for message in peer.received])


@only_linux
@pytest.mark.parametrize("how", ["kill", "terminate"])
async def test_a_connector_that_ends_on_a_full_disk_has_acknowledged_nothing_that_it_did_not_write(
    broker: Mosquitto, twilio: Simulator, start: Start, how: str
) -> None:
    """The broker still has all of it at the next start."""
    async with Peer(broker.url) as peer:
        async with start(delivery={"drain_seconds": 1}) as connector:
            await connector.ready()
            limit_files(connector, 0)
            await publish(peer, REQUESTS)
            await connector.wait_for_event("journal_unavailable")
            if how == "kill":
                await connector.kill()
            else:
                assert 0 == await connector.terminate()
        assert [] == list(twilio.ledger)
        async with start() as connector:
            await answered(peer, REQUESTS)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(REQUESTS, twilio.ledger, [message.payload for message in peer.received])


@only_linux
async def test_a_disk_that_fills_while_twilio_is_asked_doubles_nothing(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """Twilio's answer cannot be written down: it is kept in memory until it can, or settled after a kill."""
    armed = twilio.add_fault(Fault(effect=faults.Slow(seconds=0.5)))
    requests = REQUESTS[:10]
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, requests)
            await until(lambda: armed.fired == len(requests))
            limit_files(connector, 0)
            await connector.wait_for_event("journal_unavailable")
            await connector.kill()
        twilio.clear_faults()
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system, where one may be mounted; four times what SQLite lets its log grow to."""
    with mounted(tmp_path / "small", megabytes=16) as folder:
        yield folder


async def test_a_file_system_that_is_really_full(
    broker: Mosquitto, twilio: Simulator, start: Start, small_disk: Path
) -> None:
    async with Peer(broker.url) as peer:
        async with start(journal={"url": f"sqlite:///{small_disk}/journal.db"}) as connector:
            await connector.ready()
            ballast = small_disk / "ballast"
            ballast.write_bytes(b"\0" * shutil.disk_usage(small_disk).free)
            await publish(peer, REQUESTS)
            await connector.wait_for_event("journal_unavailable")
            before = len(twilio.ledger)
            assert before < len(REQUESTS)
            ballast.unlink()
            await answered(peer, REQUESTS)
            await connector.wait_for_event("journal_available")
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(REQUESTS, twilio.ledger, [message.payload for message in peer.received])


# A file that is not what it should be


def no_database(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 1000)


def damaged(path: Path) -> None:
    """A page in the middle is overwritten, as by a failing card."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 4096)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE addresses (name TEXT)")
        connection.commit()


@pytest.mark.parametrize(
    ("spoil", "advice"),
    [
        (no_database, "move it away"),
        (damaged, ".recover"),
        (newer, "Start the newer program"),
        (foreign, "Name another file"),
    ],
)
async def test_a_journal_that_cannot_be_trusted_is_named_and_left_alone(
    tmp_path: Path, start: Start, spoil: object, advice: str
) -> None:
    async with start() as connector:
        await connector.ready()
        assert 0 == await connector.terminate()
    assert callable(spoil)
    spoil(journal(tmp_path))
    before = {path: path.read_bytes() for path in journal(tmp_path).parent.glob("journal.db*")}
    async with start() as connector:
        assert 1 == await connector.wait()
    said = "\n".join(connector.stderr)
    assert str(journal(tmp_path)) in said
    assert advice in said
    assert "Traceback" not in said
    assert before == {path: path.read_bytes() for path in before}


# A clock that was wrong


def shift(path: Path, seconds: float) -> None:
    """As if everything had been written by a clock that was `seconds` ahead of today's.

    How far Twilio's clock was from it was measured when the connector logged in.
    """
    instants = {
        "requests": ("accepted_at", "expires_at", "due_at", "finished_at", "reported_at"),
        "attempts": ("opened_at", "closed_at", "doubt_at", "settle_at"),
    }
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in instants.items():
            moved = ", ".join(f"{column} = {column} + {seconds}" for column in columns)
            connection.execute(f"UPDATE {table} SET {moved}")  # noqa: S608 - only the names above
        connection.execute("UPDATE attempts SET clock_offset = clock_offset - ?", (seconds,))
        connection.commit()


@pytest.mark.parametrize("seconds", [86_400.0, -3_600.0], ids=["a day ahead", "an hour behind"])
async def test_requests_that_wait_are_sent_whatever_the_clock_said(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, start: Start, seconds: float
) -> None:
    """They neither wait for the day to come nor live longer than they should."""
    requests = REQUESTS[:5]
    async with Peer(broker.url) as peer:
        async with start(
            crash_at=f"{CrashPoint.REQUEST_RECORDED}:5", twilio={"base_url": "http://127.0.0.1:9"}
        ) as one:
            await one.ready()
            await publish(peer, requests)
            await one.wait()
        shift(journal(tmp_path), seconds)
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        assert {"success"} == {status["response"]["status"] for status in peer.statuses}


@pytest.mark.parametrize("seconds", [86_400.0, 3_600.0, -3_600.0], ids=lambda value: f"{value:+.0f} s")
@pytest.mark.parametrize(
    "hang", [faults.Hang(executed=True), faults.Hang(executed=False)], ids=["carried out", "not carried out"]
)
async def test_an_attempt_in_doubt_is_never_doubled_whatever_the_clock_said(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, start: Start, seconds: float, hang: faults.Hang
) -> None:
    """An attempt whose outcome is not sure is named, not sent again."""
    armed = twilio.add_fault(Fault(effect=hang, times=1))
    requests = REQUESTS[:1]
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, requests)
            await until(lambda: armed.fired == 1)
            await connector.kill()
        shift(journal(tmp_path), seconds)
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
