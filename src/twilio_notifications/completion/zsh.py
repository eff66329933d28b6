"""The script for zsh 5 and later, in the form of a function that `compinit` finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from twilio_notifications.completion.values import HELP, HELP_MEANING, Value, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.outline import Argument, Outline

_SCRIPT: Final = """\
#compdef {program}
# Completes {program} in zsh. Written by `{program} completion zsh`.

{functions}

if [[ $funcstack[1] == _{program} ]]; then
    {first} "$@"
else
    compdef {first} {program}
fi
"""


def script(whole: Outline) -> str:
    """The script."""
    return _SCRIPT.format(
        program=whole.name, first=_name(whole), functions="\n\n".join(map(_function, whole.walk()))
    )


def _function(command: Outline) -> str:
    """The function that completes one command and hands what is below it to other functions."""
    lines = [f"{_name(command)}() {{"]
    if command.commands:
        lines += ["    local curcontext=$curcontext state line", "    typeset -A opt_args"]
    specifications = [*_specifications(command)]
    lines.append("    _arguments -C \\" if command.commands else "    _arguments \\")
    lines += [f"        {one} \\" for one in specifications[:-1]]
    lines.append(f"        {specifications[-1]}")
    if command.commands:
        lines += _below(command)
    return "\n".join([*lines, "}"])


def _below(command: Outline) -> Iterator[str]:
    yield "    case $state in"
    yield "    command)"
    yield "        local -a commands=("
    for below in command.commands:
        yield f"            {_quoted(f'{below.word}:{_escaped(below.summary)}')}"
    yield "        )"
    yield "        _describe -t commands command commands"
    yield "        ;;"
    yield "    rest)"
    yield "        case $line[1] in"
    for below in command.commands:
        yield f"        {below.word}) {_name(below)} ;;"
    yield "        esac"
    yield "        ;;"
    yield "    esac"


def _specifications(command: Outline) -> Iterator[str]:
    for argument in command.arguments:
        value = f":{_escaped(argument.value)}{_action(argument)}" if argument.value else ""
        for option in argument.options:
            yield _quoted(f"{option}[{_escaped(argument.meaning)}]{value}")
        if not argument.options:
            yield _quoted(f"*{value}")
    yield _quoted(f"(- *){HELP}[{HELP_MEANING}]")
    if command.commands:
        yield "'1: :->command'"
        yield "'*:: :->rest'"


def _action(argument: Argument) -> str:
    match value_of(argument):
        case Value.WORD:
            return f":({' '.join(argument.choices)})"
        case Value.FILE:
            return ":_files"
        case Value.FOLDER:
            return ":_files -/"
        case _:
            return ": "


def _name(command: Outline) -> str:
    return "_" + re.sub(r"[ -]", "_", command.name)


def _escaped(text: str) -> str:
    """Without a meaning for `_arguments` and `_describe`."""
    return re.sub(r"([\\:\[\]])", r"\\\1", text)


def _quoted(text: str) -> str:
    escaped = text.replace("'", "'\\''")
    return f"'{escaped}'"
