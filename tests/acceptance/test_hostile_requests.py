"""Nothing in a request is ever taken for anything but text: not by SQL, a shell, a path, the log or a format.

What the sender wrote arrives at Twilio and in the status unchanged, and leaves no trace anywhere else.
"""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import CALL_TOPIC, SENDER, TEXT_TOPIC, MakeConnector
from tests.support.mqtt_peer import Peer
from twilio_notifications.adapters.sqlite.place import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

HOSTILE = {
    "SQL": "'; DROP TABLE requests; --\"; DELETE FROM attempts WHERE ('1'='1",
    "a shell": "$(touch pwned) `touch pwned` | touch pwned; touch pwned & touch pwned > pwned",
    "a path": "../../../../../../tmp/pwned\x00.db",
    "a percent format": "%s %d %n %(asctime)s %999999999d %",
    "a brace format": "{0} {} {self.__class__.__init__.__globals__} {event!r:>999999999} }{",
    "a template": "${jndi:ldap://127.0.0.1/a} #{7*7} {{7*7}} <%= 7*7 %>",
    "lines": 'one\r\n2026-01-01T00:00:00.000Z ERROR   forged\n{"event": "forged"}\u2028\x85\v\f',
    "a terminal": "\x1b[2J\x1b]0;title\x07\x1b[31mred\x9b31m\x08\x08\x7f",
    "control characters": "".join(map(chr, range(1, 32))) + "\x00end",
    "directions": "\u202egnp.exe\u2066\u2069\u200b\ufeff\u200d",
    "markup": '"><Response><Say>x</Say></Response>&lt;!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;',
    "a form": "a&To=%2B19998887777&Body=other+text%26%00;From=+1",
    "a header": "x\r\nAuthorization: Basic AAAA\r\nContent-Length: 0\r\n\r\n",
    "JSON": '"},"id":"other","response":{"status":"success"}}',
    "Unicode": "\U0001f468\u200d\U0001f469\u200d\U0001f467 Z\u0351\u036b\u0343\u036a \ufdfd\U0010ffff",
}
VISIBLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]*")
"""What a line of the log may hold: nothing that moves a cursor, ends a line or turns the direction."""


def recipient(number: int) -> str:
    return f"+1234502{number:04}"


def request(request_id: str, **properties: str) -> str:
    return json.dumps(
        {"id": request_id, "request": {"recipient": {"name": "Darla"} | properties, "from_number": SENDER}}
    )


def everywhere(number: int, hostile: str) -> list[str]:
    """It as text, name and id of a good request, and as each value of bad ones."""
    good = {"name": hostile, "phone_number": recipient(number), "message": hostile}
    return [
        request(hostile, **good),
        request(f"{number}", **good | {"phone_number": hostile}),
        request(f"{number}", **good | {"phone_number": "+1" + hostile}),
        json.dumps({"id": f"{number}", "request": hostile}),
        json.dumps({"id": f"{number}", "request": {"recipient": good, "from_number": hostile}}),
        json.dumps({"id": f"{number}", "request": {"recipient": good, "retries": hostile, hostile: hostile}}),
        json.dumps({"id": f"{number}", "request": {"recipient": good, "priority": hostile}}),
        hostile,
    ]


async def send_all(peer: Peer) -> list[Any]:
    """The statuses of everything, hostile values in all places."""
    payloads = [each for number, text in enumerate(HOSTILE.values()) for each in everywhere(number, text)]
    for payload in payloads:
        await peer.publish(TEXT_TOPIC, payload)
    return [status.json() for status in await peer.collect(len(payloads))]


def check_log(lines: Sequence[str]) -> None:
    for line in lines:
        assert VISIBLE.fullmatch(line), ascii(line)
        for name, text in HOSTILE.items():
            assert "forged" not in line, line
            assert text not in line, (name, line)


@pytest.mark.parametrize("form", ["json", "text"])
async def test_hostile_values_arrive_unchanged_and_do_nothing_on_the_way(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, tmp_path: Path, form: str
) -> None:
    logging = {"level": "DEBUG", "format": form}
    async with make_connector(broker.url, log=logging) as connector, Peer(broker.url) as peer:
        await connector.wait_until(
            lambda: any("connector_ready" in line for line in connector.stderr), "connector_ready"
        )
        statuses = await send_all(peer)
        assert 0 == await connector.terminate()
    check_log(connector.stderr)
    successes = {status["id"]: status["response"] for status in statuses if is_success(status)}
    assert set(HOSTILE.values()) == set(successes)
    assert set(HOSTILE.values()) == {
        response["payload"]["messages"]["name"] for response in successes.values()
    }
    assert 7 * len(HOSTILE) == sum(not is_success(status) for status in statuses)
    sent = {entry.to: entry.body for entry in twilio.ledger}
    assert {recipient(number): text for number, text in enumerate(HOSTILE.values())} == sent
    check_journal(tmp_path / "connector" / "journal" / "journal.db", rows=len(statuses))
    check_folder(connector)


def is_success(status: Any) -> bool:
    return bool(status["response"]["status"] == "success")


def check_journal(path: Path, *, rows: int) -> None:
    with closing(sqlite3.connect(path)) as journal:
        assert [(rows,)] == journal.execute("SELECT COUNT(*) FROM requests").fetchall()
        assert [("ok",)] == journal.execute("PRAGMA integrity_check").fetchall()


def check_folder(connector: Connector) -> None:
    """No file has come but the journal's own."""
    folder = connector.config.parent
    assert {"connector.toml", "journal"} == {path.name for path in folder.iterdir()}
    names = {path.name for path in (folder / "journal").iterdir()}
    assert names <= {"journal.db", *(f"journal.db{suffix}" for suffix in COMPANIONS)}


async def test_addresses_in_requests_are_twilios_to_fetch(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """Were they fetched here, a sender could have us knock at doors that only we can reach."""
    visits: list[object] = []

    async def visited(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits.append(writer.get_extra_info("peername"))
        writer.close()

    async with await asyncio.start_server(visited, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        addresses = [
            f"http://127.0.0.1:{port}/twiml?a=b&c=%00#fragment",
            f"http://user:password@127.0.0.1:{port}/",
            f"https://localhost:{port}/",
            "http://169.254.169.254/latest/meta-data/",
        ]
        async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
            await connector.ready()
            for number, address in enumerate(addresses):
                properties = {"phone_number": recipient(number), "voice_message_location": address}
                await peer.publish(CALL_TOPIC, request(f"{number}", **properties))
            statuses = [status.json() for status in await peer.collect(len(addresses))]
            assert 0 == await connector.terminate()
        assert all(map(is_success, statuses))
        assert [] == visits
    assert set(addresses) == {entry.url for entry in twilio.ledger}
