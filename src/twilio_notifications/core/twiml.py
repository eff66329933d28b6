"""TwiML: the document that has Twilio speak a text, and checks of what clients give for it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

if TYPE_CHECKING:
    from twilio_notifications.core.model import SpokenText

MAXIMUM_TWIML_CHARACTERS: Final = 4000
"""The longest TwiML that Twilio takes with a call: error 32018."""

KEY_SECONDS: Final = 5
"""How long Twilio waits for a key after the last word."""

_ROOT: Final = "Response"
_ENCODINGS: Final = frozenset({"UTF-8", "US-ASCII", "ASCII"})
_PAUSE: Final = '<Pause length="1"/>'

_ESCAPES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})

# Characters that XML 1.0 cannot hold, not even escaped.
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_SILENT: Final = frozenset({"Cc", "Cf"})
"""Categories of characters without a sound, next to spaces: control and format characters."""

# ASCII alone: it stands in an attribute of TwiML.
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,4}")


def is_language(text: str) -> bool:
    """Whether the text has the form of a language tag (BCP 47), such as "en-US"."""
    return _LANGUAGE.fullmatch(text) is not None


def is_speakable(text: str) -> bool:
    """Whether there is anything to hear of the text: spaces and control characters are silent."""
    return any(category[0] != "Z" and category not in _SILENT for category in map(unicodedata.category, text))


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


def spoken_with(content: SpokenText, *, key_url: str | None) -> str:
    """The document that speaks the text, twice where that fits, and takes a key where `key_url` is given.

    Twilio calls `key_url` when a key is pressed meanwhile, and the hint to press one follows the text. A text
    that fits twice alone and only once with the key loses the hint first, and then the key: what is said is
    more important than how it can be acknowledged. The document of a text that does not fit once is too long.
    """
    alone = spoken(content) or spoken_once(content)
    if key_url is None:
        return alone
    say = _say(content)
    hinted = say if content.key_hint is None else say + _say(replace(content, text=content.key_hint))
    repeats = len(alone) > len(spoken_once(content))
    action = key_url.translate(_ESCAPES)
    gather = f'<Gather action="{action}" numDigits="1" timeout="{KEY_SECONDS}">'
    for words in (hinted, say):
        said = f"{words}{_PAUSE}{words}" if repeats else words
        document = f"<{_ROOT}>{gather}{said}</Gather></{_ROOT}>"
        if len(document) <= MAXIMUM_TWIML_CHARACTERS:
            return document
    return alone


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


class _Flawed(Exception):
    """Ends the reading of a document; its argument is the flaw."""


def flaw_of(document: str) -> str | None:
    """Where the document is not well-formed XML; "" where its root is not `Response`, None where it is TwiML.

    A document type is a flaw: it may declare entities that grow without bound, and TwiML needs none. So is a
    declared encoding that is not UTF-8 or ASCII: the document leaves in UTF-8.
    """
    names: list[str] = []
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _refuse_document_type
    parser.XmlDeclHandler = _check_encoding
    parser.StartElementHandler = lambda name, _: names.append(name)
    try:
        parser.Parse(document, True)  # noqa: FBT003 - the parser takes no names
    except _Flawed as flaw:
        return str(flaw)
    except expat.ExpatError as error:
        return f"line {error.lineno} column {error.offset + 1}"
    return None if names[0] == _ROOT else ""


def _refuse_document_type(*_: object) -> None:
    raise _Flawed("a document type is not allowed")


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.upper() not in _ENCODINGS:
        raise _Flawed("its encoding must be UTF-8: declare that, or none")
