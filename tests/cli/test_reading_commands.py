"""What people read of a journal on the command line: lists, one request, what is live, and the whole."""

from __future__ import annotations

import csv
import errno
import json
import stat
from contextlib import asynccontextmanager
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.every_kind import NAMES, NUMBERS, pause, phone_number, write_every_kind
from tests.support.factories import START, a_rejection, a_request
from tests.support.fakes import RecordingEvents
from tests.support.journals import record
from twilio_notifications import cli, journals
from twilio_notifications.adapters.journal.reading.reader import SqlReader
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.access import SqliteAccess, sqlite_reader
from twilio_notifications.cli.journal_reading import ONLY
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports import Envelope
from twilio_notifications.ports.journal.facts import Fact, FactName, FactWord
from twilio_notifications.ports.journal.reader import Only, Search
from twilio_notifications.ports.journal.timeline import AnsweredLate
from twilio_notifications.reading.following import Follower
from twilio_notifications.reading.lines import Table
from twilio_notifications.reading.story import story
from twilio_notifications.reading.times import Calendar, duration
from twilio_notifications.terminal import fitted, width_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twilio_notifications.ports.journal.reader import Timeline

TEXT = "Hello from the edge"
NOW = START + 500
HOSTILE = "\x1b[2J\r\n       2  2026-01-01  SMS  success\u202e" + 900 * "x"

Output = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def config(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "160")
    file = path.with_name("connector.toml")
    file.write_text(f'[journal]\nurl = "sqlite:///{path}"\n[limits]\ntexts_per_day = 100\n')
    return file


@pytest.fixture
async def every_kind(path: Path, config: Path) -> Path:
    """The configuration of a journal with a request of every kind."""
    await write_every_kind(path)
    return config


@asynccontextmanager
async def a_journal(path: Path) -> AsyncIterator[SqliteJournal]:
    async with SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0) as journal:
        yield journal


def run(config: Path, *arguments: str) -> int:
    return cli.main([*arguments, "--config", str(config)])


def listed(config: Path, output: Output, *arguments: str) -> list[dict[str, Any]]:
    """The objects that a command prints."""
    assert 0 == run(config, *arguments, "--json")
    return [json.loads(line) for line in output.readouterr().out.splitlines()]


# A list.


async def test_a_list_has_a_header_a_line_for_each_request_and_their_number(
    every_kind: Path, capsys: Output
) -> None:
    assert 0 == run(every_kind, "journal", "list", "--utc")
    header, *lines, last = capsys.readouterr().out.splitlines()
    assert ["NUMBER", "ACCEPTED", "(UTC)", "VIA", "TO", "STATE", "ID", "WHAT"] == header.split()
    assert [str(number) for number in range(len(NAMES), 0, -1)] == [line.split()[0] for line in lines]
    assert f"{len(NAMES)} requests" == last
    assert "2023-11-14 22:13:20  SMS" in lines[-1]


async def test_a_list_shows_neither_text_nor_number_nor_name(every_kind: Path, capsys: Output) -> None:
    run(every_kind, "journal", "list")
    said = capsys.readouterr().out
    assert "********0001" in said
    said = said.replace("acknowledged by Darla", "")
    assert [] == [word for word in (TEXT, "+12345", "Darla", "Deputy") if word in said]


async def test_what_is_asked_for_is_shown_whole(every_kind: Path, capsys: Output) -> None:
    run(every_kind, "journal", "list", "--reveal", "--id", "delivered")
    said = capsys.readouterr().out
    assert ("NAME" in said, phone_number("delivered") in said, "Darla" in said) == (True, True, True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rejected", "InvalidParameter: Message cannot be empty"),
        ("in doubt", "IN_DOUBT"),
        ("unknown", "OutcomeUnknown: It failed"),
        ("behind", f"earlier_request, behind request {NUMBERS['quiet']}"),
        ("alarm", "escalation freezer waits for a person; success"),
        ("acknowledged", "escalation freezer acknowledged by Darla"),
        ("undelivered", "undelivered: Twilio error 30003"),
        ("no answer", "no-answer"),
        ("delivered", "delivered"),
    ],
)
async def test_a_line_says_what_became_of_a_request(
    every_kind: Path, capsys: Output, name: str, words: str
) -> None:
    run(every_kind, "journal", "list")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.split()[0] == str(NUMBERS[name])]
    assert words in line


@pytest.mark.parametrize("columns", [40, 60, 80, 100, 119, 120, 200])
async def test_no_line_is_wider_than_the_terminal(
    every_kind: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    run(every_kind, "journal", "list")
    assert [] == [line for line in capsys.readouterr().out.splitlines() if len(line) > columns]


async def test_a_list_that_is_cut_says_so(every_kind: Path, capsys: Output) -> None:
    run(every_kind, "journal", "list", "--limit", "2")
    assert "2 requests; there may be more (--limit 2)" == capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--exit-code",), 1)])
async def test_where_nothing_matches_the_exit_code_says_so_if_it_is_asked_for(
    every_kind: Path, capsys: Output, arguments: tuple[str, ...], code: int
) -> None:
    assert code == run(every_kind, "journal", "list", "--id", "nothing", *arguments)
    assert "0 requests\n" == capsys.readouterr().out
    assert 0 == run(every_kind, "journal", "list", "--exit-code")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("--only", "unknown"), "unknown"),
        (("--contact", "darla"), "delivered"),
        (("--to", phone_number("unknown")), "unknown"),
        (("--name", "eput"), "step"),
        (("--state", "IN_DOUBT"), "in doubt"),
        (("--reason", "OutcomeUnknown"), "unknown"),
        (("--reason", "earlier_request"), "behind"),
        (("--channel", "call"), "no answer"),
        (("--since", "2023-11-14T22:18:20+00:00"), "step"),
    ],
)
async def test_a_list_finds_by_what_is_asked(
    every_kind: Path, capsys: Output, arguments: tuple[str, ...], name: str
) -> None:
    (found,) = listed(every_kind, capsys, "journal", "list", *arguments)
    assert NUMBERS[name] == found["number"]


async def test_times_are_so_long_ago_or_instants(every_kind: Path, capsys: Output) -> None:
    assert [] == listed(every_kind, capsys, "journal", "list", "--since", "2h")
    assert len(NAMES) == len(listed(every_kind, capsys, "journal", "list", "--until", "2d"))
    assert len(NAMES) == len(listed(every_kind, capsys, "journal", "list", "--until", "2023-12-01"))


@pytest.mark.parametrize("typed", ["soon", "2023-13-01", "99999-01-01", ""])
def test_a_time_that_is_none_is_wrong_usage(config: Path, capsys: Output, typed: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(config, "journal", "list", "--since", typed)
    assert 2 == ended.value.code
    assert "is neither a duration" in capsys.readouterr().err


async def test_json_has_an_object_a_line_in_the_agreed_form(every_kind: Path, capsys: Output) -> None:
    found = {one["id"]: one for one in listed(every_kind, capsys, "journal", "list")}
    quiet, undelivered, resent = (
        found["quiet"],
        found["undelivered"],
        listed(
            every_kind, capsys, "journal", "list", "--since", "2023-11-14T22:14:10+00:00", "--id", "expired"
        ),
    )
    assert {
        "number": NUMBERS["quiet"],
        "id": "quiet",
        "channel": "SMS",
        "state": "WAITING",
        "name": "D…",
        "to": "********0005",
        "from": "********9999",
        "contact": None,
        "priority": "normal",
        "accepted_at": "2023-11-14T22:13:20.000Z",
        "expires_at": "2023-11-15T02:13:20.000Z",
        "due_at": "2096-10-02T07:06:40.000Z",
        "attempts": 0,
        "finished_at": None,
        "reason": None,
        "message": None,
        "sid": None,
        "remark": None,
        "delivery": None,
        "escalation": None,
        "escalation_ending": None,
        "acknowledged_by": None,
        "chain": None,
        "resent_from": None,
    } == {key: value for key, value in quiet.items() if key != "waiting"}
    delivery = {"state": "undelivered", "code": 30_003, "at": "2023-11-14T22:13:30.000Z"}
    assert delivery == undelivered["delivery"]
    assert [NUMBERS["expired"]] == [one["resent_from"] for one in resent]


async def test_csv_has_a_header_and_no_cell_that_a_spreadsheet_takes_for_a_formula(
    path: Path, config: Path, capsys: Output
) -> None:
    async with a_journal(path) as journal:
        await record(journal, a_request(request_id="=1+1", name='-"2'))
        await record(journal, a_rejection(request_id="@x\r\ny"))
    assert 0 == run(config, "journal", "list", "--csv", "--reveal")
    second, first = csv.DictReader(capsys.readouterr().out.splitlines())
    assert ("'=1+1", "'-\"2", "+12345000000") == (first["id"], first["name"], first["to"])
    assert "'@x\\u000d\\u000ay" == second["id"]


async def test_a_hostile_id_neither_steers_the_terminal_nor_fills_it(
    path: Path, config: Path, capsys: Output
) -> None:
    async with a_journal(path) as journal:
        await record(journal, a_rejection(request_id=HOSTILE))
        await record(journal, a_request(request_id=HOSTILE, name=HOSTILE))
    for arguments in (["list", "--reveal"], ["show", "1"], ["show", "2", "--reveal"], ["list", "--json"]):
        run(config, "journal", *arguments)
    run(config, "journal", "list", "--csv")
    run(config, "journal", "export")
    said = capsys.readouterr().out
    assert [] == [one for one in said if not one.isprintable() and one != "\n"]
    assert len(said) < 20_000


# One request.


async def test_one_time_line_has_everything_in_its_order(every_kind: Path, capsys: Output) -> None:
    assert 0 == run(every_kind, "journal", "show", str(NUMBERS["delivered"]), "--utc")
    said = capsys.readouterr().out
    places = [
        said.index(words)
        for words in (
            "number        1\n",
            "to            D… at ********0001 (contact darla)\n",
            "content       text of 19 characters (--reveal shows it)\n",
            "accepted      2023-11-14 22:13:20Z\n",
            "TIME (UTC)\n",
            "2023-11-14 22:13:20  received and recorded\n",
            "2023-11-14 22:13:20  attempt 1 begins\n",
            "attempt 1: ACCEPTED, SM",
            "status written: success\n",
            "status acknowledged by the broker\n",
            "delivery changed: delivered (poll)\n",
        )
    ]
    assert sorted(places) == places
    assert [] == [word for word in (TEXT, "+12345", "Darla") if word in said]


async def test_a_request_is_revealed_where_that_is_asked_for(every_kind: Path, capsys: Output) -> None:
    run(every_kind, "journal", "show", str(NUMBERS["delivered"]), "--reveal")
    said = capsys.readouterr().out
    assert f"content       text of 19 characters: {TEXT}\n" in said
    assert f"Darla at {phone_number('delivered')}" in said


async def test_what_a_client_wrote_around_its_request_is_shown(
    config: Path, path: Path, capsys: Output
) -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    envelope = Envelope(response_topic="answers/7", correlation=b"7", traceparent=traceparent)
    async with a_journal(path) as journal:
        await record(journal, a_request(accepted_at=NOW, envelope=envelope))
        await record(journal, a_rejection(accepted_at=NOW, envelope=envelope))
    for number in ("1", "2"):
        run(config, "journal", "show", number)
        assert f"response      also on answers/7\ntrace         {traceparent}\n" in capsys.readouterr().out
        (found,) = listed(config, capsys, "journal", "show", number)
        assert "answers/7" == found["request"]["response_topic"]


async def test_a_waiting_request_says_for_what_and_until_when(every_kind: Path, capsys: Output) -> None:
    run(every_kind, "journal", "show", str(NUMBERS["quiet"]), "--utc")
    said = capsys.readouterr().out
    assert "waits         quiet_hours, until 2096-10-02 07:06\nfor           It waits\n" in said
    assert "waits: quiet_hours (quiet hours), until 2096-10-02 07:06:40Z\n" in said


async def test_a_doubtful_an_escalated_and_an_ordered_request_tell_their_story(
    every_kind: Path, capsys: Output
) -> None:
    for name in ("in doubt", "alarm", "expired", "undelivered", "resent", "step"):
        run(every_kind, "journal", "show", str(NUMBERS[name]), "--utc")
    said = capsys.readouterr().out
    assert [] == [
        words
        for words in (
            "attempt 1 is in doubt: Twilio did not answer\n",
            "Twilio's records are looked up at 2023-11-14 22:13:25Z\n",
            "escalation freezer begins\n",
            "escalation step 1: 1 request\n",
            f"escalation notifies D… at ********0009: SMS, request {NUMBERS['step']}, ",
            "order 1: resend, by Ann (command)\n",
            f"order 1 carried out: as request {NUMBERS['resent']}\n",
            "Twilio error 30003: ",
            f"recorded: a person sends request {NUMBERS['expired']} again\n",
            f"recorded: a step of the escalation of request {NUMBERS['alarm']}\n",
        )
        if words not in said
    ]


def test_an_answer_that_came_too_late_for_its_lease_is_part_of_the_story() -> None:
    late = AnsweredLate(at=START, attempt=2, outcome=AttemptOutcome.ACCEPTED, code=30003, sid="SM1")
    said, code = story(late, calendar=Calendar(zone=UTC))
    assert "attempt 2, answered after its lease had ended: ACCEPTED, SM1" == said
    assert code.startswith("Twilio error 30003: ")


async def test_json_of_one_request_has_its_time_line(every_kind: Path, capsys: Output) -> None:
    (found,) = listed(every_kind, capsys, "journal", "show", str(NUMBERS["unknown"]))
    line = found["timeline"]
    assert (NUMBERS["unknown"], "OutcomeUnknown") == (found["number"], found["reason"])
    assert ["arrived", "attempt_opened", "attempt_closed", "status_written", "status_left"] == [
        moment["event"] for moment in line
    ]
    assert sorted(moment["at"] for moment in line) == [moment["at"] for moment in line]
    assert ("text", None) == (found["request"]["kind"], found["request"]["content"])


async def test_a_request_that_is_not_there_is_named(every_kind: Path, capsys: Output) -> None:
    assert 1 == run(every_kind, "journal", "show", "99")
    assert "holds no request 99" in capsys.readouterr().err


# What is live.


async def test_what_is_followed_is_shown_when_it_comes_and_at_each_change(path: Path) -> None:
    async with a_journal(path) as journal:
        await record(journal, a_request(request_id="before"))
        reader = sqlite_reader(path)
        follower = Follower(reader=reader, search=Search(limit=10), reveal=False)
        mark = reader.changes(None).mark
        assert ["before"] == [entry.id for entry in follower.first(now=NOW)]

        def look() -> list[tuple[object, str]]:
            nonlocal mark
            changes = reader.changes(mark)
            mark = changes.mark
            return [(entry.id, entry.state) for entry in follower.look(changes, now=NOW)]

        assert [] == look()
        await record(journal, a_request("+12345000009", request_id="second"))
        assert [("second", "WAITING")] == look()
        await journal.open_attempts([1], at=START, clock_offset=None)
        assert [("before", "OPEN")] == look()
        assert [] == look()


async def test_only_what_is_looked_for_is_followed(path: Path) -> None:
    async with a_journal(path) as journal:
        await record(journal, a_request(request_id="before"))
        reader = sqlite_reader(path)
        search = Search(limit=10, phone_number="+12345000009")
        follower = Follower(reader=reader, search=search, reveal=True)
        mark = reader.changes(None).mark
        assert [] == follower.first(now=NOW)
        await record(journal, a_request(request_id="other"))
        await record(journal, a_request("+12345000009", request_id="mine"))
        assert ["mine"] == [entry.id for entry in follower.look(reader.changes(mark), now=NOW)]


# The whole.


async def test_the_status_of_a_journal_fits_on_a_screen(path: Path, every_kind: Path, capsys: Output) -> None:
    await pause(path, WaitReason.ACCOUNT_SLOWED, until=4e9)
    facts = [
        Fact(name=FactName.CONNECTOR, word=FactWord.RUNNING, about="1.2.3", since=START),
        Fact(name=FactName.CONNECTION, word=FactWord.CONNECTED, about="mqtt://b (MQTT 5)", since=START),
        Fact(name=FactName.CREDENTIALS, word=FactWord.REFUSED, detail="Authenticate", since=START),
    ]
    async with a_journal(path) as journal:
        await journal.keep_facts(facts, at=START)
        assert 0 == run(every_kind, "status", "--utc")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert [] == [
        words
        for words in (
            "connector     running since 2023-11-14 22:13:20Z, version 1.2.3",
            "connection    connected since 2023-11-14 22:13:20Z, mqtt://b (MQTT 5)",
            "credentials   refused since 2023-11-14 22:13:20Z",
            "                Authenticate",
            "paused        account_slowed, until 2096-10-02 07:06:40Z",
            "in doubt      1 request; 1 for a person to resolve",
            "escalations   1 escalation waiting for a person",
            "last success  2023-11-14 22:13:21Z",
        )
        if words not in lines
    ]
    assert "texts in this day" in "\n".join(lines)


async def test_the_status_in_json_has_the_agreed_form(path: Path, every_kind: Path, capsys: Output) -> None:
    (found,) = listed(every_kind, capsys, "status")
    assert {
        "connector",
        "members",
        "connection",
        "credentials",
        "paused",
        "waiting",
        "in_doubt",
        "unknown",
        "unreported",
        "unacknowledged",
        "limits",
        "last_success_at",
        "last_failure_at",
    } == found.keys()
    assert (6, 1) == (found["waiting"]["total"], found["in_doubt"])
    assert found["waiting"]["oldest_seconds"] > 0
    assert {"limit": "texts_per_day", "most": 100, "used": 0} == {
        key: value for key, value in found["limits"][0].items() if key != "ends_at"
    }
    assert {"state": "unknown", "to": None, "since": None, "detail": None} == found["connection"]


async def test_no_reading_needs_an_account_or_a_token(every_kind: Path, capsys: Output) -> None:
    for arguments in (["status"], ["journal", "list"], ["journal", "stats"], ["journal", "export"]):
        assert 0 == run(every_kind, *arguments)
    assert "" == capsys.readouterr().err


async def test_the_hours_are_added_up(every_kind: Path, capsys: Output) -> None:
    run(every_kind, "journal", "stats", "--hours", "2")
    header, first, second, last = capsys.readouterr().out.splitlines()
    assert ["HOUR", "(local)", "RECEIVED", "SUCCEEDED", "FAILED"] == header.split()
    assert ["0", "0", "0"] == first.split()[2:] == second.split()[2:]
    assert ["in", "all", "0", "0", "0"] == last.split()
    hours = listed(every_kind, capsys, "journal", "stats", "--hours", "3")
    assert [{"received": 0, "succeeded": 0, "failed": 0, "by_reason": {}}] * 3 == [
        {key: value for key, value in hour.items() if key != "hour"} for hour in hours
    ]


# An export.


async def test_an_export_has_every_request_with_its_time_line(every_kind: Path, capsys: Output) -> None:
    assert 0 == run(every_kind, "journal", "export")
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(NAMES) == len(found)
    assert [] == [one["number"] for one in found if not one["timeline"]]


async def test_an_export_into_a_file_is_for_its_owner_alone_and_replaces_none(
    every_kind: Path, tmp_path: Path, capsys: Output
) -> None:
    output = tmp_path / "export.csv"
    arguments = ("journal", "export", "--csv", "--only", "failed", "--output", str(output))
    assert 0 == run(every_kind, *arguments)
    assert f"4 requests written to {output}\n" == capsys.readouterr().out
    assert 5 == len(output.read_text().splitlines())
    assert 0o600 == stat.S_IMODE(output.stat().st_mode)
    assert 2 == run(every_kind, *arguments)
    assert "Name a file that does not exist yet" in capsys.readouterr().err


def test_an_export_of_no_journal_leaves_no_file(config: Path, tmp_path: Path, capsys: Output) -> None:
    output = tmp_path / "export.json"
    assert 1 == run(config, "journal", "export", "--output", str(output))
    assert "there is no journal" in capsys.readouterr().err
    assert not output.exists()


async def test_an_export_onto_a_full_disk_leaves_no_file(
    every_kind: Path, tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(SqlReader):
        """From the third request on the disk is full."""

        def timeline(self, number: int, *, now: float, reveal: bool = False) -> Timeline:
            if number < len(NAMES) - 1:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().timeline(number, now=now, reveal=reveal)

    monkeypatch.setattr(journals, "reader", lambda settings: Full(SqliteAccess(settings.path)))
    output = tmp_path / "export.json"
    assert 1 == run(every_kind, "journal", "export", "--output", str(output))
    assert (
        f"twilio-notifications: --output {output} cannot be written: No space left on device. "
        "What was written of it is removed\n"
    ) == capsys.readouterr().err
    assert not output.exists()


async def test_an_export_goes_on_where_a_request_is_removed_meanwhile(
    every_kind: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(SqlReader):
        """Request 2 is removed after the page with it was read."""

        def timeline(self, number: int, *, now: float, reveal: bool = False) -> Timeline:
            return super().timeline(99_999 if number == 2 else number, now=now, reveal=reveal)

    monkeypatch.setattr(journals, "reader", lambda settings: Late(SqliteAccess(settings.path)))
    assert 0 == run(every_kind, "journal", "export", "--json")
    found = [json.loads(line)["number"] for line in capsys.readouterr().out.splitlines()]
    assert 2 not in found
    assert len(NAMES) - 1 == len(found)


# Words and widths.


def test_the_words_of_the_command_line_are_those_of_the_port() -> None:
    assert [str(each) for each in Only] == list(ONLY)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (-5, "0 seconds"),
        (59.6, "1 minute"),
        (3_725, "1 hour 2 minutes"),
        (86_400 * 3 + 7, "3 days 7 seconds"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert words == duration(seconds)


def test_instants_are_shown_in_the_chosen_zone() -> None:
    india = Calendar(zone=timezone(timedelta(hours=5, minutes=30)))
    assert ("2023-11-15 03:43:20 +0530", "local") == (india.whole(START), india.name)
    assert ("2023-11-14 22:13:20Z", "UTC") == (Calendar(zone=UTC).whole(START), Calendar(zone=UTC).name)
    assert "22:13:20" == Calendar(zone=UTC).near(START, now=START + 60)
    assert "11-14 22:13" == Calendar(zone=UTC).near(START, now=START + 86_400)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 4, "日…"), ("e\u0301a", 2, "e\u0301a")],
)
def test_a_text_fits_its_columns(text: str, width: int, shown: str) -> None:
    assert shown == fitted(text, width)
    assert width_of(shown) <= width


async def test_wide_characters_keep_the_columns_straight(path: Path) -> None:
    async with a_journal(path) as journal:
        await record(journal, a_request(request_id="日本"))
        await record(journal, a_request("+12345000009", request_id="abcd"))
    entries = sqlite_reader(path).entries(Search(), now=NOW, reveal=True).entries
    table = Table(calendar=Calendar(zone=UTC), width=160, now=NOW, names=True)
    lines = table.lines(entries)
    assert 1 == len({width_of(line[: line.rindex("  ")]) for line in lines[1:]})
