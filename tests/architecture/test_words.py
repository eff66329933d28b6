"""Plain words: documents, comments, docstrings and messages do without the words that the glossary replaces.

`docs/glossary.md` has the words in two tables, each with the words to use instead. The tests read them there.
"""

from __future__ import annotations

import io
import re
import tokenize
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from tests.architecture.test_names import FORBIDDEN
from tests.support.house import listed, texts
from tests.support.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

GLOSSARY = ROOT / "docs" / "glossary.md"

NAMES_OF_OTHERS: Mapping[str, str] = {
    r"secrets?[ -]manager": "a service of AWS, and a component of Greengrass V2",
    r"stream manager": "a component of Greengrass",
    r"context manager": "Python's word",
    r"manager=": "an argument of the standard library",
    r"(?:asyncio )?tasks?(?= group| per connection|s by weak)": "what asyncio runs",
    r"/task\b": "a folder of the kernel's",
    r"cron job": "what cron starts",
    r"handlers? (?:of SIG|are about|SIGHUP|let SIGTERM)|(?:default|parent's) handlers": "of signals",
    r"handler\.twilio\.com": "a host of Twilio's",
    r"its handler returns": "an argument of gmqtt",
    r"iot[-:]data|meta-data": "a service of AWS",
    r"`items:`": "a key of Kubernetes",
    r"[`a-zA-Z_]*[tT]asks?`|`TASKS`": "examples of the check of names",
    r"bare name|base64|base[-_ ]ur[il]": "not the words that are meant",
}
"""Taken out before a line is looked at, each with whose word it is."""

STILL_TO_CORRECT: frozenset[str] = frozenset()
"""Files with words from before the rule. Take out what is corrected; put nothing in."""

_ROW = re.compile(r"^\| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
_COMMENTED = {".toml", ".service", ".yaml", ".yml", ".sh", ""}
_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
_STATEMENT_ENDS = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


@lru_cache
def unused_words() -> tuple[frozenset[str], frozenset[str]]:
    """The words of the glossary's two tables: those for names too, and those for prose only."""
    section = GLOSSARY.read_text("utf-8").partition("## Words that are not used\n")[2]
    tables = section.partition("In documents, comments, docstrings and messages:")
    names, prose = (
        frozenset(
            word.partition(" (")[0].strip()
            for row in _ROW.findall(table)
            if row != "not"
            for word in row.split(",")
        )
        for table in (tables[0], tables[2])
    )
    return names, prose


@lru_cache
def pattern() -> re.Pattern[str]:
    names, prose = unused_words()
    nouns = names - {"process", "processed", "processing"}
    words = sorted(nouns) + [f"{noun}s" for noun in sorted(nouns)] + ["processed", "processing", "to process"]
    return re.compile(rf"(?<![\w.])(?:{'|'.join([*words, *sorted(prose)])})(?![\w(])", re.IGNORECASE)


@lru_cache
def names_of_others() -> re.Pattern[str]:
    return re.compile("|".join(NAMES_OF_OTHERS), re.IGNORECASE)


def unused(line: str) -> list[str]:
    """The unused words of a line of prose."""
    return pattern().findall(names_of_others().sub(" ", line))


def python_prose(source: str, *, with_messages: bool) -> Iterator[tuple[int, str]]:
    """Numbered lines of the comments and docstrings, and of all other strings if asked for."""
    before = tokenize.ENCODING
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_docstring = token.type == tokenize.STRING and before in _STATEMENT_ENDS
        if token.type == tokenize.COMMENT or is_docstring or (with_messages and token.type in _STRINGS):
            yield from enumerate(token.string.splitlines(), start=token.start[0])
        if token.type not in {tokenize.COMMENT, tokenize.NL}:
            before = token.type


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are written for people. Strings in tests are what the tests give and expect."""
    source = path.read_text("utf-8")
    match path.suffix:
        case ".py":
            yield from python_prose(source, with_messages="tests" not in path.relative_to(ROOT).parts)
        case ".md":
            yield from enumerate(source.splitlines(), start=1)
        case suffix if suffix in _COMMENTED:
            yield from (
                (number, line) for number, line in enumerate(source.splitlines(), 1) if line.startswith("#")
            )
        case _:  # SQL among them: scripts of migrations never change, comments included
            pass


@lru_cache
def breaches() -> Mapping[str, list[str]]:
    """The lines with unused words, by file."""
    found: dict[str, list[str]] = {}
    for path in texts():
        if path != GLOSSARY:
            name = path.relative_to(ROOT).as_posix()
            for number, line in prose(path):
                if words := unused(line):
                    found.setdefault(name, []).append(f"{name}:{number} {', '.join(words)}: {line.strip()}")
    return found


def test_documents_comments_and_messages_use_plain_words() -> None:
    found = [line for name, lines in breaches().items() if name not in STILL_TO_CORRECT for line in lines]
    assert [] == found, listed(found) + f"\n{GLOSSARY.name} has the words to use instead"


def test_what_is_corrected_is_no_longer_exempt() -> None:
    corrected = STILL_TO_CORRECT - breaches().keys()
    assert set() == corrected, "take these out of STILL_TO_CORRECT"


def test_the_glossary_has_the_words_that_names_must_not_hold() -> None:
    names, prose_only = unused_words()
    assert names == FORBIDDEN | {"processed", "processing"}
    assert {"nobody", "for ever", "is told"} <= prose_only


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("and nobody is answered", ["nobody"]),
        ("It is told once.", ["is told"]),
        ("Mend the function.", ["Mend"]),
        ("it belongs into a folder", ["belongs into"]),
        ("the file beside the journal", ["beside"]),
        ("Handlers of requests, and an item", ["Handlers", "item"]),
        ("a request is processed", ["processed"]),
        ("besides, read_beside(path) recommends it", []),
        ("it is told_apart", []),
        ("the operating system's process", []),
        ("AWS Secrets Manager keeps it", []),
        ("a database of metadata, b.data and data_received", []),
    ],
)
def test_unused_words_are_found(line: str, found: list[str]) -> None:
    assert found == unused(line)


def test_prose_of_a_program_is_what_people_read() -> None:
    source = '"""One."""\n\ndef f(a):\n    """Two\n    lines."""\n    b = "three"  # four\n'
    source += '    return f"five {a}"\n'
    lines = ['"""One."""', '"""Two', '    lines."""', "# four"]
    assert lines == [line for _, line in python_prose(source, with_messages=False)]
    messages = " ".join(line for _, line in python_prose(source, with_messages=True))
    assert "three" in messages
    assert "five" in messages
