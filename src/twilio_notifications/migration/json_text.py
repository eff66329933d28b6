"""JSON as people keep it: bare, in a row, with comments, or inside commands and their output.

Takes a text and returns the values in it, or says in which line a value cannot be read.
A value is taken whole or not at all: a broken document is never read in parts, because a part of a
definition looks like a smaller definition.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STRING = r'"(?:\\.|[^"\\])*"'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*.*?\*/|\#[^\n]*", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)
# What begins like a value of JSON, in quotes as a shell leaves, escapes (\") or doubles ("") them.
_OPENING = re.compile(r'[\[{](?=\s*(?:\\?"|[\[{\]}]))')
_IS_OBJECT = re.compile(r'\{\s*(?:\\"[^"\\]*\\"|"[^"\\]*"|""[^"\\]*"")\s*:')
_MEMBER = re.compile(
    r'\{\s*(?P<mark>\\"|""(?=[^":,}\s])|")|\[\s*\{\s*(?P<mark_in_list>\\"|""(?=[^":,}\s])|")'
)
_MOST_FAILURES = 1_000
"""Each costs a reading up to the place of the failure; a text with more is no text that a person keeps."""


class NotJson(Exception):
    """The text holds no value, or one that cannot be read; says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A value that stood inside another text, and the line in which it begins."""

    tree: object
    line: int


def read_json(text: str) -> list[object]:
    """One value after another, as `>>` leaves them. Raises NotJson, and RecursionError for a deep one."""
    return list(_in_a_row(text))


def _in_a_row(text: str) -> Iterator[object]:
    decoder, position = json.JSONDecoder(), _after_space(text, 0)
    while position < len(text):
        try:
            tree, end = decoder.raw_decode(text, position)
        except ValueError as error:
            raise NotJson(str(error)) from error
        yield tree
        position = _after_space(text, end)


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def without_comments(text: str) -> str:
    """The text without comments (`//`, `/* */`, `#`) and without a comma after a last member.

    Positions stay as they are, so that an error names the right line and column.
    """
    bare = _COMMENT.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)
    return _LAST_COMMA.sub(lambda match: match[1] or " ", bare)


def take_out(text: str) -> tuple[tuple[Taken, ...], str]:
    """The objects and lists that stand in a terminal's history or in commands, and the text without them.

    Raises NotJson where an object begins and cannot be read to its end.
    """
    plain = text.replace("'\\''", "'")  # an apostrophe inside single quotes of a shell
    taken: list[Taken] = []
    rest: list[str] = []
    position = failures = done = 0
    while match := _OPENING.search(plain, position):
        read = _read_at(plain, match.start())
        if read is None:
            failures += 1
            if failures > _MOST_FAILURES:
                raise NotJson(f"more than {_MOST_FAILURES} places of it look like JSON and are not")
            position = match.start() + 1
            continue
        tree, position = read
        taken.append(Taken(tree=tree, line=plain.count("\n", 0, match.start()) + 1))
        rest += [plain[done : match.start()], "\n" * plain.count("\n", match.start(), position)]
        done = position
    return tuple(taken), "".join([*rest, plain[done:]])


def _read_at(text: str, start: int) -> tuple[object, int] | None:
    """The value that begins there and where it ends, or None where it is none."""
    member = _MEMBER.match(text, start)
    mark = '"' if member is None else (member["mark"] or member["mark_in_list"])
    try:
        if mark == '"':
            return json.JSONDecoder().raw_decode(text, start)
        unquoted, places = _unquoted(text, start, doubled=mark == '""')
        tree, end = json.JSONDecoder().raw_decode(unquoted)
    except ValueError as error:
        if _IS_OBJECT.match(text, start) is None:
            return None
        line = text.count("\n", 0, start) + 1
        raise NotJson(f"the JSON that begins in line {line} cannot be read: {error}") from error
    return tree, places[end]


def _unquoted(text: str, start: int, *, doubled: bool) -> tuple[str, list[int]]:
    """The text behind a shell's quotes, and the position of each of its characters and of its end."""
    pattern = re.compile(r'""|[^"]' if doubled else r'\\\n|\\.|[^"\\]', re.DOTALL)
    characters: list[str] = []
    places: list[int] = []
    position = start
    while match := pattern.match(text, position):
        if match[0] != "\\\n":  # the shell joins the two lines
            characters.append(match[0][-1])
            places.append(position)
        position = match.end()
    return "".join(characters), [*places, position]
