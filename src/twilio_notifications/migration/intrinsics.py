"""Carries out the functions of CloudFormation as far as the template itself has the answer.

A value that depends on the account, the stack or another stack stays open: a `Partly` names what is missing.
The total size of the results is bounded, however often a template repeats a part.
Documents that are no templates pass through the same class, with an empty template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.migration.partly import (
    ABSENT,
    ANY,
    SEGMENT,
    Hole,
    Partly,
    missing,
    names_in,
    one_of,
)
from twilio_notifications.migration.placeholders import holes_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_TEXT = 16_384
MOST_CHARACTERS = 8 * 2**20
_DEEPEST_CONDITION = 10
_MOST_CHOICES = 64

_VARIABLE = re.compile(r"\$\{(!?)([^{}]{1,300})\}")
_NO_VALUE = "AWS::NoValue"
_GREENGRASS = "AWS::Greengrass::"
# Attributes of these resources are never a connector; a custom resource or another stack may return anything.
_LIKE = {
    "AWS::Lambda::": f"arn:{SEGMENT}:lambda:{ANY}",
    "AWS::Serverless::": f"arn:{SEGMENT}:lambda:{ANY}",
    "AWS::IoT::": f"arn:{SEGMENT}:iot:{ANY}",
}


def symbol(document: str, logical_id: str) -> str:
    """A stand-in for the ARN of a template's Greengrass definition, which has none before its deployment."""
    return f"template:{document}#{logical_id}"


@dataclass(slots=True, kw_only=True)
class TemplateScope:
    """The values for the functions of one document. `used` collects the given names that were asked for.

    With `trusts_defaults` false, a parameter with a default and without a given value counts as open. A
    second scope of this kind shows which values depend on defaults.
    """

    document: str
    template: Mapping[str, object]
    given: Mapping[str, str]
    trusts_defaults: bool = True
    used: set[str] = field(default_factory=set)
    characters: int = 0
    _conditions: dict[str, bool | Partly] = field(default_factory=dict)
    _depth: int = 0

    def resolve(self, value: object) -> object:
        """The value with its functions carried out.

        Raises ConfigurationError where the result is too large.
        """
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
                return self._text(value)
            case bool() if self.template:
                return str(value).lower()  # as CloudFormation makes texts of them
            case int() | float() if self.template:
                return str(value)
            case _:
                return value

    def condition(self, name: object) -> bool | Partly:
        """Whether a condition of the template holds, or what has to be known to say so."""
        key = str(name)
        if key not in self._conditions:
            # This is the answer for a condition that refers to itself.
            self._conditions[key] = missing(f"condition {key[:100]}")
            conditions = self.template.get("Conditions")
            self._depth += 1
            if isinstance(conditions, dict) and key in conditions and self._depth <= _DEEPEST_CONDITION:
                self._conditions[key] = self._holds(conditions[key])
            self._depth -= 1
        return self._conditions[key]

    def default(self, name: str) -> object | None:
        """The default of a parameter, or None where it has none.

        The default of an SSM parameter is no value.
        """
        parameter = _member(self.template.get("Parameters"), name)
        if not isinstance(parameter, dict):
            return None
        default: object = parameter.get("Default")
        is_elsewhere = str(parameter.get("Type", "String")).startswith("AWS::SSM::")
        # The default of an SSM parameter is the name under which SSM keeps the value.
        return None if is_elsewhere or isinstance(default, dict | list) else default

    def ask(self, name: str) -> object:
        """The value that the operator gave for a name, or a hole with the name."""
        if name in self.given:
            self.used.add(name)
            return self._counted(self.given[name])
        return missing(name)

    def _text(self, text: str) -> object:
        """A text with the given values in its placeholders, `{{resolve:…}}` of CloudFormation among them."""
        filled: list[object] = []
        for part in holes_in(text):
            known = isinstance(part, Hole) and part.names[0] in self.given
            if not isinstance(part, Hole):
                filled.append(part)
            else:
                filled.append(self.ask(part.names[0]) if known else Partly(parts=(part,)))
        return self._concatenated(filled, separator="")

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
                return missing(name) if name.startswith("Fn::") else self._members(whole)

    def _get_att(self, argument: object) -> object:
        match argument:
            case [str(logical_id), str(attribute)]:
                return self._attribute(logical_id, attribute)
            case str(dotted):
                logical_id, _, attribute = dotted.partition(".")
                return self._attribute(logical_id, attribute)
            case _:
                return missing("Fn::GetAtt")

    def _sub(self, argument: object) -> object:
        match argument:
            case str(text):
                return self._substitute(text, {})
            case [str(text), dict(variables)]:
                return self._substitute(text, variables)
            case _:
                return missing("Fn::Sub")

    def _of_lists(self, name: str, argument: object) -> object:
        match name, argument:
            case "Fn::Join", [str(separator), parts]:
                return self._join(separator, self.resolve(parts))
            case "Fn::Split", [str(separator), text]:
                resolved = self.resolve(text)
                if isinstance(resolved, str) and separator:
                    return resolved.split(separator)
                return _open(resolved, name)
            case "Fn::Select", [index, parts]:
                return self._select(self.resolve(index), self.resolve(parts))
            case _:
                return missing(name)

    def _reference(self, name: str) -> object:
        if name == _NO_VALUE:
            return ABSENT
        if name in self.given:
            return self.ask(name)
        if self.default(name) is not None:
            return self._defaulted(name) if self.trusts_defaults else missing(name)
        return (
            symbol(self.document, name) if self._type(name).startswith(_GREENGRASS) else self._open_one(name)
        )

    def _defaulted(self, name: str) -> object:
        text = self.resolve(self.default(name))
        kind = str(_member(_member(self.template.get("Parameters"), name), "Type"))
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [part.strip() for part in text.split(",")] if isinstance(text, str) else text
        return text

    def _attribute(self, logical_id: str, attribute: str) -> object:
        """The attribute of a resource. The operator can give it with `--set NAME.ATTRIBUTE=VALUE`."""
        name = f"{logical_id}.{attribute}"
        if name in self.given:
            return self.ask(name)
        if self._type(logical_id).startswith(_GREENGRASS):
            return symbol(self.document, logical_id)
        return self._open_one(name)

    def _open_one(self, name: str) -> Partly:
        kind = self._type(name.partition(".")[0])
        return missing(
            name, like=next((like for start, like in _LIKE.items() if kind.startswith(start)), ANY)
        )

    def _type(self, logical_id: str) -> str:
        """The type of a resource of the template; empty where the template has no such resource."""
        kind = _member(_member(self.template.get("Resources"), logical_id), "Type")
        return kind if isinstance(kind, str) else ""

    def _substitute(self, text: str, variables: Mapping[object, object]) -> object:
        parts: list[object] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            parts.append(self._text(text[end : match.start()]))
            parts.append(f"${{{match[2]}}}" if match[1] else self._variable(match[2].strip(), variables))
            end = match.end()
        parts.append(self._text(text[end:]))
        return self._concatenated(parts, separator="")

    def _variable(self, name: str, variables: Mapping[object, object]) -> object:
        if name in variables:
            return self.resolve(variables[name])
        logical_id, dot, attribute = name.partition(".")
        return self._attribute(logical_id, attribute) if dot else self._reference(name)

    def _join(self, separator: str, parts: object) -> object:
        return (
            self._concatenated(parts, separator=separator)
            if isinstance(parts, list)
            else _open(parts, "Fn::Join")
        )

    def _concatenated(self, values: Sequence[object], *, separator: str) -> object:
        if not all(isinstance(value, str | Partly) for value in values):
            return _open(list(values), "Fn::Join")
        length = sum(len(str(value)) for value in values) + len(separator) * len(values)
        if length > LONGEST_TEXT and len(values) > 1:
            return missing("a text of more than 16384 characters")
        pieces: list[str | Hole] = []
        for value in values:
            pieces += [separator, *(value.parts if isinstance(value, Partly) else (str(value),))]
        del pieces[:1]
        if not any(isinstance(piece, Hole) for piece in pieces):
            return self._counted("".join(str(piece) for piece in pieces))
        return self._counted(Partly(parts=tuple(piece for piece in pieces if piece != "")))

    def _select(self, index: object, parts: object) -> object:
        if (
            isinstance(parts, list)
            and isinstance(index, str | int)
            and re.fullmatch(r"[0-9]{1,6}", str(index))
        ):
            if int(index) < len(parts):
                return parts[int(index)]
            return missing(f"Fn::Select {index}")
        return _open([parts, index], "Fn::Select")

    def _find_in_map(self, keys: Sequence[object]) -> object:
        below: list[object] = [self.template.get("Mappings")]
        for key in keys[:3]:
            if isinstance(key, str):
                below = [_member(each, key) for each in below]
            else:
                below = [member for each in below if isinstance(each, dict) for member in each.values()]
        # A list in a mapping holds plain values only; CloudFormation takes no other kinds.
        plain = [
            [part for part in each if isinstance(part, str | int | float)] if isinstance(each, list) else each
            for each in below
            if isinstance(each, str | int | float | list)
        ]
        found = [self.resolve(each) for each in plain]
        names = names_in(list(keys))
        if not names and len(found) == 1:
            return found[0]
        if names and 0 < len(found) <= _MOST_CHOICES:
            return one_of(tuple(found), names=names, label="Fn::FindInMap")
        if names:
            return _open(list(keys), "Fn::FindInMap")
        return missing("Fn::FindInMap " + " ".join(str(key)[:100] for key in keys[:3]))

    def _if(self, argument: object) -> object:
        match argument:
            case [condition, when_true, when_false]:
                holds = self.condition(condition)
                if not isinstance(holds, Partly):
                    return self.resolve(when_true if holds else when_false)
                choices = (self.resolve(when_true), self.resolve(when_false))
                if choices[0] == choices[1]:
                    return choices[0]
                return one_of(choices, names=holds.names, label=f"condition {str(condition)[:100]}")
            case _:
                return missing("Fn::If")

    def _holds(self, rule: object) -> bool | Partly:
        match rule:
            case {"Condition": str(name)}:
                return self.condition(name)
            case {"Fn::Equals": [left, right]}:
                sides = [self.resolve(left), self.resolve(right)]
                return _open(sides, "Fn::Equals") if names_in(sides) else sides[0] == sides[1]
            case {"Fn::Not": [inner]}:
                holds = self._holds(inner)
                return holds if isinstance(holds, Partly) else not holds
            case {"Fn::And": [*inner]}:
                answers = [self._holds(each) for each in inner]
                return False if False in answers else _first_open(answers, otherwise=True)
            case {"Fn::Or": [*inner]}:
                answers = [self._holds(each) for each in inner]
                return True if True in answers else _first_open(answers, otherwise=False)
            case _:
                return missing("a condition of the template")

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


def _first_open(answers: Sequence[bool | Partly], *, otherwise: bool) -> bool | Partly:
    return next((answer for answer in answers if isinstance(answer, Partly)), otherwise)


def _member(holder: object, name: str) -> object:
    return holder.get(name) if isinstance(holder, dict) else None


def _open(value: object, function: str) -> Partly:
    """The result of a function with open or invalid arguments: a hole with the names in the arguments."""
    return Partly(parts=(Hole(label=function, names=names_in(value) or (function,)),))
