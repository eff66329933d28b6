"""Finds templates of CloudFormation inside a document, those of the Serverless framework included.

It recognises templates and joins their sections; `intrinsics` carries out their functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOR_EACH = "Fn::ForEach::"
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
SILENT = frozenset({"Parameters", "Mappings", "Conditions", "Outputs", "Metadata", "Rules", "Description"})
"""Sections of a template that hold no part of a group; other sections refer to them."""


def is_template(value: object) -> bool:
    """Whether the value has resources with types, or resources that a function makes."""
    resources = value.get("Resources") if isinstance(value, dict) else None
    if not isinstance(resources, dict):
        return False
    return any(
        str(name).startswith("Fn::") or (isinstance(resource, dict) and isinstance(resource.get("Type"), str))
        for name, resource in resources.items()
    )


def joined(tree: object) -> Mapping[str, object]:
    """The sections of all templates of a document as one; empty where it has none.

    The Serverless framework takes a list of templates, whose parts refer to each other.
    """
    sections: dict[str, dict[object, object]] = {}
    for template in _templates(tree):
        for name in _SECTIONS:
            section = template.get(name)
            if isinstance(section, dict):
                sections.setdefault(name, {}).update(section)
    return dict(sections)


def _templates(value: object) -> Iterator[Mapping[str, object]]:
    if isinstance(value, dict):
        if is_template(value):
            yield value
        for member in value.values():
            yield from _templates(member)
    elif isinstance(value, list):
        if any(map(is_template, value)):
            yield from (member for member in value if isinstance(member, dict))
        for member in value:
            yield from _templates(member)


def names_of(template: Mapping[str, object]) -> Iterator[str]:
    """The names for which a template would take a value: its parameters and its resources."""
    for section in ("Parameters", "Resources"):
        members = template.get(section)
        if isinstance(members, dict):
            yield from (str(name) for name in members)


def included(value: object) -> str | None:
    """The location of the text that an `AWS::Include` inserts; None for any other value."""
    if not isinstance(value, dict) or value.get("Name") != "AWS::Include":
        return None
    parameters = value.get("Parameters")
    location = parameters.get("Location") if isinstance(parameters, dict) else None
    return location if isinstance(location, str) else "a place that the template leaves open"
