"""What people order on the command line: what they are asked, what they read, and the exit code."""

from __future__ import annotations

import asyncio
import io
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.factories import START, a_failure, a_request, a_success
from tests.support.fakes import RecordingEvents
from tests.support.journals import A, B, accept, begin, end, record, report
from tests.support.orders import carried_out
from tests.support.patience import WAIT_SECONDS
from twilio_notifications import cli
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.commands import journal_orders
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.orders import PauseOrder, ResendOrder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twilio_notifications.ports import PlacedOrder

SID = "SM" + 32 * "7"
MANY = journal_orders.MOST_SHOWN + 3


class Terminal(io.StringIO):
    """A standard input at which a person sits."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def config(path: Path) -> Path:
    file = path.with_name("connector.toml")
    file.write_text(f'[journal]\nurl = "sqlite:///{path}"\n')
    return file


@asynccontextmanager
async def a_journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0) as journal:
        yield journal


@asynccontextmanager
async def a_connector(path: Path) -> AsyncIterator[SqliteJournal]:
    """A journal whose connector carries orders out."""

    async def look() -> None:
        while True:
            await carried_out(journal)
            await asyncio.sleep(0.01)

    async with a_journal(path) as journal:
        looking = asyncio.create_task(look())
        try:
            yield journal
        finally:
            looking.cancel()
            await asyncio.wait({looking})


async def finished(journal: SqliteJournal, *numbers: str, reason: Reason | None = Reason.EXPIRED) -> None:
    """Requests that were reported, with this reason."""
    for number in numbers:
        await accept(journal, number)
        (request,) = [one.id for one in await journal.claim(due_before=START, limit=9)]
        await begin(journal, request)
        await end(journal, a_success(request) if reason is None else a_failure(request, reason=reason))
        await report(journal, [request])


def run(config: Path, *arguments: str, wait: float = 60.0) -> int:
    """The exit code of `journal` with these arguments."""
    return cli.main(["journal", *arguments, "--config", str(config), "--wait", str(wait)])


async def placed(path: Path) -> list[PlacedOrder]:
    async with a_journal(path) as journal:
        return await journal.orders(limit=100)


# Without a connector.


async def test_without_a_connector_the_order_is_written_for_the_next_start(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_journal(path) as journal:
        await finished(journal, A)
    assert 3 == run(config, "resend", "1", wait=0.0)
    said = capsys.readouterr().out
    assert "request 1: order 1 is written, and not carried out yet" in said
    assert "at its next start" in said
    assert [ResendOrder(request=1)] == [one.order for one in await placed(path)]


async def test_a_pause_for_a_time_ends_so_long_after_it_was_ordered(path: Path, config: Path) -> None:
    async with a_journal(path):
        pass
    assert 3 == run(config, "pause", "--for", "2h", wait=0.0)
    assert 3 == run(config, "pause", wait=0.0)
    first, second = [one.order for one in await placed(path)]
    assert isinstance(first, PauseOrder)
    assert first.until is not None
    assert PauseOrder() == second


async def test_a_request_that_is_not_there_is_named_and_nothing_is_ordered(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_journal(path):
        pass
    for arguments in (["resend", "7"], ["cancel", "7"], ["resolve", "7", "--sent"]):
        assert 1 == run(config, *arguments)
        assert "holds no request 7" in capsys.readouterr().err
    assert [] == await placed(path)


# With one.


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resend", "1"], "request 1 is sent again as request 4"),
        (["cancel", "2"], "request 2 is cancelled: it waits no more, and is not sent"),
        (["resolve", "3", "--sent", "--sid", SID], f"request 3 is settled: sent {SID}"),
        (["resolve", "3", "--not-sent"], "request 3 is settled: not sent"),
        (["pause"], "all requests wait until: twilio-notifications journal resume"),
    ],
)
async def test_what_was_carried_out_is_said(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    async with a_connector(path) as journal:
        await finished(journal, A)
        await accept(journal, B)
        await record(journal, a_request(A))
        await begin(journal, 3)
        await end(journal, a_failure(3, reason=Reason.OUTCOME_UNKNOWN))
        assert 0 == await asyncio.to_thread(run, config, *arguments)
    assert f"{said}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["resend", "2"], "request 2 is not sent again: it waits still"),
        (["cancel", "1"], "request 1 is not cancelled: it is finished"),
        (["resolve", "1", "--sent"], "request 1 is not settled: it was not answered with OutcomeUnknown"),
        (["resume"], "the pause is not ended: requests are not paused"),
        (["acknowledge", "1"], "no escalation of request 1 waits"),
    ],
)
async def test_what_was_refused_is_said_with_the_reason(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    async with a_connector(path) as journal:
        await finished(journal, A)
        await accept(journal, B)
        assert 1 == await asyncio.to_thread(run, config, *arguments)
    assert said in capsys.readouterr().out


async def test_an_escalation_is_acknowledged_by_its_id_and_by_whom_is_kept(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_connector(path) as journal:
        await record(journal, a_request(escalation="freezer", request_id="thaw"))
        assert 0 == await asyncio.to_thread(run, config, "acknowledge", "thaw", "--by", "Darla")
        assert 1 == await asyncio.to_thread(run, config, "acknowledge", "thaw")
    assert "request 1 is acknowledged\n" in capsys.readouterr().out
    assert 0 == cli.main(["journal", "show", "1", "--config", str(config)])
    assert "Darla" in capsys.readouterr().out


@pytest.mark.parametrize(("who", "shown"), [("alice", "(alice by sudo)"), ("x" * 5_000, "(xxxx")])
async def test_who_ordered_is_shown_with_the_person_behind_sudo(
    path: Path,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    who: str,
    shown: str,
) -> None:
    monkeypatch.setenv("SUDO_USER", who)
    async with a_connector(path) as journal:
        await accept(journal, A)
        await asyncio.to_thread(run, config, "cancel", "1")
    cli.main(["journal", "show", "1", "--config", str(config)])
    said = capsys.readouterr().out
    assert shown in said
    assert 1_000 > said.count("x")
    assert said.index(shown) > said.index("received and recorded")


async def test_an_order_whose_request_was_removed_meanwhile_is_said_to_be_gone(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with a_journal(path) as journal:
        await finished(journal, A)
        ordering = asyncio.create_task(asyncio.to_thread(run, config, "resend", "1"))
        # Another process writes the order: no event announces it.
        async with asyncio.timeout(WAIT_SECONDS):
            while not await journal.orders(limit=9):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert 1 == await journal.purge(finished_before=START + 1e6, limit=9)
        assert 1 == await ordering
    assert "1 order gone" in capsys.readouterr().out


# Asking.


@pytest.mark.parametrize(
    ("reason", "question"),
    [(None, "Request 1 was sent."), (Reason.OUTCOME_UNKNOWN, "Request 1 may have been sent.")],
)
async def test_what_may_arrive_twice_is_sent_again_only_after_a_yes(
    path: Path,
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    reason: Reason | None,
    question: str,
) -> None:
    async with a_journal(path) as journal:
        await finished(journal, A, reason=reason)
    for answer in ("n\n", "\n", "", "yes!\n"):
        monkeypatch.setattr(sys, "stdin", Terminal(answer))
        assert 1 == run(config, "resend", "1", wait=0.0)
        assert question in capsys.readouterr().err
    assert [] == await placed(path)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    assert 3 == run(config, "resend", "1", wait=0.0)


async def test_where_no_person_can_answer_an_order_that_asks_needs_yes(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_journal(path) as journal:
        await finished(journal, A, reason=None)
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert 2 == run(config, "resend", "1", wait=0.0)
    assert "--yes" in capsys.readouterr().err
    assert [] == await placed(path)
    assert 3 == run(config, "resend", "1", "--yes", wait=0.0)


# Many at once.


async def test_many_are_shown_and_ordered_after_a_yes(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_connector(path) as journal:
        await finished(journal, *(f"+1234600{n:04}" for n in range(MANY)))
        await finished(journal, A, reason=Reason.CANCELLED)
        monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
        code = await asyncio.to_thread(run, config, "resend", "--only", "failed", "--reason", "Expired")
        assert 0 == code
    said = capsys.readouterr()
    assert f"Resend {MANY} requests? [y/N]" in said.err
    assert "and 3 older ones" in said.out
    assert f"{MANY} orders carried out, 0 refused\n" in said.out
    assert "+1234600" not in said.out


async def test_a_no_to_many_orders_nothing(
    path: Path, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_journal(path) as journal:
        await accept(journal, A, B)
    monkeypatch.setattr(sys, "stdin", Terminal("no\n"))
    assert 1 == run(config, "cancel", "--only", "waiting")
    assert "nothing was ordered" in capsys.readouterr().out
    assert [] == await placed(path)


async def test_of_many_those_of_the_selection_are_ordered_the_oldest_first(path: Path, config: Path) -> None:
    async with a_journal(path) as journal:
        await accept(journal, A, B, A)
    assert 3 == run(config, "cancel", "--only", "waiting", "--to", A, "--channel", "text", "--yes", wait=0.0)
    assert [1, 3] == [one.request for one in await placed(path)]
    assert 0 == run(config, "cancel", "--only", "waiting", "--since", "1h", "--yes", wait=0.0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["resend"],
        ["resend", "1", "--only", "failed"],
        ["resend", "1", "--reason", "Expired"],
        ["cancel", "1", "--since", "1h"],
    ],
)
def test_one_request_and_many_exclude_each_other(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert 2 == run(config, *arguments)
    assert "--only" in capsys.readouterr().err


# Wrong usage.


@pytest.mark.parametrize("sid", ["CA" + 32 * "7", SID])
async def test_a_sid_that_cannot_belong_to_the_request_is_refused_at_once(
    path: Path, config: Path, sid: str
) -> None:
    async with a_journal(path) as journal:
        await finished(journal, A, reason=Reason.OUTCOME_UNKNOWN)
    answer: list[Any] = ["--not-sent"] if sid == SID else ["--sent"]
    assert 2 == run(config, "resolve", "1", *answer, "--sid", sid, wait=0.0)
    assert [] == await placed(path)


def test_a_person_has_a_name_of_some_characters(config: Path) -> None:
    for name in ("", 257 * "x"):
        with pytest.raises(SystemExit) as ended:
            run(config, "acknowledge", "thaw", "--by", name)
        assert 2 == ended.value.code


@pytest.mark.parametrize("text", ["", "2", "h", "-1h", "0s", "1w", "1h30m", "99999999d", "٣h"])
def test_a_duration_has_a_number_and_a_unit(config: Path, text: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(config, "pause", f"--for={text}")
    assert 2 == ended.value.code
