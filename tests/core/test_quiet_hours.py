"""Quiet hours: when they begin and end, also across each change of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.quiet_hours import (
    EVERY_DAY,
    Day,
    Quiet,
    QuietHours,
    QuietWindow,
    leaves_no_time_open,
    quiet_at,
)

BERLIN, NEW_YORK, LORD_HOWE = map(ZoneInfo, ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"))
ZONES = (BERLIN, NEW_YORK, LORD_HOWE)

# Each change of the clock in 2026 and 2027: its instant, and the wall time before and after it.
CHANGES = [
    (BERLIN, "2026-03-29T01:00Z", "02:00", "03:00"),
    (BERLIN, "2026-10-25T01:00Z", "03:00", "02:00"),
    (BERLIN, "2027-03-28T01:00Z", "02:00", "03:00"),
    (BERLIN, "2027-10-31T01:00Z", "03:00", "02:00"),
    (NEW_YORK, "2026-03-08T07:00Z", "02:00", "03:00"),
    (NEW_YORK, "2026-11-01T06:00Z", "02:00", "01:00"),
    (NEW_YORK, "2027-03-14T07:00Z", "02:00", "03:00"),
    (NEW_YORK, "2027-11-07T06:00Z", "02:00", "01:00"),
    (LORD_HOWE, "2026-04-04T15:00Z", "02:00", "01:30"),
    (LORD_HOWE, "2026-10-03T15:30Z", "02:00", "02:30"),
    (LORD_HOWE, "2027-04-03T15:00Z", "02:00", "01:30"),
    (LORD_HOWE, "2027-10-02T15:30Z", "02:00", "02:30"),
]
FORWARD = [change for change in CHANGES if change[2] < change[3]]
BACK = [change for change in CHANGES if change[2] > change[3]]


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def wall(text: str) -> time:
    return time.fromisoformat(text)


def window(begins: str, ends: str, zone: ZoneInfo = BERLIN, *days: Day) -> QuietWindow:
    return QuietWindow(begins=wall(begins), ends=wall(ends), zone=zone, days=frozenset(days) or EVERY_DAY)


def until(windows: list[QuietWindow], instant: float) -> str | None:
    quiet = quiet_at(windows, instant)
    return None if quiet is None else f"{datetime.fromtimestamp(quiet.until, UTC):%Y-%m-%dT%H:%MZ}"


def edges(one: QuietWindow, start: float, end: float) -> list[tuple[float, bool]]:
    """The minutes at which a window begins (True) or ends (False), found by asking for each minute."""
    found, before = [], quiet_at([one], start) is not None
    for minute in range(int(start), int(end), 60):
        now = quiet_at([one], minute) is not None
        if now is not before:
            found.append((float(minute), now))
        before = now
    return found


def minutes(text: str) -> int:
    return wall(text).hour * 60 + wall(text).minute


def clock(minutes_of_day: int) -> str:
    return f"{minutes_of_day // 60:02d}:{minutes_of_day % 60:02d}"


def middle(earlier: str, later: str) -> str:
    return clock((minutes(earlier) + minutes(later)) // 2)


def test_the_list_has_every_change_of_the_clock_in_two_years() -> None:
    changes = []
    for zone in ZONES:
        instant = datetime(2026, 1, 1, tzinfo=UTC)
        while instant.year < 2028:
            following = instant + timedelta(minutes=30)
            before, after = instant.astimezone(zone), following.astimezone(zone)
            if before.utcoffset() != after.utcoffset():
                reached = before + timedelta(minutes=30)
                changes.append((zone, following, f"{reached:%H:%M}", f"{after:%H:%M}"))
            instant = following
    assert [(zone, datetime.fromisoformat(when), old, new) for zone, when, old, new in CHANGES] == changes


def test_outside_of_all_windows_it_is_not_quiet() -> None:
    assert quiet_at([], at("2026-06-01T00:00Z")) is None
    assert until([window("22:00", "07:00")], at("2026-06-01T12:00Z")) is None


def test_the_first_instant_is_quiet_and_the_last_is_not() -> None:
    night = window("22:00", "07:00")
    assert "2026-06-02T05:00Z" == until([night], at("2026-06-01T20:00Z"))
    assert until([night], at("2026-06-01T19:59:59Z")) is None
    assert "2026-06-02T05:00Z" == until([night], at("2026-06-02T04:59:59Z"))
    assert until([night], at("2026-06-02T05:00Z")) is None


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    friday = window("22:00", "07:00", BERLIN, Day.FRIDAY)
    assert "2026-06-06T05:00Z" == until([friday], at("2026-06-05T23:00Z"))  # Saturday, one in the morning
    assert until([friday], at("2026-06-04T23:00Z")) is None  # Friday, one in the morning
    assert until([friday], at("2026-06-06T21:00Z")) is None


def test_a_window_to_its_own_beginning_is_a_whole_day() -> None:
    sunday = window("00:00", "00:00", BERLIN, Day.SUNDAY)
    assert "2026-06-07T22:00Z" == until([sunday], at("2026-06-06T22:00Z"))
    assert until([sunday], at("2026-06-06T21:59Z")) is None


def test_windows_that_touch_or_overlap_count_as_one() -> None:
    night, morning, noon = window("22:00", "07:00"), window("07:00", "09:00"), window("08:30", "12:00")
    assert "2026-06-02T10:00Z" == until([night, morning, noon], at("2026-06-01T23:00Z"))
    quiet = quiet_at([night, morning, noon], at("2026-06-01T23:00Z"))
    assert quiet is not None
    assert night == quiet.window


def test_windows_without_any_time_between_them_end_all_the_same() -> None:
    always = window("00:00", "00:00")
    quiet = quiet_at([always], at("2026-06-01T12:00Z"))
    assert quiet is not None
    assert at("2026-07-01T00:00Z") < quiet.until < at("2026-12-01T00:00Z")


@pytest.mark.parametrize(("zone", "change", "old", "new"), FORWARD)
def test_a_window_that_begins_or_ends_in_a_gap_does_so_after_it(
    zone: ZoneInfo, change: str, old: str, new: str
) -> None:
    inside, day = middle(old, new), datetime.fromisoformat(change).astimezone(zone)
    start, end = at(change) - 7_200, at(change) + 7_200
    begins = window(inside, f"{day.hour + 3:02d}:00", zone)
    ends = window("00:00", inside, zone)
    assert (at(change), True) == edges(begins, start, end)[0]
    assert [(at(change), False)] == [edge for edge in edges(ends, start, end) if not edge[1]]
    assert [] == edges(window(old, inside, zone), start, end)  # all of it lies in the gap


@pytest.mark.parametrize(("zone", "change", "old", "new"), BACK)
def test_of_two_equal_wall_times_the_first_begins_and_the_second_ends(
    zone: ZoneInfo, change: str, old: str, new: str
) -> None:
    twice = middle(new, old)
    length = (minutes(old) - minutes(new)) * 60
    first, second = at(change) - length / 2, at(change) + length / 2
    start, end = at(change) - 5_400, at(change) + 5_400
    assert [(first, True)] == edges(window(twice, "12:00", zone), start, end)
    assert [(second, False)] == edges(window("00:00", twice, zone), start, end)[-1:]
    assert [(first - 600, True), (second, False)] == edges(
        window(clock(minutes(twice) - 10), twice, zone), start - 3_600, end
    )


@pytest.mark.parametrize(("zone", "change", "old", "new"), CHANGES)
def test_a_night_across_a_change_ends_at_its_wall_time(
    zone: ZoneInfo, change: str, old: str, new: str
) -> None:
    night = window("22:00", "07:00", zone)
    local = datetime.fromisoformat(change).astimezone(zone)
    quiet = quiet_at([night], at(change) - 60)
    assert quiet is not None
    assert (local.date(), "07:00") == (
        datetime.fromtimestamp(quiet.until, zone).date(),
        f"{datetime.fromtimestamp(quiet.until, zone):%H:%M}",
    )
    hours = (
        quiet.until - at(f"{local.date() - timedelta(days=1)}T22:00{local - timedelta(hours=9):%z}")
    ) / 3_600
    moved = (minutes(new) - minutes(old)) / 60
    assert 9 - moved == hours


MINUTES = st.integers(0, 1_439).map(lambda minute: time(minute // 60, minute % 60))
WINDOWS = st.builds(
    QuietWindow,
    begins=MINUTES,
    ends=MINUTES,
    zone=st.sampled_from(ZONES),
    days=st.sets(st.sampled_from(Day), min_size=1).map(frozenset),
)
INSTANTS = st.integers(int(at("2026-01-01T00:00Z")), int(at("2028-01-01T00:00Z"))).map(float) | st.tuples(
    st.sampled_from(CHANGES), st.integers(-90_000, 90_000)
).map(lambda pair: at(pair[0][1]) + pair[1])


@given(st.lists(WINDOWS, max_size=4), INSTANTS)
def test_quiet_hours_end_later_than_now_and_it_is_not_quiet_then(
    windows: list[QuietWindow], now: float
) -> None:
    quiet = quiet_at(windows, now)
    if quiet is not None and quiet.until < now + 20 * 86_400:
        assert now < quiet.until
        assert quiet_at(windows, quiet.until) is None
        assert quiet_at(windows, quiet.until - 1) is not None


@given(st.lists(WINDOWS, min_size=1, max_size=4), INSTANTS)
def test_until_their_end_every_minute_is_quiet(windows: list[QuietWindow], now: float) -> None:
    quiet = quiet_at(windows, now)
    if quiet is not None:
        for instant in range(int(now), int(min(quiet.until, now + 86_400)), 600):
            assert quiet_at(windows, float(instant)) is not None


@given(WINDOWS, INSTANTS)
def test_inside_a_window_the_wall_clock_says_so(one: QuietWindow, now: float) -> None:
    """Away from the changes of the clock, the wall time alone decides."""
    near = any(abs(now - at(change)) < 90_000 for zone, change, _, _ in CHANGES if zone is one.zone)
    local = datetime.fromtimestamp(now, one.zone)
    today, yesterday = tuple(Day)[local.weekday()], tuple(Day)[local.weekday() - 1]
    if one.begins < one.ends:
        expected = one.begins <= local.time() < one.ends and today in one.days
    else:
        expected = (local.time() >= one.begins and today in one.days) or (
            local.time() < one.ends and yesterday in one.days
        )
    assert near or expected == (quiet_at([one], now) is not None)


def test_the_windows_of_a_contact_come_in_addition() -> None:
    night, noon = window("22:00", "07:00"), window("12:00", "14:00")
    hours = QuietHours(windows=(night,), by_phone_number={"+12345000000": (noon,)})
    assert (night, noon) == hours.of("+12345000000")
    assert (night,) == hours.of("+12345000001")
    assert () == QuietHours().of("+12345000000")


def test_a_window_names_itself_for_people() -> None:
    assert "22:00 to 07:00 Europe/Berlin" == str(window("22:00", "07:00"))
    assert "mon, sat 22:00 to 07:00 Europe/Berlin" == str(
        window("22:00", "07:00", BERLIN, Day.SATURDAY, Day.MONDAY)
    )
    assert Quiet(window=window("22:00", "07:00"), until=1.0) != Quiet(
        window=window("22:00", "07:00"), until=2.0
    )


@pytest.mark.parametrize("zone", ZONES)
def test_windows_that_follow_each_other_without_end_leave_no_time_open(zone: ZoneInfo) -> None:
    night, day = QuietWindow(begins=time(22), ends=time(7), zone=zone), time(7)
    assert leaves_no_time_open([night, QuietWindow(begins=day, ends=time(22), zone=zone)])
    assert leaves_no_time_open([QuietWindow(begins=day, ends=day, zone=zone)])
    assert not leaves_no_time_open([night, QuietWindow(begins=day, ends=time(21, 59), zone=zone)])
    assert not leaves_no_time_open([night])
    assert not leaves_no_time_open([])
