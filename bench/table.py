"""A table of measured numbers, as lines for people and as a document for programs. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = float | str | None
"""A number, a word, or None where there is nothing to show."""

RATIO, RATIO_FORM = "ratio", ".2f"
NAME_WIDTH = 34
LEAST_WIDTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table; numbers are shown by `form`, as format() takes it, and ratios with two decimals."""

    name: str
    cells: tuple[Cell, ...]
    form: str = ".0f"

    def shown(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The cells below these columns as people read them."""
        forms = (RATIO_FORM if column == RATIO else self.form for column in columns)
        return tuple(
            format(cell, form) if isinstance(cell, float | int) else cell or ""
            for cell, form in zip(self.cells, forms, strict=True)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns; `scenario` is the word of `--only`, remarks are sentences below the rows."""

    scenario: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.rows:
            return "\n".join([self.title, *(f"  {remark}" for remark in self.remarks)])
        lines = [self.columns, *(row.shown(self.columns) for row in self.rows)]
        widths = [max(LEAST_WIDTH, *map(len, column)) for column in zip(*lines, strict=True)]
        names = ["", *(row.name for row in self.rows)]
        name_width = max(NAME_WIDTH, *map(len, names))
        shown = [
            "  " + name.ljust(name_width) + "  ".join(map(str.rjust, cells, widths)).rstrip()
            for name, cells in zip(names, lines, strict=True)
        ]
        return "\n".join([self.title, *map(str.rstrip, shown), *(f"  {remark}" for remark in self.remarks)])

    def document(self) -> dict[str, Any]:
        """The same as values of JSON; a cell without a number or a word is null."""
        return {
            "scenario": self.scenario,
            "title": self.title,
            "rows": [
                {"name": row.name.strip(), **dict(zip(self.columns, row.cells, strict=True))}
                for row in self.rows
            ],
            "remarks": list(self.remarks),
        }


def ratio(measured: float, yardstick: float) -> float | None:
    """None where the yardstick has no value, as in a run too short for the kernel's clock of CPU time."""
    return measured / yardstick if yardstick else None
