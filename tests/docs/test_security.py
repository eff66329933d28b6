"""The page of security proves what it says: each answer to a threat names tests that exist.

Tests are read, not run: a test that is renamed must be renamed on the page, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import DOCS, codes, rows
from tests.docs.test_compatibility import names
from tests.support.needs import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = DOCS / "security.md"
POLICY = ROOT / "SECURITY.md"
ROWS = list(rows(PAGE, header="threat"))
PROOFS = sorted({code for row in ROWS for code in codes(row[2])})


@pytest.mark.parametrize("proof", PROOFS)
def test_what_proves_an_answer_exists(proof: str) -> None:
    file, _, name = proof.partition("::")
    assert name in names(file), f"{file} has no {name}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_threat_has_an_answer_and_a_proof(row: tuple[str, ...]) -> None:
    threat, answer, proof = row
    assert threat
    assert answer
    assert codes(proof)


def test_the_page_has_threats() -> None:
    assert len(ROWS) > 20


def test_no_proof_stands_outside_of_the_tables() -> None:
    """Where nothing would look whether it exists."""
    assert set(PROOFS) == set(re.findall(r"`([\w/]+\.py::\w+)`", PAGE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", [PAGE, POLICY], ids=lambda page: page.name)
def test_no_mail_address_is_named_that_nobody_reads(page: Path) -> None:
    assert [] == re.findall(r"[\w.+-]+@[\w-]+\.\w+", page.read_text(encoding="utf-8"))
