"""From bytes to the journal: recorded, then acknowledged, and nothing that arrives may stop the connector."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.clock import HandClock
from tests.support.crash_points import CrashPoint
from tests.support.factories import DARLA, START, a_failure, a_payload
from tests.support.fakes import LineClock, RecordingEvents, WatchedJournal, stalled
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.conclusions import ChainWriter, StatusWriter
from twilio_notifications.core.contract import Extensions, Topics
from twilio_notifications.core.errors import JournalError, JournalFull, LeaseEnded
from twilio_notifications.core.model import Channel
from twilio_notifications.pipeline.line.failures import Failures
from twilio_notifications.pipeline.line.intake import Intake
from twilio_notifications.pipeline.line.reception import Reception
from twilio_notifications.ports import Inbound, Level, Opening, Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.ports import Arrival, Journal, Recordings, Unreported

TEXT, CALL = "site7/twilio/txt", "site7/twilio/call"


@dataclass(slots=True)
class HandGate:
    """A dispatcher by hand: the test says how many may leave at once, and who."""

    places: int | None = None
    admits: Callable[[Claimed], bool] = lambda _request: True
    asked: list[float] = field(default_factory=list)
    reserved: int = 0
    begun: list[tuple[int, str]] = field(default_factory=list)
    """Number and id of each request whose attempt is to be made."""
    left: list[int] = field(default_factory=list)
    woken: int = 0

    def opening(self, *, now: float) -> Opening | None:
        self.asked.append(now)
        return None if self.places is None else Opening(at=now, clock_offset=None, places=self.places)

    def may_leave(self, request: Claimed, *, now: float) -> bool:  # noqa: ARG002 - the test decides
        return self.admits(request)

    def reserve(self, count: int) -> None:
        self.reserved += count

    def begin(self, requests: Sequence[Claimed], *, reserved: int, left: int) -> None:
        self.begun += [(request.id, str(request.notification.request_id)) for request in requests]
        self.reserved -= reserved
        self.left.append(left)

    def wake(self) -> None:
        self.woken += 1


@dataclass(slots=True, kw_only=True)
class Door:
    """An intake on a journal, with a gate that is closed until a test gives it places."""

    sqlite: SqliteJournal
    watched: WatchedJournal
    clock: LineClock
    events: RecordingEvents
    intake: Intake
    gate: HandGate
    written: list[Unreported]
    acknowledged: list[str] = field(default_factory=list)

    def receive(self, payload: bytes = b"", *, name: str = "", topic: str = TEXT, **inbound: Any) -> None:
        arrival = Inbound(
            topic=topic,
            payload=payload or a_payload(),
            acknowledge=lambda: self.acknowledged.append(name),
            **inbound,
        )
        self.intake.receive(arrival)

    async def waiting(self) -> list[Claimed]:
        return await self.sqlite.overdue(now=float("inf"), limit=100)

    async def statuses(self) -> list[Any]:
        return [json.loads(row.status) for row in await self.sqlite.unreported(after=0, limit=100)]

    async def errors(self) -> list[str]:
        return [status["response"]["error"] for status in await self.statuses()]


@asynccontextmanager
async def a_door(*, places: int | None = None, **journal: Any) -> AsyncIterator[Door]:
    clock, events, gate = LineClock(), RecordingEvents(), HandGate(places)
    written: list[Unreported] = []
    async with SqliteJournal(None, events=events, **journal) as sqlite:
        clock.journal = WatchedJournal(sqlite)
        intake = Intake(
            hold_seconds=0.0,
            journal=cast("Journal", clock.journal),
            clock=clock,
            events=events,
            reception=Reception(
                clock=clock,
                statuses=StatusWriter(),
                default_sender_number="+19999999999",
                lifetime_seconds=14_400,
                extensions=Extensions(contacts={}, escalations=frozenset()),
                writer=ChainWriter(
                    statuses=StatusWriter(), chains={}, contacts={}, default_sender_number=None
                ),
            ),
            failures=Failures(events=events, clock=clock),
            topics=Topics.with_prefix("site7/"),
            gate=gate,
            on_written=written.extend,
        )
        yield Door(
            sqlite=sqlite,
            watched=clock.journal,
            clock=clock,
            events=events,
            intake=intake,
            gate=gate,
            written=written,
        )


async def test_a_request_is_acknowledged_after_its_commit_and_not_before() -> None:
    async with a_door() as door:
        with stalled(door.sqlite):
            door.receive(name="a")
            await HandClock.settle(door.clock)
            assert [] == door.acknowledged
        await door.clock.settle()
        assert ["a"] == door.acknowledged
        assert [
            CrashPoint.REQUEST_RECEIVED,
            CrashPoint.REQUEST_RECORDED,
            CrashPoint.REQUEST_ACKNOWLEDGED,
        ] == door.events.points
        assert 1 == door.gate.woken


async def test_a_request_is_recorded_with_its_instant_and_its_lifetime() -> None:
    async with a_door() as door:
        door.receive(a_payload(valid_for_seconds=60), topic=TEXT)
        await door.clock.settle()
        (waiting,) = await door.waiting()
        assert (START, START + 60, DARLA) == (
            waiting.accepted_at,
            waiting.expires_at,
            waiting.notification.recipient.phone_number,
        )


@pytest.mark.parametrize("payload", [a_payload(), b"wrong"])
async def test_it_is_recorded_where_a_request_came_from(payload: bytes) -> None:
    async with a_door(maximum_waiting=1) as door:
        for origin in (Origin.IOT_CORE, Origin.LOCAL):
            door.receive(payload, origin=origin)
        await door.clock.settle()
        for waiting in await door.waiting():
            await door.sqlite.take([a_failure(waiting.id)])
        rows = await door.sqlite.unreported(after=0, limit=9)
        assert {Origin.IOT_CORE, Origin.LOCAL} == {row.origin for row in rows}


async def test_the_topic_says_which_channel_is_meant() -> None:
    call = json.loads(a_payload())
    call["request"]["recipient"] = {
        "name": "Darla",
        "phone_number": DARLA,
        "voice_message_location": "https://example.com/twiml",
    }
    async with a_door() as door:
        door.receive(topic=TEXT)
        door.receive(json.dumps(call).encode(), topic=CALL)
        await door.clock.settle()
        assert [Channel.SMS, Channel.CALL] == [each.notification.channel for each in await door.waiting()]


async def test_a_journal_that_is_closed_acknowledges_nothing() -> None:
    """The broker keeps what came too late."""
    async with a_door() as door:
        await door.sqlite._store.writer.close()
        door.receive(name="late")
        await HandClock.settle(door.clock)
        assert ([], []) == (door.acknowledged, door.events.defects)


@pytest.mark.parametrize("payload", [b"\xff", b"{", b"[]", b"null", b'{"id": 7}', b'{"id":"\\ud800"}'])
async def test_whatever_is_wrong_is_answered_and_acknowledged(payload: bytes) -> None:
    async with a_door() as door:
        door.receive(payload, name="wrong")
        await door.clock.settle()
        assert (["wrong"], 0) == (door.acknowledged, door.gate.woken)
        assert ["InvalidParameter"] == await door.errors()
        assert await door.sqlite.unreported(after=0, limit=9) == door.written


async def test_what_cannot_be_recorded_is_a_defect_and_stays_with_the_broker() -> None:
    async with a_door() as door:
        door.receive(name="odd", packet_id=2**70)
        await door.clock.settle()
        assert [] == door.acknowledged
        # The second one is that of the InternalError, which carries the same packet identifier.
        assert ["record_failed"] * 2 == [name for name, _ in door.events.defects]
        door.receive(name="good")
        await door.clock.settle()
        assert ["good"] == door.acknowledged


class FullJournal:
    """Has no room, not even for an answer; or records nothing for another reason."""

    def __init__(self, error: JournalError | None = None) -> None:
        self._error = error or JournalFull("as large as it may be")

    def is_roomy(self, _count: int) -> bool:
        return False

    def record(
        self, _arrivals: Sequence[Arrival], *, opening: Opening | None = None
    ) -> asyncio.Future[Recordings]:
        assert opening is None
        recording: asyncio.Future[Recordings] = asyncio.get_running_loop().create_future()
        recording.set_exception(self._error)
        return recording


async def test_what_finds_no_room_is_given_back_and_not_acknowledged() -> None:
    given_back: list[str] = []
    async with a_door() as door:
        door.intake.journal = cast("Journal", FullJournal())
        door.receive(name="kept by the broker", packet_id=1, give_back=lambda: given_back.append("it"))
        await door.clock.settle()
        assert (["it"], []) == (given_back, door.acknowledged)
        assert (1, 0) == (door.events.count("journal_full"), door.events.count("request_lost"))
        assert [] == door.events.defects


async def test_what_comes_after_the_lease_has_ended_is_given_back_and_no_defect() -> None:
    """The next connection begins under the next lease."""
    given_back: list[str] = []
    async with a_door() as door:
        door.intake.journal = cast("Journal", FullJournal(LeaseEnded("it has ended")))
        door.receive(name="kept by the broker", packet_id=1, give_back=lambda: given_back.append("it"))
        await door.clock.settle()
        assert (["it"], []) == (given_back, door.acknowledged)
        assert 0 == door.events.count("journal_full")
        assert [] == door.events.defects


async def test_what_finds_no_room_and_cannot_be_given_back_is_told_as_lost() -> None:
    released: list[str] = []
    async with a_door() as door:
        door.intake.journal = cast("Journal", FullJournal())
        door.receive(name="QoS 0", give_back=lambda: None, release=lambda: released.append("it"))
        await door.clock.settle()
        assert (["it"], []) == (released, door.acknowledged)
        assert [Level.ERROR] == [told.level for told in door.events.named("request_lost")]


async def test_a_retained_payload_is_never_executed() -> None:
    async with a_door() as door:
        door.receive(name="retained", retained=True)
        await door.clock.settle()
        assert (["retained"], []) == (door.acknowledged, await door.waiting())
        assert 1 == door.events.count("retained_dropped")


async def test_other_topics_have_one_warning_a_minute() -> None:
    async with a_door() as door:
        for pause in (0, 1, 60):
            await door.clock.advance(pause)
            door.receive(topic="another/topic")
        levels = [told.level for told in door.events.named("unknown_topic_dropped")]
        assert [Level.WARNING, Level.DEBUG, Level.WARNING] == levels


async def test_another_topic_is_dropped() -> None:
    async with a_door() as door:
        door.receive(name="other", topic="twilio/txt")
        await door.clock.settle()
        assert (["other"], []) == (door.acknowledged, await door.waiting())


async def test_what_the_broker_sends_again_is_acknowledged_and_not_executed_again() -> None:
    """Contract, section 5.5."""
    async with a_door() as door:
        door.receive(name="first", packet_id=7)
        door.receive(name="again", packet_id=7, redelivered=True)
        await door.clock.settle()
        assert ["first", "again"] == door.acknowledged
        assert 1 == len(await door.waiting())
        assert (1, 1) == (door.events.count("repeated_publish_ignored"), door.gate.woken)


async def test_what_looks_for_a_place_is_recorded_before_the_end_of_its_connection() -> None:
    """Contract, section 5.5: a broker may give it another packet identifier over the next connection."""
    async with a_door(places=0) as door:
        door.intake.hold_seconds = 1.0
        door.receive(name="first", packet_id=7)
        await HandClock.settle(door.clock)
        assert [] == door.acknowledged
        door.intake.connection_ended()
        await door.clock.settle()
        door.gate.places = 1
        door.receive(name="again", packet_id=9, redelivered=True)
        await door.clock.settle()
        assert ["first", "again"] == door.acknowledged
        assert (1, []) == (len(await door.waiting()), door.gate.begun)


async def test_a_rejected_payload_that_the_broker_sends_again_is_answered_once() -> None:
    async with a_door() as door:
        door.receive(b"{", name="first", packet_id=7)
        door.receive(b"{", name="again", packet_id=7, redelivered=True)
        await door.clock.settle()
        assert (["first", "again"], 1) == (door.acknowledged, len(await door.statuses()))


async def test_two_giants_that_nobody_held_are_told_apart_by_their_size() -> None:
    async with a_door() as door:
        for size in (10_000_000, 20_000_000):
            giant = Inbound(
                topic=TEXT,
                payload=b"",
                passed_over=size,
                acknowledge=lambda: None,
                redelivered=size > 10_000_000,
                packet_id=7,
            )
            door.intake.receive(giant)
        await door.clock.settle()
        assert 2 == len(await door.statuses())


@pytest.mark.parametrize(("topic", "payload"), [(CALL, a_payload()), (TEXT, a_payload(message="other"))])
async def test_another_topic_or_other_bytes_are_no_repetition(topic: str, payload: bytes) -> None:
    async with a_door() as door:
        door.receive(packet_id=7)
        door.receive(payload, topic=topic, packet_id=7, redelivered=True)
        await door.clock.settle()
        assert 2 == len(await door.waiting()) + len(await door.statuses())


async def test_the_same_payload_published_anew_is_a_new_request() -> None:
    async with a_door() as door:
        door.receive(packet_id=7)
        door.receive(packet_id=7)
        door.receive(packet_id=8)
        await door.clock.settle()
        assert 3 == len(await door.waiting())


async def test_a_full_journal_says_so() -> None:
    async with a_door(maximum_waiting=1) as door:
        door.receive(name="first")
        door.receive(name="second", packet_id=2)
        await door.clock.settle()
        assert ["first", "second"] == door.acknowledged
        assert ["QueueFull"] == await door.errors()
        assert 1 == len(await door.waiting())


async def test_a_full_journal_says_so_once_to_what_the_broker_sends_again() -> None:
    async with a_door(maximum_waiting=0) as door:
        door.receive(packet_id=2)
        await door.clock.settle()
        door.receive(packet_id=2, redelivered=True)
        await door.clock.settle()
        assert ["QueueFull"] == await door.errors()


async def test_acknowledgements_leave_in_the_order_of_arrival() -> None:
    """MQTT 5, 4.6: a client must send PUBACK packets in the order of the PUBLISH packets."""
    async with a_door(maximum_waiting=0) as door:
        door.receive(name="first")
        door.receive(b"{", name="second")
        await door.clock.settle()
        assert ["first", "second"] == door.acknowledged


async def test_an_acknowledgement_that_fails_does_not_hold_up_the_request() -> None:
    """What is on disk is carried out, whatever becomes of the connection on which it came."""
    async with a_door() as door:
        door.intake.receive(Inbound(topic=TEXT, payload=a_payload(), acknowledge=_hung_up))
        door.receive(name="another of the same turn")
        door.receive(b"wrong")
        await door.clock.settle()
        assert (1, 2) == (door.gate.woken, len(await door.waiting()))
        assert ["another of the same turn", ""] == door.acknowledged
        assert 1 == len(door.written)
        assert ["intake_failed"] == [name for name, _ in door.events.defects]


async def test_an_acknowledgement_that_fails_does_not_keep_an_open_attempt_from_being_made() -> None:
    async with a_door(places=5) as door:
        door.intake.receive(Inbound(topic=TEXT, payload=a_payload(), acknowledge=_hung_up))
        await door.clock.settle()
        assert ([(1, "request123")], 0) == (door.gate.begun, door.gate.reserved)


def _hung_up() -> None:
    raise OSError("the connection is gone")


async def test_a_giant_that_nobody_held_is_answered_with_its_size() -> None:
    async with a_door() as door:
        arrival = Inbound(
            topic=TEXT,
            payload=b"",
            passed_over=10_000_000,
            acknowledge=lambda: door.acknowledged.append("giant"),
        )
        door.intake.receive(arrival)
        await door.clock.settle()
        (status,) = await door.statuses()
        expected = "Input message is 10000000 bytes long, the limit is 131072"
        assert ("", "InvalidParameter") == (status["id"], status["response"]["error"])
        assert expected == status["response"]["error_message"]
        assert ["giant"] == door.acknowledged


async def test_what_a_defect_keeps_from_being_recorded_takes_up_no_room() -> None:
    """It is not acknowledged, so the broker keeps it; but reading does not stop for its sake."""
    released: list[str] = []
    async with a_door() as door:
        door.events.on(CrashPoint.REQUEST_RECEIVED, _hung_up)
        door.receive(release=lambda: released.append("defect"))
        await door.clock.settle()
    door.receive(release=lambda: released.append("closed journal"))
    await door.clock.settle()
    assert ["defect", "closed journal"] == released
    assert [] == door.acknowledged


async def test_a_duplicate_is_answered_where_ids_are_said_to_be_unique() -> None:
    async with a_door(deduplicate_seconds=60.0) as door:
        door.receive(name="first")
        await door.clock.settle()
        (waiting,) = await door.waiting()
        await door.sqlite.take([a_failure(waiting.id)])
        await door.clock.advance(30)
        door.receive(name="second")
        await door.clock.advance(31)
        door.receive(name="third")
        await door.clock.settle()
        assert ["first", "second", "third"] == door.acknowledged
        assert 1 == len(await door.waiting())
        first, second = await door.sqlite.unreported(after=0, limit=9)
        assert first.status == second.status
        assert (2, [second]) == (door.gate.woken, door.written)


async def test_duplicates_are_counted_in_one_line_a_minute() -> None:
    async with a_door(deduplicate_seconds=600.0) as door:
        for pause in (0, 1, 1, 60, 1):
            await door.clock.advance(pause)
            door.receive()
            door.receive()
            await door.clock.settle()
        counts = [told.fields["count"] for told in door.events.named("duplicate_answered")]
        assert [1, 5] == counts


async def test_the_id_of_a_rejected_request_may_be_used_again() -> None:
    """Otherwise a sender that corrects its request, or tries again after QueueFull, gets no status."""
    async with a_door(deduplicate_seconds=60.0) as door:
        door.receive(a_payload(message=""), name="wrong")
        door.receive(name="mended")
        await door.clock.settle()
        assert 1 == len(await door.waiting())


# What arrives together is recorded together.


async def test_what_arrives_in_one_turn_of_the_loop_is_recorded_in_one_call() -> None:
    async with a_door() as door:
        for name in ("one", "two"):
            door.receive(a_payload(request_id=name), name=name)
        door.receive(b"wrong", name="three")
        await door.clock.settle()
        assert (1, ["one", "two", "three"]) == (door.watched.count("record"), door.acknowledged)
        assert ["one", "two"] == [each.notification.request_id for each in await door.waiting()]
        door.receive(name="four")
        await door.clock.settle()
        assert 2 == door.watched.count("record")


SPOILT = """
CREATE TRIGGER spoilt BEFORE INSERT ON requests WHEN NEW.request_id = '"odd"' AND NEW.phone_number IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a defect'); END
"""


async def test_an_arrival_that_cannot_be_recorded_is_answered_and_keeps_no_other_from_being_recorded() -> (
    None
):
    async with a_door(places=5) as door:
        await door.sqlite._store.writer.submit(lambda connection: connection.execute(SPOILT).rowcount)
        for n, name in enumerate(["before", "odd", "after"]):
            door.receive(a_payload(f"+1234500000{n}", request_id=name), name=name)
        await door.clock.settle()
        assert {"before", "odd", "after"} == set(door.acknowledged)
        assert ["before", "after"] == [each.notification.request_id for each in await door.waiting()]
        assert ([], 1) == (door.gate.begun, door.gate.woken)
        (status,) = await door.statuses()
        assert ("odd", "InternalError") == (status["id"], status["response"]["error"])
        assert 1 == len(door.written)
        assert (0, ["record_failed"]) == (door.gate.reserved, [name for name, _ in door.events.defects])


# What may leave at once.


async def test_a_request_that_may_leave_is_opened_by_the_call_that_records_it() -> None:
    async with a_door(places=5) as door:
        door.receive(a_payload(request_id="leaves"), name="leaves")
        await door.clock.settle()
        assert [(1, "leaves")] == door.gate.begun
        assert (["leaves"], ["record"]) == (door.acknowledged, door.watched.calls)
        assert (0, [0], 0) == (door.gate.reserved, door.gate.left, door.gate.woken)
        assert [] == await door.waiting()


async def test_its_acknowledgement_and_its_attempt_wait_for_the_same_commit() -> None:
    async with a_door(places=5) as door:
        with stalled(door.sqlite):
            door.receive(name="leaves")
            await HandClock.settle(door.clock)
            assert ([], [], 1) == (door.acknowledged, door.gate.begun, door.gate.reserved)
        await door.clock.settle()
        assert (["leaves"], 1, 0) == (door.acknowledged, len(door.gate.begun), door.gate.reserved)


async def test_no_more_leave_than_there_are_places_and_the_others_wait_for_the_dispatcher() -> None:
    async with a_door(places=2) as door:
        for n in range(5):
            door.receive(a_payload(f"+1234500000{n}", request_id=str(n)))
        await door.clock.settle()
        assert ["0", "1"] == [name for _, name in door.gate.begun]
        assert ([3], 1, 0) == (door.gate.left, door.gate.woken, door.gate.reserved)
        assert ["2", "3", "4"] == [each.notification.request_id for each in await door.waiting()]


async def test_of_two_requests_of_one_recipient_the_second_waits_for_the_first() -> None:
    async with a_door(places=5) as door:
        for name in ("alarm", "all clear"):
            door.receive(a_payload(request_id=name))
        await door.clock.settle()
        assert ["alarm"] == [name for _, name in door.gate.begun]
        assert (0, 1) == (door.gate.reserved, door.gate.woken)


async def test_what_the_rules_do_not_admit_at_once_takes_no_place() -> None:
    async with a_door(places=1) as door:
        door.gate.admits = lambda request: "1" == request.notification.request_id
        for n in range(2):
            door.receive(a_payload(f"+1234500000{n}", request_id=str(n)))
        await door.clock.settle()
        assert ["1"] == [name for _, name in door.gate.begun]
        assert ([0], 1) == (door.gate.left, door.gate.woken)


async def test_a_request_on_which_the_rules_fail_waits_for_the_dispatcher() -> None:
    """There a defect costs that request alone; here it would cost all that arrived with it."""

    def admits(request: Claimed) -> bool:
        if "odd" == request.notification.request_id:
            raise ZeroDivisionError
        return True

    async with a_door(places=5) as door:
        door.gate.admits = admits
        for n, name in enumerate(["before", "odd", "after"]):
            door.receive(a_payload(f"+1234500000{n}", request_id=name), name=name)
        await door.clock.settle()
        assert ["before", "odd", "after"] == door.acknowledged
        assert ["before", "after"] == [name for _, name in door.gate.begun]
        assert ["odd"] == [each.notification.request_id for each in await door.waiting()]
        assert ["intake_failed"] == [name for name, _ in door.events.defects]


async def test_what_the_broker_sends_again_takes_no_place() -> None:
    async with a_door(places=5) as door:
        door.receive(packet_id=7)
        await door.clock.settle()
        door.receive(packet_id=7, redelivered=True)
        await door.clock.settle()
        assert (1, 0) == (len(door.gate.begun), door.gate.reserved)


async def test_places_are_given_back_where_nothing_could_be_recorded() -> None:
    async with a_door(places=5) as door:
        await door.sqlite._store.writer.close()
        door.receive(name="late")
        await HandClock.settle(door.clock)
        assert (0, [], []) == (door.gate.reserved, door.gate.begun, door.acknowledged)
