"""The AWS CLI's own examples, read from the installed package."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import awscli

if TYPE_CHECKING:
    from collections.abc import Iterator


def examples() -> list[Path]:
    folder = Path(awscli.__file__).parent / "examples" / "greengrass"
    return sorted(folder.glob("*.rst"))


def created() -> list[str]:
    """Connector, resource and subscription of a group with our connector: its pages belong together."""
    kinds = ("connector-definition-version", "resource-definition-version", "subscription-definition")
    names = {f"create-{kind}" for kind in kinds}
    return [path.read_text(encoding="utf-8") for path in examples() if path.stem in names]


def json_in(text: str) -> Iterator[object]:
    """Every JSON document of an example: its options in quotes, its output."""
    decoder = json.JSONDecoder()
    unescaped = text.replace('\\"', '"')
    position = 0
    while match := re.compile(r"[{\[]").search(unescaped, position):
        try:
            document, position = decoder.raw_decode(unescaped, match.start())
        except ValueError:
            position = match.end()
        else:
            yield document
