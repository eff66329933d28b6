"""The tables that users name, such as [contacts.darla]: their names, and which of their keys are missing.

A source gives a table by its own dotted name, "contacts.darla", and each key in it by "contacts.darla.name".
In the environment the name of a table has no case of letters, and "_" for "-".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twilio_notifications.config.sections import SETTINGS, TABLES
from twilio_notifications.core.wording import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from twilio_notifications.config.keys import Key
    from twilio_notifications.config.sources import Given

_LONGEST = 64
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def is_table_name(name: str) -> bool:
    """Whether a table may have this name: one that stands in a variable, in a log and in a file as it is."""
    return len(name) <= _LONGEST and _NAME.fullmatch(name) is not None


def key_of(name: str) -> Key | None:
    """The declaration of a setting, also of one in a table that the user names; None where there is none."""
    section, _, rest = name.partition(".")
    if section not in TABLES:
        return SETTINGS.get(name)
    table, _, key = rest.partition(".")
    return TABLES[section].keys.get(key) if is_table_name(table) else None


def flaws_of_table(name: str, value: object) -> Iterator[str]:
    """What is wrong with the name of a table or of a key in it, in a sentence; the value is not shown."""
    section, _, rest = name.partition(".")
    keys = TABLES[section].keys
    table, _, key = rest.partition(".")
    if isinstance(value, dict) and not is_table_name(rest):
        yield f"the name in [{section}.{rest[:_LONGEST]}] must have 1 to {_LONGEST} letters, digits, _ and -"
    elif key and key not in keys:
        yield f"unknown key {name}: {suggestion(key, keys)}"
    elif not key and not isinstance(value, dict) and table in keys:
        yield f"{name} stands outside of any table: write [{section}.NAME] on a line above it"
    elif not key and not isinstance(value, dict):
        yield f"{name} must be a section: write [{name}] on a line of its own"


def tables_in(names: Iterable[str]) -> list[str]:
    """The dotted names of the tables among these names."""
    return [name for name in names if name.count(".") == 1 and name.partition(".")[0] in TABLES]


def names_of_tables(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The names of the tables among these dotted names, by section; empty where a section has none."""
    tables = [name.partition(".") for name in tables_in(names)]
    return {section: tuple(table for where, _, table in tables if where == section) for section in TABLES}


def as_spelled(given: Mapping[str, Given], *, in_file: Iterable[str]) -> dict[str, Given]:
    """What the environment gives, with the names of tables spelled as they are `in_file`."""
    spelled = {_folded(table): table for table in tables_in(in_file)}
    return {_spelled(name, spelled): value for name, value in given.items()}


def problems_of_tables(given: Mapping[str, Given]) -> Iterator[str]:
    """What is wrong with the tables themselves: a key that they need is missing, or a name is there twice."""
    first: dict[str, str] = {}
    for table in tables_in(given):
        place = given[table].place
        for key, declared in TABLES[table.partition(".")[0]].keys.items():
            if declared.is_required and f"{table}.{key}" not in given:
                yield f"{table}.{key} is missing: write {key} = … below [{table}] ({place})"
        other = first.setdefault(_folded(table), table)
        if other != table:
            yield (
                f"[{table}] and [{other}] are one name in the environment, which has no lower case and no "
                f"hyphen: rename one of them ({place})"
            )


def _spelled(name: str, spelled: Mapping[str, str]) -> str:
    section, _, rest = name.partition(".")
    if section not in TABLES:
        return name
    table, dot, key = rest.partition(".")
    written = f"{section}.{table}"
    return f"{spelled.get(_folded(written), written)}{dot}{key}"


def _folded(table: str) -> str:
    return table.lower().replace("-", "_")
