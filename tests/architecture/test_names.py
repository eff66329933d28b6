"""One word per thing: names of the package are free of the words that the glossary replaces.

`docs/glossary.md` has the words to use instead.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.house import SOURCE, Module, listed, modules, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FORBIDDEN = frozenset(
    {"msg", "job", "task", "item", "manager", "helper", "util", "base", "handler", "process", "data"}
)

EXEMPT: Mapping[str, str] = {
    "base_url": "the published key of the configuration",
    "base64": "the encoding",
    "data_received": "asyncio calls this method of a protocol",
    "SecretsManagerError": "what V1 called it, and functions catch it by that name",
    "create_task": "asyncio's word, where its signature is repeated in a protocol",
    "ProcessConfined": "the log's published name of the event",
    "ProcessNotConfined": "the log's published name of the event",
}
"""Names that others chose, each with who did."""

PUBLISHED = frozenset({"JournalFull", "NucleusLost", "NucleusRefused", "SecretUnavailable"})
"""Events, by their published names in the log, that come of the errors of the same name."""

STILL_SHARED: frozenset[str] = frozenset(
    {
        "Failure",
        "Kind",
        "Text",
    }
)
"""Classes with one name in two rooms from before the rule. Take out what is renamed; put nothing in."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SQL_COMMENT_OR_STRING = re.compile(r"--.*|/\*.*?\*/|'[^']*'", re.DOTALL)


def forbidden_words(name: str) -> frozenset[str]:
    """The forbidden words in a name, whatever its spelling: `taskQueue`, `TASKS`, `the_task`."""
    if name.strip("_") in EXEMPT:
        return frozenset()
    words = {word.lower() for word in _WORD.findall(name)}
    return FORBIDDEN & (words | {word.removesuffix("s") for word in words})


def names(module: Module) -> Iterator[tuple[int, str]]:
    """Every name that the module gives: to classes, functions, arguments, variables, attributes."""
    for node in ast.walk(module.tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store())
            ):
                yield node.lineno, name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case _:
                pass


def breaches(module: Module) -> list[str]:
    return [
        f"{module.name}:{line} {name}: the glossary has another word for {', '.join(sorted(words))}"
        for line, name in names(module)
        if (words := forbidden_words(name))
    ]


def shared_classes(package: Iterable[Module]) -> dict[str, list[str]]:
    """Names that classes in two rooms have, with the modules. The adapters of one port may share theirs."""
    found: dict[str, list[str]] = {}
    for module in package:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(module.name)
    return {
        name: places
        for name, places in found.items()
        if len({place.partition("/")[0] for place in places}) > 1
    }


def test_no_name_of_the_package_holds_a_forbidden_word() -> None:
    found = [breach for module in modules() for breach in breaches(module)]
    assert [] == found, listed(found)


def test_no_file_of_the_package_holds_a_forbidden_word() -> None:
    paths = [path for path in SOURCE.rglob("*") if "__pycache__" not in path.parts]
    assert [] == [path.name for path in paths if forbidden_words(path.stem)]


def test_no_name_in_sql_holds_a_forbidden_word() -> None:
    for path in sorted(SOURCE.rglob("*.sql")):
        statements = _SQL_COMMENT_OR_STRING.sub(" ", path.read_text())
        assert [] == [name for name in re.findall(r"\w+", statements) if forbidden_words(name)], path.name


def test_no_two_rooms_have_a_class_of_the_same_name() -> None:
    shared = shared_classes(modules())
    assert {} == {name: places for name, places in shared.items() if name not in STILL_SHARED | PUBLISHED}
    assert set() == (STILL_SHARED | PUBLISHED) - shared.keys(), "take these out of STILL_SHARED or PUBLISHED"
    assert set() == STILL_SHARED & PUBLISHED


def test_classes_with_a_shared_name_are_found() -> None:
    package = [parse("class Wait: ...\nclass Step: ...", name) for name in ("core/a.py", "ports/b.py")]
    package += [parse("class Line: ...", name) for name in ("adapters/a/b.py", "adapters/c/b.py")]
    both = ["core/a.py", "ports/b.py"]
    assert {"Wait": both, "Step": both} == shared_classes(package)


@pytest.mark.parametrize(
    "name", ["msg", "_tasks", "TaskQueue", "JOB_LIMIT", "HTTPHandler", "metaData", "base"]
)
def test_a_forbidden_word_is_found_in_any_spelling(name: str) -> None:
    assert forbidden_words(name)


@pytest.mark.parametrize("name", ["message", "database", "multitasking", "base_url", "metadata", "processed"])
def test_a_word_that_only_contains_it_is_free(name: str) -> None:
    assert not forbidden_words(name)


@pytest.mark.parametrize(
    "source",
    [
        "class Manager: ...",
        "async def f(data): ...",
        "def f(*, item=1): ...",
        "self.task = 1",
        "for job in jobs: ...",
        "import asyncio as helper",
        "try: ...\nexcept OSError as data: ...",
        "match x:\n    case {'a': data}: ...",
        "with open(p) as handler: ...",
        "lambda msg: msg",
    ],
)
def test_every_way_to_give_a_name_is_looked_at(source: str) -> None:
    assert breaches(parse(source))
