"""The engines that keep a journal, for the tests that run on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from twilio_notifications.adapters.sqlite.access import SqliteAccess

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.adapters.journal.access import Access

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))

ON_EACH_ENGINE = pytest.mark.parametrize("journal_settings", ENGINES, indirect=True)
"""Marks tests that start connectors; see the fixture of that name in tests/reliability/conftest.py."""


def access_to(folder: Path, url: str | None) -> Access:
    """To the journal of a connector that runs in this folder; `url` names a database of PostgreSQL."""
    if url is None:
        return SqliteAccess(folder / "journal" / "journal.db")
    from twilio_notifications.adapters.postgres.access import PostgresAccess  # noqa: PLC0415 - needs asyncpg

    return PostgresAccess(url)
