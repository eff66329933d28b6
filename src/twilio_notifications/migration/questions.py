"""What could not be resolved, asked for by name, and how it is to be given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twilio_notifications.migration.partly import Hole, Partly, names_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.migration.found import Place

_GIVEN_BY_NAME = re.compile(r"(?!Fn::)(?=.*\w)[\w.:/@()\[\]+#-]+")
"""What can stand before the equals sign of --set, in single quotes; anything else is a piece of code."""


def question(what: str, value: object, place: Place) -> str:
    """For a value that the files leave open."""
    return asked(what, names_in(value), place)


def asked(what: str, names: Sequence[str], place: Place) -> str:
    """For what depends on these names."""
    wanted = ", ".join(names)
    if not all(_GIVEN_BY_NAME.fullmatch(name) for name in names):
        return (
            f"{what} depends on {wanted}, which this program cannot work out: "
            f"write the value itself into a copy of the file ({place})"
        )
    ways = " ".join(f"--set '{name}=VALUE'" for name in names)
    return f"{what} depends on {wanted}, which the files do not hold: give it with {ways} ({place})"


def text_of(content: Mapping[str, object], key: str) -> str:
    """A text of an object, or nothing; what is missing in it has its name in it."""
    value = content.get(key)
    return str(value) if isinstance(value, str | Partly) else ""


def with_word(text: str, start: int, end: int) -> Partly:
    """A text in which a word stands where a value is expected; the word is the name of what is missing."""
    word = text[start:end]
    hole = Hole(label=word, names=(word or text,))
    return Partly(parts=tuple(part for part in (text[:start], hole, text[end:]) if part != ""))
