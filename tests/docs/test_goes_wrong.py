"""The page for when something goes wrong: its commands exist, and so does what it says the program says."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import DOCS, codes, rows
from tests.docs.test_log_reference import ROWS as EVENTS
from tests.docs.test_snippets import BUILTINS, OTHERS, complaint
from tests.support.house import SOURCE
from twilio_notifications.core.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGE = DOCS / "how-to" / "when-something-goes-wrong.md"
HEADERS = ("it says", "symptom", "`error`")
ROWS = [row for header in HEADERS for row in rows(PAGE, header=header)]
SPOKEN = [
    "is in use by another connector",
    "needs Landlock, and this kernel does not offer it",
    "unknown key",
]


def known(words: Sequence[str]) -> bool:
    """Whether the command can be entered, with a number in place of NUMBER."""
    return not complaint(["1" if word == "NUMBER" else word for word in words])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_has_a_symptom_a_command_that_exists_and_a_remedy(row: tuple[str, ...]) -> None:
    symptom, command, remedy = row
    assert symptom
    assert remedy
    (line,) = codes(command)
    assert known(shlex.split(line)), line


def test_a_command_in_a_remedy_exists() -> None:
    programs = {"twilio-notifications", *OTHERS} - BUILTINS
    named = [shlex.split(code) for row in ROWS for code in codes(row[2]) if code.split()[0] in programs]
    assert [] == [words for words in named if not known(words)]


def test_every_event_that_is_named_is_one_of_the_log() -> None:
    """What has an underscore and no point is an event, or a property of a request."""
    named = {
        code
        for row in ROWS
        for cell in row
        for code in codes(cell)
        if re.fullmatch(r"[a-z]+(_[a-z]+)+", code)
    }
    assert len(named) > 10
    assert set() == named - EVENTS.keys()


def test_every_reason_of_a_failure_that_a_client_sees_is_on_the_page() -> None:
    answered = {code for row in rows(PAGE, header="`error`") for code in codes(row[0])}
    ended_by_people = {Reason.CANCELLED, Reason.SUPERSEDED, Reason.NOT_ACKNOWLEDGED, Reason.RATE_LIMITED}
    assert {str(reason) for reason in Reason} - {str(reason) for reason in ended_by_people} == answered


@pytest.mark.parametrize("sentence", SPOKEN)
def test_a_sentence_of_the_program_is_the_programs(sentence: str) -> None:
    assert any(sentence in path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")), sentence
