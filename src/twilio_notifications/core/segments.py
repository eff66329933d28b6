"""Counts the parts (segments) in which a text is sent, by the rules of GSM 03.38 and UCS-2.

One character outside the GSM-7 alphabet makes the whole text UCS-2. A part never ends inside an escaped GSM
character or a surrogate pair.
"""

from __future__ import annotations

import math

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_ESCAPED = frozenset("^{}\\[~]|€\f")  # two septets each
GSM7_ALL = GSM7 | GSM7_ESCAPED
LAST_OF_THE_FIRST_PLANE = "\uffff"  # characters after it take two units of UTF-16

GSM7_SINGLE, GSM7_PART = 160, 153
UCS2_SINGLE, UCS2_PART = 70, 67


def count_segments(body: str) -> int:
    """The number of parts; 1 for an empty text."""
    if GSM7_ALL.issuperset(body):
        return _count(body, wide=GSM7_ESCAPED, single=GSM7_SINGLE, part=GSM7_PART)
    beyond = frozenset(letter for letter in body if letter > LAST_OF_THE_FIRST_PLANE)
    return _count(body, wide=beyond, single=UCS2_SINGLE, part=UCS2_PART)


def _count(body: str, *, wide: frozenset[str], single: int, part: int) -> int:
    if wide.isdisjoint(body):
        return 1 if len(body) <= single else math.ceil(len(body) / part)
    widths = [2 if letter in wide else 1 for letter in body]
    return 1 if sum(widths) <= single else _pack(widths, part)


def _pack(widths: list[int], part: int) -> int:
    segments, used = 1, 0
    for width in widths:
        if used + width > part:
            segments, used = segments + 1, 0
        used += width
    return segments
