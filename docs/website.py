"""Gives MkDocs the navigation, and makes pages of files outside of this folder.

The index of documents is the one list of pages: the navigation is read from it, and the decisions are added.
A link to another file of the repository, as `../ARCHITECTURE.md`, leads to a page that is made of that file.
MkDocs calls the functions whose names begin with `on_`; the others do without MkDocs.
"""  # noqa: INP001 - a folder of documents is no package

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

Navigation: TypeAlias = "list[dict[str, str | Navigation]]"
"""As MkDocs takes it: a page, or a heading with pages, each as a dictionary of one title."""

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
INDEX = DOCS / "index.md"
OUTSIDE = "repository"
"""The folder of the site for files of the repository that do not lie in `docs/`."""

LANGUAGES: Mapping[str, str] = {
    ".js": "js",
    ".json": "json",
    ".py": "python",
    ".toml": "toml",
    ".yaml": "yaml",
}

_CODE = r"^(?P<fence>```|~~~).*?^(?P=fence)|`[^`\n]*`"
_LINK = re.compile(rf"{_CODE}|\]\((?P<target>[^)\s#]+)(?P<anchor>#[^)\s]*)?\)", re.DOTALL | re.MULTILINE)
_ENTRY = re.compile(
    r"^(?P<level>##+) (?P<heading>.+)|^- \[(?P<title>[^\]]+)\]\((?P<target>[^)#]+)\)", re.MULTILINE
)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|/", re.IGNORECASE)


# The navigation


def navigation() -> Navigation:
    """Home, the headings and pages of the index in its order, and the decisions."""
    found: Navigation = [{"Home": INDEX.name}]
    open_lists = [found]
    for entry in _ENTRY.finditer(INDEX.read_text(encoding="utf-8")):
        if entry["heading"]:
            pages: Navigation = []
            del open_lists[len(entry["level"]) - 1 :]
            open_lists[-1].append({entry["heading"]: pages})
            open_lists.append(pages)
        else:
            path = (DOCS / entry["target"]).resolve()
            pages = _decisions() if path == DOCS / "decisions" / "README.md" else []
            open_lists[-1].append({entry["title"]: pages or place(path)})
    return found


def _decisions() -> Navigation:
    """The table of all decisions, and each of them under its own title."""
    pages = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    titles = [_TITLE.findall(page.read_text(encoding="utf-8"))[0] for page in pages]
    each: Navigation = [{title: place(page)} for title, page in zip(titles, pages, strict=True)]
    return [{"All decisions": "decisions/README.md"}, *each]


# Links


def place(path: Path) -> str:
    """The name that a file or a folder of the repository has among the sources of the site."""
    if path.is_dir():
        path /= "README.md"
    if path.is_relative_to(DOCS) and path.suffix != ".py":
        return path.relative_to(DOCS).as_posix()
    name = path.relative_to(ROOT).as_posix()
    return f"{OUTSIDE}/{name}" if path.suffix == ".md" else f"{OUTSIDE}/{name}.md"


def linked(text: str, path: Path) -> Iterator[Path]:
    """The files and folders of the repository to which the document at `path` has links."""
    for link in _LINK.finditer(text):
        found = _target(link, path)
        if found is not None:
            yield found


def relinked(text: str, path: Path) -> str:
    """The document at `path` with links as they are right on the site."""
    return _LINK.sub(lambda link: _relinked(link, path), text)


def _target(link: re.Match[str], path: Path) -> Path | None:
    """The file in the repository that a link leads to; None for code, other sites, and what is not there."""
    target = link["target"]
    if target is None or _ELSEWHERE.match(target):
        return None
    folder = path if path.is_dir() else path.parent
    found = (folder / unquote(target)).resolve()
    if (found / "README.md").exists():
        found /= "README.md"
    return found if found.exists() and found.is_relative_to(ROOT) else None


def _relinked(link: re.Match[str], path: Path) -> str:
    found = _target(link, path)
    if found is None:
        return link[0]
    relative = os.path.relpath(place(found), Path(place(path)).parent)
    return f"]({relative}{link['anchor'] or ''})"


# Files outside of docs/


def outside() -> Mapping[Path, str]:
    """Each file outside of `docs/` to which a page leads, or a page made of such a file, with its text."""
    pages = {path: path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")}
    ahead = list(pages)
    while ahead:
        path = ahead.pop()
        for found in linked(pages[path], path):
            if found not in pages and place(found).startswith(OUTSIDE):
                pages[found] = _page(found)
                ahead.append(found)
    return {
        path: text for path, text in pages.items() if not path.is_relative_to(DOCS) or path.suffix == ".py"
    }


def _page(path: Path) -> str:
    """A document as it is, a folder as a list of its files, and any other file as a block of code."""
    name = path.relative_to(ROOT).as_posix()
    if path.is_dir():
        files = sorted(each.name for each in path.iterdir() if each.is_file())
        return "\n".join([f"# {name}\n", *(f"- [{each}]({each})" for each in files), ""])
    text = path.read_text(encoding="utf-8")
    return (
        text
        if path.suffix == ".md"
        else f"# {name}\n\n````{LANGUAGES.get(path.suffix, '')}\n{text.rstrip()}\n````\n"
    )


# What MkDocs calls


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Sets the navigation."""
    config.nav = navigation()
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made of files outside of `docs/`."""
    from mkdocs.structure.files import File, InclusionLevel  # noqa: PLC0415 - only MkDocs comes here

    for path, text in outside().items():
        page = File.generated(config, place(path), content=relinked(text, path))
        page.inclusion = InclusionLevel.NOT_IN_NAV  # where the index names it, it is there all the same
        files.append(page)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Sets the links of a page of `docs/` right; those of the other pages are right already."""
    path = DOCS / page.file.src_uri
    return relinked(markdown, path) if path.exists() else markdown
