"""The manual page, in the macros of man(7), from the outline of the command line."""  # noqa: INP001 - no package

from __future__ import annotations

import re
import textwrap
from importlib.metadata import version
from typing import TYPE_CHECKING

from twilio_notifications.config import CONFIG_VARIABLE
from twilio_notifications.config.sources import FILE_NAME, PREFIX, SYSTEM_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.outline import Outline

EXIT_CODES: Mapping[str, str] = {
    "0": "The command did what it is for; run ends with it after SIGTERM or SIGINT.",
    "1": "It failed while running, or something that it looked at does not work.",
    "2": "The command line or the configuration is wrong. Nothing was started.",
    "3": "An order is written, and no connector has carried it out within --wait.",
    "130": "Ctrl-C interrupted the command.",
}

FILES: Mapping[str, str] = {
    f"./{FILE_NAME}, {SYSTEM_FOLDER}/{FILE_NAME}": "The configuration, where --config names no file.",
    f"{SYSTEM_FOLDER}/twilio-auth-token": "The auth token of a service, which init writes.",
    "journal/journal.db, next to the configuration": "The journal, unless [journal] url says another place.",
}

ENVIRONMENT: Mapping[str, str] = {
    CONFIG_VARIABLE: "The configuration file, where --config names none.",
    f"{PREFIX}SECTION__KEY": "Any setting, in upper case. It wins over the file.",
    "TWILIO_AUTH_TOKEN": "The auth token, unless [secrets] says another place.",
}


def manual_page(whole: Outline) -> str:
    """The page in section 1, for the program with all its commands."""
    name = whole.name
    release = f"{name} {version(name)}"
    return "\n".join(
        [
            '.\\" Written by `python -m docs.generate` from the arguments in cli/: change them there.',
            f'.TH {_plain(name.upper())} 1 "" "{_plain(release)}" "User Commands"',
            # Words are neither broken nor spread: people copy them.
            ".nh",
            ".ad l",
            ".SH NAME",
            f"{_plain(name)} \\- texts and calls by MQTT, made by Twilio, with a status for each",
            ".SH SYNOPSIS",
            *(line for command in whole.walk() if not command.commands for line in _synopsis(command)),
            ".SH DESCRIPTION",
            *_text(whole.description),
            ".PP",
            *_text(
                "Requests come from an MQTT broker or a Greengrass V2 nucleus. "
                "Twilio sends the text or makes the call, and a status is published for each request."
            ),
            ".SH OPTIONS",
            *_arguments(whole),
            ".SH COMMANDS",
            *(line for command in whole.walk() if command is not whole for line in _command(command)),
            *_section("EXIT STATUS", EXIT_CODES),
            *_section("ENVIRONMENT", ENVIRONMENT),
            *_section("FILES", FILES),
            "",
        ]
    )


def _synopsis(command: Outline) -> Iterator[str]:
    yield ".HP"
    arguments = command.usage.removeprefix(command.name).strip()
    yield f"\\fB{_plain(command.name)}\\fR {_plain(arguments)}".rstrip()


def _command(command: Outline) -> Iterator[str]:
    yield f".SS {_plain(command.name.partition(' ')[2])}"
    yield from _text(command.description)
    yield from _arguments(command)


def _arguments(command: Outline) -> Iterator[str]:
    for argument in command.arguments:
        yield ".TP"
        names = ", ".join(f"\\fB{_plain(option)}\\fR" for option in argument.options)
        value = f"\\fI{_plain(argument.value)}\\fR" if argument.value else ""
        yield f"{names} {value}".strip()
        yield from _text(argument.meaning)


def _section(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    yield f".SH {title}"
    for name, meaning in rows.items():
        yield ".TP"
        yield f"\\fB{_plain(name)}\\fR"
        yield from _text(meaning)


def _text(text: str) -> Iterator[str]:
    """Short lines, and each sentence on lines of its own, as troff wants it to space them."""
    for sentence in re.split(r"(?<=[.:?]) (?=[A-Z\"])", text):
        for line in textwrap.wrap(_plain(sentence), 78, break_long_words=False, break_on_hyphens=False):
            yield f"\\&{line}" if line.startswith((".", "'")) else line


def _plain(text: str) -> str:
    """The text without a meaning for troff, and with hyphens that can be copied as such."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
