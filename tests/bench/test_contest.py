"""What the programs of `peers` did with the same alarms becomes one table."""

from __future__ import annotations

import json

from bench.contest import PLANS, Turn, table
from bench.peers import RECIPIENTS, body, contestants, recipient


def a_turn(*, alarms: int = 400, lost: int = 0, twice: int = 0) -> Turn:
    sent = range(alarms - lost)
    return Turn(
        alarms=alarms,
        texts={body(number): 2 if number < twice else 1 for number in sent},
        seconds=2.0,
        cpu_seconds=0.4,
        peak_bytes=50_000_000,
        ready_seconds=0.5,
    )


def test_what_was_lost_and_what_was_sent_twice_is_counted_by_alarm() -> None:
    turn = a_turn(alarms=10, lost=3, twice=2)
    assert (3, 2, 4.5) == (turn.lost, turn.twice, turn.rate)


def test_each_program_has_a_column() -> None:
    good = dict.fromkeys(PLANS, a_turn())
    bad = good | {"killed": a_turn(lost=300), "429": a_turn(twice=5)}
    shown = table({"connector": good, "another": bad}, ["A third was not measured: it is not there"])
    cells = {row.name: row.cells for row in shown.rows}
    assert (0, 300) == cells["kill -9: lost of 400"]
    assert (0, 5) == cells["429 for every tenth: sent twice"]
    assert ("connector", "another") == shown.columns
    assert ("A third was not measured: it is not there",) == shown.remarks


def test_every_program_gets_the_same_alarms() -> None:
    for one in contestants():
        topic, payload = one.alarm(RECIPIENTS + 7)
        asked = payload.decode()
        if asked.startswith("{"):
            person = json.loads(payload)["request"]["recipient"]
            assert (recipient(7), body(RECIPIENTS + 7)) == (person["phone_number"], person["message"])
        else:
            assert (recipient(7).removeprefix("+"), body(RECIPIENTS + 7)) == (topic.partition("/")[2], asked)
