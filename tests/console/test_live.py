"""The feed of changes for open pages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.console.console_steps import Desk
from tests.support.journals import A, accept, store
from twilio_notifications.adapters.sqlite.access import sqlite_reader
from twilio_notifications.console.live import (
    ALIVE,
    CHANGED,
    ENOUGH,
    MOST_LISTENERS,
    MOST_OF_ONE_BROWSER,
    Feed,
)

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_change_of_the_journal_reaches_each_open_page(folder: Path) -> None:
    feed = Feed(sqlite_reader(folder / "journal.db"), look_seconds=0.01)
    looking = asyncio.create_task(feed.run())
    pages = [feed.events("a browser"), feed.events("a browser")]
    assert [ALIVE, ALIVE] == [await anext(page) for page in pages]
    changed = [asyncio.ensure_future(anext(page)) for page in pages]
    async with store("sqlite file", folder)() as journal:
        await accept(journal, A)
        assert [CHANGED, CHANGED] == await asyncio.gather(*changed)
    looking.cancel()
    await asyncio.wait([looking])


async def test_a_journal_that_is_not_there_yet_is_looked_for_again(tmp_path: Path) -> None:
    feed = Feed(sqlite_reader(tmp_path / "journal.db"), look_seconds=0.01)
    looking = asyncio.create_task(feed.run())
    page = feed.events("a browser")
    await anext(page)
    changed = asyncio.ensure_future(anext(page))
    async with store("sqlite file", tmp_path)() as journal:
        number = 0
        while not changed.done():
            number += 1
            await accept(journal, f"+1234500{number:05}")
            await asyncio.wait([changed], timeout=0.02)
    assert CHANGED == await changed
    looking.cancel()
    await asyncio.wait([looking])


async def test_a_closed_feed_ends_its_pages(folder: Path) -> None:
    feed = Feed(sqlite_reader(folder / "journal.db"))
    page = feed.events("a browser")
    await anext(page)
    feed.close()
    with pytest.raises(StopAsyncIteration):
        await anext(page)


async def test_a_page_too_many_is_refused_until_another_one_is_closed(folder: Path) -> None:
    async with Desk(folder) as desk:
        feed = desk.console._feed
        pages = [feed.events(f"browser {number}") for number in range(MOST_LISTENERS)]
        for page in pages:
            await anext(page)
        assert 503 == (await desk.get("/live")).status_code
        await pages[0].aclose()  # type: ignore[attr-defined]  # an asynchronous generator
        assert not feed.is_full


async def test_of_one_browser_the_newest_pages_listen(folder: Path) -> None:
    feed = Feed(sqlite_reader(folder / "journal.db"))
    first, *others = [feed.events("a browser") for _ in range(MOST_OF_ONE_BROWSER)]
    for page in (first, *others, feed.events("another browser")):
        await anext(page)
    await anext(feed.events("a browser"))
    assert ENOUGH == await anext(first)
    with pytest.raises(StopAsyncIteration):
        await anext(first)
    feed.ring()
    assert [CHANGED] * len(others) == [await anext(page) for page in others]


async def test_the_feed_is_for_people_who_have_signed_in(folder: Path) -> None:
    async with Desk(folder, signs_in=True) as desk:
        assert 401 == (await desk.get("/live")).status_code
