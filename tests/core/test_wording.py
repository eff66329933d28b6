"""How numbers stand in sentences for people."""

from __future__ import annotations

import pytest

from twilio_notifications.core.wording import counted


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 statuses"), (1, "1 status"), (2, "2 statuses"), (11, "11 statuses")]
)
def test_a_number_has_its_noun_in_the_right_form(number: int, expected: str) -> None:
    assert expected == counted(number, "status", "statuses")


def test_the_plural_is_the_noun_with_an_s() -> None:
    assert ("1 text", "2 texts") == (counted(1, "text"), counted(2, "text"))
