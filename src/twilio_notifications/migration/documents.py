"""Reads files into documents: JSON, YAML, or JSON inside another text.

This module knows nothing of Greengrass but the words by which a text shows that it concerns the connector.
It bounds the depth and the size of each document and refuses texts that cannot be encoded, so that the
search over the documents needs no guards. A remark names each part that was not read.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.parameters import CONNECTOR_NAME, PublishedParameter
from twilio_notifications.core.wording import counted, shown
from twilio_notifications.migration.json_text import NotJson, read_json, take_out, without_comments
from twilio_notifications.migration.yaml_text import NotYaml, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST_FILE = 16 * 2**20
LARGEST_YAML = 2**20
"""CloudFormation's own limit for a template. Reading YAML takes a hundred times as long as reading JSON."""
DEEPEST = 60
MOST_VALUES = 300_000
MOST_DOCUMENTS = 10_000
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_TEMPLATE_BODY = "TemplateBody"
_CONCERNS_US = re.compile(rf"/connectors/{CONNECTOR_NAME}\b|\b{PublishedParameter.ACCOUNT_SID}\b")
_COMMAND = re.compile(r"\baws\s+greengrass\b")
_FILE_OF_COMMAND = re.compile(r"\bfileb?://([^\s'\"]{1,300})")
_COMMENT_OF_JSON = re.compile(r"(^|\s)//|/\*", re.MULTILINE)
_TERMINAL = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
"""Control sequences of a terminal, as for colours and titles: `script` and `jq -C` leave them in files."""
_MOST_REMARKS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file as the operator gave it. `name` stands in messages."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One parsed document of a file."""

    name: str
    tree: object


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingRemark:
    """A sentence about a part that was not read. `file` is the name of the file that holds it, or empty."""

    sentence: str
    file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The documents of a file, and a remark on each part of it that was not read."""

    documents: tuple[Document, ...]
    remarks: tuple[ReadingRemark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unusable:
    """Why a file cannot be used."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tree:
    """A parsed value. `where` is its place in a file with several values, and empty in a file with one."""

    tree: object
    where: str = ""


def read_documents(upload: Upload) -> Reading | Unusable:
    """The documents of one file, or why the file cannot be used.

    The output of `get-template` is unwrapped.
    """
    text = _decode(upload)
    if isinstance(text, Unusable):
        return text
    parsed = _parse(upload.name, text)
    if isinstance(parsed, Unusable):
        return parsed
    trees, remarks = parsed
    if len(trees) > MOST_DOCUMENTS:
        return Unusable(
            problem=f"{upload.name} holds more than {MOST_DOCUMENTS} documents: give the definitions alone"
        )
    documents: list[Document] = []
    for number, each in enumerate(trees, start=1):
        where = each.where or ("" if len(trees) == 1 else f" (document {number})")
        name = f"{upload.name}{where}"
        opened = _unwrap(name, each.tree)
        problem = opened if isinstance(opened, Unusable) else _immoderate(name, opened)
        if isinstance(problem, Unusable):
            return problem
        documents.append(Document(name=name, tree=opened))
    return Reading(documents=tuple(documents), remarks=remarks)


def _decode(upload: Upload) -> str | Unusable:
    """The text of a file in UTF-8, UTF-16 or UTF-32. PowerShell writes UTF-16 when it redirects output."""
    if len(upload.content) > LARGEST_FILE:
        return Unusable(
            problem=f"{upload.name} is {len(upload.content)} bytes long, the limit is {LARGEST_FILE}: "
            "give the definitions alone"
        )
    encoding = next((name for mark, name in _BOMS if upload.content.startswith(mark)), "utf-8-sig")
    try:
        return upload.content.decode(encoding).replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return Unusable(problem=f"{upload.name} is not a text in {error.encoding}: see byte {error.start}")


def _parse(name: str, text: str) -> tuple[list[_Tree], tuple[ReadingRemark, ...]] | Unusable:
    """The values of a text, read as JSON, JSON with comments, YAML or, last, JSON inside another text."""
    try:
        return [_Tree(tree=tree) for tree in read_json(text)], ()
    except RecursionError:
        return _too_deep(name)
    except NotJson as error:
        reason = str(error)
    bare = without_comments(text)
    if bare.lstrip()[:1] in {"{", "["}:
        return _json_with_comments(name, text, bare, reason)
    trees = _yaml_documents(name, text)
    if isinstance(trees, Unusable) or not any(isinstance(tree, dict | list) for tree in trees):
        inside = _inside(name, text)
        if inside is not None:
            return inside
        remarks = tuple(_remarks(name, text))
        if remarks and (isinstance(trees, list) or _COMMAND.search(text)):
            return [], remarks  # commands that take all of their JSON from files, for instance
    return trees if isinstance(trees, Unusable) else ([_Tree(tree=tree) for tree in trees], ())


def _json_with_comments(
    name: str, text: str, bare: str, reason: str
) -> tuple[list[_Tree], tuple[ReadingRemark, ...]] | Unusable:
    """The values of a text that begins like JSON.

    YAML reads some that JSON does not, as texts in single quotes.
    """
    try:
        return [_Tree(tree=tree) for tree in read_json(bare)], ()
    except RecursionError:
        return _too_deep(name)
    except NotJson as error:
        reason = reason if bare == text else str(error)
    trees = None if _COMMENT_OF_JSON.search(text) else _yaml_documents(name, text)
    if trees is None or isinstance(trees, Unusable):
        # A terminal's history has several outputs, with lines of other kinds between them.
        inside = _inside(name, text)
        if inside is not None and not isinstance(inside, Unusable):
            return inside
        return Unusable(problem=f"{name} is not valid JSON: {reason}")
    return [_Tree(tree=tree) for tree in trees], ()


def _inside(name: str, text: str) -> tuple[list[_Tree], tuple[ReadingRemark, ...]] | Unusable | None:
    """The JSON in a terminal's history or in commands; None where there is none."""
    try:
        taken, rest = take_out(_TERMINAL.sub("", text))
    except RecursionError:
        return _too_deep(name)
    except NotJson as error:
        return Unusable(problem=f"{name} is neither JSON nor YAML, and {error}")
    trees = [_Tree(tree=each.tree, where=f" (JSON in line {each.line})") for each in taken if each.tree]
    return (trees, tuple(_remarks(name, rest))) if trees else None


def _remarks(name: str, rest: str) -> Iterator[ReadingRemark]:
    """Remarks on lines around the JSON that name the connector, and on files that commands there take."""
    for number, line in enumerate(rest.split("\n"), start=1):
        if _CONCERNS_US.search(line):
            yield ReadingRemark(
                sentence=f"line {number} of {name} names the connector outside of any JSON: not carried "
                "over. Write what it says as JSON into a file, and give that file"
            )
        for match in _FILE_OF_COMMAND.finditer(line):
            yield ReadingRemark(
                sentence=f"the command in line {number} of {name} takes the file {shown(match[1])}: "
                "give that file, too",
                file=match[1],
            )


def _too_deep(name: str) -> Unusable:
    return Unusable(problem=f"{name} is nested too deeply: at most {DEEPEST} levels are read")


def _yaml_documents(name: str, text: str) -> list[object] | Unusable:
    if len(text) > LARGEST_YAML:
        return Unusable(
            problem=f"{name} is YAML of {len(text)} characters, the limit is {LARGEST_YAML}: "
            "give the part that holds the connector, or the same as JSON"
        )
    try:
        return read_yaml(text)
    except NotYaml as error:
        return Unusable(problem=f"{name} is neither JSON nor valid YAML: {error}")


def _unwrap(name: str, tree: object) -> object | Unusable:
    """The template inside the output of `aws cloudformation get-template`, or the tree itself.

    The command prints a template in YAML as a text.
    """
    if not isinstance(tree, dict) or _TEMPLATE_BODY not in tree:
        return tree
    body: object = tree[_TEMPLATE_BODY]
    if not isinstance(body, str):
        return body
    parsed = _parse(f"{_TEMPLATE_BODY} of {name}", body)
    if isinstance(parsed, Unusable):
        return parsed
    trees = [each.tree for each in parsed[0]]
    return trees[0] if len(trees) == 1 else trees


def _immoderate(name: str, tree: object) -> Unusable | None:
    """Why a document cannot be searched, or None. An alias of YAML counts each time that it is used."""
    seen, waiting = 0, [(tree, 0)]
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if depth > DEEPEST:
            return _too_deep(name)
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


def read_all(uploads: Sequence[Upload]) -> Reading:
    """The documents of all files, each content once.

    Raises ConfigurationError with the problem of each file that cannot be used.
    """
    distinct, remarks = _distinct(uploads)
    readings = [read_documents(upload) for upload in distinct]
    problems = [reading.problem for reading in readings if isinstance(reading, Unusable)]
    if problems:
        raise ConfigurationError(problems)
    read = [reading for reading in readings if not isinstance(reading, Unusable)]
    for upload, reading in zip(distinct, read, strict=True):
        remarks += _bounded(upload.name, reading.remarks)
        if not reading.documents and not reading.remarks:
            remarks.append(ReadingRemark(sentence=f"{upload.name} is empty"))
    return Reading(
        documents=tuple(document for reading in read for document in reading.documents),
        remarks=tuple(remark for remark in remarks if not is_given(remark.file, uploads)),
    )


def _distinct(uploads: Sequence[Upload]) -> tuple[list[Upload], list[ReadingRemark]]:
    first: dict[bytes, Upload] = {}
    remarks: list[ReadingRemark] = []
    for upload in uploads:
        earlier = first.setdefault(upload.content, upload)
        if earlier is not upload:
            same = "was given twice" if earlier.name == upload.name else f"holds the same as {earlier.name}"
            remarks.append(ReadingRemark(sentence=f"{upload.name} {same}: it was read once"))
    return list(first.values()), remarks


def _bounded(name: str, remarks: Sequence[ReadingRemark]) -> list[ReadingRemark]:
    kept, more = list(remarks[:_MOST_REMARKS]), len(remarks) - _MOST_REMARKS
    if more > 0:
        kept.append(
            ReadingRemark(sentence=f"not carried over: {counted(more, 'more line')} of {name} like these")
        )
    return kept


def is_given(file: str, uploads: Sequence[Upload]) -> bool:
    """Whether a file that another one names is among those that were given, by the last part of its name."""
    name = PurePosixPath(file.replace("\\", "/")).name
    return bool(name) and any(PurePosixPath(upload.name).name == name for upload in uploads)
