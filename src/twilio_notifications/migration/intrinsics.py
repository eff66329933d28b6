"""The functions of CloudFormation, as far as a template answers them by itself.

What depends on the account, the stack or another stack stays open: `Partly` names what is missing, and
nothing is put in its place. The size of what comes out is bounded, whatever a template repeats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LONGEST_TEXT = 16_384
MOST_CHARACTERS = 8 * 2**20
_DEEPEST_CONDITION = 10

_VARIABLE = re.compile(r"\$\{(!?)([^{}]{1,300})\}")
_DYNAMIC = re.compile(r"\{\{(resolve:[^{}]{1,300})\}\}")
_NO_VALUE = "AWS::NoValue"
_GREENGRASS = "AWS::Greengrass::"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partly:
    """A value that the template does not hold: `text` has `${NAME}` where something is missing."""

    text: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return self.text


class Absent:
    """What `AWS::NoValue` stands for: the property is not there."""


ABSENT = Absent()


def symbol(document: str, logical_id: str) -> str:
    """How one Greengrass definition of a template refers to another, where a deployed one has its ARN."""
    return f"template:{document}#{logical_id}"


@dataclass(slots=True, kw_only=True)
class Scope:
    """One template: what its functions may ask for. Remembers which of the given names were of use."""

    document: str
    template: Mapping[str, object]
    given: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    characters: int = 0
    _conditions: dict[str, bool | Partly] = field(default_factory=dict)
    _depth: int = 0

    def resolve(self, value: object) -> object:
        """The value, its functions carried out. Raises ConfigurationError where it grows too large."""
        match value:
            case dict() if len(value) == 1:
                ((name, argument),) = value.items()
                return self._function(str(name), argument, value)
            case dict():
                return self._members(value)
            case list():
                resolved = [self.resolve(part) for part in value]
                return [part for part in resolved if part is not ABSENT]
            case str():
                return self._counted(self._dynamic(value))
            case bool():
                return str(value).lower()  # as CloudFormation makes texts of them
            case int() | float():
                return str(value)
            case _:
                return value

    def condition(self, name: object) -> bool | Partly:
        """Whether a condition of the template holds."""
        key = str(name)
        if key not in self._conditions:
            self._conditions[key] = _missing(
                f"condition {key[:100]}"
            )  # one that asks for itself has no answer
            conditions = self.template.get("Conditions")
            self._depth += 1
            if isinstance(conditions, dict) and key in conditions and self._depth <= _DEEPEST_CONDITION:
                self._conditions[key] = self._holds(conditions[key])
            self._depth -= 1
        return self._conditions[key]

    def ask(self, name: str) -> object:
        """What was given for a name, or the name as what is missing."""
        if name in self.given:
            self.used.add(name)
            return self._counted(self.given[name])
        return _missing(name)

    def _members(self, value: Mapping[object, object]) -> dict[str, object]:
        resolved = ((str(name), self.resolve(member)) for name, member in value.items())
        return {name: member for name, member in resolved if member is not ABSENT}

    def _function(self, name: str, argument: object, whole: Mapping[object, object]) -> object:
        match name:
            case "Ref" if isinstance(argument, str):
                return self._reference(argument)
            case "Fn::GetAtt":
                return self._get_att(argument)
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::Join" | "Fn::Split" | "Fn::Select":
                return self._of_lists(name, argument)
            case "Fn::FindInMap" if isinstance(argument, list):
                return self._find_in_map([self.resolve(key) for key in argument])
            case "Fn::If":
                return self._if(argument)
            case "Fn::ImportValue":
                exported = self.resolve(argument)
                return self.ask(exported) if isinstance(exported, str) else _open(exported, name)
            case _:
                return _missing(name) if name.startswith("Fn::") else self._members(whole)

    def _get_att(self, argument: object) -> object:
        match argument:
            case [str(logical_id), str(attribute)]:
                return self._attribute(logical_id, attribute)
            case str(dotted):
                logical_id, _, attribute = dotted.partition(".")
                return self._attribute(logical_id, attribute)
            case _:
                return _missing("Fn::GetAtt")

    def _sub(self, argument: object) -> object:
        match argument:
            case str(text):
                return self._substitute(text, {})
            case [str(text), dict(variables)]:
                return self._substitute(text, variables)
            case _:
                return _missing("Fn::Sub")

    def _of_lists(self, name: str, argument: object) -> object:
        match name, argument:
            case "Fn::Join", [str(separator), parts]:
                return self._join(separator, self.resolve(parts))
            case "Fn::Split", [str(separator), text]:
                return self._split(separator, self.resolve(text))
            case "Fn::Select", [index, parts]:
                return self._select(self.resolve(index), self.resolve(parts))
            case _:
                return _missing(name)

    def _reference(self, name: str) -> object:
        if name == _NO_VALUE:
            return ABSENT
        if name in self.given:
            return self.ask(name)
        parameter = _member(self.template.get("Parameters"), name)
        if isinstance(parameter, dict):
            return self._parameter(name, parameter)
        return symbol(self.document, name) if self._is_greengrass(name) else _missing(name)

    def _parameter(self, name: str, parameter: Mapping[str, object]) -> object:
        default, kind = parameter.get("Default"), str(parameter.get("Type", "String"))
        if default is None or isinstance(default, dict | list) or kind.startswith("AWS::SSM::"):
            return _missing(name)  # the default of an SSM parameter is where its value is, not what it is
        text = self.resolve(default)
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [part.strip() for part in text.split(",")] if isinstance(text, str) else text
        return text

    def _attribute(self, logical_id: str, attribute: str) -> object:
        """`--set` takes it as NAME.ATTRIBUTE."""
        name = f"{logical_id}.{attribute}"
        if name in self.given:
            return self.ask(name)
        return symbol(self.document, logical_id) if self._is_greengrass(logical_id) else _missing(name)

    def _is_greengrass(self, logical_id: str) -> bool:
        resource = _member(self.template.get("Resources"), logical_id)
        return isinstance(resource, dict) and str(resource.get("Type")).startswith(_GREENGRASS)

    def _substitute(self, text: str, variables: Mapping[object, object]) -> object:
        parts: list[object] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            parts.append(self.resolve(text[end : match.start()]))
            parts.append(f"${{{match[2]}}}" if match[1] else self._variable(match[2].strip(), variables))
            end = match.end()
        parts.append(self.resolve(text[end:]))
        return self._concatenated(parts, separator="")

    def _variable(self, name: str, variables: Mapping[object, object]) -> object:
        if name in variables:
            return self.resolve(variables[name])
        logical_id, dot, attribute = name.partition(".")
        return self._attribute(logical_id, attribute) if dot else self._reference(name)

    def _dynamic(self, text: str) -> object:
        """`{{resolve:ssm:/name}}` is what only the account can answer; `--set` takes it by its inner text."""
        if "{{resolve:" not in text:
            return text
        parts: list[object] = []
        end = 0
        for match in _DYNAMIC.finditer(text):
            parts += [text[end : match.start()], self.ask(match[1])]
            end = match.end()
        return self._concatenated([*parts, text[end:]], separator="")

    def _join(self, separator: str, parts: object) -> object:
        return (
            self._concatenated(parts, separator=separator)
            if isinstance(parts, list)
            else _open(parts, "Fn::Join")
        )

    def _concatenated(self, parts: Sequence[object], *, separator: str) -> object:
        if not all(isinstance(part, str | Partly) for part in parts):
            names = tuple(name for part in parts for name in _names(part))
            return Partly(text="${Fn::Join}", names=names or ("Fn::Join",))
        length = sum(len(str(part)) for part in parts) + len(separator) * len(parts)
        if length > LONGEST_TEXT:
            return _missing("a text of more than 16384 characters")
        text = separator.join(str(part) for part in parts)
        names = tuple(dict.fromkeys(name for part in parts for name in _names(part)))
        return self._counted(Partly(text=text, names=names) if names else text)

    def _select(self, index: object, parts: object) -> object:
        if isinstance(parts, list) and isinstance(index, str) and re.fullmatch(r"[0-9]{1,6}", index):
            if int(index) < len(parts):
                return parts[int(index)]
            return _missing(f"Fn::Select {index}")
        return _open([parts, index], "Fn::Select")

    def _split(self, separator: str, text: object) -> object:
        if isinstance(text, str) and separator:
            return text.split(separator)
        return _open(text, "Fn::Split")

    def _find_in_map(self, keys: Sequence[object]) -> object:
        found: object = self.template.get("Mappings")
        for key in keys[:3]:
            if not isinstance(key, str):
                return _open(key, "Fn::FindInMap")
            found = _member(found, key)
        if isinstance(found, str | int | float):
            return self.resolve(found)
        if isinstance(found, list):
            return [self.resolve(part) for part in found if isinstance(part, str | int | float)]
        return _missing("Fn::FindInMap " + " ".join(str(key)[:100] for key in keys[:3]))

    def _if(self, argument: object) -> object:
        match argument:
            case [condition, when_true, when_false]:
                holds = self.condition(condition)
                return (
                    holds if isinstance(holds, Partly) else self.resolve(when_true if holds else when_false)
                )
            case _:
                return _missing("Fn::If")

    def _holds(self, rule: object) -> bool | Partly:
        match rule:
            case {"Condition": str(name)}:
                return self.condition(name)
            case {"Fn::Equals": [left, right]}:
                sides = [self.resolve(left), self.resolve(right)]
                names = tuple(name for side in sides for name in _names(side))
                return Partly(text="${Fn::Equals}", names=names) if names else sides[0] == sides[1]
            case {"Fn::Not": [inner]}:
                holds = self._holds(inner)
                return holds if isinstance(holds, Partly) else not holds
            case {"Fn::And": [*inner]}:
                return _all_of([self._holds(each) for each in inner])
            case {"Fn::Or": [*inner]}:
                return _any_of([self._holds(each) for each in inner])
            case _:
                return _missing("a condition of the template")

    def _counted(self, value: object) -> object:
        self.characters += len(str(value))
        if self.characters > MOST_CHARACTERS:
            raise ConfigurationError(
                [
                    (
                        f"{self.document} grows beyond {MOST_CHARACTERS} characters when its functions are "
                        "carried out: give the part that holds the connector"
                    )
                ]
            )
        return value


def _all_of(answers: Sequence[bool | Partly]) -> bool | Partly:
    if False in answers:
        return False
    return next((answer for answer in answers if isinstance(answer, Partly)), True)


def _any_of(answers: Sequence[bool | Partly]) -> bool | Partly:
    if True in answers:
        return True
    return next((answer for answer in answers if isinstance(answer, Partly)), False)


def _member(holder: object, name: str) -> object:
    return holder.get(name) if isinstance(holder, dict) else None


def _missing(name: str) -> Partly:
    return Partly(text=f"${{{name}}}", names=(name,))


def _open(value: object, function: str) -> Partly:
    """A function whose arguments are open, or are none that it takes."""
    return Partly(text=f"${{{function}}}", names=tuple(_names(value)) or (function,))


def _names(value: object) -> Iterator[str]:
    match value:
        case Partly(names=names):
            yield from names
        case list():
            for part in value:
                yield from _names(part)
        case dict():
            for part in value.values():
                yield from _names(part)
        case _:
            return


def names_in(value: object) -> tuple[str, ...]:
    """What is missing anywhere in a resolved value, each once."""
    return tuple(dict.fromkeys(_names(value)))
