"""Reads the sources of settings: the declarations, one TOML file, the environment; see also component.py.

Reads, and sorts what it read under known names; what is unknown is a remark. Judges no value, so that the
three sources are judged by the same rules later. Later sources win, key by key.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twilio_notifications.config.files import read_plain
from twilio_notifications.config.sections import KEYS, LISTS, SETTINGS, TABLES
from twilio_notifications.config.sections.connector import PARAMETERS, PARAMETERS_SECTION
from twilio_notifications.config.tables import flaws_of_table, is_table_name, key_of, tables_in
from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.core.wording import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PREFIX = "TWILIO_NOTIFICATIONS__"
CONFIG_VARIABLE = "TWILIO_NOTIFICATIONS_CONFIG"
FILE_NAME = "twilio-notifications.toml"
SYSTEM_FOLDER = Path("/etc/twilio-notifications")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A value as it was written, with its place for people and the folder from which its paths start."""

    value: object = field(repr=False)
    place: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The values of one source by dotted name, and one sentence for each problem of the source itself."""

    given: Mapping[str, Given] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    readable: bool = True


def find(environ: Mapping[str, str]) -> Path | None:
    """The configuration file where none is named: by $TWILIO_NOTIFICATIONS_CONFIG, then at the usual places.

    None where there is no file. A file that cannot be read is found too.
    """
    named = environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    return next(
        (path for path in (Path(FILE_NAME), SYSTEM_FOLDER / FILE_NAME) if os.path.lexists(path)), None
    )


def variable_of(name: str) -> str:
    """The environment variable of a setting, such as "log.level" or "connector.parameters.IsolationMode"."""
    return PREFIX + name.replace(".", "__").replace("-", "_").upper()


def defaults(*, folder: Path, tables: Iterable[str] = ()) -> dict[str, Given]:
    """The settings that have a default, by dotted name; a relative path among them starts from `folder`.

    `tables` are the dotted names of the tables that users have named.
    """
    declared = dict(SETTINGS)
    for table in tables:
        keys = TABLES[table.partition(".")[0]].keys
        declared |= {f"{table}.{name}": key for name, key in keys.items()}
    return {
        name: Given(value=key.default, place="the default", folder=folder)
        for name, key in declared.items()
        if key.default is not None
    }


def read_file(path: Path | None) -> Source:
    """The settings of one TOML file; none for None. An unreadable file has one problem, which says why."""
    if path is None:
        return Source()
    try:
        # A byte order mark is what some editors on Windows put in front; TOML has no room for it.
        table = tomllib.loads(read_plain(path).decode("utf-8-sig"))
    except FileNotFoundError:
        return _unreadable(f"the configuration file {path} does not exist")
    except OSError as error:
        return _unreadable(f"the configuration file {path} cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        return _unreadable(f"the configuration file {path} is not UTF-8: see byte {error.start}")
    except (ValueError, RecursionError) as error:  # also for numbers and nesting without end
        return _unreadable(f"the configuration file {path} is not valid TOML: {error}")
    return _sort_table(table, place=f"in {path}", folder=path.absolute().parent)


def read_environment(environ: Mapping[str, str]) -> Source:
    """The settings of all variables that begin with PREFIX; their paths start from the working directory."""
    parameters = [PARAMETERS + parameter for parameter in PublishedParameter]
    names = {variable_of(name): name for name in (*SETTINGS, *parameters)}
    given: dict[str, Given] = {}
    problems: list[str] = []
    for variable in sorted(variable for variable in environ if variable.startswith(PREFIX)):
        name = _name_of(variable, names)
        if name is None:
            known = (*names, *_variables_of_tables(variable))
            problems.append(f"unknown environment variable {variable}: {suggestion(variable, known)}")
        elif name in given:
            problems.append(
                f"the environment variable {variable} sets {name} a second time: remove one of them"
            )
        else:
            text, declared = environ[variable], key_of(name)
            # A published parameter is not declared here: it is always a text.
            value = text if declared is None else declared.kind.from_text(text)
            place = f"in the environment variable {variable}"
            given[name] = Given(value=value, place=place, folder=Path.cwd())
            if name.partition(".")[0] in TABLES:
                given.setdefault(name.rpartition(".")[0], Given(value={}, place=place, folder=Path.cwd()))
    return Source(given=given, problems=tuple(problems))


def _unreadable(sentence: str) -> Source:
    return Source(problems=(sentence,), readable=False)


def _name_of(variable: str, names: Mapping[str, str]) -> str | None:
    """The setting of a variable. An unknown parameter passes: the rules of the parameters report it."""
    canonical = variable.upper().replace("-", "_")
    beginning = variable_of(PARAMETERS)
    if canonical.startswith(beginning) and canonical not in names:
        return PARAMETERS + variable[len(beginning) :]
    return names.get(canonical) or _name_in_table(canonical)


def _name_in_table(variable: str) -> str | None:
    """The setting of a variable such as …__CONTACTS__DARLA__NAME; None where there is none."""
    section, _, rest = variable.removeprefix(PREFIX).lower().partition("__")
    table, _, key = rest.rpartition("__")
    name = f"{section}.{table}.{key}"
    return name if section in TABLES and key_of(name) is not None else None


def _variables_of_tables(variable: str) -> Iterator[str]:
    """The variables of the table that a variable names, or of the example of its section."""
    for section in TABLES.values():
        beginning = f"{variable_of(section.name)}__"
        if variable.upper().startswith(beginning):
            table = variable[len(beginning) :].rpartition("__")[0] or section.example
            yield from (variable_of(f"{section.name}.{table}.{key}") for key in section.keys)


def _sort_table(table: Mapping[str, Any], *, place: str, folder: Path) -> Source:
    problems = [f"{problem} ({place})" for problem in _misplaced(table)]
    values = {name: value for name, value in _flattened(table) if _is_known(name, value)}
    given = {name: Given(value=value, place=place, folder=folder) for name, value in values.items()}
    return Source(given=given, problems=tuple(problems))


def _flattened(table: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Every value of the file by its dotted name, and every table that its user names."""
    for section, content in table.items():
        if section in LISTS:
            yield section, content
            continue
        for key, value in content.items() if isinstance(content, dict) else ():
            name = f"{section}.{key}"
            if section in TABLES or not (f"{name}." == PARAMETERS and isinstance(value, dict)):
                yield name, value
            is_table = section in TABLES and is_table_name(key)
            if isinstance(value, dict) and (is_table or f"{name}." == PARAMETERS):
                yield from ((f"{name}.{inner}", given) for inner, given in value.items())


def _is_known(name: str, value: object) -> bool:
    if name in tables_in([name]):
        return isinstance(value, dict) and is_table_name(name.partition(".")[2])
    return name.startswith(PARAMETERS) or key_of(name) is not None


def _misplaced(table: Mapping[str, Any]) -> Iterator[str]:
    # No value is shown here: an unknown name may have been meant to hold a secret.
    for section, content in table.items():
        if section not in KEYS and isinstance(content, dict):
            yield f"unknown section [{section}]: {suggestion(section, KEYS)}"
        elif section not in KEYS:
            instead = _where_else(section) or suggestion(section, KEYS)
            yield f"unknown key {section} outside of any section: {instead}"
        elif section not in LISTS and not isinstance(content, dict):
            yield f"{section} must be a section: write [{section}] on a line of its own"
    for name, value in _flattened(table):
        section, _, key = name.partition(".")
        if section in TABLES:
            yield from flaws_of_table(name, value)
        elif f"{name}." == PARAMETERS:
            yield f"{name} must be a section: write [{name}] on a line of its own"
        elif section in KEYS and not _is_known(name, value):
            yield f"unknown key {name}: {_where_else(key) or suggestion(key, KEYS[section])}"


def _where_else(key: str) -> str | None:
    """The words that name the sections which have this key; None where no section has it."""
    homes = [
        f"[{section}.NAME]" if section in TABLES else f"[[{section}]]" if section in LISTS else f"[{section}]"
        for section, keys in KEYS.items()
        if key in keys
    ]
    if key in set(PublishedParameter):
        homes = [f"[{PARAMETERS_SECTION}]"]
    return f"it belongs in {' or '.join(homes)}" if homes else None
