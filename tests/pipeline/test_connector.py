"""The stages together: from a payload to its acknowledged status, the recovery at the start, the drain."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.pipeline.escalating import an_escalator, an_order_taker, the_replies
from tests.pipeline.line import Line, a_line, a_writer, an_intake
from tests.support.crash_points import CrashPoint
from tests.support.factories import START, a_payload, a_request, unauthorized
from tests.support.fakes import HandTransport, nothing
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.errors import NucleusLost
from twilio_notifications.core.model import Unanswered
from twilio_notifications.pipeline.care.leading import Leading
from twilio_notifications.pipeline.care.news import News
from twilio_notifications.pipeline.care.notebook import Notebook
from twilio_notifications.pipeline.care.supervision import Supervision
from twilio_notifications.pipeline.care.sweeper import Sweeper
from twilio_notifications.pipeline.connector import Connector
from twilio_notifications.pipeline.line.assembly import build_line
from twilio_notifications.pipeline.line.reporter import Reporter
from twilio_notifications.pipeline.line.slots import Slots
from twilio_notifications.pipeline.logins.login_check import LoginCheck
from twilio_notifications.pipeline.logins.refresher import Refresher
from twilio_notifications.ports import Inbound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from twilio_notifications.ports import Pulse

A, B = "+12345000001", "+12345000002"
REFRESH_SECONDS = 3600.0


@dataclass(slots=True)
class RecordingSupervisor:
    """Remembers what it hears."""

    watchdog_seconds: float | None = None
    told: list[str] = field(default_factory=list)

    def ready(self) -> None:
        self.told.append("ready")

    def reloading(self) -> None:
        self.told.append("reloading")

    def stopping(self) -> None:
        self.told.append("stopping")

    def alive(self) -> None:
        self.told.append("alive")


@dataclass(slots=True, kw_only=True)
class House:
    """A whole connector on fakes, running."""

    line: Line
    transport: HandTransport
    connector: Connector
    supervisor: RecordingSupervisor
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: list[str] = field(default_factory=list)
    running: asyncio.Task[None] = field(init=False)

    async def settle(self) -> None:
        await self.line.clock.settle()

    async def publish(self, phone_number: str = A, *, name: str = "") -> None:
        """A client's request arrives."""
        name = name or phone_number
        payload = a_payload(phone_number, request_id=name)
        self.transport.deliver(an_inbound(payload, lambda: self.acknowledged.append(name)))
        await self.settle()

    def statuses(self) -> list[tuple[str, str]]:
        """(id, `success` or the error) of what was published."""
        documents = [json.loads(each.payload) for each in self.transport.published]
        return [
            (document["id"], document["response"].get("error", document["response"]["status"]))
            for document in documents
        ]

    async def ended(self) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            await asyncio.wait({self.running})
        await self.running

    def told(self, name: str) -> bool:
        return bool(self.line.events.count(name))


def an_inbound(payload: bytes, acknowledge: Callable[[], None] = nothing) -> Inbound:
    return Inbound(topic="twilio/txt", payload=payload, acknowledge=acknowledge)


def the_leading(line: Line, reporter: Reporter) -> Leading:
    """With places of its own."""
    pacing = line.pacing
    news = News(journal=line.journal, pacing=pacing, bells=line.bells, reporter=reporter, clock=line.clock)
    return Leading(
        journal=line.journal,
        clock=line.clock,
        events=line.surroundings.events,
        name="one",
        places=pacing.pace.maximum,
        lease_seconds=10.0,
        slots=Slots(pacing.pace.maximum),
        pacing=pacing,
        work=line.bells.work,
        look_around=news.look,
    )


def assembled(
    line: Line, transport: HandTransport, supervisor: RecordingSupervisor, **fields: Any
) -> Connector:
    """Stages of their own on the line's surroundings, with a reporter that publishes what they write."""
    common: dict[str, Any] = {
        "journal": line.journal,
        "clock": line.clock,
        "events": line.surroundings.events,
    }
    reporter = Reporter(**common, transport=transport, topic="twilio/message/status")
    leading = the_leading(line, reporter)
    surroundings = replace(
        line.surroundings,
        on_written=reporter.publish,
        slots=leading.slots,
        leads=lambda: leading.leads,
        may_attempt=leading.may_attempt,
    )
    stages = build_line(surroundings)
    writer = a_writer(surroundings)
    escalator = an_escalator(surroundings, writer)
    return Connector(
        **common,
        transport=transport,
        intake=an_intake(surroundings, stages),
        dispatcher=stages.dispatcher,
        settler=stages.settler,
        tracker=stages.tracker,
        callbacks=stages.callbacks,
        orders=an_order_taker(surroundings, writer, on_followed=stages.on_followed),
        escalator=escalator,
        replies=the_replies(surroundings, escalator, stages.leave),
        reporter=reporter,
        failures=surroundings.failures,
        sweeper=Sweeper(**common, retention_seconds=1e6),
        refresher=Refresher(
            credentials=line.credentials,
            clock=line.clock,
            period_seconds=REFRESH_SECONDS,
            bell=line.bells.logins,
        ),
        login_check=LoginCheck(
            sender=surroundings.sender, clock=line.clock, events=surroundings.events, bell=line.bells.logins
        ),
        supervision=Supervision(supervisor=supervisor, journal=cast("Pulse", line.journal), clock=line.clock),
        notebook=Notebook(clock=line.clock, version="1.2.3"),
        leading=leading,
        **{"drain_seconds": 20.0} | fields,
    )


@asynccontextmanager
async def a_house(
    line: Line | None = None, *, connected: bool = True, watchdog: float | None = None, **fields: Any
) -> AsyncIterator[House]:
    if line is None:
        async with (
            a_line() as fresh,
            a_house(fresh, connected=connected, watchdog=watchdog, **fields) as house,
        ):
            yield house
        return
    transport, supervisor = HandTransport(connected=connected), RecordingSupervisor(watchdog)
    connector = assembled(line, transport, supervisor, **fields)
    house = House(line=line, transport=transport, connector=connector, supervisor=supervisor)
    house.running = asyncio.create_task(connector.run(house.stop, house.hurry))
    try:
        await house.settle()
        yield house
    finally:
        house.running.cancel()
        await asyncio.wait({house.running})


async def test_a_request_takes_the_whole_line() -> None:
    async with a_house() as house:
        await house.publish(A)
        assert ([A], [(A, "success")]) == (house.acknowledged, house.statuses())
        house.transport.acknowledge()
        await house.settle()
        assert [
            CrashPoint.REQUEST_RECEIVED,
            CrashPoint.REQUEST_RECORDED,
            CrashPoint.REQUEST_ACKNOWLEDGED,
            CrashPoint.ATTEMPTS_OPENED,
            CrashPoint.TWILIO_ANSWERED,
            CrashPoint.REQUEST_FINISHED,
            CrashPoint.STATUS_PUBLISHED,
            CrashPoint.STATUS_ACKNOWLEDGED,
            CrashPoint.STATUSES_REPORTED,
        ] == house.line.events.points[1:]


async def test_whatever_ends_a_request_is_told_before_its_status_is_published() -> None:
    """A crash between the two means: on disk, and not published yet."""
    async with a_house() as house:
        house.line.sender.hold(A)
        await house.publish(A, name="first")
        house.transport.deliver(an_inbound(a_payload(A, request_id="expires", valid_for_seconds=10)))
        await house.line.clock.advance(11)
        assert [CrashPoint.REQUEST_FINISHED, CrashPoint.STATUS_PUBLISHED] == house.line.events.points[-2:]
        house.line.sender.script(A, Unanswered(detail="timed out"))
        house.line.sender.release(A)
        await house.line.clock.advance(120)
        assert [CrashPoint.DOUBT_SETTLED, CrashPoint.STATUS_PUBLISHED] == house.line.events.points[-2:]
        assert [("expires", "Expired"), ("first", "TwilioUnavailable")] == house.statuses()


async def test_it_is_ready_once_and_only_when_subscribed() -> None:
    async with a_house(connected=False) as house:
        assert not house.told("connector_ready")
        assert not house.connector.ready.is_set()
        house.transport.connect()
        house.transport.lose()
        house.transport.connect()
        assert 1 == house.line.events.count("connector_ready")
        assert ["ready"] == house.supervisor.told


async def test_what_waits_is_carried_out_before_a_broker_is_there() -> None:
    async with a_line() as line:
        await line.journal.record([a_request(A)])
        async with a_house(line, connected=False) as house:
            assert 1 == len(line.sender.sent)
            assert [] == house.statuses()
            house.transport.connect()
            await house.settle()
            assert [("request123", "success")] == house.statuses()


async def test_a_start_takes_up_what_the_last_run_left(tmp_path: Path) -> None:
    async with a_line(path=tmp_path / "journal.db") as line:
        await line.journal.record([a_request(A, request_id="cut off")])
        await line.journal.record([a_request(B, request_id="waiting")])
        await line.journal.open_attempts([1], at=START, clock_offset=None)
    async with a_line(path=tmp_path / "journal.db") as line, a_house(line) as house:
        (opened,) = line.events.named("journal_opened")
        assert {"waiting": 1, "in_doubt": 1, "unreported": 0} == opened.fields
        assert [("waiting", "success")] == house.statuses()
        await line.clock.advance(60)
        assert [("waiting", "success"), ("cut off", "success")] == house.statuses()


async def test_a_stop_lets_attempts_end_and_reports_them() -> None:
    async with a_house() as house:
        house.line.sender.hold(A)
        await house.publish(A)
        house.stop.set()
        await house.settle()
        assert not house.running.done()
        house.line.sender.release(A)
        await house.settle()
        assert ([(A, "success")], False) == (house.statuses(), house.running.done())
        house.transport.acknowledge()
        await house.ended()
        assert house.transport.closed
        assert not house.told("drain_cut_short")
        assert house.told("connector_stopped")
        assert "stopping" == house.supervisor.told[-1]


async def test_what_arrives_during_the_drain_is_kept_for_the_next_start() -> None:
    async with a_house() as house:
        house.line.sender.hold(A)
        await house.publish(A)
        house.stop.set()
        await house.settle()
        await house.publish(B)
        assert [A, B] == house.acknowledged
        assert [A] == house.line.sender.ids()
        house.line.sender.release(A)
        await house.settle()
        house.transport.acknowledge()
        await house.ended()
        assert [B] == [each.notification.request_id for each in await house.line.waiting()]


async def test_a_second_signal_does_not_wait_for_the_attempts() -> None:
    async with a_house() as house:
        house.line.sender.hold(A)
        await house.publish(A)
        house.stop.set()
        await house.settle()
        house.hurry.set()
        await house.ended()
        assert house.told("drain_cut_short")
        recovery = await house.line.journal.recover(now=START + 1)
        assert 1 == recovery.in_doubt


async def test_a_drain_has_a_limit() -> None:
    async with a_house(drain_seconds=0.05) as house:
        house.line.sender.hold(A)
        await house.publish(A)
        house.stop.set()
        await house.ended()
        assert house.told("drain_cut_short")


async def test_a_stop_without_a_broker_does_not_wait_for_one_when_nothing_waits() -> None:
    async with a_house(connected=False) as house:
        house.stop.set()
        await house.ended()
        assert not house.told("drain_cut_short")


async def test_a_status_that_no_broker_took_is_kept_for_the_next_start() -> None:
    async with a_line() as line:
        await line.journal.record([a_request(A)])
        async with a_house(line, connected=False, drain_seconds=0.05) as house:
            house.stop.set()
            await house.ended()
        assert [("request123", "success")] == await line.results()


async def test_a_stage_whose_cancellation_got_lost_is_cancelled_again() -> None:
    async with a_house() as house:
        house.transport.loses_cancellations = 2
        house.stop.set()
        await house.ended()
        assert house.told("connector_stopped")


async def test_a_transport_that_gives_up_ends_the_connector_after_a_drain() -> None:
    """The attempts under way would otherwise be in doubt, and their recipients would wait for nothing."""
    async with a_house() as house:
        house.line.sender.hold(A)
        await house.publish(A)
        house.transport.lost.set()
        await house.settle()
        assert not house.running.done()
        house.line.sender.release(A)
        with pytest.raises(NucleusLost):
            await house.ended()
        assert [(A, "success")] == await house.line.results()
        assert house.told("connector_stopped")
        assert not house.told("drain_cut_short")


async def test_a_defect_in_a_stage_ends_the_connector() -> None:
    """Better a restart, which recovers, than a connector that looks alive and does nothing."""
    async with a_house() as house:
        await house.line.sqlite._store.writer.close()
        await house.publish(A)
        house.line.clock.journal = None
        await house.line.clock.advance(1200)  # at the latest, the sweeper comes round
        with pytest.raises(ExceptionGroup):
            await house.ended()


async def test_an_attempt_in_doubt_is_settled_and_reported() -> None:
    async with a_house() as house:
        house.line.sender.script(A, Unanswered(detail="timed out"))
        await house.publish(A)
        assert [] == house.statuses()
        await house.line.clock.advance(120)
        assert [(A, "TwilioUnavailable")] == house.statuses()


async def test_the_supervisor_hears_that_it_is_alive_twice_in_its_limit() -> None:
    async with a_house(watchdog=10.0) as house:
        await house.line.clock.advance(20)
        assert 4 <= house.supervisor.told.count("alive") <= 6


# Reading again


async def test_a_reload_reads_everything_in_its_order_and_the_supervisor_hears_it() -> None:
    read: list[str] = []

    def reading(name: str) -> Callable[[], Awaitable[bool]]:
        async def read_again() -> bool:
            read.append(name)
            return True

        return read_again

    async with a_house(reloads=(reading("secrets"), reading("limits"))) as house:
        house.supervisor.told.clear()
        await house.connector.reload()
        assert ["secrets", "limits"] == read
        assert ["reloading", "ready"] == house.supervisor.told
        assert house.told("connector_reloaded")


async def test_a_reload_of_which_a_part_was_refused_is_not_called_done() -> None:
    async def refused() -> bool:
        return False

    async def done() -> bool:
        return True

    async with a_house(reloads=(refused, done)) as house:
        await house.connector.reload()
        assert house.told("connector_reload_failed")
        assert not house.told("connector_reloaded")


async def test_a_reload_before_the_first_subscription_does_not_say_ready() -> None:
    async with a_house(connected=False) as house:
        await house.connector.reload()
        assert ["reloading"] == house.supervisor.told
        house.transport.connect()
        assert ["reloading", "ready"] == house.supervisor.told


async def test_an_end_of_its_own_waits_for_its_time() -> None:
    async with a_house(may_end_at=START + 3600) as house:
        resting = asyncio.create_task(house.connector.rested())
        await house.line.clock.advance(3599)
        assert not resting.done()
        await house.line.clock.advance(2)
        assert resting.done()
        await house.connector.rested()


async def test_secrets_are_read_again_on_their_period() -> None:
    async with a_house() as house:
        house.line.secret.value = "new"
        await house.line.clock.advance(REFRESH_SECONDS + 1)
        assert "new" == house.line.credentials.current().secret.reveal()


async def test_what_waits_for_a_login_goes_on_as_soon_as_there_is_one() -> None:
    """And not at the next probe."""
    async with a_house(reloads=()) as house:
        line = house.line
        line.sender.script(A, unauthorized())
        await house.publish(A)
        await house.publish(B)
        assert 1 == len(line.sender.sent), "the gate is closed"
        line.secret.value = "new"
        await line.credentials.refresh()
        await house.settle()
        assert [A, B] == line.sender.ids()
