"""The script for fish 3 and later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.completion.values import (
    HELP,
    HELP_MEANING,
    Value,
    path_of,
    value_of,
    with_value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.outline import Argument, Outline

_SCRIPT: Final = """\
# Completes {program} in fish. Written by `{program} completion fish`.

function __twilio_notifications_at --description 'whether this command is being typed'
    set -l words (commandline -opc)
    set -e words[1]
    set -l at ''
    set -l skip 0
    for word in $words
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at $word"
{steps}
        end
    end
    test "$at" = "$argv[1]"
end

complete -c {program} -f
{completions}
"""


def script(whole: Outline) -> str:
    """The script."""
    return _SCRIPT.format(
        program=whole.name, steps="\n".join(_steps(whole)), completions="\n".join(_completions(whole))
    )


def _steps(whole: Outline) -> Iterator[str]:
    for command in whole.walk():
        path = path_of(command)
        for below in command.commands:
            yield f"            case {_quoted(f'{path} {below.word}')}"
            yield f"                set at {_quoted(path_of(below))}"
        if skipped := " ".join(_quoted(f"{path} {option}") for option, _ in with_value(command)):
            yield f"            case {skipped}"
            yield "                set skip 1"


def _completions(whole: Outline) -> Iterator[str]:
    for command in whole.walk():
        begin = (
            f"complete -c {whole.name} -n {_quoted(f'__twilio_notifications_at {_quoted(path_of(command))}')}"
        )
        for below in command.commands:
            yield f"{begin} -a {below.word} -d {_quoted(below.summary)}"
        for argument in command.arguments:
            if line := _completion(argument):
                yield f"{begin} {line}"
        yield f"{begin} -l {HELP.removeprefix('--')} -d {_quoted(HELP_MEANING)}"


def _completion(argument: Argument) -> str:
    """What fish completes for one argument; empty where it can complete nothing."""
    options = [f"-l {option.removeprefix('--')}" for option in argument.options]
    match value_of(argument):
        case Value.NONE:
            words = options
        case Value.WORD:
            words = [*options, "-x" if options else "", f"-a {_quoted(' '.join(argument.choices))}"]
        case Value.FILE:
            words = [*options, "-r -F" if options else "-F"]
        case Value.FOLDER:
            words = [*options, "-x", "-a '(__fish_complete_directories)'"]
        case Value.OTHER:
            words = [*options, "-x"] if options else []
    return " ".join([*filter(None, words), f"-d {_quoted(argument.meaning)}"]) if words else ""


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
