"""Every event of the log has its row, with its level and its fields, and no row is about nothing."""

from __future__ import annotations

from dataclasses import fields
from inspect import getattr_static
from typing import get_args

import pytest

from tests.docs.markdown import DOCS, codes, rows
from tests.support.factories import START, a_change, a_claimed, a_followed, a_postponement, a_success
from tests.support.house import event_kinds
from twilio_notifications.core.steps import Doubt
from twilio_notifications.ports import Event, Level
from twilio_notifications.ports.events import (
    AttemptInDoubt,
    Defect,
    DefectName,
    DeliveryChanged,
    DoubtSettled,
    RequestFinished,
    RequestPostponed,
    name_of,
)

PAGE = DOCS / "reference" / "log.md"
DEFECTS = frozenset(get_args(DefectName))

POSTPONE = a_postponement(1, due_at=START)
SAMPLES: dict[type[Event], Event] = {
    RequestFinished: RequestFinished(request=a_claimed(), step=a_success(1), attempted=True),
    RequestPostponed: RequestPostponed(request=a_claimed(), step=POSTPONE, attempted=True),
    AttemptInDoubt: AttemptInDoubt(
        request=a_claimed(), step=Doubt(id=1, at=START, settle_at=START, message="")
    ),
    DeliveryChanged: DeliveryChanged(followed=a_followed(), change=a_change(a_followed())),
    DoubtSettled: DoubtSettled(
        level=Level.INFO, request=a_claimed(), step=POSTPONE, outcome="absent", seconds=1.0
    ),
}
"""One event of each class whose line has other fields than the class."""


def level_of(kind: type[Event]) -> Level | None:
    """The level that each event of a class has; None where it differs."""
    level = getattr_static(kind, "level")
    return level if isinstance(level, Level) else None


def fields_of(kind: type[Event]) -> set[str]:
    """The fields of a line."""
    if kind in SAMPLES:
        return set(SAMPLES[kind].fields())
    return {field.name for field in fields(kind) if field.name != "level"}


def has_line(kind: type[Event]) -> bool:
    return not isinstance(getattr_static(kind, "level"), property)


LINES = {name_of(kind): kind for kind in event_kinds() if has_line(kind) and kind is not Defect}
ROWS = {codes(row[0])[0]: row for row in rows(PAGE, header="event")}


def test_the_page_and_the_program_know_the_same_events() -> None:
    assert sorted(LINES.keys() | DEFECTS) == sorted(ROWS)


def test_no_event_has_two_rows() -> None:
    named = [codes(row[0])[0] for row in rows(PAGE, header="event")]
    assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_has_the_events_level(name: str) -> None:
    levels = {level_of(LINES[name])} if name in LINES else set()
    if name in DEFECTS:
        levels.add(Level.ERROR)
    assert levels - {None} <= {ROWS[name][1]}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_has_the_events_fields(name: str) -> None:
    expected = fields_of(LINES[name]) if name in LINES else set()
    assert expected == set(codes(ROWS[name][2]))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_says_what_it_means_and_what_to_do(name: str) -> None:
    _, _, _, meaning, remedy = ROWS[name]
    assert meaning
    assert remedy


def test_only_an_event_that_holds_more_than_its_line_names_its_fields() -> None:
    naming = {kind for kind in event_kinds() if "fields" in vars(kind)}
    assert set(SAMPLES) | {Defect} == naming
