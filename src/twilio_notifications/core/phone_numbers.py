"""The form of telephone numbers, and the spellings under which Twilio may record one number.

Some countries changed how their mobile numbers are dialled, and Twilio records the form that the network uses
today. So two spellings can mean the same telephone.
"""

from __future__ import annotations

import re

# ASCII digits only: `\d` would match digits of other scripts. `fullmatch` allows no newline at the end.
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")

_MEXICO = re.compile(r"\+521?(\d{10})")  # "1" after the country code is dropped since 2019
_ARGENTINA = re.compile(r"\+549?(\d{10})")  # "9" marks a mobile number that is called from abroad
_BRAZIL = re.compile(r"\+55(\d{2})9?([6-9]\d{7})")  # "9" was put before all mobile numbers until 2016

_WITHIN_TEXT = re.compile(r"\+[1-9][0-9]{6,14}")
_VISIBLE_DIGITS = 4

_SAME_END = 7
_SAME_BEGINNING = 2  # "+" and the first digit: the country code's zone


def is_e164(text: str) -> bool:
    """Whether the text is a telephone number as E.164 writes it: a plus sign, and 2 to 15 digits."""
    return _E164.fullmatch(text) is not None


def spellings(number: str) -> tuple[str, ...]:
    """The number itself, then its other known spellings."""
    known: tuple[str, ...] = ()
    if (found := _MEXICO.fullmatch(number)) is not None:
        known = (f"+52{found[1]}", f"+521{found[1]}")
    elif (found := _ARGENTINA.fullmatch(number)) is not None:
        known = (f"+54{found[1]}", f"+549{found[1]}")
    elif (found := _BRAZIL.fullmatch(number)) is not None:
        known = (f"+55{found[1]}{found[2]}", f"+55{found[1]}9{found[2]}")
    return (number, *(other for other in known if other != number))


def may_be_one(recorded: str, requested: str) -> bool:
    """Whether Twilio may have recorded `recorded` for the number `requested`.

    True for its other spellings, and for a longer or shorter number with the same zone and the same last
    seven digits: countries change only the digits between them.
    """
    return recorded in spellings(requested) or (
        recorded[:_SAME_BEGINNING] == requested[:_SAME_BEGINNING]
        and len(recorded) != len(requested)
        and min(len(recorded), len(requested)) > _SAME_END + _SAME_BEGINNING
        and recorded[-_SAME_END:] == requested[-_SAME_END:]
    )


def masked(number: str) -> str:
    """A phone number of which only the last four digits are left."""
    return "*" * max(0, len(number) - _VISIBLE_DIGITS) + number[-_VISIBLE_DIGITS:]


def with_numbers_masked(text: str) -> str:
    """The text, with each phone number in it masked: Twilio's own sentences repeat numbers."""
    return _WITHIN_TEXT.sub(lambda number: masked(number[0]), text)
