"""Signing in and out: names, passwords, tokens, and how wrong tries are slowed down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.console.console_steps import NAME, PASSWORD, TOKEN, Desk
from tests.support.clock import HandClock
from twilio_notifications.console.sessions import MOST_ENDED, SessionCookies
from twilio_notifications.console.sign_in import (
    FREE_TRIES,
    FREE_TRIES_OF_AN_ADDRESS,
    LONGEST_PAUSE_SECONDS,
    MOST_REMEMBERED,
    Brake,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

START = HandClock().now()
ADDRESS = "192.0.2.1"


@pytest.fixture
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with Desk(folder, signs_in=True) as desk:
        yield desk


async def test_a_person_signs_in_and_comes_to_the_page_that_was_asked_for(desk: Desk) -> None:
    answer = await desk.sign_in(next="/requests/1")
    assert 303 == answer.status_code
    assert "/requests/1" == answer.headers["location"]
    assert NAME in (await desk.get("/requests/1")).text


async def test_a_token_signs_in_without_a_name(desk: Desk) -> None:
    answer = await desk.send("/sign-in", password=TOKEN)
    assert 303 == answer.status_code
    assert "token" in (await desk.get("/")).text


@pytest.mark.parametrize(
    ("name", "password"),
    [
        (NAME, "wrong"),
        (NAME, ""),
        (NAME, TOKEN),
        (NAME, PASSWORD + " "),
        (NAME, PASSWORD + "x" * 5000),
        ("other", PASSWORD),
        ("", PASSWORD),
        ("", ""),
    ],
)
async def test_anything_else_does_not(desk: Desk, name: str, password: str) -> None:
    answer = await desk.sign_in(name=name, password=password)
    assert 403 == answer.status_code
    assert 303 == (await desk.get("/")).status_code
    assert ["console_sign_in_refused"] == [line.name for line in desk.events.lines]


async def test_a_sign_in_gives_the_browser_another_session(desk: Desk) -> None:
    """A session that another page had planted would be signed in with it otherwise."""
    await desk.get("/sign-in")
    before = dict(desk.browser.cookies)
    await desk.sign_in()
    assert before != dict(desk.browser.cookies)
    desk.browser.cookies.clear()
    desk.browser.cookies.update(before)
    assert 303 == (await desk.get("/")).status_code


async def test_after_signing_out_the_old_cookie_is_none(desk: Desk) -> None:
    await desk.sign_in()
    signed_in = dict(desk.browser.cookies)
    answer = await desk.send("/sign-out", page="/")
    assert "/sign-in" == answer.headers["location"]
    desk.browser.cookies.clear()
    desk.browser.cookies.update(signed_in)
    assert 303 == (await desk.get("/")).status_code


async def test_wrong_passwords_are_slowed_down_and_the_right_one_waits_too(desk: Desk) -> None:
    for _ in range(FREE_TRIES):
        assert 403 == (await desk.sign_in(password="wrong")).status_code
    slowed = await desk.sign_in()
    assert 429 == slowed.status_code
    assert "1" == slowed.headers["retry-after"]
    await desk.clock.advance(1)
    assert 303 == (await desk.sign_in()).status_code


async def test_another_name_is_not_slowed_down(desk: Desk) -> None:
    for _ in range(FREE_TRIES):
        await desk.sign_in(name="other", password="wrong")
    assert 303 == (await desk.sign_in()).status_code


def test_the_pause_doubles_up_to_a_minute() -> None:
    brake, pauses = Brake(), []
    now = START
    for _ in range(FREE_TRIES + 8):
        brake.fail(NAME, ADDRESS, now=now)
        pauses.append(brake.pause(NAME, ADDRESS, now=now))
        now += pauses[-1]
    assert [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60] == pauses
    assert LONGEST_PAUSE_SECONDS == pauses[-1]


def test_an_address_is_slowed_down_whatever_names_it_tries() -> None:
    brake = Brake()
    for number in range(FREE_TRIES_OF_AN_ADDRESS):
        assert 0 == brake.pause(f"name {number}", ADDRESS, now=START)
        brake.fail(f"name {number}", ADDRESS, now=START)
    assert 0 < brake.pause("another", ADDRESS, now=START)
    assert 0 == brake.pause("another", "192.0.2.2", now=START)


def test_the_right_password_ends_the_pauses() -> None:
    brake = Brake()
    for _ in range(FREE_TRIES + 3):
        brake.fail(NAME, ADDRESS, now=START)
    brake.succeed(NAME, ADDRESS)
    brake.fail(NAME, ADDRESS, now=START)
    assert 0 == brake.pause(NAME, ADDRESS, now=START)


def test_after_an_hour_a_wrong_password_is_the_first_again() -> None:
    brake = Brake()
    for _ in range(FREE_TRIES + 3):
        brake.fail(NAME, ADDRESS, now=START)
    brake.fail(NAME, ADDRESS, now=START + 3_601)
    assert 0 == brake.pause(NAME, ADDRESS, now=START + 3_601)


def test_a_flood_of_names_takes_bounded_memory() -> None:
    brake = Brake()
    for number in range(3 * MOST_REMEMBERED):
        brake.fail(f"name {number}", f"address {number}", now=START)
    assert MOST_REMEMBERED == len(brake._tries)


def cookies(key: bytes = b"key") -> SessionCookies:
    drawn = iter(range(10**6))
    return SessionCookies(key=key, lifetime_seconds=100.0, new_id=lambda: str(next(drawn)))


def test_a_cookie_of_another_key_is_none() -> None:
    ours, theirs = cookies(), cookies(b"another")
    assert ours.read(theirs.write(theirs.begin(NAME, now=START)), now=START) is None


def test_a_form_token_is_no_cookie_and_belongs_to_one_session() -> None:
    ours = cookies()
    session, other = ours.begin(NAME, now=START), ours.begin(NAME, now=START)
    assert ours.is_form_token(session, ours.form_token(session))
    assert not ours.is_form_token(other, ours.form_token(session))
    assert not ours.is_form_token(session, ours.write(session).partition(".")[2])


def test_ended_sessions_take_bounded_memory() -> None:
    ours = cookies()
    for number in range(MOST_ENDED + 10):
        ours.end(ours.begin(NAME, now=START + number / 1e6), now=START)
    assert MOST_ENDED == len(ours._ended)
    last = ours.begin(NAME, now=START)
    ours.end(last, now=START)
    assert ours.read(ours.write(last), now=START) is None
