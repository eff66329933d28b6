"""Writes docs/reference/settings.md from config.default.toml, whose comments are the documentation.

    python -m twilio_notifications.config.reference > docs/reference/settings.md

The form of that file is part of this module's contract: a comment stands directly above what it explains,
a setting without default is a line "#key = example", and a blank line ends what belongs together.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config.keys import SETTINGS
from twilio_notifications.config.sources import DEFAULTS_FILE, defaults_text, variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SETTING = re.compile(r"(?P<unset>#?)(?P<key>[A-Za-z_][\w-]*) = (?P<value>.+)")
_SECTION = re.compile(r"\[(?P<name>[\w.]+)\]")
_OPENING = f"""\
# Settings

For those who run the connector.
Written by `python -m twilio_notifications.config.reference` from `{DEFAULTS_FILE}`: change it there.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Comment lines without their "#"."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section's heading, and the comment above it."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting by its dotted name, with its value in TOML: the default, or an example where `unset`."""

    name: str
    value: str
    unset: bool
    lines: tuple[str, ...]


def read_blocks(text: str) -> Iterator[Paragraph | Section | Setting]:
    """What stands in the file of defaults, from top to bottom."""
    section = ""
    for block in re.split(r"\n\n+", text.strip("\n")):
        *above, last = block.split("\n")
        lines = tuple(line.removeprefix("#").removeprefix(" ") for line in above)
        if heading := _SECTION.fullmatch(last):
            section = heading["name"]
            yield Section(name=section, lines=lines)
        elif setting := _SETTING.fullmatch(last):
            name = f"{section}.{setting['key']}"
            yield Setting(name=name, value=setting["value"], unset=bool(setting["unset"]), lines=lines)
        else:
            yield Paragraph(lines=(*lines, last.removeprefix("#").removeprefix(" ")))


def render(text: str) -> str:
    """The reference page for a file of defaults, in Markdown."""
    return "\n".join([_OPENING, *(_render_block(block) for block in read_blocks(text))])


def _render_block(block: Paragraph | Section | Setting) -> str:
    match block:
        case Paragraph():
            return _lines(block.lines)
        case Section():
            return _lines([f"## [{block.name}]", "", *block.lines])
        case Setting():
            return _lines([f"### {block.name}", "", *block.lines, "", *_facts(block)])


def _facts(setting: Setting) -> Iterator[str]:
    if setting.unset:
        yield f"- Not set by default; for example `{setting.value}`"
    else:
        yield f"- Default: `{setting.value}`"
    # Not in SETTINGS are the published parameters: all of them are strings.
    kind = SETTINGS.get(setting.name)
    yield f"- Value: {kind.description if kind else 'a string'}"
    yield f"- Environment: `{variable_of(setting.name)}`"


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(render(defaults_text()))
