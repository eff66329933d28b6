"""The journal that the pages show."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import START, a_failure, a_rejection, a_success
from tests.support.journals import A, B, C, D, accept, begin, due, end, record, store
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.steps import AttemptOutcome

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'
SUCCEEDED, FAILED, UNKNOWN, WAITING, HOSTILE_ONE, REJECTED = range(1, 7)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal's folder, made once."""
    folder = tmp_path_factory.mktemp("console")
    asyncio.run(_fill(folder))
    return folder


@pytest.fixture
def folder(prepared: Path, tmp_path: Path) -> Path:
    """A folder with a journal: requests that succeeded, failed, wait, are unknown, hostile or rejected."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    return tmp_path


async def _fill(folder: Path) -> None:
    async with store("sqlite file", folder)() as journal:
        await accept(journal, A, B, C)
        await due(journal)
        await begin(journal, SUCCEEDED, FAILED, UNKNOWN)
        await end(
            journal,
            a_success(SUCCEEDED),
            a_failure(FAILED, outcome=AttemptOutcome.REFUSED, message="Twilio error 21211"),
            a_failure(
                UNKNOWN,
                reason=Reason.OUTCOME_UNKNOWN,
                outcome=AttemptOutcome.IN_DOUBT,
                message="Twilio's records do not tell",
            ),
        )
        await accept(journal, A, name="Waiting Wanda", accepted_at=START + 1)
        await accept(journal, D, name=HOSTILE, request_id=HOSTILE, accepted_at=START + 2)
        await record(journal, a_rejection(request_id=HOSTILE, accepted_at=START + 3))
