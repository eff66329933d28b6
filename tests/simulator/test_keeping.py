"""A simulator that may remember only so much forgets the oldest, and says so in no other way."""

from __future__ import annotations

import pytest

from tests.simulator.desk import CALLS, DARLA, MESSAGES, Desk, call_path, message_path
from twilio_notifications.simulator.control import control
from twilio_notifications.simulator.ledger import KeptLedger

KEEP = 10
OTHER = "+12345000001"


@pytest.fixture
def desk() -> Desk:
    return Desk(keep=KEEP)


def test_the_latest_texts_and_calls_are_remembered(desk: Desk) -> None:
    texts, calls = [desk.text() for _ in range(25)], [desk.call() for _ in range(12)]
    assert texts[:14:-1] == desk.get(MESSAGES, {"PageSize": 50}).sids
    assert calls[:1:-1] == desk.get(CALLS, {"PageSize": 50}).sids
    assert (404, 20404) == desk.get(message_path(texts[14])).error
    assert 200 == desk.get(message_path(texts[15])).status
    assert (404, 20404) == desk.get(call_path(calls[1])).error


def test_pages_go_on_while_resources_are_forgotten(desk: Desk) -> None:
    texts = [desk.text() for _ in range(KEEP)]
    page = desk.get(MESSAGES, {"PageSize": 4})
    assert texts[:5:-1] == page.sids
    newer = [desk.text() for _ in range(3)]
    following = desk.ask("GET", page.json["next_page_uri"])
    assert texts[5:2:-1] == following.sids
    assert None is following.json["next_page_uri"]
    assert [*reversed(newer), *texts[:2:-1]] == desk.get(MESSAGES, {"To": DARLA, "PageSize": 50}).sids


def test_a_deleted_text_is_forgotten_in_its_turn(desk: Desk) -> None:
    first = desk.text(To=OTHER)
    desk.now += 5
    desk.ask("DELETE", message_path(first))
    texts = [desk.text() for _ in range(2 * KEEP)]
    assert texts[: KEEP - 1 : -1] == desk.get(MESSAGES, {"PageSize": 50}).sids
    assert [] == desk.get(MESSAGES, {"To": OTHER}).sids


def test_a_draw_still_counts_what_was_forgotten(desk: Desk) -> None:
    book = desk.engine.store.books["SMS"]  # type: ignore[index]  # a channel is its word
    for number in range(2 * KEEP):
        assert number == book.count_of(DARLA)
        desk.text()


def test_the_ledger_keeps_its_places_and_the_counters_count_all(desk: Desk) -> None:
    texts = [desk.text() for _ in range(25)]
    creates = desk.engine.store.creates
    assert (25, 25) == (creates.total, desk.engine.counters.creates)
    start, entries = creates.page(0, 100)
    assert texts[start:] == [entry.sid for entry in entries]
    assert KEEP <= len(entries) <= KEEP + 1
    assert (24, [texts[24]]) == (24, [entry.sid for entry in creates.page(24, 100)[1]])
    assert (99, []) == creates.page(99, 1)
    answered = control(desk.engine, method="GET", target="/simulator/ledger?start=0&limit=1", body=b"")
    assert f'"total":25,"start":{start},'.encode() in answered.body


def test_callbacks_are_forgotten_with_their_texts(desk: Desk) -> None:
    for _ in range(100):
        desk.text(StatusCallback="https://example.com/")
        desk.now += 10
        desk.engine.announcer.take_due(desk.now)
    announcer = desk.engine.announcer
    assert 300 == announcer.entries.total
    assert len(announcer.ledger) <= KEEP + 1
    assert len(announcer._made) <= 3 * KEEP


def test_a_telephone_forgets_what_the_simulator_forgot(desk: Desk) -> None:
    for _ in range(25):
        desk.text()
    answered = control(desk.engine, method="GET", target="/simulator/telephones", body=b"")
    assert b'"kept":10,' in answered.body


def test_a_simulator_without_a_bound_remembers_all() -> None:
    desk = Desk()
    for _ in range(50):
        desk.text()
    assert 50 == len(desk.engine.store.ledger)


@pytest.mark.parametrize(("keep", "kept"), [(None, 1_000), (100, 110), (1, 1)])
def test_a_ledger_forgets_a_tenth_at_once(keep: int | None, kept: int) -> None:
    ledger = KeptLedger[int](keep=keep)
    most = 0
    for number in range(1_000):
        ledger.add(number)
        most = max(most, len(ledger.entries))
    assert (kept, 1_000, 999) == (most, ledger.total, ledger.entries[-1])
