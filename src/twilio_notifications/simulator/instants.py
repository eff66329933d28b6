"""Instants as Twilio writes and reads them: RFC 2822 in answers, days or date-times in list filters.

An instant is seconds since the epoch (UTC). Twilio keeps whole seconds, so fractions are cut off here and
nowhere else. This file never asks for the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Literal

SECONDS_OF_A_DAY = 86_400

Comparison = Literal["=", "<", ">"]


@lru_cache(maxsize=64)  # a busy second is formatted thousands of times
def _rfc2822(second: int) -> str:
    return format_datetime(datetime.fromtimestamp(second, UTC))


@lru_cache(maxsize=8)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


def rfc2822(instant: float | None) -> str | None:
    """The instant as Twilio writes it: `Thu, 24 Aug 2023 05:01:45 +0000`."""
    return None if instant is None else _rfc2822(int(instant))


def http_date(instant: float) -> bytes:
    """The instant for a `Date` header: `Thu, 24 Aug 2023 05:01:45 GMT`."""
    return _http_date(int(instant))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Whole seconds from `start` (inclusive) to `end` (exclusive); None is unbounded."""

    start: int | None
    end: int | None

    def holds(self, instant: float | None) -> bool:
        """Whether the instant lies in the window; what has not happened lies in none."""
        if instant is None:
            return False
        second = int(instant)
        return (self.start is None or self.start <= second) and (self.end is None or second < self.end)


def read_window(comparison: Comparison, value: str, *, before_includes_day: bool) -> Window | None:
    """The window that a list filter means, or None when `value` is no date.

    The two resources read `<` differently for a whole day: texts "on and before", calls "before" it.
    """
    first = _read_instant(value)
    if first is None:
        return None
    length = SECONDS_OF_A_DAY if _is_day(value) else 1
    match comparison:
        case "=":
            # a day, even where a time is given: Twilio's libraries write the date as its midnight
            start = first - first % SECONDS_OF_A_DAY
            return Window(start=start, end=start + SECONDS_OF_A_DAY)
        case ">":
            return Window(start=first, end=None)
        case "<":
            ends_after = before_includes_day or not _is_day(value)
            return Window(start=None, end=first + length if ends_after else first)


def read_iso(value: str) -> float | None:
    """The instant of an ISO 8601 date-time (UTC where it names no zone), or None."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _read_instant(value: str) -> int | None:
    instant = read_iso(value)
    if instant is not None:
        return int(instant)
    try:
        return int(parsedate_to_datetime(value).timestamp())
    except ValueError:
        return None


def _is_day(value: str) -> bool:
    return len(value) == len("2024-01-31")
