"""Reads YAML as CloudFormation does: short tags in their long form, and every plain value as a text.

A phone number keeps its plus sign and an account its leading zero, because no scalar becomes a number.
The reader makes maps, lists, texts and nulls only, so a document cannot create objects of other classes.
It does not follow merge keys, whose content could grow without end.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_NULL = "tag:yaml.org,2002:null"
_NULL_WORD = re.compile(r"(?:~|null|Null|NULL|)\Z")  # PyYAML asks for a match of the beginning
_WITHOUT_PREFIX = frozenset({"Ref", "Condition"})


class NotYaml(Exception):
    """The text is no YAML that can be used; says where and why."""


def read_yaml(text: str) -> list[object]:
    """All documents of the text, without empty ones. Raises NotYaml."""
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        raise NotYaml(f"{error.problem or error.context}{where}") from error
    except yaml.YAMLError as error:
        raise NotYaml("it holds characters that YAML does not allow") from error
    except RecursionError as error:
        raise NotYaml("it is nested too deeply") from error


def _short_tag(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    """The long form of a short tag: `{"Fn::GetAtt": ["A", "B"]}` for `!GetAtt A.B`."""
    name = suffix if suffix in _WITHOUT_PREFIX else f"Fn::{suffix}"
    value = _value(loader, node)
    if name == "Fn::GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


def _value(loader: _Loader, node: yaml.Node) -> Any:
    match node:
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case _:
            return _text(loader, node)


def _text(_loader: _Loader, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "a plain value belongs here", node.start_mark)
    return node.value


class _Loader(yaml.SafeLoader):
    """A loader with tables of its own: it inherits nothing from PyYAML but maps, lists, texts and nulls."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own way, and never changed
        first: [(_NULL, _NULL_WORD)] for first in ("~", "n", "N", "")
    }
    yaml_constructors = {  # noqa: RUF012 - the same
        "tag:yaml.org,2002:map": yaml.SafeLoader.construct_yaml_map,
        "tag:yaml.org,2002:seq": yaml.SafeLoader.construct_yaml_seq,
        _NULL: yaml.SafeLoader.construct_yaml_null,
        "tag:yaml.org,2002:str": _text,
        "tag:yaml.org,2002:bool": _text,
        "tag:yaml.org,2002:int": _text,
        "tag:yaml.org,2002:float": _text,
        "tag:yaml.org,2002:timestamp": _text,
        None: yaml.SafeLoader.construct_undefined,
    }
    yaml_multi_constructors = {"!": _short_tag}  # noqa: RUF012 - the same

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's own signature
        """The map. Raises ConstructorError for a name that stands twice, of which the second would win."""
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            seen: set[str] = set()
            for key, _value in node.value:
                name = str(getattr(key, "value", key))
                if name in seen:
                    problem = f"a map has the name {name[:100]!r} twice: leave one out"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(name)
        return mapping

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Does not follow merge keys: each level of them could multiply the size."""
