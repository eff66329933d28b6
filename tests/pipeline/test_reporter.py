"""The outbox: published until acknowledged, noted only then, repeated only over a new connection."""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.pipeline.line import Line, a_line
from tests.support.crash_points import CrashPoint
from tests.support.factories import a_rejection
from tests.support.fakes import HandTransport
from twilio_notifications.core.contract import SHORTENED, Failure, render
from twilio_notifications.core.errors import NotAcknowledged, Reason
from twilio_notifications.pipeline.line.reporter import Reporter
from twilio_notifications.pipeline.line.reporting_limits import MOST_REFUSED, RETRY_SECONDS, WINDOW
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from twilio_notifications.ports import Unreported


@dataclass(frozen=True, slots=True)
class Outbox:
    line: Line
    reporter: Reporter
    transport: HandTransport
    stage: asyncio.Task[None]

    async def write(self, *statuses: str, origin: Origin | None = None) -> None:
        """Statuses are in the journal, and the reporter is given them, as the stages do."""
        self.reporter.publish(await self.written(*statuses, origin=origin))
        await self.line.clock.settle()

    async def written(self, *statuses: str, origin: Origin | None = None) -> Sequence[Unreported]:
        """Statuses are in the journal, and the reporter is not given them."""
        recordings = await self.line.journal.record(
            [a_rejection(request_id=one, status=one.encode(), origin=origin) for one in statuses]
        )
        return recordings.written

    async def settle(self) -> None:
        await self.line.clock.settle()

    def published(self) -> list[str]:
        return [publication.payload.decode() for publication in self.transport.published]

    async def unreported(self) -> list[str]:
        return [row.status.decode() for row in await self.line.outbox()]

    async def unreported_and_suspects(self) -> list[str]:
        suspects = await self.line.journal.suspects(limit=100)
        return await self.unreported() + [row.status.decode() for row in suspects]

    @asynccontextmanager
    async def another_run(self) -> AsyncIterator[Outbox]:
        """The reporter of the next start, on the same journal."""
        self.stage.cancel()
        await asyncio.wait({self.stage})
        reporter = a_reporter(self.line, self.transport)
        async with running(reporter) as stage:
            reporter.connected()
            await self.line.clock.settle()
            yield Outbox(self.line, reporter, self.transport, stage)

    def connect(self) -> None:
        self.transport.connected = True
        self.reporter.connected()


def a_reporter(line: Line, transport: HandTransport) -> Reporter:
    return Reporter(
        journal=line.journal,
        transport=transport,
        clock=line.clock,
        events=line.events,
        topic="twilio/message/status",
    )


@asynccontextmanager
async def running(reporter: Reporter) -> AsyncIterator[asyncio.Task[None]]:
    stage = asyncio.create_task(reporter.run())
    try:
        yield stage
        assert stage.cancelled() or not stage.done(), stage
    finally:
        stage.cancel()
        await asyncio.wait({stage})


@asynccontextmanager
async def an_outbox(*, connected: bool = True, path: Path | None = None) -> AsyncIterator[Outbox]:
    async with a_line(path=path) as line:
        transport = HandTransport(connected=connected)
        reporter = a_reporter(line, transport)
        async with running(reporter) as stage:
            if connected:
                reporter.connected()
            await line.clock.settle()
            yield Outbox(line, reporter, transport, stage)


async def test_statuses_are_published_in_the_order_in_which_they_were_written() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one", "two", "three")
        assert ["one", "two", "three"] == outbox.published()
        assert {"twilio/message/status"} == {each.topic for each in outbox.transport.published}


async def test_a_status_goes_to_where_its_request_came_from() -> None:
    async with an_outbox() as outbox:
        for origin in (Origin.IOT_CORE, None, Origin.LOCAL):
            await outbox.write(str(origin), origin=origin)
        assert [Origin.IOT_CORE, None, Origin.LOCAL] == [each.origin for each in outbox.transport.published]


async def test_a_status_is_noted_only_after_the_broker_acknowledged_it() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        assert ["one"] == await outbox.unreported()
        outbox.transport.acknowledge()
        await outbox.settle()
        assert [] == await outbox.unreported()
        passed = outbox.line.events.points
        assert [
            CrashPoint.STATUS_PUBLISHED,
            CrashPoint.STATUS_ACKNOWLEDGED,
            CrashPoint.STATUSES_REPORTED,
        ] == passed


async def test_a_status_that_was_just_written_is_published_without_a_look_into_the_journal() -> None:
    async with an_outbox() as outbox:
        looks = outbox.line.watched.count("unreported", "suspects")
        await outbox.write("one")
        await outbox.write("two", "three")
        assert ["one", "two", "three"] == outbox.published()
        outbox.transport.acknowledge()
        await outbox.settle()
        assert looks == outbox.line.watched.count("unreported", "suspects")
        assert [] == await outbox.unreported()


async def test_an_older_status_is_published_before_one_that_was_just_written() -> None:
    async with an_outbox(connected=False) as outbox:
        await outbox.write("old")
        just_written = await outbox.written("new")
        outbox.connect()
        outbox.reporter.publish(just_written)  # before the journal could be looked into
        assert [] == outbox.published()
        await outbox.settle()
        assert ["old", "new"] == outbox.published()


async def test_a_follow_up_is_published_after_what_another_connector_has_just_written() -> None:
    async with an_outbox() as outbox:
        await outbox.written("its answer")  # by another one, which has not told of it yet
        outbox.reporter.follow_up(await outbox.written("what became of it"))
        await outbox.settle()
        assert ["its answer", "what became of it"] == outbox.published()


async def test_a_status_that_a_look_into_the_journal_finds_first_is_not_published_twice() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        late = await outbox.written("two")
        outbox.connect()
        await outbox.settle()
        assert ["one", "two"] == outbox.published()
        outbox.reporter.publish(late)
        await outbox.settle()
        assert ["one", "two"] == outbox.published()


async def test_a_status_that_is_published_while_the_journal_is_looked_into_is_not_published_twice() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        just_written = await outbox.written("two")
        with outbox.line.stalled_disk():
            outbox.transport.refuse()  # it goes on to look for others
            await outbox.line.turns()
            assert "unreported" == outbox.line.watched.calls[-1]
            outbox.reporter.publish(just_written)
            assert ["one", "two"] == outbox.published()
        await outbox.settle()
        await outbox.write("three")
        assert ["one", "two", "three"] == outbox.published()


async def test_what_does_not_fit_into_the_window_is_read_from_the_journal_when_there_is_room() -> None:
    async with an_outbox() as outbox:
        names = [str(n) for n in range(WINDOW + 10)]
        await outbox.write(*names[:WINDOW])
        await outbox.write(*names[WINDOW:])
        assert WINDOW == len(outbox.published())
        outbox.transport.acknowledge()
        await outbox.settle()
        assert names == outbox.published()


async def test_a_crash_before_a_report_is_on_disk_publishes_the_status_once_more(tmp_path: Path) -> None:
    """A report rides along with another transaction: a status may be published twice, and none is lost."""
    journal, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    async with an_outbox(path=journal) as outbox:
        await outbox.write("one")
        outbox.transport.acknowledge()
        await outbox.line.turns()
        shutil.copy(journal, copy)
        shutil.copy(f"{journal}-wal", f"{copy}-wal")
        await outbox.settle()
        assert [] == await outbox.unreported()
    async with an_outbox(path=copy) as outbox:
        assert ["one"] == outbox.published()


async def test_nothing_is_published_before_there_is_a_connection() -> None:
    async with an_outbox(connected=False) as outbox:
        await outbox.write("one")
        assert [] == outbox.published()
        outbox.connect()
        await outbox.settle()
        assert ["one"] == outbox.published()


async def test_what_a_lost_connection_left_unacknowledged_is_published_again_on_the_next() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one", "two")
        outbox.transport.published[0].acknowledged.set_result(None)
        await outbox.settle()
        outbox.transport.lose()
        await outbox.line.clock.advance(600)
        assert ["one", "two"] == outbox.published()
        outbox.connect()
        await outbox.settle()
        assert ["one", "two", "two"] == outbox.published()


async def test_the_late_end_of_an_earlier_connection_does_not_end_the_reporting() -> None:
    """The news may come when the next connection stands already; after that no reporting would ever begin."""
    async with an_outbox() as outbox:
        await outbox.write("one", "two")
        outbox.connect()
        outbox.transport.published[1].acknowledged.set_exception(NotAcknowledged("it ended"))
        await outbox.write("three")
        assert ["one", "two", "two", "three"] == outbox.published()
        outbox.transport.acknowledge()
        await outbox.settle()
        assert [] == await outbox.unreported()


async def test_a_defect_of_the_transport_is_told_and_its_status_published_again() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        outbox.transport.published[0].acknowledged.set_exception(ZeroDivisionError())
        await outbox.write("two")
        await outbox.line.clock.advance(RETRY_SECONDS + 1)
        assert ["one", "two", "one"] == outbox.published()
        assert ["status_not_published"] == [name for name, _ in outbox.line.events.defects]


async def test_a_status_is_not_published_twice_over_one_connection() -> None:
    """However long the broker takes: MQTT's answer to a slow acknowledgement is patience."""
    async with an_outbox() as outbox:
        await outbox.write("one")
        await outbox.line.clock.advance(600)
        await outbox.write("two")
        assert ["one", "two"] == outbox.published()


async def test_a_status_acknowledged_but_not_noted_yet_is_not_published_again() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        with outbox.line.stalled_disk():
            outbox.transport.acknowledge()
            await outbox.line.turns()
            outbox.transport.lose()
            outbox.connect()
            await outbox.line.turns()
        await outbox.settle()
        assert (["one"], []) == (outbox.published(), await outbox.unreported())


async def test_a_refused_status_is_published_again_after_a_pause_with_one_log_line() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one", "two")
        outbox.transport.refuse()
        await outbox.line.clock.advance(RETRY_SECONDS - 0.1)
        assert ["one", "two"] == outbox.published()
        await outbox.line.clock.advance(0.2)
        assert ["one", "two", "one", "two"] == outbox.published()
        assert 1 == outbox.line.events.count("status_refused")


async def test_news_of_another_connector_does_not_end_the_pause_after_a_refusal() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        outbox.transport.refuse()
        await outbox.settle()
        await outbox.written("two")
        outbox.reporter.look()
        await outbox.settle()
        assert ["one", "two"] == outbox.published()
        await outbox.line.clock.advance(RETRY_SECONDS + 0.1)
        assert ["one", "two", "one"] == outbox.published()


async def test_only_what_was_refused_is_published_again_over_the_same_connection() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one", "two")
        first = outbox.transport.published[0]
        first.acknowledged.set_exception(NotAcknowledged("quota exceeded", refused=True))
        await outbox.line.clock.advance(RETRY_SECONDS + 1)
        assert ["one", "two", "one"] == outbox.published()


async def test_a_new_connection_ends_the_pause_after_a_refusal() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        outbox.transport.refuse()
        await outbox.settle()
        outbox.connect()
        await outbox.settle()
        assert ["one", "one"] == outbox.published()


async def test_a_refused_status_holds_up_no_other() -> None:
    """One side of a transport may refuse while the other takes, or one status may be too large."""
    async with an_outbox() as outbox:
        await outbox.write("one")
        outbox.transport.refuse()
        await outbox.write("two")
        assert ["one", "two"] == outbox.published()
        outbox.transport.acknowledge()
        await outbox.settle()
        assert ["one"] == await outbox.unreported()


async def test_a_status_that_is_refused_for_ever_is_told_of_once_for_each_connection() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        for _ in range(3):
            outbox.transport.refuse()
            await outbox.line.clock.advance(RETRY_SECONDS + 0.1)
        assert (4, 1) == (len(outbox.published()), outbox.line.events.count("status_refused"))
        outbox.connect()
        outbox.transport.refuse()
        await outbox.settle()
        assert 2 == outbox.line.events.count("status_refused")


async def test_a_broker_that_refuses_everything_is_not_asked_for_each_of_many() -> None:
    async with an_outbox() as outbox:
        await outbox.write(*(str(n) for n in range(MOST_REFUSED + WINDOW)))
        for _ in range(MOST_REFUSED // WINDOW + 1):
            outbox.transport.refuse()
            await outbox.settle()
        assert MOST_REFUSED == len(outbox.published())


async def test_a_drain_does_not_wait_for_what_the_broker_refuses() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        outbox.transport.refuse()
        flushed = asyncio.create_task(outbox.reporter.flushed())
        await outbox.settle()
        assert (True, ["one"]) == (flushed.done(), await outbox.unreported())


# What the broker does not take


def a_long_status(request_id: str, size: int = 2000) -> str:
    """A failure of about `size` bytes."""
    failure = Failure(reason=Reason.INVALID_PARAMETER, message="x" * size)
    return render(failure, request_id=request_id).decode()


def ids(outbox: Outbox, start: int = 0) -> list[str]:
    """The ids in what was published, from that publication on."""
    return [json.loads(status)["id"] for status in outbox.published()[start:]]


class Hostile:
    """A broker that hangs up over the statuses with these ids, and over what is larger than `largest`."""

    def __init__(self, outbox: Outbox, *request_ids: str, largest: int = 1_000_000) -> None:
        self._outbox = outbox
        self._request_ids = request_ids
        self._largest = largest
        self.endings = 0

    async def go_on(self) -> None:
        """Connects and answers until nothing is open any more, or nothing but pauses is left."""
        for _ in range(20):
            self._outbox.connect()
            await self._outbox.settle()
            while (published := self._outbox.transport.open()) and not self._dislikes(published[0].payload):
                published[0].acknowledged.set_result(None)
                await self._outbox.settle()
            if not self._outbox.transport.open():
                return
            self.endings += 1
            self._outbox.transport.lose()
            await self._outbox.settle()
        raise AssertionError("the connection ends again and again")

    def _dislikes(self, payload: bytes) -> bool:
        return len(payload) > self._largest or json.loads(payload)["id"] in self._request_ids


async def test_a_status_over_which_the_broker_hangs_up_holds_up_no_other() -> None:
    async with an_outbox() as outbox:
        statuses = [a_long_status(str(number), 10) for number in range(20)]
        await outbox.write(*statuses)
        broker = Hostile(outbox, "7")
        await broker.go_on()
        assert [statuses[7]] == await outbox.unreported_and_suspects()
        assert 3 == broker.endings
        (told,) = outbox.line.events.named("status_set_aside")
        assert (8, len(statuses[7])) == (told.fields["number"], told.fields["bytes"])


async def test_what_is_set_aside_is_tried_again_with_growing_pauses_and_after_all_others() -> None:
    async with an_outbox() as outbox:
        await outbox.write(a_long_status("bad", 10))
        broker = Hostile(outbox, "bad")
        await broker.go_on()
        for pause in (10, 20, 40):
            published = len(outbox.published())
            await outbox.line.clock.advance(pause - 1)
            assert published == len(outbox.published())
            await outbox.line.clock.advance(2)
            assert ["bad"] == ids(outbox, published)
            await outbox.write(a_long_status("good", 10))
            assert ["bad", "good"] == ids(outbox, published)
            outbox.transport.lose()
            await outbox.settle()
            await broker.go_on()
            assert 1 == len(await outbox.unreported_and_suspects())
        assert 3 == broker.endings, "what was innocently on its way got points"


async def test_after_a_restart_a_suspect_is_not_the_first_one_again() -> None:
    async with an_outbox() as outbox:
        await outbox.write(a_long_status("bad", 10))
        await Hostile(outbox, "bad").go_on()
        published = len(outbox.published())
        async with outbox.another_run() as again:
            await again.write(a_long_status("good", 10))
            assert ["good"] == ids(again, published)


async def test_a_network_that_flaps_only_delays() -> None:
    async with an_outbox() as outbox:
        await outbox.write(*(a_long_status(str(number), 10) for number in range(5)))
        for _ in range(12):
            outbox.transport.lose()
            await outbox.settle()
            outbox.connect()
            await outbox.settle()
        for _ in range(40):
            outbox.transport.acknowledge()
            await outbox.line.clock.advance(600)
        assert [] == await outbox.unreported_and_suspects()


async def test_after_two_lost_connections_each_acknowledged_suspect_is_followed_by_the_next() -> None:
    async with an_outbox() as outbox:
        await outbox.write(*(a_long_status(str(number), 10) for number in range(5)))
        for _ in range(2):
            outbox.transport.lose()
            await outbox.settle()
            outbox.connect()
            await outbox.settle()
        published = len(outbox.published())
        for _ in range(5):
            outbox.transport.acknowledge()
            await outbox.settle()
        assert [] == await outbox.unreported_and_suspects()
        assert ["1", "2", "3", "4"] == ids(outbox, published), "one at a time"


async def test_statuses_that_are_handed_on_out_of_their_order_are_published_all_the_same() -> None:
    async with an_outbox() as outbox:
        one, two, three = await outbox.written("one", "two", "three")
        outbox.reporter.publish([one, three])
        outbox.reporter.publish([two])
        await outbox.settle()
        assert ["one", "three", "two"] == outbox.published()


async def test_large_statuses_over_which_the_broker_hangs_up_are_shortened_together() -> None:
    """Once so many bytes were too large, everything of that size is."""
    async with an_outbox() as outbox:
        await outbox.write(*(a_long_status(str(number), 8000 + number) for number in range(9)))
        broker = Hostile(outbox, largest=7150)
        await broker.go_on()
        assert [] == await outbox.unreported_and_suspects()
        assert 3 == broker.endings
        assert 9 == outbox.line.events.count("status_shortened")
        acknowledged = [json.loads(each.payload) for each in outbox.transport.published[-9:]]
        assert all(each["response"]["error_message"].endswith(SHORTENED) for each in acknowledged)


async def test_a_size_that_was_too_large_is_remembered_after_a_restart() -> None:
    async with an_outbox() as outbox:
        await outbox.write(a_long_status("first", 8000))
        await Hostile(outbox, largest=7150).go_on()
        async with outbox.another_run() as again:
            await again.write(a_long_status("second", 8000))
            broker = Hostile(again, largest=7150)
            await broker.go_on()
            assert ([], 0) == (await again.unreported_and_suspects(), broker.endings)


async def test_what_is_larger_than_the_transport_takes_is_shortened_at_once() -> None:
    async with an_outbox() as outbox:
        await outbox.write(a_long_status("one"), a_long_status("two"), a_long_status("small", 10))
        outbox.transport.refuse_larger(500)
        await outbox.settle()
        await outbox.write(a_long_status("three"))
        fits = [len(status) <= 500 for status in outbox.published()]
        assert [False, False, True, True, True, True] == fits
        outbox.transport.acknowledge()
        await outbox.settle()
        assert [] == await outbox.unreported()
        told = [each.fields for each in outbox.line.events.named("status_shortened")]
        assert [(1, 500), (2, 500), (4, 500)] == [(each["number"], each["published"]) for each in told]


async def test_the_next_connection_may_take_more() -> None:
    async with an_outbox() as outbox:
        await outbox.write(a_long_status("one"))
        outbox.transport.refuse_larger(500)
        await outbox.settle()
        outbox.transport.lose()
        outbox.connect()
        await outbox.settle()
        assert a_long_status("one") == outbox.published()[-1]


async def test_what_cannot_be_short_enough_is_set_aside_and_told_once() -> None:
    async with an_outbox() as outbox:
        await outbox.write(a_long_status("one"), a_long_status("two", 10))
        outbox.transport.refuse_larger(5)
        for _ in range(5):
            await outbox.line.clock.advance(RETRY_SECONDS + 1)
        assert 2 == len(outbox.published()), "it is known beforehand"
        assert 2 == outbox.line.events.count("status_set_aside")


async def test_a_broker_that_takes_no_status_at_all_does_not_end_each_connection_at_once() -> None:
    """The connection is needed for requests, also where a policy forbids every status."""
    async with an_outbox() as outbox:
        for number in range(6):
            await outbox.write(a_long_status(str(number), 10))
            outbox.transport.lose()
            await outbox.settle()
            outbox.connect()
            await outbox.settle()
        published = len(outbox.published())
        await outbox.write(a_long_status("held", 10))
        await outbox.line.clock.advance(4)
        assert published == len(outbox.published())
        await outbox.line.clock.advance(2)
        assert "held" in ids(outbox, published)
        outbox.transport.acknowledge()
        await outbox.settle()
        outbox.transport.lose()
        outbox.connect()
        await outbox.write(a_long_status("at once", 10))
        assert "at once" == ids(outbox)[-1]
        assert [5.0] == [told.fields["seconds"] for told in outbox.line.events.named("statuses_held")]


async def test_our_own_goodbye_is_held_against_no_status() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        for _ in range(5):
            outbox.reporter.closing()
            outbox.transport.lose()
            outbox.connect()
            await outbox.settle()
        assert ["one"] == await outbox.unreported()


async def test_no_more_than_a_window_is_unacknowledged() -> None:
    async with an_outbox(connected=False) as outbox:
        await outbox.write(*(str(n) for n in range(WINDOW + 10)))
        outbox.connect()
        await outbox.settle()
        assert WINDOW == len(outbox.published())
        outbox.transport.acknowledge()
        await outbox.settle()
        assert [str(n) for n in range(WINDOW + 10)] == outbox.published()


async def test_a_connection_lost_and_found_while_the_journal_is_read_leaves_no_status_behind() -> None:
    """A full disk lets the journal answer after minutes, in which a broker may have been restarted."""
    async with an_outbox() as outbox:
        await outbox.write("one")
        with outbox.line.stalled_disk():
            recorded = outbox.line.journal.record([a_rejection(status=b"two")])
            outbox.transport.refuse()  # it goes on to look for others
            await outbox.line.turns()
            assert "unreported" == outbox.line.watched.calls[-1]
            outbox.transport.lose()
            await outbox.line.turns()
            outbox.connect()
            await outbox.line.turns()
        outbox.reporter.publish((await recorded).written)
        await outbox.settle()
        assert ["one", "one", "two"] == outbox.published()


async def test_flushed_means_that_every_status_is_noted() -> None:
    async with an_outbox() as outbox:
        await outbox.write("one")
        flushed = asyncio.create_task(outbox.reporter.flushed())
        await outbox.settle()
        assert not flushed.done()
        outbox.transport.acknowledge()
        await outbox.settle()
        assert (True, []) == (flushed.done(), await outbox.unreported())


async def test_an_empty_outbox_is_flushed_without_a_connection_too() -> None:
    """Otherwise a connector whose broker is away would drain in vain for as long as it may."""
    async with an_outbox(connected=False) as outbox:
        flushed = asyncio.create_task(outbox.reporter.flushed())
        await outbox.settle()
        done = flushed.done()
        flushed.cancel()
        assert done
