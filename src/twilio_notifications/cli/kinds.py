"""The kinds of arguments: each makes a value of the text that was typed, or says what is wrong with it."""

from __future__ import annotations

import argparse
import math
import re
import time
from datetime import datetime
from typing import TYPE_CHECKING

from twilio_notifications.config.urls import read_listen_address
from twilio_notifications.core.orders import MAXIMUM_PERSON_CHARACTERS
from twilio_notifications.core.phone_numbers import is_e164

if TYPE_CHECKING:
    from collections.abc import Callable

_HIGHEST_NUMBER = 2**63 - 1
"""SQLite counts rows with 64 bits."""

_MOST_DAYS = 36_500.0

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd])", re.ASCII)
_UNIT_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_LONGEST_SECONDS = 3_650 * 86_400.0

_SID = re.compile(r"(SM|MM|CA)[0-9a-f]{32}")
"""Texts, picture messages and calls, as in Twilio's OpenAPI description."""


def address(text: str) -> tuple[str, int]:
    """A host and a port; port 0 takes a free one."""
    found = read_listen_address(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form HOST:PORT, as in 127.0.0.1:4010")
    return found


def seconds(text: str) -> float:
    """A duration, 0 or more."""
    value = _number(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return value


def duration(text: str) -> float:
    """A duration with its unit, in seconds: more than 0, at most ten years."""
    found = _DURATION.fullmatch(text)
    value = 0.0 if found is None else float(found[1]) * _UNIT_SECONDS[found[2]]
    if not 0 < value <= _LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a duration such as 90s, 30m, 2h or 1d")
    return value


def past_instant(text: str) -> float:
    """So long ago, as in 2h, or an instant of ISO 8601, in local time where it names no zone."""
    if _DURATION.fullmatch(text):
        return time.time() - duration(text)
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a duration such as 30m, 2h or 1d nor an instant such as 2026-01-31T22:00"
        ) from None


def delivery_seed(text: str) -> str:
    """The seed of `random:SEED`."""
    kind, _, seed = text.partition(":")
    if kind != "random" or not seed:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form random:SEED, as in random:1")
    return seed


def days(text: str) -> float:
    """An age, from 0 days to a hundred years."""
    value = _number(text)
    if not 0 <= value <= _MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 0 to {_MOST_DAYS:.0f}")
    return value


def whole(minimum: int, maximum: int = _HIGHEST_NUMBER) -> Callable[[str], int]:
    """The kind of whole numbers from `minimum` to `maximum`."""

    def accept(text: str) -> int:
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdecimal() and len(digits) <= len(str(_HIGHEST_NUMBER)):
            value = int(text)
            if minimum <= value <= maximum:
                return value
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {minimum} to {maximum}")

    return accept


def phone_number(text: str) -> str:
    """A telephone number as requests have it."""
    if not is_e164(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a whole telephone number: +, country code, number, as in +12345000000"
        )
    return text


def sid(text: str) -> str:
    """The SID of a text or call."""
    if not _SID.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a SID of Twilio: SM or MM (a text) or CA (a call) and 32 hexadecimal digits"
        )
    return text


def person(text: str) -> str:
    """The name of a person."""
    if not 0 < len(text) <= MAXIMUM_PERSON_CHARACTERS:
        raise argparse.ArgumentTypeError(f"a name has 1 to {MAXIMUM_PERSON_CHARACTERS} characters")
    return text


def assignment(text: str) -> tuple[str, str]:
    """A name and its value."""
    name, separator, value = text.partition("=")
    if not (separator and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    if not text.isprintable():
        raise argparse.ArgumentTypeError(f"the value of {name!r} holds a character that is no text")
    return name, value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
