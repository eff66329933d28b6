"""Paced senders in the journal: claims, openings, restarts, orders. Each adapter."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tests.support.factories import SENDER_NUMBER, START, a_failure, a_request
from tests.support.journals import A, B, C, D, accept, begin, due, end, leave, record
from tests.support.orders import ordered
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import Channel, Priority
from twilio_notifications.core.orders import ResendOrder
from twilio_notifications.core.pace import PacedSender, Rate, SenderRates
from twilio_notifications.core.steps import AttemptOutcome, Postpone, Stall

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.journals import OpenJournal
    from twilio_notifications.ports import Journal

OTHER = "+18888888888"
ONE = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))
PACED = {SENDER_NUMBER: ONE}
STALLED = Stall(sender_number=SENDER_NUMBER, channel=Channel.SMS, until=START + 30)


async def admit(journal: Journal, *phone_numbers: str, **arguments: Any) -> None:
    """Records requests that the rules admit, and that wait for a place or for their sender."""
    await accept(journal, *phone_numbers, may_leave=True, **arguments)


async def ready(journal: Journal, *, at: float = START) -> list[int]:
    """What may leave at that instant."""
    ids = [one.id for one in await journal.claim(due_before=at, limit=100, pace_at=at)]
    await journal.release(ids)
    return ids


async def opened(journal: Journal, *ids: int, at: float = START) -> list[int]:
    return await begin(journal, *ids, at=at)


async def test_a_claim_returns_what_a_sender_may_send_now(a_store: OpenJournal) -> None:
    async with a_store(paces=PACED) as journal:
        await admit(journal, A, B)
        await admit(journal, C, D, sender_number=OTHER)
        assert [1, 3, 4] == await ready(journal)
        assert [1, 2, 3, 4] == await due(journal)


async def test_an_opening_asks_the_pace_again(a_store: OpenJournal) -> None:
    """A claim may be older than the latest commit."""
    async with a_store(paces=PACED) as journal:
        await admit(journal, A, B)
        assert [1] == await opened(journal, 1, 2)
        assert [] == await opened(journal, 2, at=START + 0.9)
        assert [] == await ready(journal, at=START + 0.9)
        assert [2] == await opened(journal, *await ready(journal, at=START + 1), at=START + 1)


async def test_what_the_rules_have_not_admitted_is_claimed_whatever_the_pace(a_store: OpenJournal) -> None:
    """Its answer may be due at once. Where it is admitted after all, it waits for its sender like others."""
    async with a_store(paces=PACED) as journal:
        await admit(journal, A, B)
        await opened(journal, 1)
        await accept(journal, C, D)
        assert [3, 4] == await ready(journal)
        assert [] == await opened(journal, 3, 4)
        assert [] == await ready(journal)
        assert START + 1 == (await journal.agenda()).next_due
        for at, next_one in enumerate([2, 3, 4], 1):
            claimed = await ready(journal, at=START + at)
            assert [next_one] == await opened(journal, *claimed, at=START + at)


async def test_what_is_admitted_late_overtakes_nothing_of_its_sender(a_store: OpenJournal) -> None:
    async with a_store(paces=PACED) as journal:
        await accept(journal, A)
        await admit(journal, B)
        assert [] == await opened(journal, *await ready(journal))
        assert [1] == await opened(journal, *await ready(journal))


async def test_what_arrives_meanwhile_and_is_not_admitted_yet_holds_up_no_older_one(
    a_store: OpenJournal,
) -> None:
    """In a flood each look finds some of those: the sender goes on all the same."""
    async with a_store(paces=PACED) as journal:
        await admit(journal, A)
        await accept(journal, B)
        assert [1] == await opened(journal, *await ready(journal))


async def test_the_agenda_says_when_the_sender_has_room(a_store: OpenJournal) -> None:
    async with a_store(paces=PACED) as journal:
        assert (await journal.agenda()).next_due is None
        await admit(journal, A, B)
        await opened(journal, 1)
        assert START + 1 == (await journal.agenda()).next_due
        await opened(journal, 2, at=START + 1)
        assert (await journal.agenda()).next_due is None
        await admit(journal, C)
        assert START + 2 == (await journal.agenda()).next_due


async def test_calls_have_a_rate_of_their_own(a_store: OpenJournal) -> None:
    async with a_store(paces=PACED) as journal:
        await admit(journal, A, B)
        await admit(journal, C, channel=Channel.CALL)
        assert [1, 3] == sorted(await ready(journal))


async def test_the_urgent_request_of_a_sender_comes_first(a_store: OpenJournal) -> None:
    async with a_store(paces=PACED) as journal:
        await admit(journal, A)
        await admit(journal, B, priority=Priority.URGENT)
        assert [2] == await ready(journal)


async def test_of_what_arrives_together_a_paced_sender_opens_what_it_has_room_for(
    a_store: OpenJournal,
) -> None:
    async with a_store(paces=PACED) as journal:
        assert [True, False, False] == [one.opened for one in await leave(journal, A, B, C)]
        assert [False] == [one.opened for one in await leave(journal, D, at=START + 5)]


async def test_a_request_whose_turn_comes_is_found_for_its_sender(a_store: OpenJournal) -> None:
    """It waits behind a request of another sender to the same recipient."""
    async with a_store(paces=PACED) as journal:
        await record(journal, a_request(A, sender_number=OTHER, may_leave=True))
        await record(journal, a_request(A, may_leave=True))
        assert [1] == await opened(journal, *await ready(journal))
        assert (await journal.agenda()).next_due is None
        await end(journal, a_failure(1))
        assert START == (await journal.agenda()).next_due
        assert [2] == await ready(journal)


async def test_a_stalled_sender_is_not_claimed_until_its_queue_has_room(a_store: OpenJournal) -> None:
    async with a_store(paces={SENDER_NUMBER: ONE, OTHER: ONE}) as journal:
        await admit(journal, A, B)
        await admit(journal, C, sender_number=OTHER)
        await opened(journal, 1)
        await end(journal, postponed())
        assert [3] == await ready(journal, at=START + 29)
        claimed = await ready(journal, at=START + 30)
        assert [1, 2, 3] == sorted(claimed)
        assert [3] == await opened(journal, *claimed, at=START + 30)
        assert [1] == await ready(journal, at=START + 30), "it has its old place, before 2"


def postponed() -> Postpone:
    return Postpone(
        id=1,
        at=START,
        due_at=START + 30,
        reason=WaitReason.SENDER_QUEUE_FULL,
        message="full",
        outcome=AttemptOutcome.DEFERRED,
        stall=STALLED,
    )


async def test_a_stall_survives_a_restart_whether_or_not_the_sender_is_paced(
    a_lasting_store: OpenJournal,
) -> None:
    sender = PacedSender(number=SENDER_NUMBER, channel=Channel.SMS)
    async with a_lasting_store() as journal:
        await admit(journal, A)
        await opened(journal, 1)
        await end(journal, postponed())
    for paces in ({}, PACED):
        async with a_lasting_store(paces=paces) as journal:
            assert {sender: START + 30} == (await journal.recover(now=START + 1)).stalled
            assert {} == (await journal.recover(now=START + 30)).stalled


async def test_what_a_sender_has_used_survives_a_restart(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(paces=PACED) as journal:
        await admit(journal, A, B)
        await opened(journal, 1)
    async with a_lasting_store(paces=PACED) as journal:
        await journal.recover(now=START)
        assert [] == await ready(journal, at=START + 0.9)
        assert [2] == await ready(journal, at=START + 1)


async def test_what_a_clock_in_the_future_has_used_delays_nothing_for_long(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store(paces=PACED) as journal:
        await admit(journal, A, B)
        await opened(journal, 1, at=START + 1e6)
    async with a_lasting_store(paces=PACED) as journal:
        await journal.recover(now=START)
        agenda = await journal.agenda()
        assert agenda.next_due is not None
        assert START + 101 >= agenda.next_due


async def test_a_request_that_is_sent_again_is_paced_like_any_other(tmp_path: Path) -> None:
    from tests.support.journals import store  # noqa: PLC0415 - the file is needed by its path

    opened_here = store("sqlite file", tmp_path)
    async with opened_here(paces=PACED) as journal:
        await admit(journal, A, B)
        await opened(journal, 1)
        await end(journal, a_failure(1))
        await ordered(journal, tmp_path / "journal.db", ResendOrder(request=1))
        found = [one.id for one in await journal.claim(due_before=math.inf, limit=9)]
        assert [2, 3] == sorted(found)
        for second, leaves in enumerate(
            [2, 3], 1
        ):  # the new one begins to wait for its sender, behind the other
            claimed = await ready(journal, at=START + second)
            assert [leaves] == await opened(journal, *claimed, at=START + second)
