"""The connectors of the files → the one Twilio Notifications connector, or all that is in the way.

Every connector is chosen, left out for a reason, or asked about. A group has one version of the connector
at a time, so two different ones are refused; the same one in several files is one.
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

    from twilio_notifications.migration.found import Finds, Found, Place
    from twilio_notifications.migration.groups import Membership

_VERSION_SOMEWHERE = re.compile(rf":greengrass:[^:]*::/connectors/{CONNECTOR_NAME}/versions/([1-5])\b")
_MOST_NAMED = 5
_RESERVED = frozenset({"", "cloud", "GGShadowService"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why nothing is written, one sentence for each reason."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The connector that goes on; its parameters are not judged yet.

    `assumed` are the defaults of the template on which it rests.
    """

    connector: DefinedConnector
    place: Place
    notes: tuple[str, ...] = ()
    assumed: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ours:
    """A connector of ours, with its ARN as it was read."""

    found: Found
    read: ReadArn

    @property
    def place(self) -> Place:
        return self.found.place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sorted:
    """All connectors of the files: ours, and a sentence for each of the others."""

    ours: tuple[_Ours, ...]
    outside: tuple[Found, ...]
    questions: tuple[str, ...]
    left_out: tuple[str, ...]
    not_there: tuple[str, ...]


def choose(finds: Finds, *, to_version: int | None) -> Chosen | Refused:
    """The connector of these finds."""
    group = membership(finds.groups, CONNECTORS)
    connectors = _sorted(finds.connectors, group)
    questions = (*connectors.questions, *group.questions([each.found for each in connectors.ours]))
    if questions:
        return Refused(problems=questions)
    if not connectors.ours:
        return _without_definition(finds, connectors, group, to_version)
    return _only(_distinct(connectors.ours), (*connectors.left_out, *connectors.not_there))


def _sorted(found: Sequence[Found], group: Membership) -> _Sorted:
    ours: list[_Ours] = []
    outside: list[Found] = []
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


def _read(found: Found) -> ReadArn | Maybe | str:
    """The ARN of one of ours, what has to be known for it, or why it is none."""
    value = found.content["ConnectorArn"]
    read = read_arn(value)
    if isinstance(read, ReadArn | Maybe):
        return read
    if not isinstance(value, str | Partly):
        return f"its ConnectorArn is {shown(value)}, which is no text"
    return f"it is another connector, {shown(str(value))}"


def _distinct(ours: Sequence[_Ours]) -> list[_Ours]:
    """The same connector in several files is one; two in one list are two, whatever they hold."""
    kept: list[_Ours] = []
    lists: dict[str, Place] = {}
    for each in ours:
        version = each.read.arn.rpartition("/")[2]
        content = repr([version, each.found.content.get("Parameters")])
        if lists.setdefault(content, each.place.parent) == each.place.parent:
            kept.append(each)
    return kept


def _only(ours: Sequence[_Ours], notes: tuple[str, ...]) -> Chosen | Refused:
    open_ones = [
        question(f"Parameters of connector {shown(_identifier(each.found)[0])}", parameters, each.place)
        for each in ours
        if isinstance(parameters := each.found.content.get("Parameters"), Partly)
    ]
    if open_ones:
        return Refused(problems=tuple(open_ones))
    entries = [
        {**each.found.content, "ConnectorArn": each.read.arn, "Id": _identifier(each.found)[0]}
        for each in ours
    ]
    defined = read_definition({"Connectors": entries})
    if isinstance(defined, Unreadable):
        places = "; ".join(str(each.place) for each in ours)
        return Refused(problems=tuple(f"{problem} ({places})" for problem in defined.problems))
    first = ours[0]
    return Chosen(
        connector=defined,
        place=first.place,
        notes=(*notes, *_identifier(first.found)[1], *_region_note(first)),
        assumed=first.found.assumed,
    )


def _identifier(found: Found) -> tuple[str, tuple[str, ...]]:
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


def _region_note(ours: _Ours) -> Iterator[str]:
    written = ours.read.replaced
    if written and "${AWS::" not in written:
        yield f"the region of {shown(written)} means nothing here: 'region' takes its place ({ours.place})"


# Without a definition: from the parameters alone, as a device has them.


def _without_definition(
    finds: Finds, connectors: _Sorted, group: Membership, to_version: int | None
) -> Chosen | Refused:
    if connectors.outside:
        return Refused(problems=(_not_of_group(connectors.outside, group),))
    if connectors.not_there:
        return Refused(problems=(*connectors.not_there, *connectors.left_out))
    bags = distinct_bags(finds)
    if not bags:
        return Refused(problems=tuple(_none_found(finds, connectors, group)))
    if len(bags) > 1:
        return Refused(problems=(_several_bags(bags),))
    return _from_bag(bags[0], finds, connectors.left_out, to_version)


def _not_of_group(outside: Sequence[Found], group: Membership) -> str:
    places = "; ".join(str(found.place) for found in outside)
    return (
        f"the group version ({group.where}) is made of another connector definition than the one that was "
        f"found ({places}): give the file of that definition, or leave the group version out"
    )


def own_bags(finds: Finds) -> list[Found]:
    """The parameters that stand in no connector and that no condition leaves out."""
    return [
        bag
        for bag in finds.bags
        if not bag.absent and not any(found.place.is_around(bag.place) for found in finds.connectors)
    ]


def distinct_bags(finds: Finds) -> list[Found]:
    """The same with each content once."""
    return list({repr(sorted(_published(bag).items())): bag for bag in own_bags(finds)}.values())


def _from_bag(bag: Found, finds: Finds, notes: tuple[str, ...], to_version: int | None) -> Chosen | Refused:
    """A device's own files hold the parameters somewhere, and perhaps no connector's ARN next to them."""
    versions = {int(number) for text in finds.texts for number in _VERSION_SOMEWHERE.findall(text)}
    if bag.doubts:
        return Refused(problems=(asked("whether this connector is there", bag.doubts, bag.place),))
    if len(versions) != 1 and to_version is None:
        found = "its version was not" if not versions else f"several versions were ({_listed(versions)})"
        return Refused(
            problems=(
                (
                    f"the parameters of the connector were found, {found} ({bag.place}): "
                    "give it with --to-version N"
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


def _listed(numbers: set[int]) -> str:
    return ", ".join(map(str, sorted(numbers)))


def _published(bag: Found) -> dict[str, object]:
    return {name: value for name, value in bag.content.items() if name in set(PublishedParameter)}


def _several_bags(bags: Sequence[Found]) -> str:
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


def without_content(named: Found) -> str:
    """What to give where a file has the name of a definition and not its content."""
    arn = text_of(named.content, "LatestVersionArn") or text_of(named.content, "Arn")
    kind = next(
        (kind for kind in ("subscription", "resource") if f"/definition/{kind}s/" in arn), "connector"
    )
    return (
        f"{named.place} names a definition but does not hold it: give the output of "
        f"'aws greengrass get-{kind}-definition-version', or the input of the command that created it"
    )


# What the files call it.


def aliases_of(chosen: Chosen, finds: Finds) -> frozenset[str]:
    """The connector's own Id, by which tools refer to it, and the functions that a device made of it."""
    functions = {
        arn for bag in own_bags(finds) if (arn := _function_around(bag, finds.functions)) is not None
    }
    return frozenset({chosen.connector.identifier, *functions} - _RESERVED)


def _function_around(bag: Found, functions: Sequence[Found]) -> str | None:
    """A connector was a function of AWS's own: on a device its parameters may stand in that function."""
    around = [found for found in functions if found.place.is_around(bag.place)]
    arn = around[-1].content["FunctionArn"] if around else None
    return arn if isinstance(arn, str) else None


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
