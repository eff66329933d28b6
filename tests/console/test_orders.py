"""Orders of people: each is asked twice, and lands in the journal with the name of the person."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.conftest import FAILED, SUCCEEDED, UNKNOWN, WAITING
from tests.console.console_steps import NAME, Desk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SID = "SM" + "0" * 32


@pytest.fixture
async def desk(folder: Path) -> AsyncIterator[Desk]:
    async with Desk(folder, signs_in=True) as desk:
        await desk.sign_in()
        yield desk


def orders(desk: Desk) -> list[dict[str, Any]]:
    """The orders in the journal."""
    with closing(sqlite3.connect(desk.config.parent / "journal.db")) as journal:
        journal.row_factory = sqlite3.Row
        return [dict(row) for row in journal.execute("SELECT * FROM orders ORDER BY number")]


@pytest.mark.parametrize(
    ("path", "fields", "name", "parameters"),
    [
        (f"/requests/{FAILED}/resend", {}, "resend", {}),
        (f"/requests/{WAITING}/cancel", {}, "cancel", {}),
        (f"/requests/{FAILED}/acknowledge", {}, "acknowledge", {}),
        (f"/requests/{UNKNOWN}/resolve", {"sent": "no"}, "resolve", {"sent": False}),
        (f"/requests/{UNKNOWN}/resolve", {"sent": "yes", "sid": ""}, "resolve", {"sent": True}),
        (f"/requests/{UNKNOWN}/resolve", {"sent": "yes", "sid": SID}, "resolve", {"sent": True, "sid": SID}),
        ("/pause", {"hours": ""}, "pause", {}),
        ("/pause", {"hours": "0.5"}, "pause", {"until": 1_700_001_800.0}),
        ("/resume", {}, "resume", {}),
    ],
)
async def test_a_confirmed_order_is_in_the_journal(
    desk: Desk, path: str, fields: dict[str, str], name: str, parameters: dict[str, object]
) -> None:
    question = await desk.get(path)
    assert 200 == question.status_code
    assert [] == orders(desk)
    answer = await desk.send(path, **fields)
    assert 303 == answer.status_code
    (order,) = orders(desk)
    assert (name, NAME) == (order["name"], order["by"])
    assert parameters == json.loads(order["parameters"] or "{}")
    assert ["console_signed_in", "console_order_placed"] == [line.name for line in desk.events.lines]
    shown = (await desk.get(answer.headers["location"])).text
    assert f"Order {order['number']} ({name})" in shown
    assert "without one it is carried out at the next start" in shown


@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        (f"/requests/{UNKNOWN}/resolve", {}, "Say whether it was sent."),
        (f"/requests/{UNKNOWN}/resolve", {"sent": "perhaps"}, "Say whether it was sent."),
        (f"/requests/{UNKNOWN}/resolve", {"sent": "yes", "sid": "x"}, "A SID begins with"),
        (f"/requests/{UNKNOWN}/resolve", {"sent": "no", "sid": SID}, "A SID begins with"),
        ("/pause", {"hours": "soon"}, "The pause must have"),
        ("/pause", {"hours": "0"}, "The pause must have"),
        ("/pause", {"hours": "-1"}, "The pause must have"),
        ("/pause", {"hours": "nan"}, "The pause must have"),
        ("/pause", {"hours": "inf"}, "The pause must have"),
        ("/pause", {"hours": "100000"}, "The pause must have"),
    ],
)
async def test_a_form_that_is_no_order_is_asked_again(
    desk: Desk, path: str, fields: dict[str, str], sentence: str
) -> None:
    answer = await desk.send(path, **fields)
    assert 400 == answer.status_code
    assert sentence in answer.text
    assert [] == orders(desk)


async def test_a_form_that_is_sent_twice_is_one_order(desk: Desk) -> None:
    path = f"/requests/{FAILED}/resend"
    form_id = await desk.hidden("form_id", page=path)
    both = await asyncio.gather(*(desk.send(path, form_id=form_id) for _ in range(2)))
    again = await desk.send(path, form_id=form_id)
    assert [f"/requests/{FAILED}?order=1"] * 3 == [answer.headers["location"] for answer in (*both, again)]
    assert 1 == len(orders(desk))
    await desk.send(path, form_id=await desk.hidden("form_id", page=path))
    assert 2 == len(orders(desk))


async def test_a_form_that_could_not_be_taken_is_taken_when_it_is_sent_again(desk: Desk) -> None:
    path, journal = f"/requests/{UNKNOWN}/resolve", desk.config.parent / "journal.db"
    form_id = await desk.hidden("form_id", page=path)
    assert 400 == (await desk.send(path, form_id=form_id)).status_code
    with closing(sqlite3.connect(journal)) as held:
        held.execute("ALTER TABLE orders RENAME TO elsewhere")
        assert 503 == (await desk.send(path, page="/pause", form_id=form_id, sent="no")).status_code
        held.execute("ALTER TABLE elsewhere RENAME TO orders")
    assert 303 == (await desk.send(path, form_id=form_id, sent="no")).status_code


async def test_sending_again_what_may_have_been_sent_says_so(desk: Desk) -> None:
    assert "it may arrive a second time" in (await desk.get(f"/requests/{UNKNOWN}/resend")).text


async def test_sending_again_what_succeeded_says_that_it_did(desk: Desk) -> None:
    assert "This request succeeded" in (await desk.get(f"/requests/{SUCCEEDED}/resend")).text
    assert "This request succeeded" not in (await desk.get(f"/requests/{FAILED}/resend")).text


async def test_an_order_for_a_request_that_is_not_there_is_refused(desk: Desk) -> None:
    answer = await desk.send("/requests/99/resend", page="/pause")
    assert 404 == answer.status_code
    assert [] == orders(desk)


async def test_without_sign_in_the_order_has_the_name_of_the_console(folder: Path) -> None:
    async with Desk(folder) as desk:
        await desk.send(f"/requests/{FAILED}/resend")
        assert ["console"] == [order["by"] for order in orders(desk)]


async def test_an_address_that_asks_for_odd_orders_shows_none(desk: Desk) -> None:
    for order in ("x", "-1", "9" * 30, "1; DROP", ""):
        assert 200 == (await desk.get(f"/requests/{FAILED}?order={order}")).status_code
