"""A full run, good and bad, then a search of all it leaves: journal, log, metrics, statuses, command line.

No secret may be anywhere. The content of a message may be in the journal's own columns and nowhere else.
The search is by bytes, so that it does not share our own ideas of what is written where.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import CALL_TOPIC, SENDER, TEXT_TOPIC
from tests.support.crash_points import CrashPoint
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.process import ACCOUNT_SID, TOKEN, Connector, configuration
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.simulator.faults import Effect
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

API_KEY = "SK0123456789abcdef0123456789abcdef"
KEY_SECRET = "k3y-0f-th3-4pi"
PASSWORD = "p455w0rd-0f-th3-br0k3r"

BODY = "the freezer is at -3 degrees"
VOICE = "https://caller:hunter2@twiml.example/alarm"
CONTENTS = ("freezer", "hunter2", "twiml.example")

COLUMNS = {("requests", "body"), ("requests", "voice_location")}
"""Where contents belong."""


def basic(user: str, secret: str) -> str:
    """As it stands in the header `Authorization`."""
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


SECRETS = (TOKEN, KEY_SECRET, PASSWORD, basic(ACCOUNT_SID, TOKEN), basic(API_KEY, KEY_SECRET))


def recipient(number: int) -> str:
    return f"+123450067{number:02}"


def payload(number: int, *, id: str, **changed: Any) -> str:  # noqa: A002 - the published name
    """A request of a text unless `changed` says otherwise; each recipient stands for itself."""
    person = {"name": "Darla", "phone_number": recipient(number)}
    content = {} if "voice_message_location" in changed else {"message": BODY}
    request = {"recipient": person | content | changed, "from_number": SENDER, "valid_for_seconds": 3}
    return json.dumps({"request": request, "id": id})


@dataclass(slots=True)
class Traces:
    """What was seen of the connector from outside, of all its starts."""

    folder: Path
    log: list[str] = field(default_factory=list)
    statuses: list[bytes] = field(default_factory=list)
    command_lines: list[bytes] = field(default_factory=list)
    metrics: list[bytes] = field(default_factory=list)

    def note(self, connector: Connector) -> None:
        """Its command line, as every user of the machine can read it; nowhere to be read on other systems."""
        place = Path(f"/proc/{connector.pid}/cmdline")
        if place.exists():
            self.command_lines.append(place.read_bytes())

    def places(self) -> dict[str, bytes]:
        """Everything, by where it is. The configuration holds the broker's password, which is its place."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.suffix != ".toml")
        return {path.name: path.read_bytes() for path in files} | {
            "log": "\n".join(self.log).encode(),
            "statuses": b"\n".join(self.statuses),
            "command lines": b"\n".join(self.command_lines),
            "metrics": b"\n".join(self.metrics),
        }

    def with_any(self, *needles: str) -> set[str]:
        """The places that hold one of these."""
        return {
            name
            for name, content in self.places().items()
            if any(needle.encode() in content for needle in needles)
        }

    def columns_with_contents(self) -> set[tuple[str, str]]:
        with closing(sqlite3.connect(self.folder / "journal" / "journal.db")) as journal:
            tables = [
                name for (name,) in journal.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            ]
            return {
                (table, column)
                for table in tables
                for row in _rows(journal, table)
                for column, value in row.items()
                if any(content in _text(value) for content in CONTENTS)
            }


def _rows(journal: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    cursor = journal.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - named by the database itself
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A broker that asks for a password."""
    async with Mosquitto(tmp_path / "broker", users={"connector": PASSWORD, "peer": "p"}) as broker:
        yield broker


class Scene:
    """The connector with two logins, limits and a log at DEBUG, on one journal from start to start."""

    def __init__(self, folder: Path, broker: Mosquitto, twilio: Simulator, form: str) -> None:
        self.twilio = twilio
        self.traces = Traces(folder)
        self._settings = configuration(
            broker_url=broker.url_as("connector"),
            twilio_url=twilio.base_url,
            twilio={"timeout_seconds": 1},
            secrets={"second_variable": "SECOND_TOKEN"},
            limits={"denied_texts": [recipient(90)], "identical_text_seconds": 60},
            status={"detail": "extended"},
            log={"format": form},
            metrics={"listen": "127.0.0.1:0"},
        )

    def connector(self, crash_at: str = "") -> Connector:
        variables = {"SECOND_TOKEN": f"{API_KEY}:{KEY_SECRET}"}
        return Connector(self.traces.folder, self._settings, crash_at=crash_at, **variables)

    def strike(
        self, number: int, *effects: Effect, on: faults.Kind = "creates", times: int | None = 1
    ) -> None:
        for effect in effects:
            self.twilio.add_fault(Fault(effect=effect, to=recipient(number), on=on, times=times))


async def ready(connector: Connector) -> None:
    """As `Connector.ready`, whatever the form of the log."""
    await seen(connector, "connector_ready")


async def seen(connector: Connector, event: str) -> None:
    await connector.wait_until(lambda: any(event in line for line in connector.stderr), event)


async def crash(scene: Scene, peer: Peer) -> None:
    """Killed with an answer in its hands, so that a write-ahead log stays behind."""
    async with scene.connector(CrashPoint.TWILIO_ANSWERED) as connector:
        await ready(connector)
        scene.traces.note(connector)
        await peer.publish(TEXT_TOPIC, payload(1, id="crash"))
        assert -signal.SIGKILL == await connector.wait()
    scene.traces.log += connector.stderr


REJECTED = (
    payload(2, id="no number", phone_number="+0"),
    payload(3, id="two contents", voice_message_location=VOICE, message=BODY),
    payload(4, id="the other topic", voice_message_location=VOICE),
    payload(5, id="no retries")[:-40],
    payload(6, id="too long", message=BODY * 100),
    payload(90, id="denied"),
)


def arrange(scene: Scene) -> None:
    """What goes wrong for the requests from 10 on; Twilio repeats the number as its own sentences do."""
    refused_login = faults.RefusedRequest(code=20003, message="Authenticate", status=401)
    to = recipient(10)
    scene.strike(
        10, faults.RefusedRequest(code=21211, message=f"The 'To' number {to} is not a valid phone number")
    )
    scene.strike(11, refused_login)  # the second login is tried
    scene.strike(12, refused_login, refused_login)  # and refused as well
    scene.strike(13, faults.AnswerLost())
    scene.strike(14, faults.ConnectionClosed())
    scene.strike(15, faults.ServerError(status=500, executed=True))
    scene.strike(16, faults.Hang(executed=True))
    scene.strike(17, faults.Garbage(body=f'{{"said": "{BODY}"}}'))
    scene.strike(18, faults.RateLimited(retry_after=1))
    unreadable = faults.RefusedRequest(code=20404, message=f"No list for {recipient(19)}", status=404)
    scene.strike(19, faults.AnswerLost())
    scene.strike(19, unreadable, on="lists", times=None)
    scene.strike(20, faults.ServerError(status=503))
    scene.strike(20, faults.Hang(), on="lists", times=None)


async def carry_on(scene: Scene, peer: Peer) -> None:
    """The next start: settles what the crash left, and meets everything that can go wrong."""
    arrange(scene)
    async with scene.connector() as connector:
        await ready(connector)
        scene.traces.note(connector)
        for rejected in REJECTED:
            await peer.publish(TEXT_TOPIC, rejected)
        for number in range(10, 21):
            await peer.publish(TEXT_TOPIC, payload(number, id=f"text {number}"))
        await peer.publish(CALL_TOPIC, payload(21, id="call", voice_message_location=VOICE))
        await peer.publish(TEXT_TOPIC, payload(22, id="good"))
        await peer.publish(TEXT_TOPIC, payload(22, id="identical"))
        await peer.publish(TEXT_TOPIC, payload(23, id="retained"), retain=True)
        connector.signal(signal.SIGHUP)
        answers = await peer.collect(1 + len(REJECTED) + 11 + 4)
        await seen(connector, "connector_reloaded")
        scene.traces.metrics.append(await scrape(connector))
        assert 0 == await connector.terminate()
    scene.traces.log += connector.stderr
    scene.traces.statuses += [answer.payload for answer in answers]


async def scrape(connector: Connector) -> bytes:
    """The whole page of metrics."""
    (port,) = re.findall(r"metrics_listening\W.*127\.0\.0\.1:(\d+)", "\n".join(connector.stderr))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
    page = await reader.read()
    writer.close()
    return page


def errors(statuses: list[bytes]) -> set[str]:
    return {str(json.loads(status)["response"].get("error")) for status in statuses}


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_full_run_leaves_no_secret_anywhere_and_contents_only_in_their_columns(
    tmp_path: Path, locked: Mosquitto, twilio: Simulator, form: str
) -> None:
    """Successes, refusals, refused logins, doubts, rejections, limits, a crash, a restart and a reload."""
    twilio.set_auth_tokens([TOKEN])
    twilio.set_api_keys({API_KEY: KEY_SECRET})
    scene = Scene(tmp_path / "connector", locked, twilio, form)
    traces = scene.traces
    async with Peer(locked.url_as("peer")) as peer:
        await crash(scene, peer)
        assert "journal.db-wal" in traces.places(), "the crash has left nothing to look into"
        assert set() == traces.with_any(*SECRETS)
        await carry_on(scene, peer)

    assert {"None", "InvalidParameter", "NotAllowed", "QuotaExceeded", "OutcomeUnknown"} <= errors(
        traces.statuses
    )
    assert set() == traces.with_any(*SECRETS)
    assert COLUMNS == traces.columns_with_contents()
    assert b'requests_total{channel="CALL",result="accepted"} 1.0' in traces.metrics[0]
    assert {"journal.db"} == {name.removesuffix("-wal") for name in traces.with_any(*CONTENTS)}
    numbers = [number for one in range(100) for number in (recipient(one), recipient(one)[1:])]
    assert set() == {"log", "metrics"} & traces.with_any(*numbers, SENDER, SENDER[1:])
