"""How numbers, values, instants and names stand in sentences for people."""

from __future__ import annotations

import pytest

from twilio_notifications.core.wording import counted, instant, shown, suggestion


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 statuses"), (1, "1 status"), (2, "2 statuses"), (11, "11 statuses")]
)
def test_a_number_has_its_noun_in_the_right_form(number: int, expected: str) -> None:
    assert expected == counted(number, "status", "statuses")


def test_the_plural_is_the_noun_with_an_s() -> None:
    assert ("1 text", "2 texts") == (counted(1, "text"), counted(2, "text"))


def test_a_long_value_is_cut_where_it_is_shown() -> None:
    assert "'x'" == shown("x")
    assert 201 == len(shown("x" * 10_000))


def test_an_instant_is_shown_in_utc_and_whole_seconds() -> None:
    assert "2023-11-14T22:13:20Z" == instant(1_700_000_000.9)


def test_a_suggestion_is_the_close_name_or_all_of_them() -> None:
    assert "did you mean level?" == suggestion("LEVL", ["level", "format"])
    assert "known are level, format" == suggestion("colour", ["level", "format"])
