"""What the search finds in the documents, and where: values that cross from the search to those who judge.

Every element of the input that could concern the connector is one of these, also what is open, what a
condition leaves out, and what this program cannot read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.migration.documents import Remark

Path = tuple[str | int, ...]


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

    def below(self, step: str | int) -> Place:
        return Place(document=self.document, path=(*self.path, step))

    def is_around(self, inner: Place) -> bool:
        """Whether the inner place is this one or stands below it."""
        return self.document == inner.document and self.path == inner.path[: len(self.path)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An object that concerns the connector, with what its template says about it."""

    place: Place
    content: Mapping[str, object]
    origins: tuple[str, ...] = ()
    """The definitions around it, by ARN or symbol."""
    doubts: tuple[str, ...] = ()
    """What has to be known to say whether it is there at all."""
    absent: str = ""
    """Why a condition leaves it out, or empty where none does."""
    assumed: Mapping[str, str] | None = None
    """The defaults of the template's parameters on which the content, or its presence, rests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A part that may hold a connector or subscriptions and cannot be read.

    `is_ours` where it stands in a definition of connectors or of subscriptions, so that something is lost
    for certain.
    """

    place: Place
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
    """A text or a name that speaks of the connector. It is accounted for by an object around it, or noted."""

    place: Place
    text: str


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
    definitions: frozenset[str] = frozenset()
    """The ARNs of all definitions whose content is there."""
    unread: tuple[Unread, ...] = ()
    mentions: tuple[Mention, ...] = ()
    remarks: tuple[Remark, ...] = ()
    texts: tuple[str, ...] = ()
    """Every text of a document that may be from a device: there the version of the connector may stand."""
    unused: tuple[str, ...] = ()
    """Names for which a value was given, and nothing asked."""
    known_names: tuple[str, ...] = ()
    """What a template would have taken a value for."""
