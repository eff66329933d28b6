"""The kill matrix is whole: each event after which a crash means something different has a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reliability import test_chain_kills, test_kill_matrix, test_order_kills
from tests.support.crash_points import CrashPoint
from tests.support.house import event_kinds
from twilio_notifications.ports.events import chains, deliveries, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SAYS_ONLY = {
    "callback_answered",
    "callback_forbidden",
    "callbacks_listening",
    "deliveries_failed",
    "deliveries_readable",
    "deliveries_unreadable",
    "delivery_failed",
    "inbound_readable",
    "inbound_unreadable",
    "wish_dropped",
}
"""Events of deliveries and chains before which nothing is written that another event does not tell of."""


def rows(module: ModuleType) -> Iterator[str]:
    """The names of the events at which a test of this module ends the process."""
    for test in vars(module).values():
        for mark in getattr(test, "pytestmark", ()) if callable(test) else ():
            if mark.name == "parametrize":
                yield from (name for case in mark.args[1] for name in names_in(case))


def names_in(case: object) -> Iterator[str]:
    for value in case if isinstance(case, tuple) else (case,):
        if isinstance(value, str):
            yield from (point.partition(":")[0] for point in value.split(">"))


def test_every_crash_point_has_a_row_in_the_kill_matrix() -> None:
    found = {*rows(test_kill_matrix), *rows(test_chain_kills), *rows(test_order_kills)}
    assert set() == set(CrashPoint) - found


def test_every_event_of_deliveries_and_chains_is_a_crash_point_or_says_only() -> None:
    modules = {chains.__name__, deliveries.__name__}
    names = {name_of(kind) for kind in event_kinds() if kind.__module__ in modules}
    assert names == SAYS_ONLY | (names & set(CrashPoint))
    assert SAYS_ONLY <= names
