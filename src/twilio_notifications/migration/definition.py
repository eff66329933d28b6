"""The finds → the one Twilio Notifications connector, with its secret, checked; or all that is in the way.

The rules of the parameters, and of what makes a definition, are the core's. A group has one version of the
connector at a time, so two different ones are refused; the same one in several files is one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters import (
    CONNECTOR_NAME,
    VERSIONS,
    ConnectorVersion,
    DefinedConnector,
    InvalidParameters,
    PublishedParameter,
    Unreadable,
    check_parameters,
    read_definition,
    shown,
    suggestion,
)
from twilio_notifications.migration.intrinsics import Partly
from twilio_notifications.migration.questions import PLACES, arn_text, question
from twilio_notifications.migration.search import Found, Place, named_definitions, secret_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from twilio_notifications.migration.search import Finds

_OURS = re.compile(rf".*/connectors/{CONNECTOR_NAME}(/.*)?", re.DOTALL)
_VERSION_SOMEWHERE = re.compile(rf":greengrass:[^:]*::/connectors/{CONNECTOR_NAME}/versions/([1-5])\b")
_IS_OTHER = re.compile(r"[^$]*/connectors/[^$/]+/")
_OPEN = "${"
_LABELS = "AdditionalStagingLabelsToDownload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The connector as it goes on: its version, its valid parameters, and what is to be said about it."""

    identifier: str
    version: ConnectorVersion
    found_version: int
    parameters: Mapping[str, str]
    place: Place
    notes: tuple[str, ...] = ()
    function: str | None = None
    """The ARN under which a device's files know the connector, where it is one of a function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why nothing is written, one sentence for each reason."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    connector: DefinedConnector
    place: Place
    notes: tuple[str, ...] = ()
    function: str | None = None


def carry_connector(finds: Finds, given: Mapping[str, str], *, to_version: int | None) -> Carried | Refused:
    """The connector of these finds, at the version that is wanted."""
    chosen = _chosen(finds, to_version=to_version)
    if isinstance(chosen, Refused):
        return chosen
    parameters, problems, notes = _resolved(chosen, finds.resources, given)
    version = to_version or chosen.connector.version.number
    parameters, lowered = _at_version(parameters, version, found=chosen.connector.version.number)
    checked = check_parameters(parameters, version=version, secret_parameters_required=True)
    if isinstance(checked, InvalidParameters):
        asked = {name for name, _sentence in problems}
        problems += [
            (problem.name, f"{problem.sentence} ({chosen.place}{_remedy(problem.name)})")
            for problem in checked.problems
            if problem.name not in asked
        ]
    sentences = tuple(sentence for _name, sentence in problems)
    if sentences or isinstance(checked, InvalidParameters):
        return Refused(problems=sentences)
    warnings = tuple(warning.sentence for warning in checked.warnings)
    return Carried(
        identifier=chosen.connector.identifier,
        version=replace(chosen.connector.version, number=version),
        found_version=chosen.connector.version.number,
        parameters={str(name): str(value) for name, value in parameters.items() if value is not None},
        place=chosen.place,
        notes=(*chosen.notes, *notes, *lowered, *warnings),
        function=chosen.function,
    )


def _remedy(name: str) -> str:
    if name in set(PublishedParameter):
        return f"; or give it with --set '{name}=VALUE'"
    return ": remove it there"


# Which connector.


def _chosen(finds: Finds, *, to_version: int | None) -> _Candidate | Refused:
    ours, open_ones = _ours(finds.connectors)
    ours, outside = _of_group(ours, finds.groups, "ConnectorDefinitionVersionArn")
    if open_ones:
        return Refused(problems=tuple(open_ones))
    if not ours:
        return Refused(problems=(_not_of_group(outside),)) if outside else _from_bags(finds, to_version)
    doubtful = tuple(
        question("whether this connector is there", list(map(_missing, found.doubts)), found.place)
        for found in ours
        if found.doubts
    )
    if doubtful:
        return Refused(problems=doubtful)
    notes = tuple(
        f"the connector of {found.place} is not in the group version and is left out" for found in outside
    )
    return _only(_distinct(ours), notes)


def _ours(found: Sequence[Found]) -> tuple[list[Found], list[str]]:
    """Those of our kind, and a question for each of which nobody can tell."""
    ours, questions = [], []
    for each in found:
        arn = arn_text(each.content["ConnectorArn"])
        if arn is None:
            continue
        is_ours = _OURS.fullmatch(arn) is not None
        if _OPEN not in arn and is_ours:
            ours.append(replace(each, content={**each.content, "ConnectorArn": arn}))
        elif _OPEN in arn and (is_ours or not _IS_OTHER.match(arn)):
            questions.append(
                question("ConnectorArn", each.content["ConnectorArn"], each.place, without=PLACES)
            )
    return ours, questions


def _missing(name: str) -> Partly:
    return Partly(text=name, names=(name,))


def _of_group(found: Sequence[Found], groups: Sequence[Found], key: str) -> tuple[list[Found], list[Found]]:
    """Those that a group version names, or that nobody can place; and those of other versions."""
    named = {_normal(arn) for group in groups if isinstance(arn := group.content.get(key), str) and arn}
    inside: list[Found] = []
    outside: list[Found] = []
    for each in found:
        belongs = not named or not each.origins or named & set(map(_normal, each.origins))
        (inside if belongs else outside).append(each)
    return inside, outside


def of_group(found: Sequence[Found], groups: Sequence[Found], key: str) -> tuple[Found, ...]:
    """Those of the group version, where one is among the files."""
    return tuple(_of_group(found, groups, key)[0])


def _normal(arn: str) -> str:
    """Some write a slash after the account, some do not."""
    return arn.replace(":/greengrass/", ":greengrass/")


def _not_of_group(outside: Sequence[Found]) -> str:
    places = "; ".join(str(found.place) for found in outside)
    return (
        f"the group version is made of another connector definition than the one that was found ({places}): "
        "give the file of that definition, or leave the group version away"
    )


def _distinct(ours: Sequence[Found]) -> list[Found]:
    """The same connector in several files is one; two in one list are two, whatever they hold."""
    kept: list[Found] = []
    lists: dict[str, Place] = {}
    for found in ours:
        content = repr([found.content.get(key) for key in ("ConnectorArn", "Parameters")])
        if lists.setdefault(content, found.place.parent) == found.place.parent:
            kept.append(found)
    return kept


def _only(ours: Sequence[Found], notes: tuple[str, ...]) -> _Candidate | Refused:
    defined = read_definition({"Connectors": [dict(found.content) for found in ours]})
    if isinstance(defined, Unreadable):
        places = "; ".join(str(found.place) for found in ours)
        return Refused(problems=tuple(f"{problem} ({places})" for problem in defined.problems))
    return _Candidate(connector=defined, place=ours[0].place, notes=notes)


def _from_bags(finds: Finds, to_version: int | None) -> _Candidate | Refused:
    """A device's own files hold the parameters somewhere, and perhaps no connector's ARN beside them."""
    others_parameters = {found.place for found in finds.connectors}
    own = [bag for bag in finds.bags if bag.place.parent not in others_parameters]
    bags = list({repr(sorted(_published(bag).items())): bag for bag in own}.values())
    if len(bags) != 1:
        return Refused(problems=tuple(_none_found(finds)) if not bags else (_several_bags(bags),))
    versions = {int(number) for text in finds.texts for number in _VERSION_SOMEWHERE.findall(text)}
    if len(versions) != 1 and to_version is None:
        return Refused(
            problems=(
                (
                    f"the parameters of the connector were found, its version was not ({bags[0].place}): "
                    "give it with --to-version N"
                ),
            )
        )
    number = versions.pop() if len(versions) == 1 else (to_version or VERSIONS[-1])
    others = sorted(set(bags[0].content) - set(PublishedParameter))
    notes = (
        [f"beside the parameters stood {', '.join(map(shown, others))}: not carried over"] if others else []
    )
    connector = DefinedConnector(
        identifier=CONNECTOR_NAME, version=ConnectorVersion(number=number), parameters=_published(bags[0])
    )
    return _Candidate(
        connector=connector,
        place=bags[0].place,
        notes=tuple(notes),
        function=_function_around(bags[0], finds.functions),
    )


def _function_around(bag: Found, functions: Sequence[Found]) -> str | None:
    """A connector was a function of AWS's own: on a device its parameters may stand in that function."""
    around = [found for found in functions if _is_around(found.place, bag.place)]
    arn = around[-1].content["FunctionArn"] if around else None
    return arn if isinstance(arn, str) else None


def _is_around(outer: Place, inner: Place) -> bool:
    return outer.document == inner.document and outer.path == inner.path[: len(outer.path)]


def _published(bag: Found) -> dict[str, object]:
    return {name: value for name, value in bag.content.items() if name in set(PublishedParameter)}


def _several_bags(bags: Sequence[Found]) -> str:
    places = "; ".join(str(bag.place) for bag in bags)
    return (
        f"the parameters of {len(bags)} Twilio Notifications connectors were found ({places}), "
        "and a group has one at a time: give the files of one group"
    )


def _none_found(finds: Finds) -> Iterator[str]:
    others = ", ".join(shown(arn_text(found.content["ConnectorArn"])) for found in finds.connectors[:5])
    found = f"found {others}" if others else "found no connector at all"
    yield f"the files hold no Twilio Notifications connector: {found}"
    for named in finds.definitions_without_content:
        yield (
            f"{named.place} names a definition but does not hold it: give the output of "
            "'aws greengrass get-connector-definition-version', or the input of the command that created it"
        )
    for group in finds.groups:
        for arn in named_definitions(group.content):
            if "/definition/connectors/" in arn:
                yield f"{group.place} is made of {shown(arn)}: give the file that holds it"


# Its parameters.


def _resolved(
    chosen: _Candidate, resources: Sequence[Found], given: Mapping[str, str]
) -> tuple[dict[str, object], list[tuple[str, str]], list[str]]:
    """The parameters with nothing open; a named problem for each that is; and notes."""
    own = {str(name): given[name] for name in PublishedParameter if name in given}
    parameters: dict[str, object] = {**chosen.connector.parameters, **own}
    arn, secret_problem, notes = _secret(parameters, resources, is_given=PublishedParameter.SECRET_ARN in own)
    problems: list[tuple[str, str]] = []
    if secret_problem is not None:
        problems.append((PublishedParameter.SECRET_ARN, f"{secret_problem} ({chosen.place})"))
    if arn is not None:
        parameters[PublishedParameter.SECRET_ARN] = arn
    for name, value in parameters.items():
        if isinstance(value, Partly):
            problems.append((name, question(name, value, chosen.place)))
    return {name: v for name, v in parameters.items() if not isinstance(v, Partly)}, problems, notes


def _secret(
    parameters: Mapping[str, object], resources: Sequence[Found], *, is_given: bool
) -> tuple[object | None, str | None, list[str]]:
    """The ARN of the secret by way of its resource: the ARN, or what is wrong, and notes."""
    stated = parameters.get(PublishedParameter.SECRET_ARN)
    identifier = parameters.get(PublishedParameter.SECRET_RESOURCE_ID)
    followed = {
        str(arn): found
        for found in resources
        if found.content["Id"] == identifier and isinstance(arn := secret_arn(found.content), str)
    }
    if not isinstance(identifier, str) or is_given:
        return stated, None, []
    if not followed:
        note = (
            f"the secret resource {shown(identifier)} is in none of the files, "
            "or its ARN is open: the ARN of the parameter is used"
        )
        return stated, None, [note] if isinstance(stated, str) else []
    labels = tuple(_labels(followed.values()))
    if isinstance(stated, str) and stated in followed:
        return stated, None, [*labels]
    if len(followed) > 1 or (isinstance(stated, str) and stated):
        arns = "; ".join(f"{shown(arn)} in {found.place}" for arn, found in followed.items())
        return stated, _conflict(identifier, arns), []
    ((arn, found),) = followed.items()
    note = f"the ARN of the secret is that of its resource {shown(identifier)} ({found.place})"
    return arn, None, [note, *labels]


def _labels(resources: Iterable[Found]) -> Iterator[str]:
    for found in resources:
        if _LABELS in repr(found.content):
            yield (
                f"the secret resource has {_LABELS}: add them as labels to its cloudSecrets entry in "
                f"deployment.json where something else needs them ({found.place})"
            )


def _conflict(identifier: str, arns: str) -> str:
    name = PublishedParameter.SECRET_ARN
    return (
        f"{name} is not the secret of the resource {shown(identifier)}, which is {arns}: "
        f"say which one it is with --set '{name}=ARN'"
    )


def _at_version(
    parameters: Mapping[str, object], version: int, *, found: int
) -> tuple[dict[str, object], list[str]]:
    """What the version does not know is dropped where it is lowered, and said."""
    name = PublishedParameter.ISOLATION_MODE
    if version >= found or name not in parameters:
        return dict(parameters), []
    kept = {key: value for key, value in parameters.items() if key != name}
    note = (
        f"{name} = {shown(parameters[name])} was dropped: it came with version {VERSIONS[-1]}, "
        f"and in version {version} the connector is confined, as by GreengrassContainer"
    )
    return kept, [note]


def unused_names(finds: Finds) -> tuple[str, ...]:
    """A problem for each name that was given and that nothing asks for: it may be a slip."""
    known = (*finds.known_names, *PublishedParameter)
    return tuple(
        f"--set {shown(name)} is asked for by nothing: {suggestion(name, known)}"
        for name in finds.unused
        if name not in set(PublishedParameter)
    )
