"""The command line as values, read from its parser: for completion, the reference and the manual page."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument. Without `options` it is known by its position; without `value` it takes none."""

    options: tuple[str, ...]
    value: str
    choices: tuple[str, ...]
    meaning: str
    is_required: bool

    @property
    def spelling(self) -> str:
        """How it is written, as in "--config FILE"."""
        return f"{', '.join(self.options)} {self.value}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusive:
    """Arguments of which only one may be given, or has to be."""

    arguments: tuple[Argument, ...]
    is_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A command with its arguments, `--help` left out, and the commands below it.

    `name` is what is typed, as in "twilio-notifications journal list"; the arguments in `exclusive` are among
    `arguments` too. `epilog` is what stands at the end of its help.
    """

    name: str
    summary: str
    description: str
    arguments: tuple[Argument, ...]
    exclusive: tuple[Exclusive, ...]
    commands: tuple[Outline, ...]
    placeholder: str
    """What stands for one of the commands, as in "ACTION"; empty where there are none."""
    epilog: str

    @property
    def word(self) -> str:
        """The last word of the name."""
        return self.name.rpartition(" ")[2]

    @property
    def usage(self) -> str:
        """One line that shows how the command is written; what is in brackets may be left out."""
        words = [self.name]
        groups = {argument: group for group in self.exclusive for argument in group.arguments}
        for argument in self.arguments:
            group = groups.get(argument)
            if group is None:
                words.append(argument.spelling if argument.is_required else f"[{argument.spelling}]")
            elif argument is group.arguments[0]:
                choice = " | ".join(member.spelling for member in group.arguments)
                words.append(f"({choice})" if group.is_required else f"[{choice}]")
        return " ".join([*words, f"{self.placeholder} …"] if self.commands else words)

    def walk(self) -> Iterator[Outline]:
        """The command itself and all below it, in the order of the help."""
        yield self
        for command in self.commands:
            yield from command.walk()


def outline(parser: argparse.ArgumentParser, *, summary: str = "") -> Outline:
    """The outline of a parser. `summary` is its sentence in the help of the command above it."""
    # argparse shows what a parser takes nowhere else than in its private members.
    arguments = {
        id(action): _argument(action)
        for action in parser._actions  # noqa: SLF001
        if not isinstance(action, argparse._HelpAction | argparse._SubParsersAction)  # noqa: SLF001
    }
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    exclusive = [
        Exclusive(
            arguments=tuple(arguments[id(action)] for action in group._group_actions),  # noqa: SLF001
            is_required=group.required,
        )
        for group in parser._mutually_exclusive_groups  # noqa: SLF001
    ]
    return Outline(
        name=parser.prog,
        summary=summary,
        description=parser.description or "",
        arguments=tuple(arguments.values()),
        exclusive=tuple(exclusive),
        commands=tuple(child for action in below for child in _commands(action)),
        placeholder=str(below[0].metavar or "") if below else "",
        epilog=parser.epilog or "",
    )


def _commands(action: argparse._SubParsersAction[argparse.ArgumentParser]) -> Iterator[Outline]:
    summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}  # noqa: SLF001
    for name, parser in action.choices.items():
        yield outline(parser, summary=summaries.get(name, ""))


def _argument(action: argparse.Action) -> Argument:
    choices = tuple(map(str, action.choices or ()))
    is_version = isinstance(action, argparse._VersionAction)  # noqa: SLF001
    value = "" if action.nargs == 0 else str(action.metavar or "|".join(choices) or action.dest.upper())
    return Argument(
        options=tuple(action.option_strings),
        value=value,
        choices=choices,
        meaning="prints the version and ends" if is_version else action.help or "",
        is_required=action.required or not action.option_strings,
    )
