"""The number of parts of a text, as Twilio counts and charges them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twilio_notifications.core.segments import GSM7, GSM7_ALL, count_segments


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("", 1),
        ("Hello from the edge", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 152 + "€" + "x" * 152, 3),  # the escaped one is not split, so the first part ends early
        ("x" * 151 + "€" + "x" * 153, 2),  # both parts are full
        ("ü" * 160, 1),  # GSM-7 has it
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),  # 33 pairs to a part, the 34th would be split
        ("x" * 159 + "ж", 3),  # one letter outside GSM-7 turns all of it to UCS-2
        ("👨‍👩‍👧‍👦" * 6, 1),  # eleven units each
        ("👨‍👩‍👧‍👦" * 7, 2),
        ("👨‍👩‍👧‍👦" * 13, 3),  # six to a part: a family is not split
        ("🇩🇪" * 33, 3),  # sixteen flags to a part
        ("ж" * 66 + "e\u0301" + "ж" * 66, 3),  # an accent stays with its letter
        ("e" + "\u0301" * 133, 2),  # and where there are too many of them, they are split all the same
    ],
)
def test_a_text_takes_so_many_parts(body: str, segments: int) -> None:
    assert segments == count_segments(body)


def test_the_alphabet_has_127_letters_besides_the_escape() -> None:
    assert 127 == len(GSM7)
    assert 137 == len(GSM7_ALL)


@given(st.text(max_size=1_600), st.text(max_size=20))
def test_a_longer_text_never_takes_fewer_parts(body: str, more: str) -> None:
    assert count_segments(body) <= count_segments(body + more)


@given(st.text(alphabet=sorted(GSM7), min_size=161, max_size=1_600))
def test_plain_letters_fill_their_parts(body: str) -> None:
    segments = count_segments(body)
    assert (segments - 1) * 153 < len(body) <= segments * 153
