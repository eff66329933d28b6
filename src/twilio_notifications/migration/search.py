"""Documents → what concerns the connector in them, wherever it stands.

Looks at shapes, not at paths: a connector has a `ConnectorArn`, a subscription has `Source`, `Subject` and
`Target`, and so on. So it does not matter which command printed a document, or how a device arranged it.
Judges nothing; a value that a template leaves open is still `Partly`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.migration.intrinsics import ABSENT, Partly, Scope, names_in, symbol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from twilio_notifications.migration.documents import Document

Path = tuple[str | int, ...]

_BAG = frozenset({PublishedParameter.ACCOUNT_SID, PublishedParameter.SECRET_ARN})
_SECRET_ARN_KEYS = ("ARN", "Arn")
_SECRET_ARN_DEPTH = 4
_ENVELOPE = ("Definition", "InitialVersion")
_GREENGRASS = "AWS::Greengrass::"
_VERSION_ARN = "DefinitionVersionArn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands: the file, and the path inside it."""

    document: str
    path: Path = ()

    def __str__(self) -> str:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{self.document}, at {path.lstrip('.')}" if path else self.document

    @property
    def parent(self) -> Place:
        return Place(document=self.document, path=self.path[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object that concerns the connector. `origins` are the definitions around it, by ARN or symbol."""

    place: Place
    content: Mapping[str, object]
    origins: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """What has to be known to say whether it is there at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finds:
    """Everything that was found in all documents."""

    connectors: tuple[Found, ...] = ()
    bags: tuple[Found, ...] = ()
    """Maps that hold the connector's parameters where no connector is said to be, as on a device."""
    resources: tuple[Found, ...] = ()
    subscriptions: tuple[Found, ...] = ()
    groups: tuple[Found, ...] = ()
    functions: tuple[Found, ...] = ()
    definitions_without_content: tuple[Found, ...] = ()
    """What names a definition by the number of its version, and does not hold it."""
    texts: tuple[str, ...] = ()
    """Every text of a document that may be from a device: there the version of the connector may stand."""
    unused: tuple[str, ...] = ()
    """Names for which a value was given, and nothing asked."""
    known_names: tuple[str, ...] = ()
    """What a template would have taken a value for."""


def search(documents: Sequence[Document], given: Mapping[str, str]) -> Finds:
    """The finds of all documents, in their order."""
    objects: list[Found] = []
    texts: list[str] = []
    used: set[str] = set()
    known: list[str] = []
    for document in documents:
        templates = list(_templates(document))
        for place, template in templates:
            scope = Scope(document=document.name, template=template, given=given)
            objects += _objects_of_template(place, template, scope)
            used |= scope.used
            known += _names_of(template)
        if not templates:
            objects += _walk(document.tree, Place(document=document.name), ())
            texts += _texts(document.tree)
    return Finds(
        connectors=_with(objects, "ConnectorArn"),
        bags=tuple(found for found in objects if found.content.keys() >= _BAG),
        resources=tuple(found for found in objects if secret_arn(found.content) is not None),
        subscriptions=_with(objects, "Source", "Subject", "Target"),
        groups=tuple(found for found in objects if _is_group(found.content)),
        functions=_with(objects, "FunctionArn"),
        definitions_without_content=_with(objects, "LatestVersion"),
        texts=tuple(texts),
        unused=tuple(name for name in given if name not in used),
        known_names=tuple(known),
    )


def secret_arn(content: Mapping[str, object]) -> object | None:
    """The secret's ARN of a secret resource, which is somewhere below an object with an `Id`."""
    return None if "Id" not in content else _arn_below(content, _SECRET_ARN_DEPTH)


def named_definitions(content: Mapping[str, object]) -> tuple[str, ...]:
    """The versions of definitions that a group version is made of."""
    return tuple(
        str(arn)
        for name, arn in content.items()
        if name.endswith(_VERSION_ARN) and isinstance(arn, str) and arn
    )


def _with(objects: Sequence[Found], *keys: str) -> tuple[Found, ...]:
    return tuple(found for found in objects if all(key in found.content for key in keys))


def _is_group(content: Mapping[str, object]) -> bool:
    return any(name.endswith(_VERSION_ARN) and name != "LatestVersionArn" for name in content)


def _arn_below(content: Mapping[str, object], depth: int) -> object | None:
    for key, value in content.items():
        if key in _SECRET_ARN_KEYS and (
            isinstance(value, Partly) or (isinstance(value, str) and ":secretsmanager:" in value)
        ):
            return value
        if isinstance(value, dict) and depth:
            below = _arn_below(value, depth - 1)
            if below is not None:
                return below
    return None


def _walk(value: object, place: Place, origins: tuple[str, ...]) -> Iterator[Found]:
    """Every object, those around it first."""
    if isinstance(value, dict):
        around = _around(value, origins)
        content = {str(name): member for name, member in value.items()}
        yield Found(place=place, content=content, origins=around)
        for name, member in content.items():
            yield from _walk(member, _below(place, name), around)
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield from _walk(member, _below(place, position), origins)


def _around(value: Mapping[object, object], origins: tuple[str, ...]) -> tuple[str, ...]:
    arn = value.get("Arn")
    is_envelope = isinstance(arn, str) and any(key in value for key in _ENVELOPE)
    return (*origins, str(arn)) if is_envelope else origins


def _below(place: Place, step: str | int) -> Place:
    return Place(document=place.document, path=(*place.path, step))


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for member in value.values():
                yield from _texts(member)
        case list():
            for member in value:
                yield from _texts(member)
        case _:
            return


# Templates of CloudFormation.


def _templates(document: Document) -> Iterator[tuple[Place, Mapping[str, object]]]:
    """The document itself, or what the Serverless framework keeps below `resources`."""
    tree, place = document.tree, Place(document=document.name)
    if not isinstance(tree, dict):
        return
    for template, where in ((tree, place), (tree.get("resources"), _below(place, "resources"))):
        if isinstance(template, dict) and _is_template(template):
            yield where, template


def _is_template(tree: Mapping[str, object]) -> bool:
    resources = tree.get("Resources")
    return isinstance(resources, dict) and any(
        isinstance(resource, dict) and isinstance(resource.get("Type"), str)
        for resource in resources.values()
    )


def _objects_of_template(place: Place, template: Mapping[str, object], scope: Scope) -> Iterator[Found]:
    resources = template["Resources"]
    for logical_id, resource in resources.items() if isinstance(resources, dict) else ():
        if isinstance(resource, dict) and str(resource.get("Type")).startswith(_GREENGRASS):
            where = _below(_below(place, "Resources"), str(logical_id))
            yield from _objects_of_resource(where, resource, scope)


def _objects_of_resource(place: Place, resource: Mapping[str, object], scope: Scope) -> Iterator[Found]:
    holds = scope.condition(resource["Condition"]) if "Condition" in resource else True
    if holds is False:
        return
    properties = scope.resolve(resource.get("Properties"))
    if properties is ABSENT:
        return
    origins = (symbol(scope.document, str(place.path[-1])), *_definitions_of(properties))
    for found in _walk(properties, _below(place, "Properties"), origins):
        yield Found(
            place=found.place,
            content=found.content,
            origins=found.origins,
            doubts=names_in(holds),
        )


def _definitions_of(properties: object) -> Iterator[str]:
    """A version that stands by itself names its definition, and a group may ask for that one's latest."""
    for name, value in properties.items() if isinstance(properties, dict) else ():
        if name.endswith("DefinitionId") and isinstance(value, str):
            yield value


def _names_of(template: Mapping[str, object]) -> Iterator[str]:
    for section in ("Parameters", "Resources"):
        members = template.get(section)
        if isinstance(members, dict):
            yield from (str(name) for name in members)
