"""The cost of a step does not grow with what waits, counted in steps of SQLite's machine, not in time."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.test_journal_chains import WRITER
from tests.support.factories import START, a_failure, a_request, a_success
from tests.support.fakes import RecordingEvents
from tests.support.journals import connection_of, end
from twilio_notifications.adapters.journal.statements import (
    arrivals,
    care,
    chains,
    counted,
    deliveries,
    outbox,
    paces,
    wishes,
    work,
)
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.opening import open_connection
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Cancellation, Channel, Priority, VoiceLocation
from twilio_notifications.core.pace import NO_PACES, Rate, SenderRates
from twilio_notifications.ports import NewWish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ONLY_AT_A_START = {
    "COUNT_WAITING",
    "COUNT_OPEN",
    "COUNT_IN_DOUBT",
    "COUNT_UNFINISHED",
    "COUNT_UNREPORTED",
    "COUNT_DUPLICATES",
    "LEFT_OPEN",
    "RECOVER_OPEN",
    "RECOVER_DOUBTS",
    "FUTURE_WAITING",
    "FUTURE_DOUBTS",
}
ONLY_WHERE_OTHER_SENDERS_ARE_NAMED = {"RELEASE"}
"""At the first start after the configuration has changed."""
ONLY_WITH_AN_INDEX_OF_ITS_OWN = {"ORIGINAL", "FIRST_DUE"}
BY_A_NUMBER_OF_ITS_OWN = {"LATEST_REQUEST", "REPEATED_DUPLICATE", "IS_SUPERSEDED"}
"""One row of SQLite's own; duplicates that wait, which have a bound; what came after a repeated request."""

TABLE = re.compile(
    r"SCAN (requests|states|attempts|statuses|waits|deliveries|delivery_events|chains|chain_steps)"
)

STATEMENTS = {
    name: text
    for module in (arrivals, care, chains, counted, deliveries, outbox, paces, wishes, work)
    for name, text in vars(module).items()
    if name.isupper()
    and not name.startswith("_")
    and isinstance(text, str)
    and re.match(r"\s*(SELECT|UPDATE|DELETE)", text)
}


def plan(name: str) -> list[str]:
    with closing(open_connection(None)) as connection:
        text = STATEMENTS[name]
        values = dict.fromkeys(re.findall(r":(\w+)", text), 1) or (1,) * text.count("?")
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]


def scans(name: str) -> list[str]:
    """Its steps that read a table or an index from end to end, under whatever alias.

    Five have few rows, and lists are those of the parameters.
    """
    short = (
        r"(broker|callback_secret|senders|states USING INDEX states_one_open|CONSTANT ROW)$|hangups\b"
        r"|(free|chosen|wanted|json_each) VIRTUAL"
    )
    return [step for step in plan(name) if re.match(rf"SCAN (?!{short})", step)]


def only_its_beginning(name: str) -> bool:
    """A walk along an index that a LIMIT ends: it costs what it returns."""
    return "LIMIT ?" in STATEMENTS[name] and all("INDEX" in step for step in scans(name))


@pytest.mark.parametrize(
    "name",
    sorted(
        STATEMENTS.keys()
        - ONLY_AT_A_START
        - ONLY_WITH_AN_INDEX_OF_ITS_OWN
        - BY_A_NUMBER_OF_ITS_OWN
        - ONLY_WHERE_OTHER_SENDERS_ARE_NAMED
    ),
)
def test_no_statement_of_the_line_reads_a_whole_table(name: str) -> None:
    assert [] == scans(name) or only_its_beginning(name)


@pytest.mark.parametrize("name", sorted(ONLY_AT_A_START))
def test_a_start_reads_what_is_unfinished_and_not_what_is_kept(name: str) -> None:
    """The retention may hold a million reported requests; each start would read all of them."""
    assert all(re.search(r"USING (COVERING )?INDEX", step) for step in scans(name))


class Counted:
    """A journal in memory, with the number of machine steps of an operation."""

    def __init__(self, journal: SqliteJournal) -> None:
        self.journal = journal

    async def fill(self, numbers: list[str], *, priority: Priority = Priority.LOW) -> None:
        await asyncio.gather(
            *(self.journal.record([a_request(number, priority=priority)]) for number in numbers)
        )

    async def steps(self, operation: Callable[[], Awaitable[Any]]) -> int:
        count = 0

        def step() -> int:
            nonlocal count
            count += 1
            return 0

        connection_of(self.journal).set_progress_handler(step, 1)
        await operation()
        connection_of(self.journal).set_progress_handler(None, 0)
        return count


@pytest.mark.parametrize(
    "operation",
    [
        lambda journal: journal.claim(due_before=START, limit=50),
        lambda journal: journal.agenda(),
        lambda journal: journal.overdue(now=START, limit=50),
        lambda journal: journal.doubtful(now=START, limit=50),
        lambda journal: journal.unreported(after=0, limit=50),
        lambda journal: journal.record([a_request("+12345999999")]),
        lambda journal: end(journal, a_failure(1)),
    ],
    ids=["claim", "agenda", "overdue", "doubtful", "unreported", "record", "apply"],
)
async def test_the_cost_does_not_grow_with_the_backlog(operation: Callable[[SqliteJournal], Any]) -> None:
    costs = []
    for backlog in (200, 2000):
        async with SqliteJournal(None, events=RecordingEvents()) as journal:
            counted = Counted(journal)
            await counted.fill([f"+1234500{n:04}" for n in range(backlog)])
            costs.append(await counted.steps(lambda: operation(journal)))
    small, large = costs
    assert 0 < large <= small * 1.2


async def test_the_cost_of_a_claim_does_not_grow_where_every_class_of_priority_waits() -> None:
    costs = []
    for backlog in (200, 2000):
        async with SqliteJournal(None, events=RecordingEvents()) as journal:
            counted = Counted(journal)
            for digit, priority in enumerate(Priority):
                numbers = [f"+12345{digit}0{n:04}" for n in range(backlog)]
                await counted.fill(numbers, priority=priority)
            costs.append(await counted.steps(lambda: journal.claim(due_before=START, limit=50)))
    small, large = costs
    assert 0 < large <= small * 1.2


async def test_100000_requests_behind_a_hundred_slow_senders_make_a_claim_no_dearer() -> None:
    """Of a sender without room nothing is read."""
    senders = [f"+1500555{n:04}" for n in range(100)]
    slow = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))
    costs = []
    for backlog, rates in ((0, NO_PACES), (100_000, dict.fromkeys(senders, slow))):
        # In memory a read shares its transaction with nothing else, so its steps can be counted.
        async with SqliteJournal(None, events=RecordingEvents(), paces=rates) as journal:
            counted = Counted(journal)
            for first in range(0, backlog, 5_000):
                await journal.record(
                    [
                        a_request(f"+1{n:010}", sender_number=senders[n % 100], may_leave=True)
                        for n in range(first, first + 5_000)
                    ]
                )
            ready = await journal.claim(due_before=START, limit=1000, pace_at=START)
            assert min(backlog, 100) == len(ready)
            await journal.open_attempts([one.id for one in ready], at=START, clock_offset=None)

            async def look(journal: SqliteJournal = journal) -> None:
                assert [] == await journal.claim(due_before=START + 0.5, limit=50, pace_at=START + 0.5)
                await journal.agenda()

            await look()  # finds the senders for which nothing waits
            costs.append(await counted.steps(look))
    empty, full = costs
    assert 0 < full <= empty * 1.5


async def test_a_claim_whatever_the_pace_reads_whole_only_what_it_returns() -> None:
    """Of a hundred senders, as many are due of each as it may return in all."""
    costs = []
    for count in (1, 100):
        senders = [f"+1500555{n:04}" for n in range(count)]
        slow = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))
        async with SqliteJournal(
            None, events=RecordingEvents(), paces=dict.fromkeys(senders, slow)
        ) as journal:
            requests = [
                a_request(f"+1{n:010}", sender_number=senders[n % count], may_leave=True)
                for n in range(count * 50)
            ]
            await journal.record(requests)

            async def claim(journal: SqliteJournal = journal) -> None:
                assert 50 == len(await journal.claim(due_before=START, limit=50))

            costs.append(await Counted(journal).steps(claim))
    one, hundred = costs
    whole_rows = one * 100
    assert hundred < whole_rows / 3


async def test_the_cost_does_not_grow_with_the_backlog_of_one_recipient() -> None:
    costs = []
    for backlog in (20, 2000):
        async with SqliteJournal(None, events=RecordingEvents()) as journal:
            counted = Counted(journal)
            await counted.fill(["+12345000001"] * backlog)
            await journal.open_attempts([1], at=START, clock_offset=None)
            costs.append(await counted.steps(lambda: end(journal, a_success(1))))
    small, large = costs
    assert 0 < large <= small * 1.2


@pytest.mark.parametrize("wish", [Cancellation(about="door"), Cancellation(request_id="request123"), None])
async def test_what_ends_requests_costs_no_more_where_many_of_them_are_kept(
    wish: Cancellation | None,
) -> None:
    """A sensor that says the same each minute has 43,000 of them in a month. None: a newer request."""
    costs = []
    for kept in (20, 500):
        async with SqliteJournal(None, events=RecordingEvents(), report_seconds=0.0) as journal:
            counted = Counted(journal)
            for number in range(1, kept + 1):
                await journal.record([a_request("+12345000001", about="door")])
                await journal.open_attempts([number], at=START, clock_offset=None)
                await end(journal, a_success(number))
            await journal.record([a_request("+12345000001", about="door")])
            arrival = (
                replace(a_request("+12345000001", about="door"), writer=WRITER)
                if wish is None
                else NewWish(wish=wish, at=START + 9, writer=WRITER)
            )
            costs.append(await counted.steps(lambda arrival=arrival: journal.record([arrival])))  # type: ignore[misc]
            waiting = 0 if wish else 1
            assert waiting == journal.by_state()[State.WAITING]
    small, large = costs
    assert 0 < large <= small * 1.2


async def test_a_cancellation_reads_no_call_that_ended_more_than_four_hours_ago() -> None:
    costs = []
    content = VoiceLocation(url="https://example.com")
    for kept in (20, 500):
        async with SqliteJournal(None, events=RecordingEvents(), report_seconds=0.0) as journal:
            counted = Counted(journal)
            for number in range(1, kept + 1):
                await journal.record([a_request("+12345000001", channel=Channel.CALL, content=content)])
                await journal.open_attempts([number], at=START, clock_offset=None)
                await end(journal, a_success(number))
            wish = Cancellation(request_id="request123")
            later = NewWish(wish=wish, at=START + 14_400, writer=WRITER)
            costs.append(await counted.steps(lambda later=later: journal.record([later])))  # type: ignore[misc]
    small, large = costs
    assert 0 < large <= small * 1.2


@pytest.mark.parametrize(
    ("name", "index"), [("ORIGINAL", arrivals.INDEX_REQUEST_IDS), ("FIRST_DUE", work.INDEX_DUE)]
)
def test_what_only_some_configurations_ask_has_an_index_there(name: str, index: str) -> None:
    with closing(open_connection(None)) as connection:
        connection.execute(index)
        text = STATEMENTS[name]
        values = dict.fromkeys(re.findall(r":(\w+)", text), 1) or (1,) * text.count("?")
        rows = connection.execute(f"EXPLAIN QUERY PLAN {text}", values)
        assert all(
            not re.match(r"SCAN (requests|states)", row[3]) and "TEMP B-TREE" not in row[3] for row in rows
        )
