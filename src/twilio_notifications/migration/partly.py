"""Values that the files do not hold completely: what is missing, and what the value could still be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ANY = "\0"
"""Stands in a shape for any text, also for none."""
SEGMENT = "\1"
"""The same without a colon, as a part of an ARN is."""
_LARGEST_COMPARISON = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One missing part of a text.

    `names` are what has to be known, `like` is a shape that the part certainly has, and `choices` are all
    values that it can have, where these are known.
    """

    label: str
    names: tuple[str, ...]
    like: str = ANY
    choices: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Partly:
    """A value with at least one hole. A value that is no text, as a list that is open, is a single hole."""

    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> tuple[Hole, ...]:
        return tuple(part for part in self.parts if isinstance(part, Hole))

    @property
    def names(self) -> tuple[str, ...]:
        """What has to be known, each name once."""
        return tuple(dict.fromkeys(name for hole in self.holes for name in hole.names))

    @property
    def choices(self) -> tuple[object, ...]:
        """All values that the whole can have, or nothing where these are not known."""
        return self.holes[0].choices if len(self.parts) == 1 else ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the value is known, so that it may be an object or a list, too."""
        return len(self.parts) == 1

    @property
    def shape(self) -> str:
        """The text with ANY, or inside an ARN with SEGMENT, where something is missing."""
        is_arn = isinstance(self.parts[0], str) and self.parts[0].startswith("arn:")
        inside = SEGMENT if is_arn else ANY
        shapes = [part.like.replace(ANY, inside) if isinstance(part, Hole) else part for part in self.parts]
        last = self.parts[-1]
        return "".join([*shapes[:-1], last.like if isinstance(last, Hole) else last])

    def __str__(self) -> str:
        return "".join(f"${{{part.label}}}" if isinstance(part, Hole) else part for part in self.parts)


class Absent:
    """What `AWS::NoValue` stands for: the property is not there."""


ABSENT = Absent()


def missing(name: str, *, like: str = ANY) -> Partly:
    """A value of which only the name is known."""
    return Partly(parts=(Hole(label=name[:300], names=(name,), like=like),))


def one_of(choices: tuple[object, ...], *, names: tuple[str, ...], label: str) -> Partly:
    """One of these values; which one depends on the names."""
    return Partly(parts=(Hole(label=label, names=names, choices=choices),))


def shape_of(value: object) -> str | None:
    """The shape of a text, or None where the value is certainly no text."""
    match value:
        case Partly():
            return value.shape
        case str():
            return value
        case _:
            return None


def can_be(shape: str, other: str) -> bool:
    """Whether some text has both shapes."""
    if len(shape) * len(other) > _LARGEST_COMPARISON:
        return True
    places = _with_skipped({0}, other)
    for character in shape:
        if character == ANY:
            places = set(range(min(places), len(other) + 1))
        elif character == SEGMENT:
            places = _with_skipped(_up_to_colon(places, other), other)
        else:
            places = _with_skipped(_after(character, places, other), other)
        if not places:
            return False
    return len(other) in places


def _after(character: str, places: set[int], shape: str) -> set[int]:
    """Where it goes on after a character that certainly stands there."""
    after = {place + 1 for place in places if shape[place : place + 1] == character}
    wild = {ANY} if character == ":" else {ANY, SEGMENT}
    return after | {place for place in places if shape[place : place + 1] in wild}


def _up_to_colon(places: set[int], shape: str) -> set[int]:
    """Where it goes on after any text without a colon."""
    reached: set[int] = set()
    for place in places:
        end = shape.find(":", place)
        reached |= set(range(place, (len(shape) if end < 0 else end) + 1))
    return reached


def _with_skipped(places: set[int], shape: str) -> set[int]:
    """ANY and SEGMENT may stand for no text at all."""
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
    """What is missing anywhere in a resolved value, each name once."""
    return tuple(dict.fromkeys(_names(value)))
