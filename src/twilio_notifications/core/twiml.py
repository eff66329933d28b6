"""TwiML: the document that has Twilio speak a text, and checks of what clients give for it."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from twilio_notifications.core.model import SpokenText

MAXIMUM_TWIML_CHARACTERS: Final = 4000
"""The longest TwiML that Twilio takes with a call: error 32018."""

KEY_SECONDS: Final = 5
"""How long Twilio waits for a key after the last word."""

_ROOT: Final = "Response"
_PAUSE: Final = '<Pause length="1"/>'

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})

# Characters that XML 1.0 cannot hold, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# ASCII alone: it stands in an attribute of TwiML.
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")


def is_language(text: str) -> bool:
    """Whether the text has the form of a language tag (BCP 47), such as "en-US"."""
    return _LANGUAGE.fullmatch(text) is not None


def spoken(content: SpokenText) -> str | None:
    """The document that speaks the text twice with a pause between, or once where twice does not fit.

    None where once does not fit either.
    """
    say = _say(content)
    twice = f"<{_ROOT}>{say}{_PAUSE}{say}</{_ROOT}>"
    if len(twice) <= MAXIMUM_TWIML_CHARACTERS:
        return twice
    once = spoken_once(content)
    return once if len(once) <= MAXIMUM_TWIML_CHARACTERS else None


def spoken_for_key(content: SpokenText, *, key_url: str) -> str | None:
    """The document that speaks the text and has Twilio call `key_url` when a key is pressed meanwhile.

    The hint to press a key follows the text. None where that does not fit.
    """
    say, action = _say(content), key_url.translate(_ESCAPES)
    if content.key_hint is not None:
        say += _say(replace(content, text=content.key_hint))
    for words in (f"{say}{_PAUSE}{say}", say):
        gather = f'<Gather action="{action}" numDigits="1" timeout="{KEY_SECONDS}">{words}</Gather>'
        document = f"<{_ROOT}>{gather}</{_ROOT}>"
        if len(document) <= MAXIMUM_TWIML_CHARACTERS:
            return document
    return None


def spoken_once(content: SpokenText) -> str:
    """The document that speaks the text once, however long it is."""
    return f"<{_ROOT}>{_say(content)}</{_ROOT}>"


def _say(content: SpokenText) -> str:
    text = _NO_XML.sub(" ", content.text).translate(_ESCAPES)
    attributes = {"language": content.language, "voice": content.voice}
    written = "".join(
        f' {name}="{value.translate(_ESCAPES)}"' for name, value in attributes.items() if value is not None
    )
    return f"<Say{written}>{text}</Say>"


def flaw_of(document: str) -> str | None:
    """Where the document is not well-formed XML; "" where its root is not `Response`, None where it is TwiML.

    A document type is a flaw: it may declare entities that grow without bound, and TwiML needs none.
    """
    if "<!DOCTYPE" in document:
        return "a document type is not allowed"
    try:
        root = ET.fromstring(document)  # noqa: S314 - at most 4,000 characters, and no entities
    except ET.ParseError as error:
        line, column = error.position
        return f"line {line} column {column + 1}"
    return None if root.tag == _ROOT else ""
