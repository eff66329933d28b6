"""The shipped file of defaults and the page of settings, made from the declarations in `config/sections/`."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from twilio_notifications.config.kinds import Tables
from twilio_notifications.config.sections import SECTIONS
from twilio_notifications.config.sources import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.config.keys import Key, Section

_WIDTH = 108

_PAGE_OPENING = """\
# Settings

For those who run the connector.
Written by `python -m docs.generate` from `config/sections/`: change it there.
"""

_ABOUT = (
    "Every setting with its default. A configuration file and the environment replace defaults.",
    """A configuration file holds only what differs. Lines that begin with "#" and a name are settings that
    are not set by default, with an example value. Each setting can also be given by the environment, which
    wins: `TWILIO_NOTIFICATIONS__<SECTION>__<KEY>` in upper case, as in
    `TWILIO_NOTIFICATIONS__LOG__LEVEL=DEBUG`. A list there is comma-separated or JSON. An empty string for a
    setting that names a file or an ARN means that it is not set.""",
    """Durations are seconds, whole or fractional. Relative paths start from the folder of the configuration
    file, not from where the connector happens to be started: a journal must be the same one at every start.
    Relative paths in the environment, or without a configuration file, start from the working directory.""",
)


def defaults_file(sections: tuple[Section, ...] = SECTIONS) -> str:
    """A configuration file with every setting, its default or an example, and what it means."""
    blocks = [_comment(text) for text in _ABOUT]
    for section in sections:
        # Tables are comments as a whole: there are none by default.
        is_table = bool(section.example) or section.whole is not None
        header = f"#{_header(section, section.example)}" if is_table else _header(section)
        blocks.append(f"{_comment(section.text)}{header}\n")
        for name, key in section.keys.items():
            sign = "#" if is_table or key.default is None else ""
            parts = "".join(_comment(f"- {part}: {text}.") for part, text in _parts(key))
            blocks.append(f"{_comment(key.text)}{parts}{sign}{name} = {_value(key)}\n")
    return "\n".join(blocks)


def configuration_file(values: Mapping[str, object], sections: tuple[Section, ...] = SECTIONS) -> str:
    """A configuration file with these values by dotted name, and what each of them means."""
    blocks = []
    for section in sections:
        named = {name: f"{section.name}.{name}" for name in section.keys}
        given = {name: values[dotted] for name, dotted in named.items() if dotted in values}
        if given:
            blocks.append(f"[{section.name}]\n")
            blocks += [
                f"{_comment(section.keys[name].text)}{name} = {in_toml(value)}\n"
                for name, value in given.items()
            ]
    return "\n".join(blocks)


def settings_page(sections: tuple[Section, ...] = SECTIONS) -> str:
    """The reference page, in Markdown."""
    blocks = [_PAGE_OPENING, *(_wrapped(text) for text in _ABOUT)]
    for section in sections:
        # Tables have the name NAME here, which the user replaces.
        dotted = f"{section.name}.NAME" if section.example else section.name
        blocks.append(f"## {_header(section, 'NAME')}\n\n{_wrapped(section.text)}")
        if section.whole is not None:
            blocks.append(_list_facts(section, section.whole))
            continue
        for name, key in section.keys.items():
            parts = "".join(_wrapped(f"- `{part}`: {text}.") for part, text in _parts(key))
            facts = "".join(f"- {fact}\n" for fact in _facts(f"{dotted}.{name}", key))
            explained = f"{_wrapped(key.text)}\n{parts}\n" if parts else f"{_wrapped(key.text)}\n"
            blocks.append(f"### {dotted}.{name}\n\n{explained}{facts}")
    return "\n".join(blocks)


def _header(section: Section, table: str = "") -> str:
    if section.whole is not None:
        return f"[[{section.name}]]"
    return f"[{section.name}.{table}]" if section.example else f"[{section.name}]"


def _list_facts(section: Section, whole: Key) -> str:
    """The keys of each table of a list, which only the list as a whole can be given by the environment."""
    blocks = []
    for name, key in section.keys.items():
        needed = "No default" if key.is_required else "Default"
        value = f"- {needed}{'; for example' if key.is_required else ':'} `{_value(key)}`"
        blocks.append(
            f"### {section.name}: {name}\n\n{_wrapped(key.text)}\n{value}\n- Value: {key.kind.description}\n"
        )
    variable = f"`{variable_of(section.name)}`"
    return "\n".join([*blocks, f"Environment: {variable}, with {whole.kind.description}, in JSON.\n"])


def in_toml(value: object) -> str:
    """The value on one line of a configuration file; words, numbers and switches are as in JSON."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {in_toml(inner)}' for name, inner in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(in_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _facts(name: str, key: Key) -> Iterator[str]:
    otherwise = "No default" if key.is_required else "Not set by default"
    is_set = key.default is not None
    yield f"Default: `{_value(key)}`" if is_set else f"{otherwise}; for example `{_value(key)}`"
    yield f"Value: {key.kind.description}"
    yield f"Environment: `{variable_of(name)}`"


def _parts(key: Key) -> Iterator[tuple[str, str]]:
    """The keys in each table of a list of tables, with what they mean and what they must be."""
    for name, part in key.kind.keys.items() if isinstance(key.kind, Tables) else ():
        needed = "required, " if part.is_required else ""
        yield name, f"{part.text} ({needed}{part.kind.description})"


def _value(key: Key) -> str:
    return in_toml(key.example if key.default is None else key.default)


def _comment(text: str) -> str:
    return textwrap.indent(_wrapped(text), "# ")


def _wrapped(text: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)
