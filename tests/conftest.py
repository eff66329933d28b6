"""Rules for all tests: what a test with a marker needs, and what happens where that is missing.

Fixtures stand in the file of the tests that use them, and those of several files in the `conftest.py` of
their folder.
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

    from tests.support.pgbouncer import PgBouncer
    from tests.support.postgresql import PostgreSql


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMq]:
    """One server for all tests of a session, or of one worker: it takes seconds to start."""
    with RabbitMq(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    """One server for all tests of a session, or of one worker."""
    from tests.support.postgresql import PostgreSql  # noqa: PLC0415 - asyncpg is there with the server alone

    with PostgreSql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSql) -> Iterator[str]:
    """A database of the test's own, with the tables of a journal and no rows."""
    with postgresql.database() as url:
        yield url


@pytest.fixture
def pgbouncer(postgresql: PostgreSql) -> Iterator[PgBouncer]:
    from tests.support.pgbouncer import PgBouncer  # noqa: PLC0415 - asyncpg is there with the server alone

    with PgBouncer(postgresql) as pooler:
        yield pooler


@pytest.fixture
def pooled_url(pgbouncer: PgBouncer, postgresql_url: str) -> str:
    """The way through the pooler to a database of the test's own."""
    url = pgbouncer.url(postgresql_url)
    pgbouncer.fill(url)
    return url


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
