"""The shipped file of defaults and the page of settings, made from the declarations in `config/sections/`."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from twilio_notifications.config.sections import SECTIONS
from twilio_notifications.config.sources import variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        blocks.append(f"{_comment(section.text)}[{section.name}]\n")
        for name, key in section.keys.items():
            sign = "" if key.default is not None else "#"
            blocks.append(f"{_comment(key.text)}{sign}{name} = {_in_toml(key)}\n")
    return "\n".join(blocks)


def settings_page(sections: tuple[Section, ...] = SECTIONS) -> str:
    """The reference page, in Markdown."""
    blocks = [_PAGE_OPENING, *(_wrapped(text) for text in _ABOUT)]
    for section in sections:
        blocks.append(f"## [{section.name}]\n\n{_wrapped(section.text)}")
        for name, key in section.keys.items():
            facts = "".join(f"- {fact}\n" for fact in _facts(f"{section.name}.{name}", key))
            blocks.append(f"### {section.name}.{name}\n\n{_wrapped(key.text)}\n{facts}")
    return "\n".join(blocks)


def _facts(name: str, key: Key) -> Iterator[str]:
    is_set = key.default is not None
    yield f"Default: `{_in_toml(key)}`" if is_set else f"Not set by default; for example `{_in_toml(key)}`"
    yield f"Value: {key.kind.description}"
    yield f"Environment: `{variable_of(name)}`"


def _in_toml(key: Key) -> str:
    """The default or the example: words, numbers, switches and lists of them are written as in JSON."""
    return json.dumps(key.example if key.default is None else key.default, ensure_ascii=False)


def _comment(text: str) -> str:
    return textwrap.indent(_wrapped(text), "# ")


def _wrapped(text: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)
