"""The engines that keep a journal, for the tests that run on each of them."""

from __future__ import annotations

import pytest

ENGINES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))

ON_EACH_ENGINE = pytest.mark.parametrize("journal_settings", ENGINES, indirect=True)
"""Marks tests that start connectors; see the fixture of that name in tests/reliability/conftest.py."""
