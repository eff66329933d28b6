"""The hand-written pages keep to their form: what they list is all there is."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import DOCS, DOCUMENTS, blocks, codes, prose, rows
from tests.support.needs import ROOT
from tests.support.process import environment, exit_code, run_program

if TYPE_CHECKING:
    from pathlib import Path

DECISIONS = sorted((DOCS / "decisions").glob("[0-9]*.md"))
INDEX = DOCS / "decisions" / "README.md"
README = ROOT / "README.md"


# Decisions


def test_each_decision_has_a_number_of_its_own() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_has_its_number_and_its_three_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert ["Context", "Decision", "Consequences"] == re.findall(r"^## (.+)$", text, re.MULTILINE)


def test_the_index_names_every_decision() -> None:
    linked = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", INDEX.read_text(encoding="utf-8"))
    assert {path.name for path in DECISIONS} == set(linked)


def requirements() -> set[str]:
    """The names of everything that pyproject.toml has installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for group in project["project"]["optional-dependencies"].values():
        found += group
    for group in project["dependency-groups"].values():
        found += [requirement for requirement in group if isinstance(requirement, str)]
    return {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in found} - {"twilio-notifications"}


def test_every_dependency_has_its_page() -> None:
    assert requirements() == {codes(row[0])[0] for row in rows(INDEX, header="package")}


@pytest.mark.parametrize("row", list(rows(INDEX, header="package")), ids=lambda row: row[0])
def test_the_page_of_a_dependency_speaks_of_it(row: tuple[str, ...]) -> None:
    (page,) = re.findall(r"\((\d{4}-[\w-]+\.md)\)", row[2])
    assert codes(row[0])[0] in (DOCS / "decisions" / page).read_text(encoding="utf-8")


# Index, changelog, README


def test_the_index_of_documents_names_every_page() -> None:
    index = DOCS / "index.md"
    linked = set(re.findall(r"\]\(([\w./-]+\.md)\)", index.read_text(encoding="utf-8")))
    expected = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    of_decisions = {path for path in expected if path.startswith("decisions/")} - {"decisions/README.md"}
    assert expected - of_decisions - {"index.md"} <= linked


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_has_one_title(path: Path) -> None:
    assert 1 == len(re.findall(r"^# ", prose(path), re.MULTILINE))


def test_the_changelog_has_the_version_of_the_package_on_top() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert version("twilio-notifications") == re.findall(r"^## \[(.+?)\] - ", text, re.MULTILINE)[0]


def shape(lines: list[str]) -> list[str]:
    """What the demo prints, without what is another one at each start."""
    text = re.sub(r":\d{4,5}(?=/|$)", ":PORT", "\n".join(lines), flags=re.MULTILINE)
    return re.sub(r"/\S+/twilio-notifications\.toml", "FILE", text).splitlines()


async def test_the_readme_shows_what_the_demo_prints() -> None:
    (shown,) = (block.text for block in blocks(README, "") if block.text.startswith("$ make demo"))
    program = await run_program("demo", "--once", environ=environment())
    assert 0 == exit_code(program), program.output
    assert shape(program.stdout) == shape(shown.splitlines()[1:])
