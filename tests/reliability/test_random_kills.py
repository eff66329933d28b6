"""Kills at random moments under load; `make torture` does the same for longer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.reliability.plan import Plan
from tests.reliability.torture import Torture, report

if TYPE_CHECKING:
    from pathlib import Path

PLAN = Plan(requests=300, kills=10, seed=20)


@pytest.mark.parametrize(
    "broker",
    [
        pytest.param("mosquitto", marks=pytest.mark.mosquitto),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
    ],
)
async def test_ten_kills_lose_nothing_and_send_nothing_twice(tmp_path: Path, broker: str) -> None:
    await survives(replace(PLAN, broker=broker), tmp_path)


@pytest.mark.mosquitto
@pytest.mark.postgresql
async def test_ten_kills_lose_nothing_on_postgresql_and_send_nothing_twice(
    tmp_path: Path, postgresql_url: str
) -> None:
    await survives(replace(PLAN, journal_url=postgresql_url), tmp_path)


async def survives(plan: Plan, folder: Path) -> None:
    said: list[str] = []
    account = await Torture(plan, folder, tell=said.append).run()
    assert PLAN.kills == account.kills
    assert account.in_doubt, "no kill fell on an attempt: this run showed nothing"
    assert account.kept, "\n".join([*said, *report(PLAN, account)])
    assert account.chains.total(), "no chain began: this run showed nothing of them"
    assert report(PLAN, account)[-1].startswith(
        "lost 0, doubled 0, out of order 0, unanswered 0, steps skipped 0"
    )
