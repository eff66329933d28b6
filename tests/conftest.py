"""Rules for all tests: what a test with a marker needs, and what happens where that is missing.

Fixtures stand in the files of the tests that use them; fixtures for several folders stand in tests/support.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.needs import missing
from tests.support.rabbitmq import RabbitMq

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq]:
    """One server for all tests of a session, or of one worker: it takes seconds to start."""
    with RabbitMq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


def pytest_configure() -> None:
    """Hypothesis by itself fails an example that takes 0.2 seconds, which a busy machine does to any."""
    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose needs are missing, or fail it in CI."""
    for marker in item.iter_markers():
        lack = missing(marker.name, os.environ)
        if lack is not None and lack.fails:
            pytest.fail(f"{lack.reason} (with CI set this is a failure, not a skip)", pytrace=False)
        if lack is not None:
            pytest.skip(lack.reason)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each reason why tests were skipped, whichever files they are in."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[-1]).removeprefix("Skipped: ") for report in skipped)
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count} skipped: {reason}")
