"""No adapter shows a token, a key or the text of a message: at no log level, in no repr, in no error.

Each adapter does its work here once, and fails once in each way that has a secret at hand. A new adapter
without a scenario fails the last test.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import random
import sqlite3
import traceback
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.adapters import greengrass_steps
from tests.adapters.mqtt_steps import TOPICS, transport_settings
from tests.adapters.transport_steps import STATUS_TOPIC, TEXT_TOPIC
from tests.adapters.twilio_steps import ACCOUNT, a_sender
from tests.support.aws import REGION, Aws, device_key
from tests.support.engines import access_of, journal_of
from tests.support.factories import START, a_claimed, a_failure, a_notification, a_request, a_success
from tests.support.house import SOURCE
from tests.support.nucleus import FakeNucleus
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import RawBroker
from tests.support.raw_http import RawHttp
from twilio_notifications.adapters import isolation, log
from twilio_notifications.adapters.aws_secrets import AwsSecret
from twilio_notifications.adapters.beacon import HttpBeacon
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.greengrass import (
    ConfigurationWatch,
    Endurance,
    GreengrassSecret,
    GreengrassTransport,
    Nucleus,
)
from twilio_notifications.adapters.metrics import Counters
from twilio_notifications.adapters.mqtt import MqttTransport
from twilio_notifications.adapters.outlet import Outlet
from twilio_notifications.adapters.pages import PagesEndpoint
from twilio_notifications.adapters.secret_copy import EncryptedCopy
from twilio_notifications.adapters.secret_sources import EnvironmentSecret, FileSecret
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.systemd import SystemdSupervisor
from twilio_notifications.adapters.traces import Tracing
from twilio_notifications.config import LogFormat
from twilio_notifications.config.urls import HeartbeatUrl, read_heartbeat_url
from twilio_notifications.core.model import Login, Secret, Text
from twilio_notifications.ports import Copied, Inbound, Level, Recording
from twilio_notifications.ports.events import (
    Defect,
    HeartbeatMissed,
    LogLinesLost,
    MetricsListening,
    RequestFinished,
    RequestReceived,
    RequestRecorded,
    RequestsClaimed,
    UnknownTopicDropped,
)
from twilio_notifications.serving import HttpResponse, listening
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from tests.support.postgresql import PostgreSql
    from tests.support.raw_broker import Link
    from tests.support.raw_http import Exchange

    Scenario = Callable[["Scene"], Awaitable[None]]

TOKEN = "t0ken-0f-the-acc0unt"
API_KEY = "SK" + "0" * 32
API_SECRET = "5ecret-0f-the-ap1-key"
BODY = "The freezer is at minus three degrees"
UNSPEAKABLE = (TOKEN, API_SECRET, BODY, "freezer")

TEXT = a_notification(content=Text(body=BODY))


class Scene:
    """A folder, a log at one level, and everything that came into sight."""

    def __init__(self, folder: Path, level: Level, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self._stream = io.StringIO()
        self.events = log.configure(level=level, form=LogFormat.JSON, stream=self._stream)
        self._seen: list[str] = []

    def see(self, *things: object) -> None:
        """What a debugger, a failing assertion or a log line would show of these."""
        for thing in things:
            self._seen += [repr(thing), str(thing), f"{thing}", repr([thing])]

    async def fails(self, doing: Awaitable[object], kind: type[BaseException] = Exception) -> None:
        """It has to, and its error comes into sight with its trace and with what caused it."""
        with pytest.raises(kind) as caught:
            await doing
        self.see(caught.value)
        self._seen += traceback.format_exception(caught.value)
        self.events.tell(Defect(name="attempt_failed", error=caught.value))

    def shown(self) -> str:
        return "\n".join([self._stream.getvalue(), *self._seen])


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger(log.LOGGER)
    before = (root.handlers[:], root.level, own.level)
    yield
    root.handlers[:], root.level, own.level = before
    own._cache.clear()  # type: ignore[attr-defined]


async def twilio(scene: Scene) -> None:
    """Accepted, refused, unauthorized, broken off, looked up, unreachable."""
    simulator = Simulator(
        clock=SystemClock().now,
        random=random.Random(1),  # noqa: S311 - SIDs
        auth_tokens=[TOKEN],
    )
    async with simulator, a_sender(simulator.base_url) as sender:
        for login in (
            Login(user=ACCOUNT, secret=Secret(TOKEN)),
            Login(user=API_KEY, secret=Secret(API_SECRET)),
        ):
            simulator.add_fault(Fault(effect=faults.ConnectionClosed(), times=1))
            scene.see(login, sender, await sender.send(TEXT, login), await sender.send(TEXT, login))
            scene.see(await sender.look_up(TEXT, since=0.0, login=login), await sender.verify(login))
    async with a_sender("http://127.0.0.1:1") as sender:
        scene.see(await sender.send(TEXT, login), await sender.look_up(TEXT, since=0.0, login=login))


async def mqtt(scene: Scene) -> None:
    """A broker that wants a password: it lets us in and brings a text; the next one turns us away."""

    async def lets_in(link: Link) -> None:
        await link.accept()
        link.say(link.publish(topic=TEXT_TOPIC, payload=BODY.encode(), packet_id=1))
        await link.hear_the_end()

    async def turns_away(link: Link) -> None:
        await link.hear_any()
        link.say(link.connack(0x87))

    async with RawBroker(lets_in, turns_away) as broker:
        url = broker.url.replace("//", f"//user:{TOKEN}@")
        settings = transport_settings(url, protocol="5")
        transport = MqttTransport(
            settings, topics=TOPICS, clock=SystemClock(), events=scene.events, jitter=lambda: 0.0
        )
        arrived: asyncio.Queue[object] = asyncio.Queue()
        running = asyncio.create_task(
            transport.run(on_inbound=arrived.put_nowait, on_ready=lambda: None), name="transport"
        )
        scene.see(settings, transport, await asyncio.wait_for(arrived.get(), WAIT_SECONDS))
        published = transport.publish(STATUS_TOPIC, BODY.encode())
        (await broker.link(1)).hang_up()
        await scene.fails(asyncio.wait_for(published, WAIT_SECONDS))
        await asyncio.wait_for(broker.link(2), WAIT_SECONDS)
        await transport.close()
        running.cancel()
        await asyncio.wait({running})


async def sqlite(scene: Scene) -> None:
    """A request from its record to its report, and files that are no journals."""
    path = scene.folder / "journal.db"
    async with SqliteJournal(path, events=scene.events) as journal:
        request = a_request(content=Text(body=BODY))
        scene.see(journal, request, await journal.record([request]))
        (claimed,) = await journal.claim(due_before=START, limit=1)
        await journal.open_attempts([claimed.id], at=START, clock_offset=None)
        step = a_success(claimed.id)
        await journal.take([step])
        scene.see(claimed, step, await journal.unreported(after=0, limit=9), await journal.agenda())
        for error in (await journal.take([step])).failed.values():  # a step that the lifecycle does not have
            await scene.fails(raised(error))
        await scene.fails(SqliteJournal(path, events=scene.events).__aenter__())
    only_its_own_column_holds(path, BODY)
    spoilt = scene.folder / "spoilt.db"
    spoilt.write_text(BODY * 100)
    await scene.fails(SqliteJournal(spoilt, events=scene.events).__aenter__())


async def raised(error: Exception) -> None:
    raise error


def only_its_own_column_holds(path: Path, text: str) -> None:
    """In the whole database the text of a message stands in `requests.body`, and nowhere else."""
    with sqlite3.connect(path) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found = []
        for table in tables:
            rows = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - its own names
            columns = [column[0] for column in rows.description]
            found += [
                f"{table}.{column}"
                for row in rows
                for column, value in zip(columns, row, strict=True)
                if text.encode() in (value if isinstance(value, bytes) else str(value).encode())
            ]
    connection.close()
    assert ["requests.body"] == found


async def secret_sources(scene: Scene) -> None:
    """A variable and a file, read, missing and refused."""
    path = scene.folder / "token"
    path.write_text(TOKEN)
    path.chmod(0o600)
    environment = EnvironmentSecret("VARIABLE", environ={"VARIABLE": TOKEN})
    file = FileSecret(path)
    scene.see(environment, file, await environment.read(), await file.read())
    await scene.fails(EnvironmentSecret("OTHER", environ={"VARIABLE": TOKEN}).read())
    path.chmod(0o644)
    await scene.fails(file.read())
    path.chmod(0o600)
    path.write_bytes(TOKEN.encode() + b"\xff")
    await scene.fails(file.read())


async def aws_secrets(scene: Scene) -> None:
    """A secret as text and as JSON, what is wrong with it, and answers that are not understood."""
    with Aws() as aws:
        use(aws.environment(), scene.monkeypatch)
        arn = await asyncio.to_thread(aws.create, TOKEN)
        source = AwsSecret(arn, label="AWSCURRENT")
        scene.see(source, await source.read())
        await scene.fails(AwsSecret(arn, label="AWSCURRENT", json_key="key").read())
        await scene.fails(AwsSecret(arn.replace(REGION, "eu-west-1"), label="AWSCURRENT").read())
        await asyncio.to_thread(aws.put, arn, json.dumps({"key": API_SECRET}))
        scene.see(await AwsSecret(arn, label="AWSCURRENT", json_key="key").read())
        await scene.fails(source.read())
        await scene.fails(AwsSecret(arn, label="AWSCURRENT", json_key="other").read())

    async def garbage(exchange: Exchange) -> None:
        exchange.answer(200, f'["{TOKEN}"]'.encode())

    async with RawHttp(garbage) as server:
        scene.monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        await scene.fails(source.read())


def use(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


async def secret_copy(scene: Scene) -> None:
    """Made, opened, opened with another key, spoilt."""
    path, key_file = scene.folder / "copy", device_key(scene.folder / "key")
    copy = EncryptedCopy(path, key_file=key_file, name="name")
    copied = Copied(secret=Secret(TOKEN), stored_at=START)
    await copy.store(copied)
    scene.see(copy, copied, await copy.load(), path.read_text())
    device_key(key_file)
    await scene.fails(copy.load())
    path.write_text(TOKEN)
    await scene.fails(copy.load())


async def outlet(scene: Scene) -> None:
    """A log that cannot be written, while a line of it waits."""
    way_out = Outlet(os.open("/dev/full", os.O_WRONLY))
    way_out.on_lost = lambda lines: scene.events.tell(LogLinesLost(lines=lines))
    way_out.write(f"{BODY} {TOKEN}\n")
    scene.see(way_out)
    way_out.close(WAIT_SECONDS)
    scene.see(way_out)


async def systemd(scene: Scene) -> None:
    """A supervisor that does not exist, while the token is in the environment."""
    environ = {"NOTIFY_SOCKET": str(scene.folder / "nobody"), "TWILIO_AUTH_TOKEN": TOKEN}
    supervisor = SystemdSupervisor(environ, pid=1, events=scene.events)
    supervisor.ready()
    scene.see(supervisor)
    supervisor.close()


async def confinement(scene: Scene) -> None:
    """What is allowed to a connector whose broker and proxy want passwords."""
    environ = {"HTTPS_PROXY": f"http://user:{TOKEN}@proxy.example:3128"}
    surroundings = isolation.Surroundings.here(environ)
    settings = transport_settings(f"mqtt://user:{TOKEN}@broker.example")
    allowed = isolation.broker(settings, surroundings)
    scene.see(settings, allowed, isolation.discover(), *isolation.remarks(allowed, surroundings))


async def greengrass(scene: Scene) -> None:
    """A nucleus that gives a secret and brings a text, then refuses, hangs up and forgets our token."""
    arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
    with FakeNucleus(secrets={arn: TOKEN}, configuration={"token": TOKEN}) as nucleus:
        settings = greengrass_steps.transport_settings(answer_seconds=1)
        found = Nucleus({**nucleus.environ, "AWS_SECRET_ACCESS_KEY": API_SECRET}, 0.5)
        watch = ConfigurationWatch(
            nucleus=found,
            events=scene.events,
            every_seconds=0.01,
            on_change=lambda: None,
            taken={"token": TOKEN, "before": True},
        )
        transport = GreengrassTransport(
            settings=settings,
            nucleus=found,
            clock=SystemClock(),
            events=scene.events,
            jitter=lambda: 0.0,
            endurance=Endurance(started_at=0.0, started_before=None),
            configuration=watch,
        )
        secret = GreengrassSecret(nucleus=found, arn=arn, label="AWSCURRENT", json_key=None)
        arrived: asyncio.Queue[object] = asyncio.Queue()
        ready = asyncio.Event()
        running = asyncio.create_task(transport.run(on_inbound=arrived.put_nowait, on_ready=ready.set))
        await asyncio.wait_for(ready.wait(), WAIT_SECONDS)
        nucleus.publish(TEXT_TOPIC, BODY, as_json=False)
        scene.see(
            found,
            transport,
            secret,
            watch,
            await asyncio.wait_for(arrived.get(), WAIT_SECONDS),
            await secret.read(),
        )
        for unusable in (TOKEN.encode(), f'{{"{TOKEN}": 1}}', ""):
            nucleus.keep_secret(arn, unusable)
            await scene.fails(secret.read())
        nucleus.faults.refused.add("PublishToTopic")
        await scene.fails(transport.publish(STATUS_TOPIC, BODY.encode()))
        nucleus.faults.silent |= {"PublishToTopic", "GetSecretValue"}
        await scene.fails(transport.publish(STATUS_TOPIC, BODY.encode()))
        await scene.fails(secret.read())
        nucleus.restart(keep_token=False)
        await scene.fails(running)
        await transport.close()


async def logged(scene: Scene) -> None:
    """Values that hold secrets and texts, in events and in a defect."""
    login = Login(user=API_KEY, secret=Secret(API_SECRET))
    for level in Level:
        scene.events.tell(UnknownTopicDropped(level=level, topic=f"{login} {TEXT}"))
    request = a_claimed(content=TEXT.content)
    inbound = Inbound(topic=TEXT_TOPIC, payload=BODY.encode(), acknowledge=lambda: None)
    finished = RequestFinished(request=request, step=a_success(1), attempted=True)
    for event in (finished, RequestReceived(inbound=inbound), RequestsClaimed(requests=[request])):
        scene.events.tell(event)
        scene.see(event)
    for library in ("awsiot", "botocore.parsers", "urllib3.connectionpool"):
        logging.getLogger(library).debug("an answer with %s", TOKEN)
    scene.events.tell(Defect(name="attempt_failed", error=ValueError(login, TEXT)))


async def clock(scene: Scene) -> None:
    scene.see(SystemClock())


async def metrics(scene: Scene) -> None:
    """A request with all its contents is counted, and a client asks with a secret in its hands."""
    counters = Counters(now=lambda: 0.0)
    inbound = Inbound(topic=TEXT_TOPIC, payload=BODY.encode(), acknowledge=lambda: None)
    arrival, request = a_request(content=TEXT.content), a_claimed(content=TEXT.content)
    counters.tell(RequestRecorded(inbound=inbound, arrival=arrival, recording=Recording.NEW))
    counters.tell(RequestFinished(request=request, step=a_success(1, sid=TOKEN), attempted=True))
    counters.tell(Defect(name="attempt_failed", error=ValueError(TEXT)))
    scene.see(inbound, counters, counters.page().decode())


async def pages(scene: Scene) -> None:
    """A client asks with a secret in its hands, also for a page that is not there."""

    async def page() -> HttpResponse:
        return HttpResponse(status="200 OK", body=b"the page")

    def told(port: int) -> MetricsListening:
        return MetricsListening(address=f"127.0.0.1:{port}")

    listeners = listening("127.0.0.1", 0, setting="[metrics] listen")
    endpoint = PagesEndpoint(listeners, pages={"/metrics": page}, events=scene.events, listening=told)
    async with endpoint:
        for path in ("/metrics", f"/{TOKEN}"):
            reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
            writer.write(f"GET {path}?token={TOKEN} HTTP/1.1\r\nAuthorization: {TOKEN}\r\n\r\n".encode())
            scene.see(endpoint, (await reader.read()).decode())
            writer.close()


async def beacon(scene: Scene) -> None:
    """The address of a heartbeat is a secret; nothing answers there, or something says no."""
    for status in (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b""):
        url, serving = await a_server_that_says(status, path=f"/ping/{TOKEN}")
        found = read_heartbeat_url(url)
        assert isinstance(found, HeartbeatUrl)
        async with serving, HttpBeacon(found, timeout_seconds=WAIT_SECONDS) as sender:
            missed = await sender.call()
            scene.events.tell(HeartbeatMissed(level=Level.WARNING, host=sender.host, error=missed or ""))
            scene.see(found, sender, missed)


async def a_server_that_says(answer: bytes, *, path: str) -> tuple[str, asyncio.Server]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return f"http://127.0.0.1:{port}{path}", server


async def traces(scene: Scene) -> None:
    """A request with all its contents becomes spans, of a client that wrote a secret around it."""
    exporter = InMemorySpanExporter()
    request, step = a_claimed(content=TEXT.content), a_success(1, sid=TOKEN)
    async with Tracing("", version="0", events=scene.events, exporter=exporter) as found:
        found.begin(TOKEN.encode())
        found.tell(RequestFinished(request=request, step=step, attempted=True))
        failed = a_failure(1, message=BODY)
        found.tell(RequestFinished(request=request, step=failed, attempted=True))
    scene.see(found, *(span.to_json() for span in exporter.get_finished_spans()))


SCENARIOS: dict[str, Scenario] = {
    "aws_secrets": aws_secrets,
    "beacon": beacon,
    "clock": clock,
    "greengrass": greengrass,
    "isolation": confinement,
    "log": logged,
    "metrics": metrics,
    "mqtt": mqtt,
    "outlet": outlet,
    "pages": pages,
    "secret_copy": secret_copy,
    "secret_sources": secret_sources,
    "sqlite": sqlite,
    "systemd": systemd,
    "traces": traces,
    "twilio": twilio,
}
"""By the adapter's module or folder."""


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("adapter", SCENARIOS)
async def test_an_adapter_shows_neither_secret_nor_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str, level: Level
) -> None:
    scene = Scene(tmp_path, level, monkeypatch)
    await SCENARIOS[adapter](scene)
    shown = scene.shown()
    assert shown.strip()
    assert [] == [secret for secret in UNSPEAKABLE if secret in shown]


async def test_a_leak_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail() -> None:
        raise ValueError(BODY)

    scene = Scene(tmp_path, Level.DEBUG, monkeypatch)
    assert "" == scene.shown()
    scene.events.tell(UnknownTopicDropped(level=Level.DEBUG, topic=TOKEN))
    scene.see({"key": API_SECRET})
    await scene.fails(fail())
    assert all(secret in scene.shown() for secret in UNSPEAKABLE)


def test_every_adapter_has_its_scenario() -> None:
    """Add one to SCENARIOS for a new adapter: it does its work, and fails with a secret at hand."""
    found = {
        path.stem
        for path in (SOURCE / "adapters").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and not path.name.startswith("_")
    }
    found -= {"journal"}  # what the engines of the journal share: their scenarios go through it
    assert set(SCENARIOS) | {"postgres"} == found


@pytest.mark.postgresql
@pytest.mark.parametrize("level", [Level.DEBUG, Level.INFO])
async def test_a_journal_in_a_database_shows_neither_secret_nor_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: PostgreSql, level: Level
) -> None:
    """Also where the server's own words quote a row, or the driver's a value."""
    scene = Scene(tmp_path, level, monkeypatch)
    with postgresql.database(empty=True) as url:
        await in_database(scene, url)
        wrong = postgresql.url(url.rpartition("/")[2], password=TOKEN)
        await scene.fails(journal_of(wrong, events=scene.events).__aenter__())
    shown = scene.shown()
    password = url.partition("@")[0].rpartition(":")[2]
    assert [] == [secret for secret in (*UNSPEAKABLE, password) if secret in shown]


async def in_database(scene: Scene, url: str) -> None:
    """A request from its record to its report, and statements that the database refuses."""
    async with journal_of(url, events=scene.events) as journal:
        request = a_request(content=Text(body=BODY))
        scene.see(journal, journal._store, request, await journal.record([request]), access_of(url))
        (claimed,) = await journal.claim(due_before=START, limit=1)
        await journal.open_attempts([claimed.id], at=START, clock_offset=None)
        step = a_success(claimed.id)
        await journal.take([step])
        scene.see(claimed, step, await journal.unreported(after=0, limit=9), await journal.agenda())
        for error in (await journal.take([step])).failed.values():
            await scene.fails(raised(error))
        for statement, values in (
            ("UPDATE requests SET channel = ?", ("freezer",)),
            ("UPDATE requests SET retries = ? WHERE body = ?", (BODY, BODY)),
            ("INSERT INTO orders (name, by, at) VALUES (?, '', 0)", (BODY,)),
        ):
            await scene.fails(
                journal._store.writer.submit(
                    lambda connection, text=statement, given=values: connection.execute(text, given)  # type: ignore[misc]
                )
            )
