"""Recognises the connector by its ARN, complete or with holes, and by the other names that files give it.

The region and the partition of a connector's ARN do not matter here, so a hole in them raises no question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters import CONNECTOR_NAME, PARTITIONS
from twilio_notifications.migration.partly import ANY, SEGMENT, Partly, can_be, shape_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_ARN = re.compile(
    r"arn:(?P<partition>[^:]*):greengrass:(?P<region>[^:]*):(?P<account>[^:]*):"
    r"/connectors/(?P<name>[^/:]*)/versions/(?P<number>[^/:]*)",
    re.DOTALL,
)
_WILD = re.compile(f"[{ANY}{SEGMENT}]")
_OUR_SHAPE = f"arn:{SEGMENT}:greengrass:{SEGMENT}:{SEGMENT}:/connectors/{CONNECTOR_NAME}/versions/{SEGMENT}"
_REGION = re.compile(r"[a-z0-9\-]+")
# People also write the ARN with a mistake around it: without a version, with a colon too few or too many.
_NAMED = re.compile(
    rf"(.*[:/])?connectors/{CONNECTOR_NAME}(?:/(?:versions/(?P<number>[0-9]{{1,9}})?)?)?", re.DOTALL
)
# A device knows a connector as a function of AWS's own.
_FUNCTION = re.compile(rf"arn:[^:]*:lambda:[^:]*:aws:function:{CONNECTOR_NAME}(:[^:]*)?")
_PREFIX = re.compile(r"connectors?(?:::|[:./])", re.IGNORECASE)
"""greengo writes `Connector::Id` for the connector with this Id, and other tools use similar prefixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """An end of a subscription that is the connector. `version` is None where the end does not name one."""

    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maybe:
    """An end with a hole, which may be the connector; the values of `names` decide it."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """An end that is certainly not the connector."""


Whose = Ours | Maybe | Other


def whose(value: object, aliases: frozenset[str]) -> Whose:
    """Whether a value names the connector; `aliases` are names that it has in these files alone."""
    if isinstance(value, Partly):
        return _whose_open(value, aliases)
    if not isinstance(value, str):
        return Other()
    named = _NAMED.fullmatch(value.strip())
    if named is not None:
        return Ours(version=int(named["number"]) if named["number"] else None)
    is_alias = value in aliases or _FUNCTION.fullmatch(value) or _after_prefix(value) in aliases
    return Ours() if is_alias else Other()


def _after_prefix(text: str) -> str | None:
    match = _PREFIX.match(text)
    return text[match.end() :] if match else None


def _whose_open(value: Partly, aliases: frozenset[str]) -> Whose:
    if value.choices:
        answers = [whose(choice, aliases) for choice in value.choices]
        if all(isinstance(answer, Ours) for answer in answers) or all(isinstance(a, Other) for a in answers):
            return answers[0]
        return Maybe(names=value.names)
    arn = _ARN.fullmatch(value.shape)
    if arn is not None and arn["name"] == CONNECTOR_NAME:
        return Ours(version=int(arn["number"]) if re.fullmatch(r"[0-9]{1,9}", arn["number"]) else None)
    if arn is not None:
        return _asked_of(value, arn)
    after = _after_prefix(value.shape)
    shapes = (value.shape, *([after] if after is not None else []))
    possible = any(can_be(shape, other) for shape in shapes for other in (_OUR_SHAPE, *aliases))
    return Maybe(names=value.names) if possible else Other()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadArn:
    """The connector's ARN without holes. `replaced` is the text of the file where that text differs."""

    arn: str
    replaced: str = ""


def read_arn(value: object) -> ReadArn | Maybe | Other:
    """Whether a `ConnectorArn` is the connector's: the ARN without holes, what decides it, or neither."""
    if isinstance(value, Partly) and value.choices:
        return _of_choices([read_arn(choice) for choice in value.choices], value.names)
    shape = shape_of(value)
    if shape is None:
        return Other()
    shape = shape.strip()
    arn = _ARN.fullmatch(shape)
    if arn is None:
        if isinstance(value, Partly):
            return Maybe(names=value.names) if can_be(shape, _OUR_SHAPE) else Other()
        return ReadArn(arn=shape) if _NAMED.fullmatch(shape) else Other()
    if isinstance(value, Partly) and _WILD.search(arn["name"] + arn["number"]):
        return _asked_of(value, arn)
    return _complete(arn, str(value)) if arn["name"] == CONNECTOR_NAME else Other()


def _asked_of(value: Partly, arn: re.Match[str]) -> Maybe | Other:
    """What has to be known: the holes in the name and the version alone; the region does not matter."""
    if not can_be(arn["name"], CONNECTOR_NAME):
        return Other()
    before = len(_WILD.findall(arn.string[: arn.start("name")]))
    wanted = len(_WILD.findall(arn.string[arn.start("name") :]))
    singles = [hole for hole in value.holes for _ in _WILD.findall(hole.like)]
    names = [name for hole in singles[before : before + wanted] for name in hole.names]
    return Maybe(names=tuple(dict.fromkeys(names or value.names)))


def _complete(arn: re.Match[str], written: str) -> ReadArn:
    partition = "aws" if _WILD.search(arn["partition"]) else arn["partition"]
    is_region = _REGION.fullmatch(arn["region"]) is not None
    region = arn["region"] if is_region else "region"
    account = "" if _WILD.search(arn["account"]) else arn["account"]
    text = f"arn:{partition}:greengrass:{region}:{account}:/connectors/{arn['name']}/versions/{arn['number']}"
    return ReadArn(arn=text, replaced="" if is_region and partition in PARTITIONS else written)


def _of_choices(
    answers: Sequence[ReadArn | Maybe | Other], names: tuple[str, ...]
) -> ReadArn | Maybe | Other:
    """The same version in every region is one connector."""
    if all(isinstance(answer, Other) for answer in answers):
        return Other()
    read = [answer for answer in answers if isinstance(answer, ReadArn)]
    versions = {answer.arn.rpartition("/")[2] for answer in read}
    return read[0] if len(read) == len(answers) and len(versions) == 1 else Maybe(names=names)
