"""Writes the questions for values that the files leave open: their names, and how the operator gives them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twilio_notifications.migration.partly import Hole, Partly, names_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.migration.found import PlaceInFile

_GIVEN_BY_NAME = re.compile(r"(?!Fn::)(?=.*\w)[\w.:/@()\[\]+#-]+")
"""A name that can stand before the equals sign of --set in single quotes. Any other is a piece of code."""


def question(what: str, value: object, place: PlaceInFile) -> str:
    """The question for a value with holes; `what` names the value in the sentence."""
    return asked(what, names_in(value), place)


def asked(what: str, names: Sequence[str], place: PlaceInFile) -> str:
    """The question for a value that depends on these names."""
    wanted = ", ".join(names)
    if not all(_GIVEN_BY_NAME.fullmatch(name) for name in names):
        return (
            f"{what} depends on {wanted}, which this program cannot work out: "
            f"write the value itself into a copy of the file ({place})"
        )
    ways = " ".join(f"--set '{name}=VALUE'" for name in names)
    return f"{what} depends on {wanted}, which the files do not hold: give it with {ways} ({place})"


def text_of(content: Mapping[str, object], key: str) -> str:
    """A text of an object, with the names of its holes; empty where the object has no such text."""
    value = content.get(key)
    return str(value) if isinstance(value, str | Partly) else ""


def with_word(text: str, start: int, end: int) -> Partly:
    """The text with a hole between `start` and `end`, where a word stands for a value.

    The word names the hole.
    """
    word = text[start:end]
    hole = Hole(label=word, names=(word or text,))
    return Partly(parts=tuple(part for part in (text[:start], hole, text[end:]) if part != ""))
