"""[[pace]], [quiet_hours] and the quiet hours of contacts, from each source."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.config.loading_steps import from_environment, from_toml, only_problem_in_toml
from tests.config.test_tables import DARLA, component
from twilio_notifications.core.pace import Rate, SenderRates
from twilio_notifications.core.quiet_hours import Day, InQuietHours, QuietHours, QuietWindow

if TYPE_CHECKING:
    from pathlib import Path

NUMBER, SERVICE = "+15005550006", "MG" + "0" * 32
ONE = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))
NIGHT = QuietWindow(
    begins=time(22), ends=time(7), zone=ZoneInfo("Europe/Berlin"), days=frozenset({Day.MONDAY, Day.SUNDAY})
)
TOML_NIGHT = '{ days = ["mon", "sun"], from = "22:00", to = "07:00", time_zone = "Europe/Berlin" }'
JSON_NIGHT = '{"days": ["mon", "sun"], "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin"}'


def test_nothing_is_paced_and_nothing_is_quiet_by_default() -> None:
    settings = from_environment()
    assert {} == settings.pace
    assert QuietHours() == settings.quiet_hours


def test_each_pace_of_the_file_becomes_the_rates_of_a_sender(tmp_path: Path) -> None:
    settings = from_toml(
        tmp_path,
        f'[[pace]]\nsender = "{NUMBER}"\n[[pace]]\nsender = "{SERVICE}"\n'
        "segments_per_second = 2.5\ncalls_per_second = 3\n",
    )
    service = SenderRates(texts=Rate.per_second(2.5), calls=Rate.per_second(3))
    assert {NUMBER: ONE, SERVICE: service} == settings.pace


def test_the_environment_gives_all_paces_as_json() -> None:
    assert {NUMBER: ONE} == from_environment(PACE=f'[{{"sender": "{NUMBER}"}}]').pace


def test_a_component_gives_paces_and_windows_as_lists() -> None:
    night = {"days": ["mon", "sun"], "from": "22:00", "to": "07:00", "time_zone": "Europe/Berlin"}
    settings = component(
        pace=[{"sender": NUMBER, "segments_per_second": 1.0}],
        quiet_hours={"windows": [night], "then": "refuse"},
    )
    assert {NUMBER: ONE} == settings.pace
    assert QuietHours(windows=(NIGHT,), then=InQuietHours.REFUSE) == settings.quiet_hours


def test_windows_are_read_from_the_file_and_the_environment(tmp_path: Path) -> None:
    expected = QuietHours(windows=(NIGHT,))
    assert expected == from_toml(tmp_path, f"[quiet_hours]\nwindows = [{TOML_NIGHT}]\n").quiet_hours
    assert expected == from_environment(QUIET_HOURS__WINDOWS=f"[{JSON_NIGHT}]").quiet_hours


def test_the_windows_of_a_contact_count_for_its_telephone_number(tmp_path: Path) -> None:
    settings = from_toml(tmp_path, f"{DARLA}quiet_hours = [{TOML_NIGHT}]\n")
    assert QuietHours(by_phone_number={"+12345000000": (NIGHT,)}) == settings.quiet_hours


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[pace]\nsender = 1\n", "pace must be a list of senders, each a table"),
        ("[[pace]]\ncalls_per_second = 1\n", "pace cannot be used: sender 1: sender is missing"),
        ('[[pace]]\nsender = "Darla"\n', "sender 1: sender must be a sender number"),
        (f'[[pace]]\nsender = "{NUMBER}"\nsegments_per_second = 0\n', "must be a number from 0.001 to 1000"),
        (
            f'[[pace]]\nsender = "{NUMBER}"\nsegments_per_second = nan\n',
            "must be a number from 0.001 to 1000",
        ),
        (f'[[pace]]\nsender = "{NUMBER}"\ntexts_per_second = 1\n', "unknown key texts_per_second"),
        (f'[[pace]]\nsender = "{NUMBER}"\n' * 2, f"pace names the sender {NUMBER} 2 times"),
        ("[log]\ncalls_per_second = 1\n", "it belongs in [[pace]]"),
        ('[quiet_hours]\nwindows = [{ from = "22:00" }]\n', "window 1: to is missing; time_zone is missing"),
        (f"[quiet_hours]\nwindows = [{TOML_NIGHT.replace('07:00', '24:00')}]\n", "to must be a time of day"),
        (
            f"[quiet_hours]\nwindows = [{TOML_NIGHT.replace('Europe/Berlin', 'Berlin')}]\n",
            "must be a time zone",
        ),
        (
            f"[quiet_hours]\nwindows = [{TOML_NIGHT.replace('Europe/Berlin', '../UTC')}]\n",
            "must be a time zone",
        ),
        (
            f"[quiet_hours]\nwindows = [{TOML_NIGHT.replace('mon', 'monday')}]\n",
            "days must be a list of days",
        ),
        (
            "[quiet_hours]\nwindows = [" + TOML_NIGHT.replace('"mon", "sun"', "") + "]\n",
            "window 1: days names no day: leave it out",
        ),
        ('[quiet_hours]\nthen = "drop"\n', 'must be one of "wait", "refuse"'),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in only_problem_in_toml(tmp_path, text)
