"""Builds the component of Greengrass V2: the archive with the package, and a recipe for each nucleus.

    make component                              # dependencies come from the device's package index
    make component ARGS=--vendored              # they come with the archive, for machines like this one
    make component ARGS='--wheels FOLDER'       # they come with the archive, from this folder
    make component ARGS='--bucket NAME'         # the recipes say where the archive lies
    make component ARGS='--configuration FILE'  # recipes for this configuration, and deployments
    make component ARGS='--local --nucleus lite'  # for a local deployment, in build/greengrass-local

What is built stands in build/greengrass. With `--gdk` it stands where `gdk component publish` looks for it.
"""  # noqa: INP001 - a program of its own

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twilio_notifications.component import (
    ARTIFACT,
    COMPONENT,
    NucleusKind,
    Packaging,
    configured,
    deployment,
    recipe,
    requirement,
)
from twilio_notifications.config import load
from twilio_notifications.config.keys import SETTINGS
from twilio_notifications.config.kinds import FilePath
from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of everything in the archive, so that the same content makes the same archive."""

RECIPES = {NucleusKind.CLASSIC: "recipe.json", NucleusKind.LITE: "recipe-lite.json"}
DEPLOYMENTS = {NucleusKind.CLASSIC: "deployment.json", NucleusKind.LITE: "deployment-lite.json"}


def main(arguments: Sequence[str]) -> int:
    """Builds, and says where it stands."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.local and options.nucleus is None:
        parser.error("--local needs --nucleus classic or --nucleus lite")
    number = version("twilio-notifications")
    documents = dict(_documents(options, number))
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / "wheels"
        _pip("wheel", "--no-deps", "--wheel-dir", str(wheels), *_isolation(), str(ROOT))
        if options.wheels is not None:
            _copy_wheels(options.wheels, wheels)
        elif options.vendored:
            links = ("--find-links", str(wheels), "--dest", str(wheels))
            _pip("download", "--only-binary", ":all:", *links, requirement(number))
        for path in _written(wheels, documents, _Places(options, number)):
            print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make component", description="Builds the Greengrass V2 component.")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write it")
    parser.add_argument("--vendored", action="store_true", help="the dependencies come with the archive")
    parser.add_argument(
        "--wheels", type=Path, metavar="FOLDER", help="the same with these wheels, for another machine"
    )
    parser.add_argument("--bucket", metavar="NAME", default="BUCKET", help="where you will put the archive")
    parser.add_argument(
        "--python", metavar="NAME", default="python3", help="the device's Python, 3.11 or later"
    )
    parser.add_argument(
        "--configuration", type=Path, metavar="FILE", help="the component's, in JSON: writes deployments, too"
    )
    parser.add_argument(
        "--nucleus",
        choices=[str(kind) for kind in NucleusKind],
        help="for this one alone (default: for both)",
    )
    layout = parser.add_mutually_exclusive_group()
    layout.add_argument("--local", action="store_true", help="write folders for a local deployment")
    layout.add_argument("--gdk", action="store_true", help="write what `gdk component build` has to leave")
    return parser


class _Places:
    """Where what goes: GDK and local deployments have folders for recipes and artifacts."""

    def __init__(self, options: argparse.Namespace, number: str) -> None:
        usual = ROOT / "build" / ("greengrass-local" if options.local else "greengrass")
        output: Path = options.output or (HERE / "greengrass-build" if options.gdk else usual)
        in_folders = options.gdk or options.local
        self.archive = output / "artifacts" / COMPONENT / number if in_folders else output
        self.documents = output / "recipes" if in_folders else output


def _documents(options: argparse.Namespace, number: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """By name. Where there are folders, one recipe is looked for, and no deployment."""
    vendored = options.vendored or options.wheels is not None
    packaging = Packaging(bucket=options.bucket, python=options.python, vendored=vendored)
    for kind in _kinds(options):
        configuration = None
        if options.configuration is not None:
            configuration = _configuration(options.configuration, kind)
        document = recipe(kind, version=number, configuration=configuration, packaging=packaging)
        yield _recipe_name(options, kind, number), document
        if configuration is not None and not (options.gdk or options.local):
            yield DEPLOYMENTS[kind], deployment(kind, version=number, configuration=configuration)


def _recipe_name(options: argparse.Namespace, kind: NucleusKind, number: str) -> str:
    """By which GDK, and nucleus lite in a local deployment, find the recipe."""
    if options.local:
        return f"{COMPONENT}-{number}.json"
    return "recipe.json" if options.gdk else RECIPES[kind]


def _kinds(options: argparse.Namespace) -> Sequence[NucleusKind]:
    if options.nucleus is not None:
        return [NucleusKind(options.nucleus)]
    return [NucleusKind.CLASSIC] if options.gdk else list(NucleusKind)


def _configuration(path: Path, kind: NucleusKind) -> dict[str, object]:
    """With this nucleus's defaults, and as the connector itself will judge it."""
    try:
        given: Any = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        sys.exit(f"make component: {path} is no JSON file that can be read: {error}")
    if not isinstance(given, dict):
        sys.exit(f'make component: {path} must hold an object: {{"TWILIO_ACCOUNT_SID": "AC…", …}}')
    configuration = configured(kind, given)
    try:
        warnings = load(None, {}, component=_without_the_devices_files(configuration)).warnings
    except ConfigurationError as error:
        sys.exit("\n".join(f"make component: {path}, {kind} nucleus: {each}" for each in error.problems))
    for warning in warnings:
        print(f"make component: {path}, {kind} nucleus: {warning}", file=sys.stderr)
    return configuration


def _without_the_devices_files(configuration: Mapping[str, object]) -> dict[str, object]:
    """For the judgement alone: one file that can be read stands for each that must be there on the device."""
    judged = dict(configuration)
    for name, kind in SETTINGS.items():
        section, _, key = name.partition(".")
        content = judged.get(section)
        if isinstance(kind, FilePath) and kind.must_exist and isinstance(content, dict) and content.get(key):
            judged[section] = {**content, key: os.devnull}
    return judged


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


def _written(wheels: Path, documents: Mapping[str, Mapping[str, object]], places: _Places) -> Iterator[Path]:
    """The files that are left. A deployment of an earlier build is not; what is not ours stays."""
    for folder in (places.archive, places.documents):
        folder.mkdir(parents=True, exist_ok=True)
    for name in {*RECIPES.values(), *DEPLOYMENTS.values()} - set(documents):
        (places.documents / name).unlink(missing_ok=True)
    yield _archive(wheels, places.archive / f"{ARTIFACT}.zip")
    for name, document in documents.items():
        path = places.documents / name
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
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
