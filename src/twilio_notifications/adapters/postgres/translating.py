"""SQLite's text of a statement → PostgreSQL's.

The journal's statements keep to what both read alike. What is left is translated here, word by word, and a
word that only SQLite knows is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from twilio_notifications.adapters.postgres.texts import FRAGMENTS, TEXTS

if TYPE_CHECKING:
    from collections.abc import Sequence

_LITERAL: Final = r"'(?:[^']|'')*'"
_PARAMETER: Final = re.compile(rf"{_LITERAL}|\?(?P<number>\d+)|(?P<next>\?)|:(?P<name>\w+)")
_JSON_EACH: Final = re.compile(r"json_each\((\$\d+)\)( AS \w+)?")
_SCALAR: Final = re.compile(r"\b(MAX|MIN)\(")
_GREATEST: Final = {"MAX": "GREATEST", "MIN": "LEAST"}

_WORDS: Final = (
    # The order in which SQLite reads tables, and by which index; PostgreSQL finds them by itself.
    (re.compile(r" (?:INDEXED BY \w+|NOT INDEXED)\b"), ""),
    (re.compile(r"\bCROSS JOIN\b"), "JOIN"),
    (re.compile(r"\bIS NOT (\$\d+)"), r"IS DISTINCT FROM \1"),
    (re.compile(r"\bIS (\$\d+)"), r"IS NOT DISTINCT FROM \1"),
    (re.compile(r"\bLIKE\b"), "ILIKE"),
    # SQLite cuts off what PostgreSQL rounds.
    (re.compile(r"\bCAST\((\w+ / \d+) AS INTEGER\)"), r"CAST(FLOOR(\1) AS BIGINT)"),
)

_ONLY_SQLITE: Final = re.compile(
    r"\b(?:IIF|IFNULL|json_\w+|sqlite_\w+|PRAGMA|INDEXED|ROWID|AS INTEGER|AS BLOB|GLOB|REPLACE INTO)\b",
    re.IGNORECASE,
)
_ALLOWED: Final = re.compile(r"json_array_elements")


class Untranslatable(Exception):
    """The statement has a word that only SQLite knows."""


@dataclass(frozen=True, slots=True)
class Translation:
    """A statement for PostgreSQL, and where its parameters come from."""

    text: str
    names: tuple[str, ...]
    """Of the parameters, in their order; none where they are given in their order."""

    def values(self, parameters: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any]:
        """The parameters in the order of PostgreSQL's."""
        if isinstance(parameters, Mapping):
            return [parameters[name] for name in self.names]
        return parameters


def translation(statement: str) -> Translation:
    """PostgreSQL's text of a statement. Raises Untranslatable."""
    text = TEXTS.get(statement, statement)
    for ours, theirs in FRAGMENTS.items():
        text = text.replace(ours, theirs)
    text, names = _numbered(text)
    pieces = re.split(rf"({_LITERAL})", text)
    for place in range(0, len(pieces), 2):
        for word, replacement in _WORDS:
            pieces[place] = word.sub(replacement, pieces[place])
    text = "".join(pieces)
    text = _JSON_EACH.sub(_listed, text)
    text = _scalars(text)
    left = _ONLY_SQLITE.search(_ALLOWED.sub("", re.sub(_LITERAL, "''", text)))
    if left is not None:
        raise Untranslatable(f"{left[0]} in {statement}")
    return Translation(text=text, names=names)


def _numbered(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with numbered parameters, and their names."""
    names: list[str] = []
    count = 0

    def number(found: re.Match[str]) -> str:
        nonlocal count
        if found["name"] is not None:
            if found["name"] not in names:
                names.append(found["name"])
            return f"${names.index(found['name']) + 1}"
        if found["number"] is not None:
            return f"${found['number']}"
        if found["next"] is not None:
            count += 1
            return f"${count}"
        return found[0]

    return _PARAMETER.sub(number, text), tuple(names)


def _listed(found: re.Match[str]) -> str:
    """A list of numbers in JSON, as a table with the column `value`.

    Of an array the planner supposes that it is short, and looks for its members one by one.
    """
    array = f"CAST(TRANSLATE({found[1]}, '[]', '{{}}') AS BIGINT[])"
    return f"UNNEST({array}){found[2] or ' AS listed'} (value)"


def _scalars(text: str) -> str:
    """MAX and MIN of several values, which PostgreSQL calls otherwise; not those of a column."""

    def named(found: re.Match[str]) -> str:
        return f"{_GREATEST[found[1]]}(" if _has_several(text, found.end()) else found[0]

    return _SCALAR.sub(named, text)


def _has_several(text: str, at: int) -> bool:
    """Whether the parenthesis that opens before `at` holds a comma of its own."""
    depth = 0
    for character in text[at:]:
        if character == "," and not depth:
            return True
        if character == ")" and not depth:
            return False
        depth += {"(": 1, ")": -1}.get(character, 0)
    return False
