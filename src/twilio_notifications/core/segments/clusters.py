"""Cuts a text into grapheme clusters: what a reader sees as one character, such as a letter with its accents.

The rules are those of Unicode Standard Annex 29 as of Unicode 10, because Twilio's calculator of segments has
them: "GB9" and the like are their names there. Characters that are younger than Unicode 10 are classified by
their category.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Iterator


_PLAIN: Final = re.compile(
    r"[\t\n\r -~\u00a0-\u02ff\u0370-\u0482\u048a-\u0556\u2010-\u2027\u20a0-\u20bf\u3001-\u3029\u3041-\u3096"
    r"\u30a1-\u30fa\u4e00-\u9fff]*"
)
"""Texts in Latin, Greek, Cyrillic, Armenian, Chinese and Japanese without marks: nothing joins."""

_ZERO_WIDTH_JOINER: Final = "\u200d"
_MODIFIERS: Final = frozenset("🏻🏼🏽🏾🏿")
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_JOINING: Final = re.compile(r"[\u0e33\u0eb3\u200c\u200d\uff9e\uff9f\U000e0020-\U000e007f]")
"""Characters that join what is before them, and are no marks."""

_STANDING: Final = re.compile(
    r"[\u102b-\u102c\u1038\u1062-\u1064\u1067-\u106d\u1083\u1087-\u108c\u108f\u109a-\u109c\u1a61"
    r"\u1a63-\u1a64\uaa7b\uaa7d]"
)
"""Marks of Myanmar and Tai Tham that do not join what is before them."""

_PREPENDED: Final = re.compile(r"[\u0600-\u0605\u06dd\u070f\u08e2\u0d4e\U000110bd\U000111c2-\U000111c3]")
"""Signs that join what follows them."""

_REGIONAL: Final = re.compile(r"[\U0001f1e6-\U0001f1ff]")
"""Two of them are a flag."""

_GLUED: Final = frozenset("👦👧👨👩♀♂⚕⚖✈❤🌈🌾🍳🎓🎤🎨🏫🏭💋💻💼🔧🔬🗨🚀🚒")
"""Emoji that a zero width joiner ties to what is before it."""

_SKINNED: Final = re.compile(
    r"[👦👧👨👩\u261d\u26f9\u270a-\u270d\U0001f385\U0001f3c2-\U0001f3c4\U0001f3c7\U0001f3ca-\U0001f3cc"
    r"\U0001f442-\U0001f443\U0001f446-\U0001f450\U0001f46e\U0001f470-\U0001f478\U0001f47c"
    r"\U0001f481-\U0001f483\U0001f485-\U0001f487\U0001f4aa\U0001f574-\U0001f575\U0001f57a"
    r"\U0001f590\U0001f595-\U0001f596\U0001f645-\U0001f647\U0001f64b-\U0001f64f\U0001f6a3"
    r"\U0001f6b4-\U0001f6b6\U0001f6c0\U0001f6cc\U0001f918-\U0001f91c\U0001f91e-\U0001f91f"
    r"\U0001f926\U0001f930-\U0001f939\U0001f93d-\U0001f93e\U0001f9d1-\U0001f9dd]"
)
"""Emoji that a modifier gives another colour of skin."""

_INITIALS: Final = re.compile(r"[\u1100-\u115f\ua960-\ua97c]")
_VOWELS: Final = re.compile(r"[\u1160-\u11a7\ud7b0-\ud7c6]")
_FINALS: Final = re.compile(r"[\u11a8-\u11ff\ud7cb-\ud7fb]")
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_PER_VOWEL: Final = 28
"""Syllables for each initial and vowel; the first of them has no final consonant (Unicode, 3.12)."""


def clusters(text: str) -> Iterator[str]:
    """The clusters in their order; together they are the text."""
    if _PLAIN.fullmatch(text):
        yield from text
        return
    start = 0
    for at in range(1, len(text)):
        if not _joins(text, start, at):
            yield text[start:at]
            start = at
    if text:
        yield text[start:]


def _joins(text: str, start: int, at: int) -> bool:
    """Whether the character at `at` belongs to the cluster that begins at `start`."""
    before, letter = text[at - 1], text[at]
    if _is_control(before):  # GB4
        return False
    if letter in _MODIFIERS:  # GB10
        return _has_skin(text, start, at)
    if _is_mark(letter):  # GB9, GB9a
        return True
    if _is_control(letter):  # GB5
        return False
    if _PREPENDED.match(before):  # GB9b
        return True
    if before == _ZERO_WIDTH_JOINER:  # GB11
        return letter in _GLUED
    if _REGIONAL.match(letter):  # GB12
        return at - start == 1 and _REGIONAL.match(before) is not None
    return _is_syllable(before, letter)


def _has_skin(text: str, start: int, at: int) -> bool:
    """Whether the last character before `at` that is no mark is an emoji whose skin has a colour."""
    place = at - 1
    while place > start and _is_mark(text[place]):
        place -= 1
    return _SKINNED.match(text[place]) is not None


def _is_mark(letter: str) -> bool:
    if _JOINING.match(letter):
        return True
    return category(letter) in _MARKS and not _STANDING.match(letter)


def _is_control(letter: str) -> bool:
    return category(letter) in _CONTROLS and not (_JOINING.match(letter) or _PREPENDED.match(letter))


def _is_syllable(before: str, letter: str) -> bool:
    """Whether two letters of Hangul are parts of one syllable: GB6 to GB8."""
    is_vowel, is_final = bool(_VOWELS.match(letter)), bool(_FINALS.match(letter))
    if _INITIALS.match(before):
        return is_vowel or ord(letter) in _SYLLABLES or _INITIALS.match(letter) is not None
    if ord(before) in _SYLLABLES:
        is_open = (ord(before) - _SYLLABLES.start) % _PER_VOWEL == 0
        return is_final or (is_open and is_vowel)
    if _VOWELS.match(before):
        return is_vowel or is_final
    return is_final and _FINALS.match(before) is not None
