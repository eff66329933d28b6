"""Values with holes: which parts the files do not hold, and which texts the whole value could be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = "\0"
"""Stands in a shape for any text, the empty one included."""
SEGMENT = "\1"
"""Stands in a shape for any text without a colon, as between two colons of an ARN."""
_LARGEST_COMPARISON = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One missing part of a text.

    `names` are the names whose values decide it, `like` is a shape that it certainly has, and `choices` are
    all values that it can have, or empty where these are not known.
    """

    label: str
    names: tuple[str, ...]
    like: str = ANY
    choices: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partly:
    """A value with at least one hole.

    An open value that is no text, a list for instance, is a single hole.
    """

    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> tuple[Hole, ...]:
        return tuple(part for part in self.parts if isinstance(part, Hole))

    @property
    def names(self) -> tuple[str, ...]:
        """The names whose values decide this one, each once."""
        return tuple(dict.fromkeys(name for hole in self.holes for name in hole.names))

    @property
    def choices(self) -> tuple[object, ...]:
        """All values that the whole can have; empty where these are not known."""
        return self.holes[0].choices if len(self.parts) == 1 else ()

    @property
    def is_whole(self) -> bool:
        """Whether no part of the value is known, so that it may also be an object or a list."""
        return len(self.parts) == 1

    @property
    def shape(self) -> str:
        """The text with ANY in place of each hole, or with SEGMENT inside an ARN."""
        is_arn = isinstance(self.parts[0], str) and self.parts[0].startswith("arn:")
        inside = SEGMENT if is_arn else ANY
        shapes = [part.like.replace(ANY, inside) if isinstance(part, Hole) else part for part in self.parts]
        last = self.parts[-1]
        return "".join([*shapes[:-1], last.like if isinstance(last, Hole) else last])

    def __str__(self) -> str:
        return "".join(f"${{{part.label}}}" if isinstance(part, Hole) else part for part in self.parts)


@dataclass(frozen=True, slots=True)
class NoValue:
    """The value of `AWS::NoValue`, which removes its property."""


ABSENT = NoValue()


def missing(name: str, *, like: str = ANY) -> Partly:
    """A value that is one hole, with this name."""
    return Partly(parts=(Hole(label=name[:300], names=(name,), like=like),))


def one_of(choices: tuple[object, ...], *, names: tuple[str, ...], label: str) -> Partly:
    """One of these values; which one depends on the names."""
    return Partly(parts=(Hole(label=label, names=names, choices=choices),))


def shape_of(value: object) -> str | None:
    """The shape of a text; None where the value is certainly no text."""
    match value:
        case Partly():
            return value.shape
        case str():
            return value
        case _:
            return None


def can_be(shape: str, other: str) -> bool:
    """Whether some text has both shapes; true as well where the comparison would take too long."""
    if len(shape) * len(other) > _LARGEST_COMPARISON:
        return True
    places = _with_skipped({0}, other)
    for character in shape:
        if character == ANY:
            places = set(range(min(places), len(other) + 1))
        elif character == SEGMENT:
            places = _with_skipped(_up_to_colon(places, other), other)
        else:
            wild = {ANY} if character == ":" else {ANY, SEGMENT}
            after = {place + 1 for place in places if other[place : place + 1] == character}
            after |= {place for place in places if other[place : place + 1] in wild}
            places = _with_skipped(after, other)
        if not places:
            return False
    return len(other) in places


def _up_to_colon(places: set[int], shape: str) -> set[int]:
    """The places that any text without a colon can lead to."""
    reached: set[int] = set()
    for place in places:
        end = shape.find(":", place)
        reached |= set(range(place, (len(shape) if end < 0 else end) + 1))
    return reached


def _with_skipped(places: set[int], shape: str) -> set[int]:
    """The places, and those behind each ANY and SEGMENT there, which may stand for the empty text."""
    skipped = set(places)
    for place in places:
        end = place
        while shape[end : end + 1] in (ANY, SEGMENT):
            end += 1
            skipped.add(end)
    return skipped


def _names(value: object) -> Iterator[str]:
    match value:
        case Partly():
            yield from value.names
        case list():
            for part in value:
                yield from _names(part)
        case dict():
            for part in value.values():
                yield from _names(part)
        case _:
            return


def names_in(value: object) -> tuple[str, ...]:
    """The names of all holes anywhere in a resolved value, each once."""
    return tuple(dict.fromkeys(_names(value)))
