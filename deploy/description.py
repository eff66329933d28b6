"""The description of the package: README.md, whose links lead to the repository wherever it is shown.

The build backend calls it, as `[tool.hatch.metadata.hooks.custom]` of pyproject.toml says.
"""  # noqa: INP001 - a program of the build

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")


class Description(MetadataHookInterface):
    """Adds `readme` to the metadata of the project."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text(encoding="utf-8")
        source = metadata["urls"]["Source"]
        metadata["readme"] = {"content-type": "text/markdown", "text": absolute(text, source=source)}


def absolute(text: str, *, source: str) -> str:
    """The text, in which each relative link leads to that file of the repository."""
    return _RELATIVE.sub(rf"]({source}/blob/main/\1)", text)
