"""When people are left alone: windows of the wall clock, on some days of the week, in a time zone.

A window is kept as wall time and zone, and its instants are computed for each day, because a clock may
be set forward or back in between. Where a wall time does not exist that day, the first instant after the gap
counts. Where it comes twice, a window begins at the first and ends at the second. Instants are seconds since
the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import tzinfo

_ONE_DAY: Final = timedelta(days=1)
_DAYS_AROUND: Final = range(-2, 2)
"""Days on which a window that covers an instant may begin, counted from the date of the instant."""

_ANY_INSTANT: Final = 1_767_225_600.0
"""Windows repeat each week, so it does not matter from where they are followed."""

_MOST_JOINED: Final = 64
"""The most windows that are followed one after the other: a month of nights and days."""


class Day(StrEnum):
    """A day of the week, in the order of `date.weekday`."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


EVERY_DAY: Final = frozenset(Day)
_WEEK: Final = tuple(Day)


class InQuietHours(StrEnum):
    """What becomes of a normal or low request within a window."""

    WAIT = "wait"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietWindow:
    """From one wall time to another; to the same or an earlier one: it ends on the next day.

    `days` are those on which it begins.
    """

    begins: time
    ends: time
    zone: tzinfo
    days: frozenset[Day] = EVERY_DAY

    def __str__(self) -> str:
        named = "" if self.days == EVERY_DAY else f"{', '.join(day for day in Day if day in self.days)} "
        return f"{named}{self.begins:%H:%M} to {self.ends:%H:%M} {self.zone}"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """The operator's windows."""

    windows: tuple[QuietWindow, ...] = ()
    """For every recipient."""
    by_phone_number: Mapping[str, tuple[QuietWindow, ...]] = field(default_factory=dict)
    """The windows of contacts, in addition."""
    then: InQuietHours = InQuietHours.WAIT

    def of(self, phone_number: str) -> tuple[QuietWindow, ...]:
        """The windows that count for this telephone."""
        return (*self.windows, *self.by_phone_number.get(phone_number, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """An instant lies within a window."""

    window: QuietWindow
    until: float
    """When the next request may leave: windows that overlap or touch count as one."""


def quiet_at(windows: Iterable[QuietWindow], at: float) -> Quiet | None:
    """The window around an instant, and until when it is quiet; None outside of all windows.

    Where windows leave no time open for a month, `until` lies in the middle of one: to be asked again then.
    """
    windows = tuple(windows)
    first = _latest(windows, at)
    if first is None:
        return None
    until = first.until
    for _ in range(_MOST_JOINED):
        following = _latest(windows, until)
        if following is None:
            break
        until = following.until
    return Quiet(window=first.window, until=until)


def leaves_no_time_open(windows: Iterable[QuietWindow]) -> bool:
    """Whether these windows follow each other without end, so that only urgent requests ever leave."""
    windows = tuple(windows)
    quiet = quiet_at(windows, _ANY_INSTANT)
    return quiet is not None and quiet_at(windows, quiet.until) is not None


def _latest(windows: Iterable[QuietWindow], at: float) -> Quiet | None:
    """Of the windows around an instant, the one that ends last."""
    around = [
        Quiet(window=window, until=ends)
        for window in windows
        for begins, ends in _occurrences(window, at)
        if begins <= at < ends
    ]
    return max(around, key=lambda quiet: quiet.until, default=None)


def _occurrences(window: QuietWindow, at: float) -> Iterator[tuple[float, float]]:
    """The beginnings and ends of a window on the days around an instant."""
    today = datetime.fromtimestamp(at, window.zone).date()
    for offset in _DAYS_AROUND:
        day = today + offset * _ONE_DAY
        if _WEEK[day.weekday()] in window.days:
            last_day = day if window.ends > window.begins else day + _ONE_DAY
            begins = _instant(day, window.begins, window.zone, is_second=False)
            yield begins, _instant(last_day, window.ends, window.zone, is_second=True)


def _instant(day: date, wall: time, zone: tzinfo, *, is_second: bool) -> float:
    """The instant of a wall time; of two equal ones the first or the second, of none the end of the gap."""
    earlier, later = (datetime.combine(day, wall, zone).replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    if earlier <= later:
        return (later if is_second else earlier).timestamp()
    # In a gap, fold 0 reads the wall time with the offset before it, and fold 1 with the offset after it.
    return _change_between(later.timestamp(), earlier.timestamp(), zone)


def _change_between(before: float, after: float, zone: tzinfo) -> float:
    """The instant between these two at which the offset of the zone changes, in whole seconds."""
    low, high = int(before), int(after)
    old = datetime.fromtimestamp(low, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return float(high)
