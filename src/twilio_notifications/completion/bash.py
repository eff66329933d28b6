"""The script for bash 4 and later; it needs no other package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.completion.values import HELP, Value, path_of, value_of, with_value

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.outline import Argument, Outline

_SCRIPT: Final = """\
# Completes {program} in bash. Written by `{program} completion bash`.

_twilio_notifications() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    local at="" number words="" options="" kind=words
    # bash takes "--option=value" for three words.
    if [[ $current == "=" ]]; then
        current=""
    elif [[ $before == "=" ]]; then
        before=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for ((number = 1; number < COMP_CWORD; number++)); do
        case "$at ${{COMP_WORDS[number]}}" in
{steps}
        esac
    done
    case "$at $before" in
{values}
    *)
        case "$at" in
{words}
        esac
        ;;
    esac
    [[ $words && $current != -* ]] || words="$words $options"
    COMPREPLY=()
    case $kind in
    words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current") ;;
    files)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        ;;
    folders)
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
        ;;
    esac
}}

complete -F _twilio_notifications {program}
"""


def script(whole: Outline) -> str:
    """The script."""
    return _SCRIPT.format(
        program=whole.name,
        steps="\n".join(_steps(whole)),
        values="\n".join(_values(whole)),
        words="\n".join(_words(whole)),
    )


def _steps(whole: Outline) -> Iterator[str]:
    """How a word changes the command that is being typed; the value of an option is no command."""
    for command in whole.walk():
        path = path_of(command)
        for below in command.commands:
            yield f'        "{path} {below.word}") at="{path_of(below)}" ;;'
        if skipped := "|".join(f'"{path} {option}"' for option, _ in with_value(command)):
            yield f"        {skipped}) ((number++)) ;;"


def _values(whole: Outline) -> Iterator[str]:
    for command in whole.walk():
        for option, argument in with_value(command):
            yield f'    "{path_of(command)} {option}") {_completes(argument)} ;;'


def _completes(argument: Argument) -> str:
    match value_of(argument):
        case Value.WORD:
            return f'words="{" ".join(argument.choices)}"'
        case Value.FILE:
            return "kind=files"
        case Value.FOLDER:
            return "kind=folders"
        case _:
            return "kind=nothing"


def _words(whole: Outline) -> Iterator[str]:
    """Commands and the choices of positions, options, and whether a position takes a file.

    Options are offered where there is nothing else, or a dash is typed.
    """
    for command in whole.walk():
        positions = [argument for argument in command.arguments if not argument.options]
        words = [
            *(below.word for below in command.commands),
            *(choice for argument in positions for choice in argument.choices),
        ]
        options = [*(option for argument in command.arguments for option in argument.options), HELP]
        files = any(value_of(argument) is Value.FILE for argument in positions)
        assigned = f'words="{" ".join(words)}" options="{" ".join(options)}"'
        otherwise = "; [[ $current == -* ]] || kind=files" if files else ""
        yield f'        "{path_of(command)}") {assigned}{otherwise} ;;'
