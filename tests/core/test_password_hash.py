"""Passwords as hashes: what fits, and which texts are hashes."""

from __future__ import annotations

import pytest

from twilio_notifications.core.password_hash import MOST_CHARACTERS, hash_of, read_password_hash

SALT = b"sixteen bytes..!"
CHEAP = 14
MADE = hash_of("correct horse", salt=SALT, cost=CHEAP)


def test_the_password_fits_and_no_other() -> None:
    assert MADE.fits("correct horse")
    for other in ("", "correct horse ", "Correct horse", "correct horse\0"):
        assert not MADE.fits(other)


def test_what_is_written_is_read_again() -> None:
    assert MADE == read_password_hash(str(MADE))
    assert str(MADE).startswith("scrypt:14:")


def test_it_is_the_hash_of_rfc_7914() -> None:
    """The third test vector of section 12, cut to our length: N = 16384, r = 8, p = 1."""
    made = hash_of("pleaseletmein", salt=b"SodiumChloride", cost=14)
    assert "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2" == made.digest.hex()


def test_neither_the_hash_nor_its_salt_is_in_its_repr() -> None:
    assert "sixteen" not in repr(MADE)
    assert MADE.digest.hex() not in repr(MADE)


def test_another_salt_makes_another_hash() -> None:
    assert MADE.digest != hash_of("correct horse", salt=b"another 16 bytes", cost=CHEAP).digest


def test_a_password_without_end_fits_nothing_and_takes_no_longer() -> None:
    longest = hash_of("x" * MOST_CHARACTERS, salt=SALT, cost=CHEAP)
    assert longest.fits("x" * MOST_CHARACTERS)
    assert not longest.fits("x" * (MOST_CHARACTERS + 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "correct horse",
        "scrypt:99:AAAAAAAAAAAAAAAAAAAAAA:" + "A" * 43,
        "scrypt:15:AAAA:" + "A" * 43,
        "scrypt:15:AAAAAAAAAAAAAAAAAAAAAA:AAAA",
        "scrypt:15:AAAAAAAAAAAAAAAAAAAAA$:" + "A" * 43,
        "SCRYPT" + str(MADE)[6:],
        str(MADE) + "\n",
    ],
)
def test_other_texts_are_no_hashes(text: str) -> None:
    assert read_password_hash(text) is None


@pytest.mark.parametrize("password", ["pässwörd", "\ud800", "🔑" * 8])
def test_any_characters_make_a_password(password: str) -> None:
    assert hash_of(password, salt=SALT, cost=CHEAP).fits(password)
