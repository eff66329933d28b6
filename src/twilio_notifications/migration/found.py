"""The values that the search hands to the judgements: each find, and where it stands.

Every element of the input that could concern the connector is one of these, including open elements, elements
that a condition leaves out, and elements that this program cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.migration.documents import ReadingRemark

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceInFile:
    """A place in a file: the file's name, and the path inside it."""

    document: str
    path: Path = ()

    def __str__(self) -> str:
        path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return f"{self.document}, at {path.lstrip('.')}" if path else self.document

    @property
    def parent(self) -> PlaceInFile:
        return PlaceInFile(document=self.document, path=self.path[:-1])

    def below(self, step: str | int) -> PlaceInFile:
        return PlaceInFile(document=self.document, path=(*self.path, step))

    def is_around(self, inner: PlaceInFile) -> bool:
        """Whether the inner place is this one or stands below it."""
        return self.document == inner.document and self.path == inner.path[: len(self.path)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """An object that concerns the connector, with what its template says about the object."""

    place: PlaceInFile
    content: Mapping[str, object]
    origins: tuple[str, ...] = ()
    """The definitions around it, by ARN or symbol."""
    doubts: tuple[str, ...] = ()
    """Names whose values decide whether the object exists at all."""
    absent: str = ""
    """The sentence why a condition leaves the object out; empty where none does."""
    assumed: Mapping[str, str] | None = None
    """The defaults of the template's parameters on which the content, or its presence, rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A part that may hold a connector or subscriptions and cannot be read.

    `is_ours` is true inside a definition of connectors or of subscriptions: then the migration would lose
    one.
    """

    place: PlaceInFile
    sentence: str
    is_ours: bool
    absent: str = ""
    file: str = ""
    """The name of the file that has the part, where one is named."""

    @property
    def remedy(self) -> str:
        if self.file:
            return "give that file, too, or write its content into a copy of this one"
        return "write it out in a copy of the file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A text or a name that mentions the connector.

    An object around it accounts for it, or a note names it.
    """

    place: PlaceInFile
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finds:
    """Everything that was found in all documents."""

    connectors: tuple[Find, ...] = ()
    bags: tuple[Find, ...] = ()
    """Maps with the connector's parameters outside of any connector, as in a device's files."""
    resources: tuple[Find, ...] = ()
    subscriptions: tuple[Find, ...] = ()
    groups: tuple[Find, ...] = ()
    functions: tuple[Find, ...] = ()
    definitions_without_content: tuple[Find, ...] = ()
    """Objects that name a version of a definition and do not hold its content."""
    definitions: frozenset[str] = frozenset()
    """The ARNs of all definitions whose content is there."""
    unread: tuple[Unread, ...] = ()
    mentions: tuple[Mention, ...] = ()
    remarks: tuple[ReadingRemark, ...] = ()
    texts: tuple[str, ...] = ()
    """All texts of documents that may come from a device: one may have the version of the connector."""
    unused: tuple[str, ...] = ()
    """Names for which the operator gave a value and no document asks."""
    known_names: tuple[str, ...] = ()
    """Names for which a template would take a value."""
