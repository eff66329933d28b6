"""Counts the parts (segments) in which a text is sent, by the rules of GSM 03.38 and UCS-2.

One character outside the GSM-7 alphabet makes the whole text UCS-2. A part never ends inside an escaped GSM
character or inside what a reader sees as one character.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.segments.alphabet import GSM7_ALL, GSM7_ESCAPED
from twilio_notifications.core.segments.clusters import clusters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

GSM7_SINGLE: Final = 160
GSM7_PART: Final = 153
"""In septets. Each of several parts has a header of six octets."""

UCS2_SINGLE: Final = 70
UCS2_PART: Final = 67
"""In units of UTF-16."""

LAST_OF_THE_FIRST_PLANE: Final = "\uffff"
"""Characters after it take two units of UTF-16."""


def count_segments(body: str) -> int:
    """The number of parts; 1 for an empty text."""
    if GSM7_ALL.issuperset(body):
        return _septets(body)
    units = sum(map(_units, body))
    return 1 if units <= UCS2_SINGLE else _pack(_pieces(body), UCS2_PART)


def _septets(body: str) -> int:
    if GSM7_ESCAPED.isdisjoint(body):
        return 1 if len(body) <= GSM7_SINGLE else math.ceil(len(body) / GSM7_PART)
    widths = [2 if letter in GSM7_ESCAPED else 1 for letter in body]
    return 1 if sum(widths) <= GSM7_SINGLE else _pack(widths, GSM7_PART)


def _units(letter: str) -> int:
    return 2 if letter > LAST_OF_THE_FIRST_PLANE else 1


def _pieces(body: str) -> Iterator[int]:
    """The widths of what a part never ends inside of. A cluster that fits into no part is split anywhere."""
    for cluster in clusters(body):
        widths = [_units(letter) for letter in cluster]
        if sum(widths) <= UCS2_PART:
            yield sum(widths)
        else:
            yield from widths


def _pack(widths: Iterable[int], part: int) -> int:
    segments, used = 1, 0
    for width in widths:
        if used + width > part:
            segments, used = segments + 1, 0
        used += width
    return segments
