"""A table is for people and for programs."""

from __future__ import annotations

import json

from bench.table import RATIO, Row, Table, ratio

TABLE = Table(
    scenario="live",
    title="live: a title",
    columns=("connector", "bare loop", RATIO),
    rows=(
        Row(name="rate", cells=(1_234.4, 2_000.0, ratio(1_234.4, 2_000.0))),
        Row(name="  a part of it", cells=(0.5, None, None), form=".1f"),
        Row(name="aim", cells=("at least 3", "reached", None)),
    ),
    remarks=("The machine was busy.",),
)


def test_people_read_rounded_numbers_below_their_columns() -> None:
    title, columns, rate, part, aim, remark = str(TABLE).splitlines()
    assert "live: a title" == title
    assert ["connector", "bare", "loop", "ratio"] == columns.split()
    assert ["rate", "1234", "2000", "0.62"] == rate.split()
    assert ["a", "part", "of", "it", "0.5"] == part.split()
    assert columns.index("connector") + len("connector") == rate.index("1234") + len("1234")
    assert aim.rstrip().endswith("reached")
    assert "  The machine was busy." == remark


def test_programs_read_the_numbers_themselves() -> None:
    document = json.loads(json.dumps(TABLE.document()))
    rate, part, _ = document["rows"]
    assert {"name": "rate", "connector": 1_234.4, "bare loop": 2_000.0, "ratio": 1_234.4 / 2_000.0} == rate
    assert {"name": "a part of it", "connector": 0.5, "bare loop": None, "ratio": None} == part
    assert ["live", ["The machine was busy."]] == [document["scenario"], document["remarks"]]


def test_nothing_has_no_ratio() -> None:
    assert None is ratio(1.0, 0.0)
