"""What holds for every text of the repository: nothing is put off, nothing points nowhere.

Documents are checked like code: a link to a page, or to a heading of it, must lead there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.support.house import listed, texts
from tests.support.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUT_OFF = re.compile(r"\b(?:TO" + "DO|FIX" + r"ME|XX" + r"X)\b")
"""Spelt in pieces, so that this file does not find itself."""

MACHINE_PATH = re.compile(r"(?<![\w.~*<>$}-])/(?:home|root|Users|work)/[\w.-]+|\b[A-Z]:\\Users")
"""Folders that exist on one machine only. Places of a system, as /etc or /var/lib, are the same on all."""

_FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def lines_with(pattern: re.Pattern[str], path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [
        f"{path.relative_to(ROOT)}:{number} {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def links(text: str) -> Iterator[str]:
    """Targets of the links of a Markdown text that stay in the repository."""
    without_code = _CODE.sub("", _FENCE.sub("", text))
    for match in _LINK.finditer(without_code):
        target = match[1] or match[2]
        if not _OUTSIDE.match(target):
            yield unquote(target)


def anchors(text: str) -> set[str]:
    """The names of its headings, as GitHub and most renderers make them."""
    prose = _FENCE.sub("", text)
    made: dict[str, int] = {}
    for heading in _HEADING.findall(prose):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        name = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        made[name] = made.get(name, -1) + 1
        if made[name]:
            made[f"{name}-{made[name]}"] = 0
    return made.keys() | set(_ANCHOR.findall(prose))


def broken_links(path: Path, root: Path) -> list[str]:
    """Links of one document that lead nowhere, or out of the repository."""
    text = path.read_text(encoding="utf-8")
    return [
        f"{path.relative_to(root)}: {link}"
        for link in links(text)
        if not _leads_somewhere(link, path, root, text)
    ]


def _leads_somewhere(link: str, path: Path, root: Path, text: str) -> bool:
    target, _, anchor = link.partition("#")
    page = (path.parent / target).resolve() if target else path
    if not page.is_relative_to(root) or not page.exists():
        return False
    if not anchor or page.suffix != ".md":
        return True
    return anchor in anchors(page.read_text(encoding="utf-8") if target else text)


def documents() -> list[Path]:
    return [path for path in texts() if path.suffix == ".md"]


def test_nothing_is_put_off() -> None:
    found = [line for path in texts() for line in lines_with(PUT_OFF, path)]
    assert [] == found, listed(found)


def test_nothing_names_a_folder_of_one_machine() -> None:
    found = [line for path in texts() for line in lines_with(MACHINE_PATH, path)]
    assert [] == found, listed(found)


def test_every_link_of_a_document_leads_somewhere() -> None:
    found = [link for path in documents() for link in broken_links(path, ROOT)]
    assert [] == found, listed(found)


def test_there_are_texts_to_check() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in texts()}
    assert {
        "Makefile",
        "pyproject.toml",
        ".importlinter",
        ".ci/run",
        "CONTRIBUTING.md",
        "docs/glossary.md",
    } <= names
    assert not [name for name in names if name.startswith((".venv", ".git/"))]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("see /ho" + "me/somebody/x", True),
        ("`/ro" + "ot/x`", True),
        ("C:" + "\\Users", True),
        ("site7/wo" + "rk/status", False),
        ("/var/lib/twilio-notifications", False),
        ("~/wo" + "rk/x", False),
    ],
)
def test_machine_paths_are_told_from_others(line: str, *, found: bool) -> None:
    assert found == bool(MACHINE_PATH.search(line))


@pytest.mark.parametrize(
    ("line", "found"), [("# TO" + "DO later", True), ("# FIX" + "ME", True), ("a todo", False)]
)
def test_what_is_put_off_is_found(line: str, *, found: bool) -> None:
    assert found == bool(PUT_OFF.search(line))


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# One `two`, three\n## Again\n## Again\n")
    (tmp_path / "page.md").write_text(
        "# Here\n[a](other.md) [b](other.md#one-two-three) [c](#here) [d](https://example.org/x)\n"
        "[e](other.md#again-1) [f](absent.md) [g](other.md#absent) [h](#absent)\n"
        "[i](../outside.md)\n\n[j]: absent.txt\n```\n[k](absent.md)\n```\n`[l](absent.md)`\n"
    )
    expected = ["absent.md", "other.md#absent", "#absent", "../outside.md", "absent.txt"]
    assert [f"page.md: {link}" for link in expected] == broken_links(tmp_path / "page.md", tmp_path)
