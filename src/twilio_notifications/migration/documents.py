"""Files → documents: JSON, several JSON documents in a row, or YAML, each bounded before anybody walks it.

Knows nothing of Greengrass. What comes out has a bounded depth and size, and texts that can be written again,
so that whoever walks it needs no guard of its own.
"""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_FILE = 16 * 2**20
LARGEST_YAML = 2**20
"""CloudFormation's own limit for a template; YAML is read a hundred times more slowly than JSON."""
DEEPEST = 60
MOST_VALUES = 300_000
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEMPLATE_BODY = "TemplateBody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as it was given. `name` is what people call it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One parsed document of a file."""

    name: str
    tree: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Why a file cannot be used."""

    problem: str


def read_documents(upload: Upload) -> tuple[Document, ...] | Unusable:
    """The documents of one file; templates that `get-template` has put into another are taken out."""
    text = _decoded(upload)
    if isinstance(text, Unusable):
        return text
    trees = _parsed(upload.name, text)
    if isinstance(trees, Unusable):
        return trees
    documents: list[Document] = []
    for number, tree in enumerate(trees, start=1):
        name = upload.name if len(trees) == 1 else f"{upload.name} (document {number})"
        opened = _opened(name, tree)
        problem = opened if isinstance(opened, Unusable) else _immoderate(name, opened)
        if isinstance(problem, Unusable):
            return problem
        documents.append(Document(name=name, tree=opened))
    return tuple(documents)


def _decoded(upload: Upload) -> str | Unusable:
    """PowerShell writes UTF-16 where a command's output is put into a file."""
    if len(upload.content) > LARGEST_FILE:
        return Unusable(
            problem=f"{upload.name} is {len(upload.content)} bytes long, the limit is {LARGEST_FILE}: "
            "give the definitions alone"
        )
    encoding = next((name for mark, name in _BOMS if upload.content.startswith(mark)), "utf-8-sig")
    try:
        return upload.content.decode(encoding)
    except UnicodeDecodeError as error:
        return Unusable(problem=f"{upload.name} is not a text in {error.encoding}: see byte {error.start}")


def _parsed(name: str, text: str) -> list[object] | Unusable:
    try:
        return list(_json_documents(text))
    except RecursionError:
        return Unusable(problem=f"{name} is nested too deeply: at most {DEEPEST} levels are read")
    except ValueError as error:
        reason = str(error)
    looks_like_json = text.lstrip()[:1] in {"{", "["}
    trees = _yaml_documents(name, text)
    if isinstance(trees, Unusable) and looks_like_json:
        return Unusable(problem=f"{name} is not valid JSON: {reason}")
    return trees


def _json_documents(text: str) -> Iterator[object]:
    """One after another, as `>>` leaves them."""
    decoder, position = json.JSONDecoder(), _after_space(text, 0)
    while position < len(text):
        tree, end = decoder.raw_decode(text, position)
        yield tree
        position = _after_space(text, end)


def _after_space(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n":
        position += 1
    return position


def _yaml_documents(name: str, text: str) -> list[object] | Unusable:
    if len(text) > LARGEST_YAML:
        return Unusable(
            problem=f"{name} is YAML of {len(text)} characters, the limit is {LARGEST_YAML}: "
            "give the part that holds the connector, or the same as JSON"
        )
    try:
        from twilio_notifications.migration.yaml_text import NotYaml, read_yaml  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        return Unusable(
            problem=f"{name} is not JSON, and reading YAML needs the package PyYAML, which is not installed. "
            "In a clone of the project, run: pip install '.[migrate]'"
        )
    try:
        return read_yaml(text)
    except NotYaml as error:
        return Unusable(problem=f"{name} is neither JSON nor valid YAML: {error}")


def _opened(name: str, tree: object) -> object | Unusable:
    """The template that `aws cloudformation get-template` prints, which for YAML is a text."""
    if not isinstance(tree, dict) or _TEMPLATE_BODY not in tree:
        return tree
    body: object = tree[_TEMPLATE_BODY]
    if not isinstance(body, str):
        return body
    trees = _parsed(f"{_TEMPLATE_BODY} of {name}", body)
    return trees if isinstance(trees, Unusable) else (trees[0] if trees else None)


def _immoderate(name: str, tree: object) -> Unusable | None:
    """Whether walking it could take for ever: an alias of YAML counts each time that it is used."""
    seen, waiting = 0, [(tree, 0)]
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST:
            return Unusable(problem=f"{name} is nested too deeply: at most {DEEPEST} levels are read")
        if seen > MOST_VALUES:
            return Unusable(
                problem=f"{name} holds more than {MOST_VALUES} values: give the definitions alone"
            )
        if isinstance(value, str) and not _can_be_written(value):
            return Unusable(problem=f"{name} holds a text that is no Unicode: half of a surrogate pair")
        if isinstance(value, dict):
            if "<<" in value:
                return Unusable(
                    problem=f"{name} has a merge key (<<), which CloudFormation does not know and this "
                    "program does not follow: write its content out"
                )
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]
    return None


def _can_be_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_all(uploads: tuple[Upload, ...]) -> tuple[Document, ...]:
    """The documents of all files. Raises ConfigurationError with the problem of each that cannot be used."""
    readings = [read_documents(upload) for upload in uploads]
    problems = [reading.problem for reading in readings if isinstance(reading, Unusable)]
    if problems:
        raise ConfigurationError(problems)
    return tuple(
        document for reading in readings if not isinstance(reading, Unusable) for document in reading
    )
