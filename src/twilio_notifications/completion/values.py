"""What may stand in the place of an argument's value."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.outline import Argument, Outline

HELP: Final = "--help"
HELP_MEANING: Final = "show the help and end"


class Value(Enum):
    """The kind of an argument's value, as far as a shell can complete it."""

    NONE = "the argument takes no value"
    WORD = "one of its choices"
    FILE = "a file"
    FOLDER = "a folder"
    OTHER = "something that a shell cannot know"


def value_of(argument: Argument) -> Value:
    """The kind of this argument's value; FILE and FOLDER are known by these words in its place."""
    match argument.value:
        case "":
            return Value.NONE
        case _ if argument.choices:
            return Value.WORD
        case "FILE":
            return Value.FILE
        case "FOLDER":
            return Value.FOLDER
        case _:
            return Value.OTHER


def path_of(command: Outline) -> str:
    """The words of a command without the program's name, as in "journal list"."""
    return command.name.partition(" ")[2]


def with_value(command: Outline) -> Iterator[tuple[str, Argument]]:
    """Each option of a command that takes a value, in each spelling."""
    for argument in command.arguments:
        if argument.value:
            yield from ((option, argument) for option in argument.options)
