"""Makes a sent text and a recorded text comparable: Twilio may change a text before it records it.

Smart encoding (a default of messaging services) replaces look-alikes by plain characters, so that a text
takes fewer segments: https://www.twilio.com/docs/messaging/features/smart-encoding. Programs also differ
in line ends and in the way they write one letter in Unicode. This module removes every difference that a
reader cannot see.
"""

from __future__ import annotations

import unicodedata
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TRIAL_PREFIX = "Sent from your Twilio trial account - "
"""Twilio puts these words before every text of a trial account."""

_LOOK_ALIKES: Final[Mapping[str, str]] = MappingProxyType(
    {
        '"': "\u00ab\u00bb\u201c\u201d\u201e\u201f\u02ba\u02dd\u02ee\u2033\u2036\u275d\u275e\u301d\u301e",
        "'": "\u00b4\u0060\u2018\u2019\u201a\u201b\u02bb\u02bc\u02bd\u02c8\u02b9\u2032\u2035\u275b\u275c",
        "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u207b\u208b\u00ad\ufe58\ufe63\uff0d",
        "/": "\u00f7\u2044\u2215\u29f8",
        "\\": "\u2216\u29f5\u29f9\ufe68",
        "|": "\u2223\u01c0\u2758",
        "<": "\u2039\u2329\u276e\u27e8",
        ">": "\u203a\u232a\u276f\u27e9",
        "*": "\u2022\u2217\u204e\u26b9\u00b7\u2219",
        "!": "\u01c3",
        ":": "\u02d0\u2236\ua789",
        ";": "\u037e",
        ",": "\u060c\u066c\u3001\u02cc",
        "~": "\u02dc\u223c\u2053\u301c",
        "^": "\u02c6\u2303\u02c4",
        "_": "\u02cd\u2017\ufe4d\ufe4e\ufe4f",
        "?": "\u203d\ufffd",
        "%": "\u066a\u2052",
        "#": "\u2317",
        "{": "\u2774",
        "}": "\u2775",
        "(": "\u2768\u276a",
        ")": "\u2769\u276b",
    }
)
"""Each plain character, with the look-alikes that smart encoding or a keyboard's correction exchanges with
it."""

_PLAIN: Final = str.maketrans(
    {look_alike: plain for plain, group in _LOOK_ALIKES.items() for look_alike in group}
)

_INVISIBLE: Final = frozenset({"Cf", "Cc", "Cs"})  # format and control characters, halves of surrogate pairs
_VARIATIONS: Final = range(0xFE00, 0xFE10)  # variation selectors: they choose how an emoji is drawn


def comparable(body: str) -> str:
    """The text without everything that may change on the way; only for comparisons, never shown to people."""
    spaced = unicodedata.normalize("NFC", body.removeprefix(TRIAL_PREFIX))
    plain = unicodedata.normalize("NFKC", spaced.translate(_PLAIN)).translate(_PLAIN)
    kept = (
        " " if character.isspace() else character
        for character in plain
        if character.isspace()
        or not (unicodedata.category(character) in _INVISIBLE or ord(character) in _VARIATIONS)
    )
    return " ".join("".join(kept).split())
