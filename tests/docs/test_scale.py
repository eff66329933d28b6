"""What many connectors cost follows from what was measured: the second table of the page from the first."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import HOW_TO, rows

(PAGE,) = [page for page in HOW_TO if page.name == "scale.md"]
CONNECTORS = (10, 100, 1000)
CONNECTIONS_EACH, ANNOUNCEMENTS, DAY_SECONDS = 3, 10, 86_400
UNITS = {"": 1.0, "%": 0.01, "MB": 1e6, "GB": 1e9, "ms": 1e-3, "bytes": 1.0}
ROUNDED = 0.15
"""The page rounds to one digit, or two."""


def value(cell: str) -> float:
    """The number at the beginning of the cell, in seconds, bytes, or cores."""
    found = re.match(r"([\d.,]+) ?(%|MB|GB|ms|bytes)?", cell)
    assert found is not None, cell
    return float(found[1].replace(",", "")) * UNITS[found[2] or ""]


def measured(about: str) -> float:
    (found,) = [row[1] for row in rows(PAGE, header="") if len(row) == 2 and about in row[0]]
    return value(found)


ROUND, LOG = measured("such a round"), measured("log of the database")
HEARD, CONNECTION, CONNECTOR = (
    measured("announcement"),
    measured("idle connection"),
    measured("idle connector"),
)

EACH = {
    "rounds, of one core": ROUND,
    "announcements a second": ANNOUNCEMENTS * HEARD,
    "commits a second": 1,
    "log of the database with nothing to do": LOG * DAY_SECONDS,
    "connections": CONNECTIONS_EACH,
    "memory of PostgreSQL": CONNECTIONS_EACH * CONNECTION,
    "memory of the connectors": CONNECTOR,
    "gives each 5 attempts": 5,
}
"""What each connector adds to a row of the table."""


@pytest.mark.parametrize(("row", "each"), EACH.items())
def test_a_row_is_what_each_connector_adds_times_the_connectors(row: str, each: float) -> None:
    (cells,) = [cells for cells in rows(PAGE, header="") if len(cells) == 4 and row in cells[0]]
    for number, cell in zip(CONNECTORS, cells[1:], strict=True):
        assert number * each == pytest.approx(value(cell), rel=ROUNDED)
