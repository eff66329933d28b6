"""The judgement of a soak on what grows, and its picture."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.reliability.growth import Sample, growth, picture, trend
from tests.reliability.plan import Plan
from tests.reliability.soak import Soak
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LIMIT = 8_000_000.0


def a_sample(
    at: float, *, life: int = 1, memory: float = 60e6, files: int = 30, journal: float = 7e6
) -> Sample:
    return Sample(at=at, life=life, memory_bytes=int(memory), files=files, journal_bytes=int(journal))


def that_grow(samples: Sequence[Sample]) -> list[str]:
    """What grows in these samples."""
    return [one.name for one in growth(samples, journal_limit=LIMIT) if one.is_too_much]


def test_noise_is_no_growth() -> None:
    chance = random.Random(7)  # noqa: S311 - values of a test
    samples = [
        a_sample(at, memory=60e6 + chance.uniform(-5e6, 5e6), files=30 + chance.randrange(-8, 9))
        for at in range(400)
    ]
    assert [] == that_grow(samples)


def test_memory_that_leaks_slowly_is_found_under_noise() -> None:
    chance = random.Random(7)  # noqa: S311 - values of a test
    leaking = [a_sample(at, memory=60e6 + at * 60e3 + chance.uniform(-5e6, 5e6)) for at in range(400)]
    assert ["memory, MB"] == that_grow(leaking)


def test_a_file_that_is_never_closed_is_found() -> None:
    assert ["file descriptors"] == that_grow([a_sample(at, files=30 + at // 20) for at in range(200)])


def test_a_single_peak_is_no_growth() -> None:
    samples = [a_sample(at, memory=500e6 if at == 190 else 60e6) for at in range(200)]
    assert [] == that_grow(samples)


def test_a_journal_may_grow_up_to_its_limit_and_no_further() -> None:
    filling = [a_sample(at, journal=min(7e6, at * 40e3)) for at in range(200)]
    assert [] == that_grow(filling)
    beyond = [a_sample(at, journal=7.5e6 + at * 20e3) for at in range(200)]
    assert ["journal, MB"] == that_grow(beyond)


def test_a_journal_without_a_limit_is_not_judged() -> None:
    samples = [a_sample(at, journal=at * 1e6) for at in range(200)]
    assert ["memory, MB", "file descriptors"] == [one.name for one in growth(samples, journal_limit=None)]


def test_what_earlier_lives_took_says_nothing_about_the_last_one() -> None:
    samples = [a_sample(at, memory=40e6) for at in range(120)]
    samples += [a_sample(at, life=2, memory=90e6) for at in range(120, 200)]
    assert [] == that_grow(samples)


@pytest.mark.parametrize(("points", "grown"), [([(0, 1)], 0), ([(at, 3 * at) for at in range(10)], 27)])
def test_a_trend_is_the_growth_over_all_points(points: list[tuple[float, float]], grown: float) -> None:
    assert pytest.approx(grown) == trend(points)


def test_a_picture_has_a_line_for_each_life_and_a_mark_for_each_kill() -> None:
    samples = [a_sample(at, life=1 + at // 10) for at in range(20)]
    drawn = ET.fromstring(picture(samples, [9.5], title="A <run>", subtitle="short").svg())  # noqa: S314 - our own
    of_kind = [element.get("class") for element in drawn.iter()]
    assert 3 * 2 == of_kind.count("line")
    assert 3 == of_kind.count("mark")
    assert 3 == of_kind.count("judged")


@pytest.mark.mosquitto
async def test_a_short_soak_keeps_what_was_promised_and_measures_the_connector(tmp_path: Path) -> None:
    plan = Plan(requests=60, kills=0, seed=11)
    said: list[str] = []
    soak = Soak(plan, tmp_path, seconds=4.0, tell=said.append)
    account = await asyncio.wait_for(soak.run(), WAIT_SECONDS)
    assert account.kept, said
    assert account.kills == len(soak.killed_at) >= 1
    assert 1 < len({sample.life for sample in soak.samples})
    assert all(sample.journal_bytes and sample.files for sample in soak.samples)


@pytest.mark.mosquitto
@pytest.mark.postgresql
async def test_several_connectors_that_share_a_database_are_killed_in_a_soak(
    postgresql_url: str, tmp_path: Path
) -> None:
    plan = Plan(requests=60, kills=0, seed=12, journal_url=postgresql_url)
    said: list[str] = []
    soak = Soak(plan, tmp_path, seconds=4.0, tell=said.append, connectors=2)
    account = await asyncio.wait_for(soak.run(), WAIT_SECONDS)
    assert account.kept, said
    assert all(sample.journal_bytes for sample in soak.samples)
