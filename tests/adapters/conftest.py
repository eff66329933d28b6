"""The journals on which the conformance suites of its ports run, one suite for each port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.journals import EVERY, LASTING, store_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.journals import OpenJournal


@pytest.fixture(params=EVERY)
def a_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store_of(request, tmp_path)


@pytest.fixture(params=LASTING)
def a_lasting_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store_of(request, tmp_path)
