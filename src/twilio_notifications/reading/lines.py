"""What is read of a journal → lines that a person reads on a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.twilio_codes import sentence
from twilio_notifications.terminal import fitted, printable, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.ports.journal.reader import Entry, WaitNow
    from twilio_notifications.reading.times import Calendar

WIDEST_ID: Final = 20
"""Columns of a client's id in a list; `show` prints all of it."""

NARROWEST_ID: Final = 6

WIDEST_NAME: Final = 16

LAST_COLUMNS: Final = 24
"""Columns that an id leaves to the last column, where it can."""

FULL_DATE: Final = 140
"""Columns of a terminal from which on a list has room for the year."""

_GAP: Final = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Lists requests, a line each, of at most `width` columns. Names have a column where they are whole."""

    calendar: Calendar
    width: int
    now: float
    names: bool

    def lines(self, entries: Sequence[Entry], *, header: bool = True) -> list[str]:
        """The lines, each column as wide as its widest cell."""
        title = ["NUMBER", f"ACCEPTED ({self.calendar.name})", "VIA", "TO", "STATE", "ID", "WHAT"]
        if self.names:
            title.insert(4, "NAME")
        rows = [title, *(self._cells(entry) for entry in entries)]
        widths = [max(width_of(row[place]) for row in rows) for place in range(len(title) - 2)]
        last = min(LAST_COLUMNS, max(width_of(row[-1]) for row in rows))
        left = self.width - sum(widths) - len(_GAP) * (len(title) - 1) - last
        widest = max(width_of(row[-2]) for row in rows)
        widths.append(min(widest, max(NARROWEST_ID, min(left, WIDEST_ID))))
        return [self._line(row, widths) for row in (rows if header else rows[1:])]

    def _cells(self, entry: Entry) -> list[str]:
        at, calendar = entry.accepted_at, self.calendar
        return [
            str(entry.number),
            calendar.day_and_time(at) if self.width >= FULL_DATE else calendar.short(at),
            entry.channel,
            printable(entry.phone_number or ""),
            *([fitted(printable(entry.name or ""), WIDEST_NAME)] if self.names else []),
            entry.state,
            printable(str(entry.id)),
            printable(became(entry, calendar=calendar, now=self.now)),
        ]

    def _line(self, cells: list[str], widths: list[int]) -> str:
        number, *texts, last = cells
        columns = [fitted(cell, width) for cell, width in zip(texts, widths[1:], strict=True)]
        padded = [
            cell + " " * (width - width_of(cell)) for cell, width in zip(columns, widths[1:], strict=True)
        ]
        return fitted(_GAP.join([number.rjust(widths[0]), *padded, last]), self.width).rstrip()


def became(entry: Entry, *, calendar: Calendar, now: float) -> str:
    """In a few words what became of a request, or for what it waits."""
    parts = [escalation(entry), _outcome(entry, calendar=calendar, now=now), entry.remark]
    return "; ".join(part for part in parts if part)


def _outcome(entry: Entry, *, calendar: Calendar, now: float) -> str:
    if entry.waits is not None:
        waits = wait(entry.waits, attempts=entry.attempts, calendar=calendar, now=now)
        expires = entry.expires_at
        return waits if expires is None else f"{waits}; expires {calendar.near(expires, now=now)}"
    if entry.state is State.OPEN:
        return "an attempt is under way"
    if entry.state is State.IN_DOUBT:
        return "whether it was sent is not known yet: Twilio's records are looked up"
    if entry.reason is not None:
        return f"{entry.reason}: {entry.message}" if entry.message else entry.reason
    if entry.delivery is None:
        return "success"
    code = entry.delivery.code
    return entry.delivery.state if code is None else f"{entry.delivery.state}: {sentence(code)}"


def escalation(entry: Entry) -> str:
    """How the chain of the request stands, in a few words."""
    chain = entry.escalation
    if chain is None:
        return ""
    if chain.ending is None:
        return f"escalation {chain.escalation} waits for a person"
    by = f" by {chain.by}" if chain.by else ""
    return f"escalation {chain.escalation} {chain.ending}{by}"


def wait(waits: WaitNow, *, attempts: int, calendar: Calendar, now: float) -> str:
    """The reason of the wait, and its end."""
    reason = waits.reason or ("waits for a place" if attempts else "not attempted yet")
    if waits.behind is not None:
        return f"{reason}, behind request {waits.behind}"
    if waits.until is None:
        return f"{reason}, its end is not known"
    return f"{reason}, " + (
        "due now" if waits.until <= now else f"until {calendar.near(waits.until, now=now)}"
    )
