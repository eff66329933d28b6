"""Chooses the one Twilio Notifications connector among the connectors of the files, or says all obstacles.

Every connector is chosen, left out for a reason, or asked about. A group has one version of the connector
at a time, so two different ones are an obstacle; the same one in several files counts once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters import (
    CONNECTOR_NAME,
    VERSIONS,
    ConnectorVersion,
    DefinedConnector,
    PublishedParameter,
    Unreadable,
    read_definition,
)
from twilio_notifications.core.wording import shown
from twilio_notifications.migration.arns import Maybe, ReadArn, read_arn
from twilio_notifications.migration.groups import CONNECTORS, membership, missing_definition, named_elsewhere
from twilio_notifications.migration.partly import Partly
from twilio_notifications.migration.questions import asked, question, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twilio_notifications.migration.found import Find, Finds, PlaceInFile
    from twilio_notifications.migration.groups import Membership

_VERSION_SOMEWHERE = re.compile(rf":greengrass:[^:]*::/connectors/{CONNECTOR_NAME}/versions/([1-5])\b")
_MOST_NAMED = 5
_RESERVED = frozenset({"", "cloud", "GGShadowService"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacles:
    """The reasons why no file is written, one sentence for each."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The connector to carry over; its parameters are not judged yet.

    `assumed` maps parameters of the template to the defaults that the connector depends on, if it has any.
    """

    connector: DefinedConnector
    place: PlaceInFile
    notes: tuple[str, ...] = ()
    assumed: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ours:
    """A Twilio Notifications connector, with its ARN as `read_arn` reads it."""

    found: Find
    read: ReadArn

    @property
    def place(self) -> PlaceInFile:
        return self.found.place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """All connectors of the files: ours, and a sentence for each of the others."""

    ours: tuple[_Ours, ...]
    outside: tuple[Find, ...]
    questions: tuple[str, ...]
    left_out: tuple[str, ...]
    not_there: tuple[str, ...]


def choose(finds: Finds, *, to_version: int | None) -> Chosen | Obstacles:
    """The connector of these finds."""
    group = membership(finds.groups, CONNECTORS)
    connectors = _sorted(finds.connectors, group)
    questions = (*connectors.questions, *group.questions([each.found for each in connectors.ours]))
    if questions:
        return Obstacles(problems=questions)
    if not connectors.ours:
        return _without_definition(finds, connectors, group, to_version)
    return _only(_distinct(connectors.ours), (*connectors.left_out, *connectors.not_there))


def _sorted(found: Sequence[Find], group: Membership) -> _Sorted:
    ours: list[_Ours] = []
    outside: list[Find] = []
    questions: list[str] = []
    left_out: list[str] = []
    not_there: list[str] = []
    for each in found:
        which = f"connector {shown(text_of(each.content, 'Id') or 'without Id')} ({each.place})"
        match _read(each):
            case str() as reason:
                left_out.append(f"{which} is not carried over: {reason}")
            case Maybe(names=names) if not each.absent:
                questions.append(asked("ConnectorArn", names, each.place))
            case Maybe():
                not_there.append(f"{which} is not carried over: {each.absent}")
            case ReadArn() as read:
                if each.absent:
                    not_there.append(f"{which} is not carried over: it is ours, but {each.absent}")
                elif not group.has(each):
                    outside.append(each)
                    left_out.append(f"{which} is not in the group version and is left out ({group.where})")
                elif each.doubts:
                    questions.append(asked("whether this connector is there", each.doubts, each.place))
                else:
                    ours.append(_Ours(found=each, read=read))
    return _Sorted(
        ours=tuple(ours),
        outside=tuple(outside),
        questions=tuple(questions),
        left_out=tuple(left_out),
        not_there=tuple(not_there),
    )


def _read(found: Find) -> ReadArn | Maybe | str:
    """The connector's ARN, what has to be known to read it, or a sentence why it is another connector."""
    value = found.content["ConnectorArn"]
    read = read_arn(value)
    if isinstance(read, ReadArn | Maybe):
        return read
    if not isinstance(value, str | Partly):
        return f"its ConnectorArn is {shown(value)}, which is no text"
    return f"it is another connector, {shown(str(value))}"


def _distinct(ours: Sequence[_Ours]) -> list[_Ours]:
    """Each connector once: equal ones in several files are one, two in the same list are two."""
    kept: list[_Ours] = []
    lists: dict[str, PlaceInFile] = {}
    for each in ours:
        version = each.read.arn.rpartition("/")[2]
        content = repr([version, each.found.content.get("Parameters")])
        if lists.setdefault(content, each.place.parent) == each.place.parent:
            kept.append(each)
    return kept


def _only(ours: Sequence[_Ours], notes: tuple[str, ...]) -> Chosen | Obstacles:
    open_ones = [
        question(f"Parameters of connector {shown(_identifier(each.found)[0])}", parameters, each.place)
        for each in ours
        if isinstance(parameters := each.found.content.get("Parameters"), Partly)
    ]
    if open_ones:
        return Obstacles(problems=tuple(open_ones))
    entries = [
        {**each.found.content, "ConnectorArn": each.read.arn, "Id": _identifier(each.found)[0]}
        for each in ours
    ]
    defined = read_definition({"Connectors": entries})
    if isinstance(defined, Unreadable):
        places = "; ".join(str(each.place) for each in ours)
        return Obstacles(problems=tuple(f"{problem} ({places})" for problem in defined.problems))
    first = ours[0]
    written = first.read.replaced
    region_note = (
        [f"the region of {shown(written)} means nothing here: 'region' takes its place ({first.place})"]
        if written and "${AWS::" not in written
        else []
    )
    return Chosen(
        connector=defined,
        place=first.place,
        notes=(*notes, *_identifier(first.found)[1], *region_note),
        assumed=first.found.assumed,
    )


def _identifier(found: Find) -> tuple[str, tuple[str, ...]]:
    """An Id is only a name, so one that is open is replaced, with a note."""
    identifier = found.content.get("Id")
    if isinstance(identifier, str) and identifier:
        return identifier, ()
    if not isinstance(identifier, Partly):
        return CONNECTOR_NAME, ()
    note = (
        f"the Id {shown(str(identifier))} of the connector is open, and {CONNECTOR_NAME!r} takes its place; "
        f"it means nothing outside of the definition ({found.place})"
    )
    return CONNECTOR_NAME, (note,)


# A device's files may hold the parameters without a definition.


def _without_definition(
    finds: Finds, connectors: _Sorted, group: Membership, to_version: int | None
) -> Chosen | Obstacles:
    if connectors.outside:
        return Obstacles(problems=(_not_of_group(connectors.outside, group),))
    if connectors.not_there:
        return Obstacles(problems=(*connectors.not_there, *connectors.left_out))
    bags = distinct_bags(finds)
    if not bags:
        return Obstacles(problems=tuple(_none_found(finds, connectors, group)))
    if len(bags) > 1:
        return Obstacles(problems=(_several_bags(bags),))
    return _from_bag(bags[0], finds, connectors.left_out, to_version)


def _not_of_group(outside: Sequence[Find], group: Membership) -> str:
    places = "; ".join(str(found.place) for found in outside)
    return (
        f"the group version ({group.where}) is made of another connector definition than the one that was "
        f"found ({places}): give the file of that definition, or leave the group version out"
    )


def own_bags(finds: Finds) -> list[Find]:
    """The parameters that stand in no connector and that no condition leaves out."""
    return [
        bag
        for bag in finds.bags
        if not bag.absent and not any(found.place.is_around(bag.place) for found in finds.connectors)
    ]


def distinct_bags(finds: Finds) -> list[Find]:
    """Like `own_bags`, with each content once."""
    return list({repr(sorted(_published(bag).items())): bag for bag in own_bags(finds)}.values())


def _from_bag(bag: Find, finds: Finds, notes: tuple[str, ...], to_version: int | None) -> Chosen | Obstacles:
    """The connector of a device's own files, which hold its parameters and perhaps no ARN next to them."""
    versions = {int(number) for text in finds.texts for number in _VERSION_SOMEWHERE.findall(text)}
    if bag.doubts:
        return Obstacles(problems=(asked("whether this connector is there", bag.doubts, bag.place),))
    if len(versions) != 1 and to_version is None:
        several = ", ".join(map(str, sorted(versions)))
        found = f"with several versions ({several})" if versions else "but not its version"
        return Obstacles(
            problems=(
                (
                    f"the parameters of the connector were found, {found} ({bag.place}): "
                    "give the version with --to-version N"
                ),
            )
        )
    number = versions.pop() if len(versions) == 1 else (to_version or VERSIONS[-1])
    others = sorted(set(bag.content) - set(PublishedParameter))
    more = (
        [f"next to the parameters stood {', '.join(map(shown, others))}: not carried over"] if others else []
    )
    return Chosen(
        connector=DefinedConnector(
            identifier=CONNECTOR_NAME, version=ConnectorVersion(number=number), parameters=_published(bag)
        ),
        place=bag.place,
        notes=(*notes, *more),
        assumed=bag.assumed,
    )


def _published(bag: Find) -> dict[str, object]:
    return {name: value for name, value in bag.content.items() if name in set(PublishedParameter)}


def _several_bags(bags: Sequence[Find]) -> str:
    places = "; ".join(str(bag.place) for bag in bags)
    return (
        f"the parameters of {len(bags)} Twilio Notifications connectors were found ({places}), "
        "and a group has one at a time: give the files of one group"
    )


def _none_found(finds: Finds, connectors: _Sorted, group: Membership) -> Iterator[str]:
    found = "found other connectors alone" if connectors.left_out else "found no connector at all"
    yield f"the files hold no Twilio Notifications connector: {found}"
    yield from connectors.left_out[:_MOST_NAMED]
    for named in finds.definitions_without_content:
        yield without_content(named)
    for arn in group.not_given(finds.definitions):
        yield missing_definition(group, arn, "connector")
    yield from named_elsewhere(finds.groups, group)
    for unread in finds.unread:
        yield f"{unread.sentence}: {unread.remedy} ({unread.place})"
    for remark in finds.remarks:
        yield remark.sentence


def without_content(named: Find) -> str:
    """A sentence that asks for the definition which a file names without holding its content."""
    arn = text_of(named.content, "LatestVersionArn") or text_of(named.content, "Arn")
    kind = next(
        (kind for kind in ("subscription", "resource") if f"/definition/{kind}s/" in arn), "connector"
    )
    return (
        f"{named.place} names a definition but does not hold it: give the output of "
        f"'aws greengrass get-{kind}-definition-version', or the input of the command that created it"
    )


# Names of the connector in the files.


def aliases_of(chosen: Chosen, finds: Finds) -> frozenset[str]:
    """Names of the connector in these files: its Id, which tools use, and the ARNs of its functions.

    On a device the connector is a function of AWS's own, and its parameters may stand in that function.
    """
    names = {chosen.connector.identifier}
    for bag in own_bags(finds):
        around = [found for found in finds.functions if found.place.is_around(bag.place)]
        arn = around[-1].content["FunctionArn"] if around else None
        if isinstance(arn, str):
            names.add(arn)
    return frozenset(names - _RESERVED)


def contradictions(chosen: Chosen, finds: Finds, given: Mapping[str, str]) -> Iterator[str]:
    """A question for each parameter that a device's file has with another value than the definition."""
    for bag in own_bags(finds):
        for name, value in _published(bag).items():
            own = chosen.connector.parameters.get(name)
            is_open = isinstance(own, Partly) or isinstance(value, Partly)
            if name not in given and not is_open and (own or "") != (value or ""):
                yield (
                    f"{name} is not the same in {chosen.place} and in {bag.place}: leave one of the files "
                    f"out, or say which value it is with --set '{name}=VALUE'"
                )
