"""Carries the parameters and the secret of the chosen connector over, or says all obstacles.

The core checks the parameters. This module adds one rule: it asks for a value that looks like a stand-in,
because a file may be the draft from which a working one was made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters import (
    VERSIONS,
    ConnectorVersion,
    InvalidParameters,
    PublishedParameter,
    check_parameters,
)
from twilio_notifications.core.wording import shown, suggestion
from twilio_notifications.migration.connectors import Obstacles, contradictions
from twilio_notifications.migration.partly import Partly
from twilio_notifications.migration.placeholders import is_stand_in
from twilio_notifications.migration.questions import question, text_of
from twilio_notifications.migration.shapes import secret_arn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from twilio_notifications.migration.connectors import Chosen
    from twilio_notifications.migration.found import Find, Finds, PlaceInFile

_LABELS = "AdditionalStagingLabelsToDownload"
_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_ODD_SID = re.compile(r"(?=.*[0-9])(?!SK)[A-Za-z0-9]{8,64}")
"""Looks like a value and not like a word for one. The published document's own example is abcd12345xyz."""

_NO_ACCOUNT = ":000000000000:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The connector as the new files have it: its version, its valid parameters, and notes."""

    identifier: str
    version: ConnectorVersion
    found_version: int
    parameters: Mapping[str, str]
    place: PlaceInFile
    notes: tuple[str, ...] = ()


def carry(
    chosen: Chosen, finds: Finds, given: Mapping[str, str], *, to_version: int | None
) -> Carried | Obstacles:
    """The chosen connector with its valid parameters, or the obstacles.

    Without `to_version`, it keeps its own.
    """
    parameters, problems, notes = _resolved(chosen, finds.resources, given)
    version = to_version or chosen.connector.version.number
    parameters, lowered = _at_version(parameters, version, found=chosen.connector.version.number)
    checked = check_parameters(parameters, version=version, secret_parameters_required=True)
    asked = {name for name, _sentence in problems}
    if isinstance(checked, InvalidParameters):
        problems += [
            (problem.name, f"{problem.sentence} ({chosen.place}{_remedy(problem.name, version)})")
            for problem in checked.problems
            if problem.name not in asked
        ]
    sentences = (*(sentence for _name, sentence in problems), *contradictions(chosen, finds, given))
    if sentences or isinstance(checked, InvalidParameters):
        return Obstacles(problems=sentences)
    warnings = tuple(warning.sentence for warning in checked.warnings)
    return Carried(
        identifier=chosen.connector.identifier,
        version=replace(chosen.connector.version, number=version),
        found_version=chosen.connector.version.number,
        parameters={str(name): str(value) for name, value in parameters.items() if value is not None},
        place=chosen.place,
        notes=(*chosen.notes, *_of_defaults(chosen), *notes, *lowered, *warnings),
    )


def _remedy(name: str, version: int) -> str:
    if name == PublishedParameter.ISOLATION_MODE and version != VERSIONS[-1]:
        return f"; or raise the connector's version with --to-version {VERSIONS[-1]}"
    if name in set(PublishedParameter):
        return f"; or give it with --set '{name}=VALUE'"
    return ": remove it there"


def _of_defaults(chosen: Chosen) -> Iterator[str]:
    for name, default in (chosen.assumed or {}).items():
        yield (
            f"the connector rests on the default of the template's parameter {name}, {default}: if the stack "
            f"was made with another value, give it with --set '{name}=VALUE' ({chosen.place})"
        )


def _resolved(
    chosen: Chosen, resources: Sequence[Find], given: Mapping[str, str]
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
        elif name not in own and _is_stand_in(name, value):
            problems.append((name, _stand_in(name, value, chosen)))
    return (
        {name: v for name, v in parameters.items() if not isinstance(v, Partly)},
        problems,
        [
            *notes,
            *_odd_sid(parameters, place=chosen.place),
        ],
    )


def _odd_sid(parameters: Mapping[str, object], *, place: PlaceInFile) -> Iterator[str]:
    """A note on an account SID that the published document allows and Twilio never issues."""
    value = parameters.get(PublishedParameter.ACCOUNT_SID)
    if isinstance(value, str) and value and not _ACCOUNT_SID.fullmatch(value):
        yield (
            f"TWILIO_ACCOUNT_SID is {shown(value)}, which is not of Twilio's form, AC and 32 hexadecimal "
            f"digits: compare it with the one in Twilio's console ({place})"
        )


def _is_stand_in(name: str, value: object) -> bool:
    """Whether a value looks as if a person should have replaced it."""
    if not isinstance(value, str) or not value:
        return False
    match name:
        case PublishedParameter.ACCOUNT_SID:
            return is_stand_in(value) or not (_ACCOUNT_SID.fullmatch(value) or _ODD_SID.fullmatch(value))
        case PublishedParameter.SECRET_ARN:
            return value.startswith("arn:") and (is_stand_in(value) or _NO_ACCOUNT in value)
        case PublishedParameter.SECRET_RESOURCE_ID:
            return is_stand_in(value)
        case _:
            return False


def _stand_in(name: str, value: object, chosen: Chosen) -> str:
    form = ", and an account's SID is AC and 32 hexadecimal digits" * (name == PublishedParameter.ACCOUNT_SID)
    default_of = [each for each, default in (chosen.assumed or {}).items() if default == shown(value)]
    by_default = f", the default of the template's parameter {default_of[0]}" if default_of else ""
    way = default_of[0] if default_of else name
    return (
        f"{name} is {shown(value)}{by_default}, which looks like a stand-in for the value{form}: "
        f"give it with --set '{way}=VALUE' ({chosen.place})"
    )


def _secret(
    parameters: Mapping[str, object], resources: Sequence[Find], *, is_given: bool
) -> tuple[object | None, str | None, list[str]]:
    """The ARN of the secret, a problem or None, and notes. The ARN in the secret's resource comes first."""
    stated = parameters.get(PublishedParameter.SECRET_ARN)
    identifier = parameters.get(PublishedParameter.SECRET_RESOURCE_ID)
    named = [found for found in resources if found.content["Id"] == identifier and not found.absent]
    followed = {str(arn): found for found in named if isinstance(arn := secret_arn(found.content), str)}
    if not isinstance(identifier, str) or is_given:
        return stated, None, []
    if not followed:
        return stated, None, list(_not_followed(stated, identifier, named))
    labels = tuple(_labels(followed.values()))
    if isinstance(stated, str) and stated in followed:
        return stated, None, [*labels]
    if len(followed) > 1 or (isinstance(stated, str) and stated):
        arns = "; ".join(f"{shown(arn)} in {found.place}" for arn, found in followed.items())
        return stated, _conflict(identifier, arns), []
    ((arn, found),) = followed.items()
    note = f"the ARN of the secret is that of its resource {shown(identifier)} ({found.place})"
    return arn, None, [note, *labels]


def _not_followed(stated: object, identifier: str, named: Sequence[Find]) -> Iterator[str]:
    if not isinstance(stated, str):
        return
    why = f"has an open ARN ({named[0].place})" if named else "is in none of the files"
    yield f"the secret resource {shown(identifier)} {why}: the ARN of the parameter is used"


def _labels(resources: Iterable[Find]) -> Iterator[str]:
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


def other_secrets(finds: Finds, carried: Carried) -> Iterator[str]:
    """A note for each secret of the files that belongs to another part of the group."""
    own = (
        carried.parameters.get(PublishedParameter.SECRET_RESOURCE_ID),
        carried.parameters.get(PublishedParameter.SECRET_ARN),
    )
    for found in finds.resources:
        identifier = text_of(found.content, "Id")
        if identifier != own[0] and secret_arn(found.content) != own[1]:
            which = f"secret resource {shown(identifier)} ({found.place})"
            yield f"{which} is not carried over: it is not the connector's"


def _at_version(
    parameters: Mapping[str, object], version: int, *, found: int
) -> tuple[dict[str, object], list[str]]:
    """The parameters that the version knows, and a note on one that a lower version drops."""
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
    """A problem for each name that the operator gave and no document asks for: it may be misspelt."""
    known = (*finds.known_names, *PublishedParameter)
    return tuple(
        f"--set {shown(name)} gives a name that is not asked for: {suggestion(name, known)}"
        for name in finds.unused
        if name not in set(PublishedParameter)
    )
