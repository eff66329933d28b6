"""The configuration as people read it: each setting, its value, where that came from, and what is wrong.

Works with a wrong configuration too, which is when people look at it. No value that may be a secret is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config.connector import read_definition_file
from twilio_notifications.config.kinds import Tables
from twilio_notifications.config.loading import accept_all, folder_of, load_except_files
from twilio_notifications.config.reference import in_toml
from twilio_notifications.config.sections import SETTINGS, TABLES
from twilio_notifications.config.sections.connector import PARAMETERS
from twilio_notifications.config.sources import Given, defaults, read_environment, read_file
from twilio_notifications.config.tables import as_spelled, key_of, tables_in
from twilio_notifications.config.urls import BrokerAddress, DatabaseAddress
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.parameters import (
    VERSIONS,
    DefinedConnector,
    PublishedParameter,
    published_in,
    secret_arn_demand,
)
from twilio_notifications.core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from twilio_notifications.config.keys import Key

HIDDEN = "(not shown)"
HARMLESS_IF_VALID = frozenset(
    {"twilio.base_url", "tracking.public_url", "console.public_url", "traces.url", "journal.url"}
)
"""URLs that must not hold a user, a password or a query, so that only a wrong one can hold a secret."""
_LIKE_A_TOKEN = re.compile("[0-9A-Fa-f]{32}")
"""The form of Twilio's auth token, which no setting and no parameter takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingInForce:
    """A setting as it counts. `value` is as in a file; "" where it is not set."""

    name: str
    value: str
    place: str
    """Where the value came from, in words: "the default", "in /etc/…"."""
    is_default: bool
    text: str
    """What the setting means."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterInForce:
    """A published parameter of the configured version; `value` and `place` are "" where it is not given."""

    parameter: PublishedParameter
    value: str
    place: str
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The whole configuration. `problems` are those that are about no single setting or parameter."""

    version: int
    parameters: tuple[ParameterInForce, ...]
    settings: tuple[SettingInForce, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def in_force(path: Path | None, environ: Mapping[str, str]) -> InForce:
    """What a connector that starts now would use; reads the file and the environment, and never raises.

    A file that a setting names and this process cannot read is not a problem here: it may be the connector's
    alone.
    """
    file, environment = read_file(path), read_environment(environ)
    written = dict(file.given)
    written |= as_spelled(environment.given, in_file=written)
    given = {**defaults(folder=folder_of(path), tables=tables_in(written)), **written}
    values, _ = accept_all(given, unread=[])
    problems: list[str] = []
    warnings: tuple[str, ...] = ()
    version = values.get("connector.version")
    try:
        settings = load_except_files(path, environ, unread=[])
    except ConfigurationError as error:
        problems += error.problems
    else:
        warnings, version = settings.warnings, settings.connector.version
    definition = values.get("connector.definition")
    defined = None if definition is None else read_definition_file(definition)
    if isinstance(defined, DefinedConnector):
        version = defined.version.number
    version = version or VERSIONS[-1]
    parameters = tuple(_parameters(_parameters_given(written, defined, definition), version, problems))
    shown_settings = tuple(_settings(given, values, problems))
    placed = {each for one in parameters for each in one.problems}
    placed |= {each for one in shown_settings for each in one.problems}
    return InForce(
        version=version,
        parameters=parameters,
        settings=shown_settings,
        problems=tuple(problem for problem in problems if problem not in placed),
        warnings=warnings,
    )


def _parameters_given(
    written: Mapping[str, Given], defined: object, definition: Path | None
) -> Mapping[str, Given]:
    """The parameters under their published names, from the definition where there is one."""
    if isinstance(defined, DefinedConnector) and definition is not None:
        place = f"in {definition}"
        return {
            name: Given(value=value, place=place, folder=definition.parent)
            for name, value in defined.parameters.items()
        }
    return {
        name.removeprefix(PARAMETERS): one for name, one in written.items() if name.startswith(PARAMETERS)
    }


def _parameters(given: Mapping[str, Given], version: int, problems: list[str]) -> Iterator[ParameterInForce]:
    known = published_in(version)
    for parameter in PublishedParameter:
        if parameter not in known and parameter not in given:
            continue
        one = given.get(parameter)
        value = "" if one is None else one.value
        # What stands in place of a secret's ARN, and is none, may be the token itself.
        is_hidden = parameter is PublishedParameter.SECRET_ARN and secret_arn_demand(value) is not None
        text = value if isinstance(value, str) else shown(value)
        is_hidden = is_hidden or _LIKE_A_TOKEN.fullmatch(text) is not None
        yield ParameterInForce(
            parameter=parameter,
            value=HIDDEN if is_hidden else text,
            place="" if one is None else one.place,
            problems=tuple(problem for problem in problems if problem.startswith(parameter.label)),
        )


def _settings(
    given: Mapping[str, Given], values: Mapping[str, object], problems: list[str]
) -> Iterator[SettingInForce]:
    in_tables = [
        f"{table}.{key}" for table in tables_in(given) for key in TABLES[table.partition(".")[0]].keys
    ]
    for name in (*SETTINGS, *in_tables):
        key, one = key_of(name), given.get(name)
        if key is None:
            continue
        yield SettingInForce(
            name=name,
            value="" if one is None else _shown(name, key, one.value, values.get(name)),
            place="" if one is None else one.place,
            is_default=one is None or one.value is key.default,
            text=" ".join(key.text.split()),
            # Not those of a setting with a longer name.
            problems=tuple(each for each in problems if re.match(rf"{re.escape(name)}[ :]", each)),
        )


def _shown(name: str, key: Key, value: object, accepted: object) -> str:
    match accepted:
        case BrokerAddress(host=host, port=port, tls=tls, username=username):
            login = "…@" if username else ""
            return f'"{"mqtts" if tls else "mqtt"}://{login}{f"[{host}]" if ":" in host else host}:{port}"'
        case DatabaseAddress(hosts=hosts, database=database):
            return f'"postgresql://…@{",".join(f"{host}:{port}" for host, port in hosts)}/{database}"'
        case _ if isinstance(value, str) and _LIKE_A_TOKEN.fullmatch(value):
            return HIDDEN
        case _ if name in HARMLESS_IF_VALID:
            return HIDDEN if accepted is None and value not in ("", key.default) else _in_toml(value)
        case _ if isinstance(key.kind, Tables) and isinstance(value, list):
            return _in_toml(_without_secrets(key.kind, value))
        case _ if not key.kind.is_shown and value not in ("", key.default):
            return HIDDEN
        case _:
            return _in_toml(value)


def _without_secrets(kind: Tables[object], tables: list[object]) -> list[object]:
    """A list of tables without the values in them that may be secrets."""
    # A key that is none may be a password in place of its hash.
    known = {name for name, part in kind.keys.items() if part.kind.is_shown}
    return [
        {name: inner if name in known else "…" for name, inner in table.items()}
        if isinstance(table, dict)
        else "…"
        for table in tables
    ]


def _in_toml(value: object) -> str:
    try:
        return in_toml(value)
    except (TypeError, ValueError, RecursionError):  # a date, which no setting takes
        return shown(value)
