"""Deliveries that cannot be judged yet: they are put again, unless their connection ends first."""

from __future__ import annotations

import asyncio

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.pipeline.line.undecided import Undecided


class Puts:
    """What was put, and when there was something."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self.some = asyncio.Event()

    def put(self, one: str) -> None:
        self.all.append(one)
        self.some.set()

    async def come(self) -> list[str]:
        async with asyncio.timeout(WAIT_SECONDS):
            await self.some.wait()
        self.some.clear()
        return self.all


async def test_what_is_undecided_is_put_again_in_its_order() -> None:
    puts = Puts()
    undecided: Undecided[str] = Undecided(put=puts.put)
    assert [True, True] == [undecided.keep(one, over=undecided.connection) for one in ("first", "second")]
    assert [] == puts.all
    assert ["first", "second"] == await puts.come()


async def test_what_is_undecided_at_the_end_of_its_connection_is_put_no_more() -> None:
    puts = Puts()
    undecided: Undecided[str] = Undecided(put=puts.put)
    undecided.keep("old", over=undecided.connection)
    assert ["old"] == list(undecided.connection_ended())
    undecided.keep("new", over=undecided.connection)
    assert ["new"] == await puts.come()


async def test_what_comes_back_after_the_end_of_its_connection_is_not_kept() -> None:
    puts = Puts()
    undecided: Undecided[str] = Undecided(put=puts.put)
    over = undecided.connection
    undecided.connection_ended()
    assert not undecided.keep("old", over=over)
