"""Wheels of what is installed in this environment, so that a test can install it elsewhere without an index.

A wheel is an archive of the files that its RECORD names; an installation keeps that list, with a few files of
its own more. What was installed from a wheel can so be put back into one, byte for byte.
"""

from __future__ import annotations

import csv
import io
import zipfile
from importlib.metadata import Distribution, distribution
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OF_THE_INSTALLATION = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD"})


def needed_by(requirement: str) -> Iterator[Distribution]:
    """Every installed distribution that this one needs, itself left out."""
    seen: set[str] = set()
    open_ = [Requirement(requirement)]
    while open_:
        wanted = open_.pop()
        found = distribution(wanted.name)
        for text in found.requires or ():
            needed = Requirement(text)
            extras = [{"extra": extra} for extra in (*wanted.extras, "")]
            is_wanted = needed.marker is None or any(map(needed.marker.evaluate, extras))
            if is_wanted and needed.name not in seen:
                seen.add(needed.name)
                open_.append(needed)
                yield distribution(needed.name)


def wheel_of(found: Distribution, folder: Path) -> Path:
    """The wheel, written into `folder`."""
    lines = (found.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in lines if line.startswith("Tag: ")]
    tag = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    name = found.metadata["Name"].replace("-", "_").replace(".", "_")
    path = folder / f"{name}-{found.version}-{tag}.whl"
    records = []
    with zipfile.ZipFile(path, "w") as archive:
        for file in found.files or ():
            outside = file.parts[0] == ".." or file.parts[0].startswith("/")
            if outside or file.name in OF_THE_INSTALLATION or file.suffix == ".pyc":
                continue
            archive.writestr(file.as_posix(), file.read_binary())
            mode, value = (file.hash.mode, file.hash.value) if file.hash else ("", "")
            records.append((file.as_posix(), f"{mode}={value}" if mode else "", file.size or ""))
        info = next(record[0].split("/")[0] for record in records if record[0].endswith("/METADATA"))
        archive.writestr(f"{info}/RECORD", _record([*records, (f"{info}/RECORD", "", "")]))
    return path


def _record(rows: list[tuple[object, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
