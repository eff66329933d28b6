"""How often the connector waits for the server while a group of texts goes from its claim to its report.

A round trip costs more than the rows that it carries, so their number must not grow with the group.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.engines import in_database
from tests.support.factories import SENDER_NUMBER, START, a_postponement, a_request, a_success
from tests.support.fakes import RecordingEvents
from tests.support.mosquitto import HOST
from twilio_notifications.core.pace import NO_PACES, Rate, SenderRates
from twilio_notifications.core.policy import Charge
from twilio_notifications.ports import NO_CHARGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence

    from twilio_notifications.ports import Journal

pytestmark = pytest.mark.postgresql

FAST = SenderRates(texts=Rate.per_second(1000), calls=Rate.per_second(1000))


class Counter:
    """A way to the server that counts how often the server has been asked and has answered."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._to = int(url.rpartition("/")[0].rpartition(":")[2])
        self._passing: list[asyncio.Task[None]] = []
        self.answered = 0

    @asynccontextmanager
    async def way(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._connect, HOST, 0)
        try:
            yield self._url.replace(f":{self._to}/", f":{server.sockets[0].getsockname()[1]}/")
        finally:
            server.close()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    async def of(self, work: Awaitable[Any]) -> int:
        """The round trips of this work."""
        before = self.answered
        await work
        return self.answered - before

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(HOST, self._to)
        # To the request for TLS, with which a connection begins, the answer is one byte.
        there_writer.write(await reader.readexactly(8))
        writer.write(await there_reader.readexactly(1))
        self._passing.append(asyncio.create_task(_pass_on(reader, there_writer)))
        self._passing.append(asyncio.create_task(self._pass_answers(there_reader, writer)))

    async def _pass_answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(1 + 4)
                body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
                self.answered += head[:1] == b"Z"  # ReadyForQuery ends each answer
                writer.write(head + body)
        except asyncio.IncompleteReadError:
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def counted(
    url: str, *, paces: Mapping[str, SenderRates] = NO_PACES, **options: Any
) -> AsyncIterator[tuple[Journal, Counter]]:
    """The journal of one connector that leads."""
    counter = Counter(url)
    async with (
        counter.way() as way,
        in_database(
            way,
            events=RecordingEvents(),
            report_seconds=0.0,
            lease_seconds=600.0,
            paces=paces,
            **options,
        ) as journal,
    ):
        yield cast("Journal", journal), counter


def texts(group: str, size: int, *, sender_number: str = SENDER_NUMBER) -> list[Any]:
    """As many, each to a telephone of its own."""
    return [
        a_request(f"+1{group}{n:08}", request_id=f"{group} {n}", sender_number=sender_number, may_leave=True)
        for n in range(size)
    ]


async def from_claim_to_report(
    journal: Journal,
    counter: Counter,
    group: str,
    size: int,
    *,
    charges: Sequence[Charge] = (),
    pace_at: float | None = None,
) -> dict[str, int]:
    """The round trips of each call, for a group of texts with younger ones to the same telephones."""
    trips = {"record": await counter.of(journal.record(texts(group, size)))}
    trips["record more"] = await counter.of(journal.record(texts(group, size)))
    claimed: list[int] = []

    async def claim() -> None:
        found = await journal.claim(due_before=START, limit=size, pace_at=pace_at)
        claimed.extend(one.id for one in found)

    trips["claim"] = await counter.of(claim())
    assert size == len(claimed)
    every = dict.fromkeys(claimed, charges) if charges else NO_CHARGES
    opening = journal.open_attempts(claimed, at=START, clock_offset=None, charges=every)
    trips["open"] = await counter.of(opening)
    written: list[int] = []

    async def take() -> None:
        taken = await journal.take([a_success(id_) for id_ in claimed])
        assert not taken.failed
        assert not taken.lapsed
        written.extend(status.position for status in taken.written)

    trips["take"] = await counter.of(take())
    trips["report"] = await counter.of(journal.report(written, at=START))
    # The younger ones, whose turn has come, leave the field to the next group.
    later = await journal.claim(due_before=START, limit=size, pace_at=pace_at)
    assert size == len(later)
    ids = [one.id for one in later]
    trips["postpone"] = await counter.of(
        journal.take([a_postponement(id_, due_at=START + 9_999_999.0) for id_ in ids])
    )
    return trips


async def round_trips(
    url: str, *, paces: Mapping[str, SenderRates] = NO_PACES, charges: Sequence[Charge] = ()
) -> list[dict[str, int]]:
    """The same for a group of one text, and for one of fifty, on a connection that knows the statements."""
    pace_at = START + 60.0 if paces else None
    async with counted(url, paces=paces) as (journal, counter):
        for group, size in (("0", 1), ("1", 50)):
            await from_claim_to_report(journal, counter, group, size, charges=charges, pace_at=pace_at)
        return [
            await from_claim_to_report(journal, counter, group, size, charges=charges, pace_at=pace_at)
            for group, size in (("2", 1), ("3", 50))
        ]


async def test_a_group_of_texts_takes_as_many_round_trips_as_one_text(postgresql_url: str) -> None:
    one, fifty = await round_trips(postgresql_url)
    assert one == {
        "record": 9,
        "record more": 9,
        "claim": 8,
        "open": 7,
        "take": 11,
        "report": 7,
        "postpone": 9,
    }
    assert fifty == one | {"claim": one["claim"] + 1}, "a claim of many looks at one class more"


async def test_what_limits_and_paced_senders_add_does_not_grow_with_the_group(postgresql_url: str) -> None:
    charges = [
        Charge(scope="texts/day", since=START, most=1_000),
        Charge(scope="messages/hour", since=START),
    ]
    one, fifty = await round_trips(postgresql_url, paces={SENDER_NUMBER: FAST}, charges=charges)
    assert one == {
        "record": 10,
        "record more": 10,
        "claim": 13,
        "open": 11,
        "take": 12,
        "report": 8,
        "postpone": 10,
    }
    assert fifty == one | {"claim": one["claim"] + 2}


async def test_a_limit_for_the_account_adds_one_where_enough_of_it_is_reserved(postgresql_url: str) -> None:
    hourly = Charge(scope="texts/hour", since=START, most=100_000, of_account=True)
    async with counted(postgresql_url, monotonic=lambda: 0.0) as (journal, counter):
        await from_claim_to_report(journal, counter, "0", 1)
        without = await from_claim_to_report(journal, counter, "1", 1)
        for group in ("2", "3"):  # what it takes ahead grows
            taking = await from_claim_to_report(journal, counter, group, 40, charges=[hourly])
        for group, size in (("4", 1), ("5", 20)):
            trips = await from_claim_to_report(journal, counter, group, size, charges=[hourly])
            assert without["open"] + 1 == trips["open"]
            assert without["take"] == trips["take"]
        assert taking["open"] <= without["open"] + 4, "it reads what is left, takes some, and uses it"
