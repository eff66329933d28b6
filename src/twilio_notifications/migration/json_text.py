"""Reads JSON as people keep it: alone, one value after another, with comments, or inside commands and output.

The functions take a text and return the values in it, or say in which line a value cannot be read.
They take a value whole or not at all: they never read a broken document in parts, because a part of a
definition looks like a smaller definition.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# A string or a comment without an end extends to the end of the text, so that the pattern scans it once.
_STRING = r'"(?:\\.|[^"\\])*+(?:"|\Z)'
_COMMENT = re.compile(rf"({_STRING})|//[^\n]*|/\*(?:.*?\*/|.*)|\#[^\n]*", re.DOTALL)
_LAST_COMMA = re.compile(rf"({_STRING})|,(?=\s*[}}\]])", re.DOTALL)
# The beginning of a JSON value. A shell leaves its quotes, escapes them (\") or doubles them ("").
_OPENING = re.compile(r'[\[{](?=\s*(?:\\?"|[\[{\]}]))')
_IS_OBJECT = re.compile(r'\{\s*(?:\\"[^"\\]*\\"|"[^"\\]*"|""[^"\\]*"")\s*:')
_MEMBER = re.compile(
    r'\{\s*(?P<mark>\\"|""(?=[^":,}\s])|")|\[\s*\{\s*(?P<mark_in_list>\\"|""(?=[^":,}\s])|")'
)
_MOST_READ = 32 * 2**20
"""Characters that are scanned without finding JSON. A text that a person keeps has fewer."""
_MOST_VALUES = 10_000
_MOST_FAILURES = 2_000
"""A failure is expensive, because Python's decoder counts the lines of the whole text for each."""
_ESCAPED, _DOUBLED = '\\"', '""'
_IN_QUOTES = {
    _ESCAPED: re.compile(r'(?:\\.|[^"\\])*+', re.DOTALL),
    _DOUBLED: re.compile(r'(?:""|[^"])*+'),
}
_CHARACTER = {_ESCAPED: re.compile(r"\\\n|\\.|[^\\]", re.DOTALL), _DOUBLED: re.compile(r'""|[^"]')}


class NotJson(Exception):
    """The text holds no value, or one that cannot be read; says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOut:
    """A JSON value inside another text, and the number of the line in which it begins."""

    tree: object
    line: int


def read_json(text: str) -> list[object]:
    """All values of a text that holds one after another, as `>>` of a shell leaves them.

    Raises NotJson, and RecursionError for a value that is nested too deeply.
    """
    return list(_in_a_row(text))


def _in_a_row(text: str) -> Iterator[object]:
    decoder, position = _decoder(), _after_space(text, 0)
    while position < len(text):
        try:
            tree, end = decoder.raw_decode(text, position)
        except ValueError as error:
            raise NotJson(str(error)) from error
        yield tree
        position = _after_space(text, end)


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=_members, parse_int=_whole)


def _whole(digits: str) -> int:
    """The integer. Raises NotJson for one of more than 4,300 digits, which Python refuses to convert."""
    try:
        return int(digits)
    except ValueError as error:
        raise NotJson(f"it holds a number of {len(digits)} digits, and no definition has one") from error


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of an object.

    Raises NotJson for one name with two values, of which the second would win.
    """
    members: dict[str, object] = {}
    for name, value in pairs:
        if members.setdefault(name, value) != value:
            raise NotJson(f"an object has the name {name[:100]!r} twice, with two values: leave one out")
    return members


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


def take_out(text: str) -> tuple[tuple[TakenOut, ...], str]:
    """The objects and lists that stand in a terminal's history or in commands, and the text without them.

    Raises NotJson where an object begins and cannot be read to its end.
    """
    plain = text.replace("'\\''", "'")  # an apostrophe inside single quotes of a shell
    taken: list[TakenOut] = []
    rest: list[str] = []
    position = done = read_in_vain = failures = 0
    line = 1
    while match := _OPENING.search(plain, position):
        start = match.start()
        read = _read_at(plain, start)
        if isinstance(read, int):
            position, read_in_vain, failures = start + 1, read_in_vain + read, failures + 1
        else:
            tree, position = read
            rest += [plain[done:start], "\n" * plain.count("\n", start, position)]
            line += plain.count("\n", done, start)
            taken.append(TakenOut(tree=tree, line=line))
            line += plain.count("\n", start, position)
            done = position
        if read_in_vain > _MOST_READ or failures > _MOST_FAILURES or len(taken) > _MOST_VALUES:
            raise NotJson("it holds too much that looks like JSON")
    return tuple(taken), "".join([*rest, plain[done:]])


def _read_at(text: str, start: int) -> tuple[object, int] | int:
    """The value that begins at `start` and the position of its end, or the number of characters read in vain.

    Raises NotJson where an object begins and cannot be read.
    """
    member = _MEMBER.match(text, start)
    mark = '"' if member is None else (member["mark"] or member["mark_in_list"])
    read = text
    try:
        if mark == '"':
            return _decoder().raw_decode(text, start)
        quoted = _IN_QUOTES[mark].match(text, start)
        pieces = _CHARACTER[mark].findall(quoted[0] if quoted else "")
        read = "".join(_unquoted(piece) for piece in pieces)
        tree, end = _decoder().raw_decode(read)
    except json.JSONDecodeError as error:
        if _IS_OBJECT.match(text, start) is None:
            return len(read) if read is not text else error.pos - start
        line = text.count("\n", 0, start) + 1
        raise NotJson(f"the JSON that begins in line {line} cannot be read: {error.msg}") from error
    return tree, start + _written(pieces, end)


def _unquoted(piece: str) -> str:
    """A character without the shell's quoting; a backslash at the end of a line joins two lines."""
    return "" if piece == "\\\n" else piece[-1]


def _written(pieces: list[str], count: int) -> int:
    """The length in the quoted text of the first `count` unquoted characters."""
    length = seen = 0
    for piece in pieces:
        if seen == count:
            break
        length, seen = length + len(piece), seen + len(_unquoted(piece))
    return length
