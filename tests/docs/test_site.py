"""The documents as a site: every page is in the navigation, every link leads somewhere, nothing is loaded."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from docs.website import DOCS, Navigation, navigation, outside, place, relinked
from tests.docs.markdown import DOCUMENTS, prose
from tests.support.needs import ROOT
from tests.support.process import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = DOCS / "how-to" / "rotate-the-token.md"
KINDS = ["Home", "Tutorial", "How to", "Reference", "Explanation"]
LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=\"?(?:https?:)?//[^>]*>"
    r"|<link\b(?![^>]*rel=\"?canonical)[^>]*\bhref=\"?(?:https?:)?//[^>]*>|@import|url\((?:https?:)?//"
)


def named(pages: Navigation) -> Iterator[str]:
    """Every page of a navigation."""
    for entry in pages:
        for below in entry.values():
            if isinstance(below, str):
                yield below
            else:
                yield from named(below)


def test_the_navigation_has_the_four_kinds_of_pages() -> None:
    assert KINDS == [title for entry in navigation() for title in entry]


def test_every_page_is_in_the_navigation_once() -> None:
    pages = [page for page in named(navigation()) if not page.startswith("repository/")]
    assert sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")) == sorted(pages)


def test_a_page_in_the_navigation_that_is_no_document_is_made_of_a_file() -> None:
    made = {place(path) for path in outside()}
    assert {page for page in named(navigation()) if page.startswith("repository/")} <= made


def test_a_link_out_of_the_documents_leads_to_a_page_of_the_site() -> None:
    text = relinked("[a](../../README.md#install) [b](../../examples/plain_mqtt/hello.py)", PAGE)
    assert ("[a](../repository/README.md#install) [b](../repository/examples/plain_mqtt/hello.py.md)") == text
    assert {ROOT / "README.md", ROOT / "examples" / "plain_mqtt" / "hello.py"} <= outside().keys()


def test_a_link_from_outside_leads_into_the_documents() -> None:
    assert "[a](../reliability.md)" == relinked("[a](docs/reliability.md)", ROOT / "README.md")


def test_a_link_to_a_folder_leads_to_its_page() -> None:
    assert "[a](../repository/examples/README.md)" == relinked("[a](../../examples)", PAGE)
    assert "[a](../repository/examples/plain_mqtt/README.md)" == relinked(
        "[a](../../examples/plain_mqtt/)", PAGE
    )


@pytest.mark.parametrize(
    "text",
    [
        "[a](set-limits.md#stop-everything)",
        "[a](https://example.org/x)",
        "[a](#below)",
        "[a](absent.md)",
        "`[a](../../README.md)`",
        "```\n[a](../../README.md)\n```",
    ],
)
def test_other_links_stay_as_they_are(text: str) -> None:
    assert text == relinked(text, PAGE)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_inside_a_list_is_indented_by_four_blanks(path: Path) -> None:
    """With fewer of them the site ends the list, though GitHub does not."""
    assert [] == re.findall(r"^ {1,3}(?:```|\||- |\d+\. ).*$", prose(path), re.MULTILINE)


def built(folder: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The documents of `root` made into a site in `folder`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environ = environment(NO_MKDOCS_2_WARNING="1")
    return subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.site
def test_the_site_is_built_without_a_warning_finds_words_and_loads_nothing_from_elsewhere(
    tmp_path: Path,
) -> None:
    made = built(tmp_path)
    assert 0 == made.returncode, made.stderr
    assert [] == [line for line in made.stderr.splitlines() if not line.startswith("INFO")]

    pages = {
        path.relative_to(tmp_path).as_posix(): path.read_text("utf-8") for path in tmp_path.rglob("*.html")
    }
    assert {"index.html", "tutorial.html", "repository/ARCHITECTURE.html"} <= pages.keys()
    assert [] == [f"{name}: {match[0]}" for name, text in pages.items() for match in LOADED.finditer(text)]

    index = json.loads((tmp_path / "search" / "search_index.json").read_text("utf-8"))
    assert {"reliability.html", "reference/contract.html"} <= {
        entry["location"].partition("#")[0] for entry in index["docs"] if "OutcomeUnknown" in entry["text"]
    }


@pytest.mark.site
@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("[a](other.md#there)", ""),
        ("[a](absent.md)", "absent.md"),
        ("[a](../absent.md)", "absent.md"),
        ("[a](other.md#absent)", "#absent"),
    ],
)
def test_a_link_that_leads_nowhere_fails_the_site(tmp_path: Path, link: str, complaint: str) -> None:
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    docs = tmp_path / "docs"
    docs.mkdir()
    for module in DOCS.glob("*.py"):
        shutil.copy(module, docs)
    (docs / "index.md").write_text(f"# Home\n\n{link}\n\n## How to\n\n- [Other](other.md)\n")
    (docs / "other.md").write_text("# Other\n\n## There\n")
    made = built(tmp_path / "site", tmp_path)
    assert bool(complaint) == bool(made.returncode), made.stderr
    assert complaint in made.stderr


def test_make_site_lets_warnings_count() -> None:
    (command,) = re.findall(r"-m mkdocs build.*", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert "-m mkdocs build --strict" == command
