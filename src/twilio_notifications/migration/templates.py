"""Templates of CloudFormation inside a document, also those of the Serverless framework and of a list.

Says what is a template and what its sections are together; carries nothing out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOR_EACH = "Fn::ForEach::"
_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
SILENT = frozenset({"Parameters", "Mappings", "Conditions", "Outputs", "Metadata", "Rules", "Description"})
"""Sections of a template in which nothing of a group stands: the others refer to them."""


def is_template(value: object) -> bool:
    """Whether it has resources with types, or resources that a function is to make."""
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
    """What a template would take a value for."""
    for section in ("Parameters", "Resources"):
        members = template.get(section)
        if isinstance(members, dict):
            yield from (str(name) for name in members)


def included(value: object) -> str | None:
    """The place of the text that `AWS::Include` puts in, or None where it is no such transform."""
    if not isinstance(value, dict) or value.get("Name") != "AWS::Include":
        return None
    parameters = value.get("Parameters")
    location = parameters.get("Location") if isinstance(parameters, dict) else None
    return location if isinstance(location, str) else "a place that the template leaves open"
