"""Texts on their way into the database and back: PostgreSQL takes every character but NUL."""

from __future__ import annotations

import re
from typing import Final

MARK: Final = "\U0010fffd"
"""Stands before a digit that says what is meant. It is for private use, and so hardly ever in a text."""

_MEANT: Final = {"0": "\x00", "1": MARK}
_MARKED: Final = re.compile(f"{MARK}([01])")


def stored(text: str) -> bytes:
    """The bytes of a text for the database. Raises UnicodeEncodeError for half a surrogate pair."""
    if "\x00" in text or MARK in text:
        text = text.replace(MARK, f"{MARK}1").replace("\x00", f"{MARK}0")
    return text.encode()


def read(stored_bytes: bytes) -> str:
    """The text that was stored."""
    text = stored_bytes.decode()
    return _MARKED.sub(lambda found: _MEANT[found[1]], text) if MARK in text else text
