"""Builds the component of Greengrass V2: the archive with the package, and a recipe for each nucleus.

    make component                                  # dependencies come from the device's package index
    make component ARGS=--vendored                  # they come with the archive, for machines like this one
    make component ARGS='--wheels FOLDER'           # they come with the archive, from this folder

What is built stands in build/greengrass. With `--gdk` it stands where `gdk component publish` looks for it.
"""  # noqa: INP001 - a program of its own

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.component import ARTIFACT, COMPONENT, NucleusKind, recipe, requirement

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of everything in the archive, so that the same content makes the same archive."""


RECIPES = {NucleusKind.CLASSIC: "recipe.json", NucleusKind.LITE: "recipe-lite.json"}


def main(arguments: Sequence[str]) -> int:
    """Builds, and says where it stands."""
    options = _parser().parse_args(arguments)
    number = version("twilio-notifications")
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / "wheels"
        _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), *_isolation(), str(ROOT))
        if options.wheels is not None:
            _copy_wheels(options.wheels, wheels)
        elif options.vendored:
            links = ("--find-links", str(wheels), "--dest", str(wheels))
            _pip("download", "--only-binary", ":all:", *links, requirement(number))
        vendored = options.vendored or options.wheels is not None
        for path in _written(wheels, _Places(options, number), number=number, vendored=vendored):
            print(path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make component", description="Builds the Greengrass V2 component.")
    output = ROOT / "build" / "greengrass"
    parser.add_argument("--output", type=Path, metavar="FOLDER", default=output, help="where to write it")
    parser.add_argument("--vendored", action="store_true", help="the dependencies come with the archive")
    parser.add_argument(
        "--wheels",
        type=Path,
        metavar="FOLDER",
        help="the same with these wheels, for another machine",
    )
    parser.add_argument("--gdk", action="store_true", help="write what `gdk component build` has to leave")
    return parser


class _Places:
    """Where what goes, and which recipes: GDK publishes one of a component, the classic nucleus's."""

    def __init__(self, options: argparse.Namespace, number: str) -> None:
        self.output: Path = HERE / "greengrass-build" if options.gdk else options.output
        self.archive = self.output / "artifacts" / COMPONENT / number if options.gdk else self.output
        self.recipes = self.output / "recipes" if options.gdk else self.output
        self.kinds = [NucleusKind.CLASSIC] if options.gdk else list(NucleusKind)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True)


def _isolation() -> list[str]:
    """Where the build backend is installed it is used, and nothing is fetched."""
    return ["--no-build-isolation"] if find_spec("hatchling") else []


def _copy_wheels(source: Path, target: Path) -> None:
    wheels = sorted(source.glob("*.whl"))
    if not wheels:
        sys.exit(f"make component: there is no wheel in {source}")
    for wheel in wheels:
        shutil.copy(wheel, target)


def _written(wheels: Path, places: _Places, *, number: str, vendored: bool) -> Iterator[Path]:
    """The files that are left; those of an earlier build are removed."""
    shutil.rmtree(places.output, ignore_errors=True)
    for folder in (places.archive, places.recipes):
        folder.mkdir(parents=True, exist_ok=True)
    yield _archive(wheels, places.archive / f"{ARTIFACT}.zip")
    for kind in places.kinds:
        path = places.recipes / RECIPES[kind]
        document = recipe(kind, version=number, vendored=vendored)
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        yield path


def _archive(wheels: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for wheel in sorted(wheels.glob("*.whl")):
            entry = zipfile.ZipInfo(f"wheels/{wheel.name}", date_time=EARLIEST)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, wheel.read_bytes())
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
