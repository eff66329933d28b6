"""Resolves the connector's version and its published parameters: from the settings, or from a definition.

Reads the definition's file; every rule is in core.parameters. Says of each problem where to correct it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twilio_notifications.config.files import read_plain
from twilio_notifications.config.sections.connector import PARAMETERS, PARAMETERS_SECTION
from twilio_notifications.config.sections.secrets import SecretOrigin
from twilio_notifications.config.sources import variable_of
from twilio_notifications.core.parameters import (
    VERSIONS,
    DefinedConnector,
    InvalidParameters,
    Parameters,
    Unreadable,
    ValidParameters,
    check_parameters,
    read_definition,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from twilio_notifications.config.sources import Given

_DEFINITION = "connector.definition"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The version and the parameters that are in force."""

    version: int
    parameters: Parameters
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """One sentence for each reason why there are no parameters; empty where it is reported already."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A version that a setting or a definition asks for, with the words that say so."""

    version: int
    words: str


def resolve(
    values: Mapping[str, Any], written: Mapping[str, Given], *, component: bool = False
) -> Resolved | Unresolved:
    """The version and the parameters, from the accepted `values` and what was `written`, without defaults.

    A `component` of Greengrass V2 is configured by its deployment: what is missing is set there.
    """
    if _DEFINITION not in values:
        return Unresolved(
            problems=()
        )  # its path is wrong: the parameters that it would have given are not known
    definition: Path | None = values[_DEFINITION]
    if definition is None:
        return _from_settings(values, written, where_to_set=_in_component if component else _in_file)
    if any(name.startswith(PARAMETERS) for name in written):
        return Unresolved(problems=(_both_given(written),))
    return _from_definition(definition, claims=_claims(values, written))


def _from_settings(
    values: Mapping[str, Any], written: Mapping[str, Given], *, where_to_set: Callable[[str], str]
) -> Resolved | Unresolved:
    given = {
        name.removeprefix(PARAMETERS): one for name, one in written.items() if name.startswith(PARAMETERS)
    }
    claims = _claims(values, written)
    version = claims[-1].version if claims else values.get("connector.version", VERSIONS[-1])
    checked = check_parameters(
        {name: one.value for name, one in given.items()},
        version=version,
        secret_parameters_required=values.get("secrets.source")
        in {SecretOrigin.AWS, SecretOrigin.GREENGRASS},
    )
    return _resolved(
        checked,
        version=version,
        claims=claims,
        place_of=lambda name: given[name].place if name in given else where_to_set(name),
    )


def _from_definition(path: Path, *, claims: Sequence[_Claim]) -> Resolved | Unresolved:
    place = f"in {path}"
    defined = read_definition_file(path)
    if isinstance(defined, Unreadable):
        return Unresolved(problems=tuple(f"{problem} ({place})" for problem in defined.problems))
    version = defined.version.number
    return _resolved(
        check_parameters(defined.parameters, version=version, secret_parameters_required=True),
        version=version,
        claims=[*claims, _Claim(version=version, words=f"the definition is for {version} ({place})")],
        place_of=lambda _name: place,
    )


def _resolved(
    checked: ValidParameters | InvalidParameters,
    *,
    version: int,
    claims: Sequence[_Claim],
    place_of: Callable[[str], str],
) -> Resolved | Unresolved:
    problems = [*_disagreement(claims)]
    if isinstance(checked, InvalidParameters):
        problems += [f"{problem.sentence} ({place_of(problem.name)})" for problem in checked.problems]
    if isinstance(checked, InvalidParameters) or problems:
        return Unresolved(problems=tuple(problems))
    warnings = tuple(f"{warning.sentence} ({place_of(warning.name)})" for warning in checked.warnings)
    return Resolved(version=version, parameters=checked.parameters, warnings=warnings)


def _claims(values: Mapping[str, Any], written: Mapping[str, Given]) -> list[_Claim]:
    """The versions that are set on purpose, without defaults; the last one is the most precise."""
    claims = []
    if "connector.version" in written and "connector.version" in values:
        version = values["connector.version"]
        place = written["connector.version"].place
        claims.append(_Claim(version=version, words=f"connector.version is {version} ({place})"))
    if values.get("connector.arn") is not None:
        version = values["connector.arn"].number
        place = written["connector.arn"].place
        claims.append(_Claim(version=version, words=f"connector.arn is for {version} ({place})"))
    return claims


def _disagreement(claims: Sequence[_Claim]) -> Iterator[str]:
    if len({claim.version for claim in claims}) > 1:
        words = ", ".join(claim.words for claim in claims)
        yield f"the connector can have one version only: {words}"


def _both_given(written: Mapping[str, Given]) -> str:
    names = ", ".join(
        f"{name.removeprefix(PARAMETERS)} {one.place}"
        for name, one in written.items()
        if name.startswith(PARAMETERS)
    )
    return (
        f"connector.definition ({written[_DEFINITION].place}) already holds the parameters: "
        f"remove it, or remove what is set next to it ({names})"
    )


def _in_component(name: str) -> str:
    return f"set {name} in the component configuration, by a deployment"


def _in_file(name: str) -> str:
    return (
        f"set it in [{PARAMETERS_SECTION}], or as the environment variable {variable_of(PARAMETERS + name)}"
    )


def read_definition_file(path: Path) -> DefinedConnector | Unreadable:
    """The connector of the definition in this file."""
    try:
        # Bytes, not text: json knows UTF-8 from UTF-16, which PowerShell writes when a command is redirected.
        document = json.loads(read_plain(path))
    except OSError as error:
        return Unreadable(problems=(f"the definition cannot be read: {error.strerror}",))
    except (ValueError, RecursionError) as error:
        return Unreadable(problems=(f"the definition is not valid JSON: {error}",))
    return read_definition(document)
