"""The conformance suite of the port Deliveries: what became of what Twilio accepted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import START, a_change, a_success
from tests.support.journals import (
    EVERY,
    LASTING,
    A,
    B,
    OpenJournal,
    accept,
    begin,
    due,
    end,
    outbox,
    recover,
    report,
    store_of,
)
from twilio_notifications.core.delivery import FollowUpStatus, Who
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Channel
from twilio_notifications.core.steps import Follow

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.core.delivery import Followed
    from twilio_notifications.ports import Journal

SID = f"SM{1:032x}"
TOLD = FollowUpStatus(status=b'{"response":{},"id":"request123"}', reason=None)


@pytest.fixture(params=EVERY)
def a_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store_of(request, tmp_path)


@pytest.fixture(params=LASTING)
def a_lasting_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store_of(request, tmp_path)


async def follow(
    journal: Journal, *numbers: str, look_at: float = START + 5, channel: Channel = Channel.SMS
) -> None:
    """Has Twilio accept a request for each, all of them followed."""
    await accept(journal, *numbers, channel=channel)
    for id_ in await due(journal):
        await begin(journal, id_)
        followed = replace(a_success(id_), follow=Follow(word="queued", look_at=look_at + id_))
        await end(journal, followed)


async def the_delivery(journal: Journal, sid: str = SID) -> Followed:
    followed = await journal.delivery_of(sid)
    assert followed is not None
    return followed


async def test_a_delivery_is_followed_from_the_commit_that_accepted_it(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A)
        followed = await the_delivery(journal)
        assert (1, SID, "queued", START) == (
            followed.request.id,
            followed.sid,
            followed.delivery.state,
            followed.begun_at,
        )
        assert Who(sender_number="+19999999999", phone_number=A, name="Darla") == followed.who
        assert followed == await journal.delivery(1)


async def test_a_finish_that_follows_nothing_has_no_delivery(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(journal, a_success(1))
        assert await journal.delivery_of(SID) is None
        assert await journal.delivery(1) is None
        assert await journal.next_look() is None


async def test_deliveries_come_when_their_look_is_due_the_longest_due_first(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A, B)
        assert START + 6 == await journal.next_look()
        assert [] == await journal.due_deliveries(now=START + 5, limit=9)
        found = await journal.due_deliveries(now=START + 9, limit=9)
        assert [1, 2] == [each.request.id for each in found]
        assert [1] == [each.request.id for each in await journal.due_deliveries(now=START + 9, limit=1)]


async def test_a_clock_that_was_set_back_between_two_runs_delays_no_look(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A)
        await journal.recover(now=START - 86_400)
        assert START - 86_400 == await journal.next_look()
        assert START - 86_400 == (await the_delivery(journal)).begun_at


async def test_a_clock_that_went_forward_between_two_runs_changes_no_delivery(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A)
        before = await the_delivery(journal)
        await journal.recover(now=START + 86_400)
        assert before == await the_delivery(journal)


async def test_a_change_keeps_everything_that_is_known_over_a_restart(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await follow(journal, A, channel=Channel.CALL)
        before = await the_delivery(journal)
        known = replace(
            before.delivery,
            state="completed",
            changed_at=START + 9,
            code=30_003,
            answered_by="machine_start",
            key_pressed=True,
            document_code=11_200,
            notification_looks=1,
            given_up_at=START + 8,
            cancelled_by_us=True,
        )
        who = Who(sender_number="+15550001111", phone_number="+15550002222", name="Darla")
        change = replace(a_change(before, look_at=None), after=known, who=who)
        assert frozenset() == (await journal.change([change])).stale
    async with a_lasting_store() as journal:
        after = await the_delivery(journal)
        assert replace(before, delivery=known, who=who, look_at=None, version=before.version + 1) == after
        assert await journal.next_look() is None


async def test_an_older_sighting_never_changes_a_newer_state(a_store: OpenJournal) -> None:
    """What was concluded before another change was taken is stale, with its status and its entry."""
    async with a_store() as journal:
        await follow(journal, A)
        read = await the_delivery(journal)
        await journal.change([a_change(read, "delivered", look_at=None)])
        changed = await journal.change([a_change(read, "sent", status=TOLD)])
        assert frozenset({1}) == changed.stale
        assert () == changed.written
        assert "delivered" == (await the_delivery(journal)).delivery.state
        assert [1] == await outbox(journal)


async def test_a_change_of_what_is_not_followed_is_stale(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A)
        read = await the_delivery(journal)
        other = replace(a_change(read), request=99)
        changed = await journal.change([other, a_change(read, "sent")])
        assert frozenset({99}) == changed.stale
        assert "sent" == (await the_delivery(journal)).delivery.state


async def test_follow_ups_stand_in_the_outbox_behind_the_first_status(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A)
        late = FollowUpStatus(status=TOLD.status, reason=Reason.UNDELIVERED, message="No", code=30_003)
        await journal.change([a_change(await the_delivery(journal), "sent", status=TOLD)])
        changed = await journal.change([a_change(await the_delivery(journal), "failed", status=late)])
        assert [1, 1, 1] == await outbox(journal)
        positions = [status.position for status in await journal.unreported(after=0, limit=9)]
        assert sorted(set(positions)) == positions
        assert [positions[-1]] == [status.position for status in changed.written]
        assert TOLD.status == (await journal.unreported(after=0, limit=9))[-1].status


async def test_a_request_that_was_reported_is_reported_again_after_its_follow_up(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store() as journal:
        await follow(journal, A)
        await report(journal, [1])
        assert 0 == journal.by_state()[State.FINISHED]
        await journal.change([a_change(await the_delivery(journal), status=TOLD)])
        assert 1 == journal.by_state()[State.FINISHED]
        assert 0 == await journal.purge(finished_before=START + 1e6, limit=9)
    async with a_lasting_store() as journal:
        assert 1 == journal.by_state()[State.FINISHED]
        await report(journal, [1])
        assert 0 == journal.by_state()[State.FINISHED]
        assert [] == await outbox(journal)


async def test_what_is_followed_still_outlives_the_retention(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A, look_at=START + 100)
        await report(journal, [1])
        assert 0 == await journal.purge(finished_before=START + 1, limit=9)
        await journal.change([a_change(await the_delivery(journal), "delivered", look_at=None)])
        assert 1 == await journal.purge(finished_before=START + 1, limit=9)
        assert await journal.delivery_of(SID) is None


async def test_what_nothing_follows_any_more_goes_with_its_retention(a_store: OpenJournal) -> None:
    """Following was switched off, so that its next look is long past."""
    async with a_store() as journal:
        await follow(journal, A, look_at=START + 100)
        await report(journal, [1])
        assert 1 == await journal.purge(finished_before=START + 1000, limit=9)


async def test_a_request_that_is_set_aside_is_followed_no_more(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await follow(journal, A, B)
        journal.set_aside(1)
        assert START + 7 == await journal.next_look()
        assert [2] == [each.request.id for each in await journal.due_deliveries(now=START + 9, limit=1)]
        assert await journal.delivery_of(SID) is None


async def test_the_secret_of_callbacks_stays_the_same(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        assert b"first" == await journal.callback_secret(b"first")
        assert b"first" == await journal.callback_secret(b"second")
    async with a_lasting_store() as journal:
        assert b"first" == await journal.callback_secret(b"third")


async def test_a_doubt_is_found_by_its_request_whether_or_not_it_is_due(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B)
        await begin(journal, 1)
        assert await journal.doubt(1) is None
        await recover(journal, now=START + 1)
        found = await journal.doubt(1)
        assert found is not None
        assert (1, 1) == (found.request.id, found.request.attempt)
        assert await journal.doubt(2) is None
