"""[quiet_hours]: when people are left alone. The settings are a value of the core."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from twilio_notifications.config.keys import Key, Section, Values, names_of
from twilio_notifications.config.kinds import Choice, Tables, TextList, Written
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.quiet_hours import EVERY_DAY, Day, InQuietHours, QuietHours, QuietWindow

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAYS: Final = frozenset(Day)


def _read_clock(text: str) -> time | None:
    found = _CLOCK.fullmatch(text)
    return time(int(found[1]), int(found[2])) if found else None


def _read_zone(text: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # not there, no name of a zone, or a folder of zones
        return None


_TIME = Written(description='a time of day from "00:00" to "23:59"', read=_read_clock)

WINDOW_KEYS: Mapping[str, Key] = {
    "days": Key(
        kind=TextList(
            description='a list of days, of "mon", "tue", "wed", "thu", "fri", "sat" and "sun"',
            fits=_DAYS.__contains__,
        ),
        text="""the days on which the window begins; a window over midnight ends on the day after. Left out:
        every day""",
        example=["mon", "tue", "wed", "thu", "fri"],
    ),
    "from": Key(kind=_TIME, text="when it begins", example="22:00", is_required=True),
    "to": Key(
        kind=_TIME,
        text="when it ends; at the time of from, or earlier, it ends on the next day",
        example="07:00",
        is_required=True,
    ),
    "time_zone": Key(
        kind=Written(
            description='a time zone that this system knows, as in "Europe/Berlin" (Debian: tzdata)',
            read=_read_zone,
        ),
        text="whose clock it is",
        example="Europe/Berlin",
        is_required=True,
    ),
}


def _read_window(values: Values) -> QuietWindow | Wrong:
    if values["days"] is not None and not values["days"]:
        return Wrong(demand="days names no day: leave it out where the window begins on every day")
    return QuietWindow(
        begins=values["from"],
        ends=values["to"],
        zone=values["time_zone"],
        days=frozenset(map(Day, values["days"])) if values["days"] else EVERY_DAY,
    )


WINDOWS = Tables(noun="window", keys=WINDOW_KEYS, read=_read_window)

QUIET_HOURS = Section(
    name="quiet_hours",
    text="""When people are left alone. Within a window only urgent requests and the steps of escalations
    leave. A request that would expire within the window is answered with Expired at once. Read again on
    SIGHUP.""",
    keys={
        "windows": Key(
            kind=WINDOWS,
            text="""The windows for all recipients, as in [{ from = "22:00", to = "07:00", time_zone =
            "Europe/Berlin" }]. In each window:""",
            default=[],
        ),
        "then": Key(
            kind=Choice(words=InQuietHours),
            text="""What happens to other requests: "wait" until the end of the window, or "refuse" answers
            them with NotAllowed at once.""",
            default="wait",
        ),
    },
)


def quiet_hours(values: Values) -> QuietHours:
    """The windows for all recipients, and those of contacts by their telephone numbers."""
    by_phone_number: dict[str, tuple[QuietWindow, ...]] = {}
    for name in names_of("contacts", values):
        number, windows = values[f"contacts.{name}.phone_number"], values[f"contacts.{name}.quiet_hours"]
        if windows:
            by_phone_number[number] = (*by_phone_number.get(number, ()), *windows)
    return QuietHours(
        windows=values["quiet_hours.windows"],
        by_phone_number=by_phone_number,
        then=values["quiet_hours.then"],
    )
