"""Walks over one document and collects the objects that concern the connector, wherever they stand.

The walk looks at shapes and not at paths: a connector has a `ConnectorArn`, a subscription has `Source`,
`Subject` and `Target`. So any command may have printed a document, and any device may have arranged it.
The walk visits both branches of every `Fn::If` and the parts that a condition leaves out, so that notes can
name them. A part that it cannot read becomes an `Unread`. It judges no object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters import CONNECTOR_NAME, PublishedParameter
from twilio_notifications.core.wording import shown
from twilio_notifications.migration.found import Find, Mention, PlaceInFile, Unread
from twilio_notifications.migration.intrinsics import TemplateScope, symbol
from twilio_notifications.migration.partly import Partly, names_in
from twilio_notifications.migration.shapes import canonical, is_of_interest, phone_masked
from twilio_notifications.migration.templates import FOR_EACH, SILENT, included, is_template, joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.migration.documents import Document

_ENVELOPE = ("Definition", "InitialVersion")
_HOLDERS = frozenset(
    {"connectors", "subscriptions", "initialversion", "definition", "properties", "resources", "content"}
)
"""Members that hold objects of a group; a text or an open value in their place hides such objects."""
_OURS = frozenset({"connectors", "subscriptions"})
_DEFINITIONS_OF_OURS = ("AWS::Greengrass::Connector", "AWS::Greengrass::Subscription")
_TOPICS = frozenset({"twilio/txt", "twilio/call", "twilio/message/status"})
_FILE = re.compile(r"file\(([^)]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """The conditions and definitions around a place, which hold for all places below it."""

    origins: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    absent: str = ""
    assumed: tuple[str, ...] = ()
    is_ours: bool = False


@dataclass(slots=True, kw_only=True)
class Walk:
    """The walk over one document. After `go`, its lists hold the finds."""

    document: Document
    given: Mapping[str, str]
    objects: list[Find] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    definitions: set[str] = field(default_factory=set)
    scope: TemplateScope = field(init=False)
    _cautious: TemplateScope = field(init=False)

    def __post_init__(self) -> None:
        template = joined(self.document.tree)
        self.scope, self._cautious = (
            TemplateScope(
                document=self.document.name,
                template=template,
                given=self.given,
                trusts_defaults=trusts_defaults,
            )
            for trusts_defaults in (True, False)
        )

    def go(self) -> None:
        """Walks over the whole document.

        Raises ConfigurationError where functions make the document too large.
        """
        self._visit(self.document.tree, PlaceInFile(document=self.document.name), _Around())

    def _visit(self, value: object, place: PlaceInFile, around: _Around) -> None:
        match value:
            case dict():
                self._visit_object(value, place, around)
            case list():
                for position, member in enumerate(value):
                    self._visit(member, place.below(position), around)
            case str():
                self._visit_text(value, place, around)
            case _:
                return

    def _visit_object(self, value: Mapping[object, object], place: PlaceInFile, around: _Around) -> None:
        function = _function_of(value)
        if function is not None:
            self._visit_function(function, value, place, around)
            return
        arn = value.get("Arn")
        envelope = (arn,) if isinstance(arn, str) and any(map(value.__contains__, _ENVELOPE)) else ()
        self.definitions |= set(envelope)
        inside = replace(around, origins=(*around.origins, *envelope))
        content = canonical(value)
        if is_of_interest(content):
            self._find(content, place, inside)
        is_a_template = is_template(value)
        for key, member in value.items():
            name = str(key)
            if name in set(PublishedParameter):
                self.mentions.append(Mention(place=place.below(name), text=name))
            if is_a_template and name == "Resources" and isinstance(member, dict):
                self._visit_resources(member, place.below(name), inside)
            elif name.startswith("Fn::"):
                self._visit_function(name, {name: member}, place.below(name), inside)
            elif name == "Transform":
                # A transform of the whole template that inserts a text hides the text.
                transforms = member if isinstance(member, list) else [member]
                for transform in filter(included, transforms):
                    self._cannot_read(transform, place.below(name), inside)
            elif not (is_a_template and name in SILENT):
                ours = inside.is_ours or name.casefold() in _OURS
                self._visit(member, place.below(name), replace(inside, is_ours=ours))

    def _find(self, content: Mapping[str, object], place: PlaceInFile, around: _Around) -> None:
        resolved = self.scope.resolve(dict(content))
        if not isinstance(resolved, dict):
            return
        for end in ("Source", "Target"):
            # A plain word may stand for an ARN; the operator gives the ARN under this word.
            if isinstance(resolved.get(end), str) and resolved[end] in self.given:
                resolved[end] = self.scope.ask(str(resolved[end]))
        rests_on = list(around.assumed)
        if "Parameters" in self.scope.template:
            rests_on += self._defaults_in(self._cautious.resolve(dict(content)))
        self.objects.append(
            Find(
                place=place,
                content=resolved,
                origins=around.origins,
                doubts=around.doubts,
                absent=around.absent,
                assumed={name: self._shown_default(name) for name in rests_on},
            )
        )

    # Functions in place of an object or a list.

    def _visit_function(
        self, name: str, value: Mapping[object, object], place: PlaceInFile, around: _Around
    ) -> None:
        argument = next(iter(value.values()))
        match name, argument:
            case "Fn::If", [condition, when_true, when_false]:
                for position, branch, wanted in ((1, when_true, True), (2, when_false, False)):
                    inside = self._under(str(condition), around, wanted=wanted)
                    self._visit(branch, place.below("Fn::If").below(position), inside)
            case "Fn::Transform", _:
                self._cannot_read(argument, place, around)
            case _ if name.startswith(FOR_EACH):
                self._visit_loop(name, argument, place, around)
            case _:
                self._visit_value(value, place, around)

    def _visit_value(self, value: Mapping[object, object], place: PlaceInFile, around: _Around) -> None:
        resolved = self.scope.resolve(dict(value))
        if isinstance(resolved, Partly):
            self._note_hidden(resolved, place, around)
            self._mention(resolved.shape, place)
        elif isinstance(resolved, str):
            self._mention(resolved, place)

    def _visit_text(self, text: str, place: PlaceInFile, around: _Around) -> None:
        self._mention(text, place)
        resolved = self.scope.resolve(text) if "{" in text or "$" in text else text
        if isinstance(resolved, Partly):
            self._note_hidden(resolved, place, around)
        elif text and _last_name(place) in _OURS:
            sentence = f"the text {shown(text)} stands there, where an object is expected"
            self._add_unread(sentence, place, around, file="")

    def _mention(self, text: str, place: PlaceInFile) -> None:
        is_subscribed = text in _TOPICS and any("subscription" in str(step).casefold() for step in place.path)
        if f"/connectors/{CONNECTOR_NAME}" in text or is_subscribed:
            self.mentions.append(Mention(place=place, text=text))

    def _note_hidden(self, value: Partly, place: PlaceInFile, around: _Around) -> None:
        """Notes a value that is open as a whole in a place for an object or a list of a group."""
        if not value.is_whole or _last_name(place) not in _HOLDERS:
            return
        label = str(value)
        file = _FILE.search(label)
        sentence = f"what stands there is {shown(label)}, and may hold connectors or subscriptions"
        self._add_unread(sentence, place, around, file=file[1] if file else "")

    def _cannot_read(self, argument: object, place: PlaceInFile, around: _Around) -> None:
        location = included(argument)
        if location is None:
            self._add_unread("a transform (Fn::Transform) puts in what stands there", place, around, file="")
        else:
            self._add_unread(f"{shown(location)} is included there", place, around, file=location)

    def _add_unread(self, sentence: str, place: PlaceInFile, around: _Around, *, file: str) -> None:
        self.unread.append(
            Unread(place=place, sentence=sentence, is_ours=around.is_ours, absent=around.absent, file=file)
        )

    def _visit_loop(self, name: str, argument: object, place: PlaceInFile, around: _Around) -> None:
        match argument:
            case [str(variable), _, dict(body)]:
                self.notes.append(
                    f"{name} repeats what stands in it, and is carried over once: what depends on "
                    f"{variable} is asked for ({place})"
                )
                self._visit_resources(body, place.below(2), around)
            case _:
                self._add_unread(f"a loop ({name}) makes what stands there", place, around, file="")

    # Templates.

    def _visit_resources(
        self, resources: Mapping[object, object], place: PlaceInFile, around: _Around
    ) -> None:
        for key, resource in resources.items():
            logical_id = str(key)
            where = place.below(logical_id)
            if logical_id.startswith("Fn::"):
                self._visit_function(logical_id, {logical_id: resource}, where, around)
            elif isinstance(resource, dict) and isinstance(resource.get("Type"), str):
                self._visit_resource(logical_id, resource, where, around)
            else:
                self._visit(resource, where, around)

    def _visit_resource(
        self, logical_id: str, resource: Mapping[str, object], place: PlaceInFile, around: _Around
    ) -> None:
        kind = str(resource["Type"])
        if kind == "AWS::CloudFormation::Stack":
            self._add_nested_stack(resource, place, around)
            return
        inside = around
        if "Condition" in resource:
            inside = self._under(str(resource["Condition"]), around, wanted=True)
        origins = (symbol(self.document.name, logical_id), *self._definitions_of(resource.get("Properties")))
        inside = replace(
            inside,
            origins=(*inside.origins, *origins),
            is_ours=inside.is_ours or kind.startswith(_DEFINITIONS_OF_OURS),
        )
        self._visit(resource.get("Properties"), place.below("Properties"), inside)

    def _add_nested_stack(self, resource: Mapping[str, object], place: PlaceInFile, around: _Around) -> None:
        properties = resource.get("Properties")
        url = properties.get("TemplateURL") if isinstance(properties, dict) else None
        file = url if isinstance(url, str) else ""
        self._add_unread(
            f"a nested stack is made there of {shown(file or 'a template')}", place, around, file=file
        )

    def _definitions_of(self, properties: object) -> Iterator[str]:
        """The definitions that a resource for a version names.

        A group may refer to a definition's latest version.
        """
        for name, value in properties.items() if isinstance(properties, dict) else ():
            if str(name).endswith("DefinitionId"):
                resolved = self.scope.resolve(value)
                if isinstance(resolved, str):
                    yield resolved

    def _under(self, condition: str, around: _Around, *, wanted: bool) -> _Around:
        """The conditions below `condition`, in the branch where it is as `wanted` says."""
        holds = self.scope.condition(condition)
        if isinstance(holds, Partly):
            return replace(around, doubts=(*around.doubts, *holds.names))
        cautious = self._cautious.condition(condition)
        defaults = self._defaults_in(cautious)
        if holds is wanted:
            return replace(around, assumed=(*around.assumed, *defaults))
        verb = "holds" if holds else "does not hold"
        sentence = f"the condition {condition} {verb}"
        if defaults:
            shown_ones = " and ".join(f"{name} ({self._shown_default(name)})" for name in defaults)
            ways = " ".join(f"--set '{name}=VALUE'" for name in defaults)
            sentence += (
                f" with the default of {shown_ones}; if the stack was made with another, give it with {ways}"
            )
        return replace(around, absent=around.absent or sentence)

    def _defaults_in(self, value: object) -> list[str]:
        return [name for name in names_in(value) if self.scope.default(name) is not None]

    def _shown_default(self, name: str) -> str:
        """The default of a parameter for messages; a phone number shows its last four digits."""
        return shown(phone_masked(str(self.scope.default(name))))


def _function_of(value: Mapping[object, object]) -> str | None:
    """The name of the CloudFormation function that this object calls; None where it calls none."""
    if len(value) != 1:
        return None
    name = str(next(iter(value)))
    return name if name == "Ref" or name.startswith("Fn::") else None


def _last_name(place: PlaceInFile) -> str:
    """The innermost name around a place, without functions and positions in a list."""
    names = [step for step in place.path if isinstance(step, str) and not step.startswith("Fn::")]
    return names[-1].casefold() if names else ""
