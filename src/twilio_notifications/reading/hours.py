"""What happened in each hour, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.ports.journal.reader import Hour
    from twilio_notifications.reading.times import Calendar


def table(hours: Sequence[Hour], calendar: Calendar) -> list[str]:
    """A line for each hour, between a header and the sums."""
    lines = [f"{f'HOUR ({calendar.name})':<19}  RECEIVED  SUCCEEDED  FAILED"]
    for hour in hours:
        reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(hour.failed.items()))
        lines.append(f"{calendar.day_and_time(hour.at)}{_sums([hour])}  {reasons}".rstrip())
    return [*lines, f"{'in all':<19}{_sums(hours)}"]


def _sums(hours: Sequence[Hour]) -> str:
    received, succeeded = sum(one.received for one in hours), sum(one.succeeded for one in hours)
    failed = sum(sum(one.failed.values()) for one in hours)
    return f"  {received:>8}  {succeeded:>9}  {failed:>6}"
