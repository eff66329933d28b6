"""Instants and durations as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.wording import counted

if TYPE_CHECKING:
    from datetime import tzinfo

_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """By which zone instants are shown. None: that of this machine."""

    zone: tzinfo | None = None

    @property
    def name(self) -> str:
        """Of the zone, for the header of a list."""
        return "UTC" if self.zone is UTC else "local"

    def whole(self, at: float) -> str:
        """Day and time: "2026-01-31 12:00:00", with the distance to UTC where the zone is another one."""
        shown = self._local(at)
        return f"{shown:%Y-%m-%d %H:%M:%S}{'Z' if self.zone is UTC else f' {shown:%z}'}"

    def day_and_time(self, at: float) -> str:
        """The same without the zone, for what stands below a header."""
        return f"{self._local(at):%Y-%m-%d %H:%M:%S}"

    def short(self, at: float) -> str:
        """Without the year."""
        return f"{self._local(at):%m-%d %H:%M:%S}"

    def near(self, at: float, *, now: float) -> str:
        """The time alone where that is on the same day as now."""
        shown, today = self._local(at), self._local(now)
        if shown.date() == today.date():
            return f"{shown:%H:%M:%S}"
        return f"{shown:%m-%d %H:%M}" if shown.year == today.year else f"{shown:%Y-%m-%d %H:%M}"

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, UTC).astimezone(self.zone)


def precise(at: float) -> str:
    """The instant in UTC to the millisecond, as machines read it: "2026-01-31T12:00:00.000Z"."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """The two largest units: "2 hours 5 minutes"."""
    left, parts = max(0, round(seconds)), list[str]()
    for unit, noun in _UNITS:
        number, left = divmod(left, unit)
        if number or (unit == 1 and not parts):
            parts.append(counted(number, noun))
    return " ".join(parts[:2])
