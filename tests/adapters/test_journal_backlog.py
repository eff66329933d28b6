"""What waits, counted next to a journal in use: by the reason that a person would read, and its age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.factories import SENDER_NUMBER, START, a_postponement
from tests.support.journals import A, B, C, D, accept, begin, end, store
from twilio_notifications.adapters.sqlite.access import sqlite_backlog
from twilio_notifications.core.errors import JournalError, WaitReason
from twilio_notifications.core.model import Channel
from twilio_notifications.core.pace import Rate, SenderRates
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports import Pause
from twilio_notifications.ports.figures import Backlog

if TYPE_CHECKING:
    from pathlib import Path

ONE = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))


async def test_what_waits_is_counted_by_its_reason_with_the_age_of_the_oldest(tmp_path: Path) -> None:
    backlog = sqlite_backlog(tmp_path / "journal.db")
    async with store("sqlite file", tmp_path)() as journal:
        assert Backlog(waiting={}) == await backlog.backlog(now=START)
        await accept(journal, A, A, B, C, accepted_at=START - 60)
        await begin(journal, 3, 4)
        deferred = a_postponement(
            3, due_at=START + 30, reason=WaitReason.ACCOUNT_SLOWED, outcome=AttemptOutcome.DEFERRED
        )
        await end(journal, deferred)
        expected = {None: 1, WaitReason.EARLIER_REQUEST: 1, WaitReason.ACCOUNT_SLOWED: 1}
        assert Backlog(waiting=expected, oldest_at=START - 60) == await backlog.backlog(now=START)
        # The pause of the third is over, so it waits for a place.
        expected = {None: 2, WaitReason.EARLIER_REQUEST: 1}
        assert expected == (await backlog.backlog(now=START + 31)).waiting


async def test_what_is_due_waits_for_the_pause_of_the_account(tmp_path: Path) -> None:
    backlog = sqlite_backlog(tmp_path / "journal.db")
    unreachable = Pause(reason=WaitReason.TWILIO_UNREACHABLE, message="no network", begun_at=START)
    one_sender = Pause(
        reason=WaitReason.SENDER_QUEUE_FULL, about=SENDER_NUMBER, message="full", begun_at=START + 1
    )
    async with store("sqlite file", tmp_path)() as journal:
        await accept(journal, A, B)
        await journal.keep_pauses([unreachable, one_sender])
        assert {WaitReason.TWILIO_UNREACHABLE: 2} == (await backlog.backlog(now=START)).waiting


async def test_what_is_due_of_a_paced_sender_waits_for_its_room(tmp_path: Path) -> None:
    backlog = sqlite_backlog(tmp_path / "journal.db")
    async with store("sqlite file", tmp_path)(paces={SENDER_NUMBER: ONE}) as journal:
        await accept(journal, A, B, may_leave=True)
        await accept(journal, C, sender_number="+18888888888", may_leave=True)
        await accept(journal, D, channel=Channel.SMS, may_leave=True)
        assert {None: 1, WaitReason.SENDER_PACE: 3} == (await backlog.backlog(now=START)).waiting


async def test_a_journal_that_cannot_be_read_is_an_error_of_the_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"journal\.db cannot be read"):
        await sqlite_backlog(tmp_path / "journal.db").backlog(now=START)
