"""How a setting is declared: once, as a field of the settings class of its section.

The files of `config/sections/` declare; the defaults, the checks of values, the file of defaults and the
reference page are made from that. Knows no section.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.config.kinds import Kind

T = TypeVar("T")

Values = Mapping[str, Any]
"""Accepted values by dotted name, such as "log.level"; None where a setting is not set.

A section of tables has the names of its tables by its own name, such as "contacts".
"""

_DECLARED = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What a setting is. Its unit stands in its name.

    `default` and `example` are as a file would have them; a setting without default has an example.
    `text` is for the reference and the file of defaults.
    """

    kind: Kind[object]
    text: str
    default: object = None
    example: object = None
    name: str = ""
    """The name in the configuration, where the field of the settings class has another one."""
    is_required: bool = False
    """For a key of a table: each table must have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the configuration, with its keys by name, in the order of the reference.

    With an `example` it is a section of tables that users name, such as [contacts.darla], and has its keys in
    each of them; `example` is such a name.
    """

    name: str
    text: str
    keys: Mapping[str, Key]
    example: str = ""
    whole: Key | None = None
    """Declares the section where it is a list of tables, [[name]], and each table has `keys`; else None."""


@overload
def key(kind: Kind[T], text: str, *, default: object, name: str = ...) -> T: ...
@overload
def key(kind: Kind[T], text: str, *, example: object, is_filled_in: Literal[True], name: str = ...) -> T: ...
@overload
def key(kind: Kind[T], text: str, *, example: object, name: str = ...) -> T | None: ...
def key(
    kind: Kind[object],
    text: str,
    *,
    default: object = None,
    example: object = None,
    is_filled_in: bool = False,  # noqa: ARG001 - for the type alone
    name: str = "",
) -> object:
    """The declaration of a setting, as a field of a frozen dataclass, whose type is that of the kind.

    A setting without default is None where it is not set. With `is_filled_in` it never is: a rule demands it
    or the section has a substitute.
    """
    declared = Key(kind=kind, text=text, default=default, example=example, name=name)
    return field(metadata={_DECLARED: declared})


def keys_of(*classes: type) -> dict[str, Key]:
    """The keys that each of these settings classes declares itself, by name, in this order."""
    return {
        name: declared
        for each in classes
        for attribute, name, declared in _declarations(each)
        if attribute in each.__annotations__
    }


def made(settings: type[T], section: str, values: Values, **more: object) -> T:
    """The settings of a class from the values of its section; `more` adds fields, or goes before a value."""
    given = {attribute: values[f"{section}.{name}"] for attribute, name, _ in _declarations(settings)}
    return settings(**given | more)


def names_of(section: str, values: Values) -> tuple[str, ...]:
    """The names of the tables in a section of tables."""
    names: tuple[str, ...] = values[section]
    return names


def _declarations(settings: Any) -> Iterator[tuple[str, str, Key]]:
    """Each field that is a setting: its name as an attribute, its name in the configuration, the rest."""
    for each in fields(settings):
        declared: Key | None = each.metadata.get(_DECLARED)
        if declared is not None:
            yield each.name, declared.name or each.name, declared
