"""The page of compatibility proves what it says: every row names a test that exists.

Tests are read, not run: a test that is renamed must be renamed on the page, too.
"""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.markdown import DOCS, codes, rows
from tests.support.needs import ROOT

PAGE = DOCS / "compatibility.md"
TEXT = PAGE.read_text(encoding="utf-8")
TESTS = ROOT / "tests"
VECTORS = {path.stem for path in (TESTS / "vectors").glob("*.json")}
ROWS = [row for header in ("statement", "matter") for row in rows(PAGE, header=header) if len(row) == 3]
REFERENCES = sorted({code for code in codes(TEXT) if "::" in code or code.startswith("vectors/")})


@cache
def names(file: str) -> frozenset[str]:
    """The test functions of a file, in classes or not."""
    path = TESTS / file
    if not path.is_file():
        return frozenset()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("reference", REFERENCES)
def test_what_proves_a_row_exists(reference: str) -> None:
    if reference.startswith("vectors/"):
        assert reference.removeprefix("vectors/") in VECTORS
    else:
        file, _, name = reference.partition("::")
        assert name in names(file), f"{file} has no {name}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_row_says_how_it_is_here_and_what_proves_it(row: tuple[str, str, str]) -> None:
    _, here, proof = row
    assert here
    assert set(codes(proof)) & set(REFERENCES)


@pytest.mark.parametrize("vector", sorted(VECTORS))
def test_every_example_of_the_document_has_its_row(vector: str) -> None:
    assert f"`vectors/{vector}`" in TEXT


def test_the_page_has_rows() -> None:
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", list(rows(PAGE, header="matter")), ids=lambda row: row[0])
def test_where_the_document_is_silent_nothing_is_the_same(row: tuple[str, str, str]) -> None:
    assert re.match(r"extended|stricter", row[1])
