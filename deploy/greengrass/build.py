"""Builds the component of Greengrass V2: the archive with the package, and a recipe for each nucleus.

    make component                              # dependencies come from the device's package index
    make component ARGS=--vendored              # they come with the archive, for machines like this one
    make component ARGS='--wheels FOLDER'       # they come with the archive, from this folder
    make component ARGS='--bucket NAME'         # the recipes say where the archive lies
    make component ARGS='--configuration FILE'  # recipes for this configuration, and deployments
    make component ARGS='--local --nucleus lite'  # for a local deployment, in build/greengrass-local

The result stands in build/greengrass, or with `--gdk` where `gdk component publish` looks for it.
"""  # noqa: INP001 - a program of its own

from __future__ import annotations

import argparse
import hashlib
import json
import re
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
    DIGEST,
    EXTRAS,
    LOCK,
    NucleusKind,
    Packaging,
    configured,
    deployment,
    recipe,
    wheel_name,
)
from twilio_notifications.config import load
from twilio_notifications.config.kinds import FilePath
from twilio_notifications.config.sections import SETTINGS
from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the archive, so that the same content makes the same archive."""

DIGEST_LETTERS = 12
"""Enough to distinguish two contents, and short in the path of a program on a device."""

RECIPES = {NucleusKind.CLASSIC: "recipe.json", NucleusKind.LITE: "recipe-lite.json"}
DEPLOYMENTS = {NucleusKind.CLASSIC: "deployment.json", NucleusKind.LITE: "deployment-lite.json"}


def main(arguments: Sequence[str]) -> int:
    """Builds the component and prints the paths of its files; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.local and options.nucleus is None:
        parser.error("--local needs --nucleus classic or --nucleus lite")
    number = version("twilio-notifications")
    documents = dict(_documents(options, number))
    with tempfile.TemporaryDirectory() as folder:
        content = Path(folder)
        _put_together(content, options, number)
        for path in _write(content, documents, _Places(options, number)):
            print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    return 0


def _put_together(content: Path, options: argparse.Namespace, number: str) -> None:
    """The files of the archive: our wheel, the lock and, if vendored, the wheels of the dependencies."""
    wheels, lock = content / "wheels", content / LOCK
    if find_spec("hatchling") is None:
        sys.exit(
            "make component: the package hatchling is missing, which builds our wheel: run make component"
        )
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT))
    if not (wheels / wheel_name(number)).exists():
        sys.exit(
            f"make component: version {number} is installed, and the source is of another: run make again"
        )
    if options.wheels is not None:
        lock.write_text(_lock_of(_copy_wheels(options.wheels, wheels)), encoding="utf-8")
        return
    lock.write_text(_read_lock(options.lock), encoding="utf-8")
    if options.vendored:
        _pip(
            *("download", "--only-binary", ":all:", "--require-hashes", "--requirement", str(lock)),
            *("--dest", str(wheels)),
        )


def _read_lock(lock: Path) -> str:
    """The part of the lock that the device needs."""
    locked = str(ROOT / "deploy" / "locked.py")
    command = [sys.executable, locked, "--only", "run", "--lock", str(lock), *EXTRAS]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make component", description="Builds the Greengrass V2 component.")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write it")
    parser.add_argument("--vendored", action="store_true", help="the dependencies come with the archive")
    parser.add_argument(
        "--wheels", type=Path, metavar="FOLDER", help="the same with these wheels, for another machine"
    )
    parser.add_argument(
        "--lock",
        type=Path,
        metavar="FILE",
        default=ROOT / LOCK,
        help="versions and hashes of the dependencies (default: requirements.lock); not with --wheels",
    )
    parser.add_argument("--bucket", metavar="NAME", help="where you will put the archive")
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
    """The folders for the result: GDK and local deployments have one for recipes and one for artifacts."""

    def __init__(self, options: argparse.Namespace, number: str) -> None:
        usual = ROOT / "build" / ("greengrass-local" if options.local else "greengrass")
        output: Path = options.output or (HERE / "greengrass-build" if options.gdk else usual)
        in_folders = options.gdk or options.local
        self.archive = output / "artifacts" / COMPONENT / number if in_folders else output
        self.documents = output / "recipes" if in_folders else output


def _documents(options: argparse.Namespace, number: str) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The documents by name. GDK and local deployments look for one recipe, and for no deployment."""
    vendored = options.vendored or options.wheels is not None
    packaging = Packaging(bucket=_bucket(options), python=options.python, vendored=vendored)
    for kind in _kinds(options):
        configuration = None
        if options.configuration is not None:
            configuration = _configuration(options.configuration, kind)
        document = recipe(kind, version=number, configuration=configuration, packaging=packaging)
        yield _recipe_name(options, kind, number), document
        if configuration is not None and not (options.gdk or options.local):
            yield DEPLOYMENTS[kind], deployment(kind, version=number, configuration=configuration)


def _bucket(options: argparse.Namespace) -> str:
    """The bucket for the recipes, or a stand-in, with a note where the operator has to replace the stand-in.

    GDK puts its own bucket in, and a local deployment needs none.
    """
    if options.bucket is None and not (options.gdk or options.local):
        print(
            "make component: without --bucket NAME the recipes say s3://BUCKET/…: give the name of your "
            "bucket, or replace BUCKET in them before you create the component",
            file=sys.stderr,
        )
    return options.bucket or "BUCKET"


def _recipe_name(options: argparse.Namespace, kind: NucleusKind, number: str) -> str:
    """The name by which GDK, or nucleus lite in a local deployment, finds the recipe."""
    if options.local:
        return f"{COMPONENT}-{number}.json"
    return "recipe.json" if options.gdk else RECIPES[kind]


def _kinds(options: argparse.Namespace) -> Sequence[NucleusKind]:
    if options.nucleus is not None:
        return [NucleusKind(options.nucleus)]
    return [NucleusKind.CLASSIC] if options.gdk else list(NucleusKind)


def _configuration(path: Path, kind: NucleusKind) -> dict[str, object]:
    """The configuration with this nucleus's defaults, checked as the connector will check it."""
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
    """The configuration for the check alone: this program's file stands for each file of the device."""
    judged = dict(configuration)
    for name, setting in SETTINGS.items():
        section, _, key = name.partition(".")
        content, kind = judged.get(section), setting.kind
        if isinstance(kind, FilePath) and kind.must_exist and isinstance(content, dict) and content.get(key):
            judged[section] = {**content, key: __file__}
    return judged


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True)


def _copy_wheels(source: Path, target: Path) -> list[Path]:
    """Copies the wheels of the dependencies, except one with our own name; returns their new paths."""
    copied = []
    for wheel in sorted(source.glob("*.whl")):
        if _package(wheel) == _package(Path(wheel_name("0"))):
            print(f"make component: {wheel} is left out: our own wheel is built here", file=sys.stderr)
        else:
            copied.append(Path(shutil.copy(wheel, target)))
    if not copied:
        sys.exit(f"make component: there is no wheel of a dependency in {source}")
    return copied


def _lock_of(wheels: Sequence[Path]) -> str:
    """A lock with the hashes of exactly these files; a version may have several, for several machines."""
    hashes: dict[tuple[str, str], list[str]] = {}
    for wheel in wheels:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        hashes.setdefault((_package(wheel), wheel.name.split("-")[1]), []).append(digest)
    names = [name for name, _ in hashes]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        sys.exit(f"make component: there are several versions of {', '.join(twice)}: leave one of each there")
    return "".join(
        f"{name}=={number} {' '.join(f'--hash=sha256:{digest}' for digest in digests)}\n"
        for (name, number), digests in hashes.items()
    )


def _package(wheel: Path) -> str:
    """The package's name in the form in which the index compares names."""
    return re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()


def _write(content: Path, documents: Mapping[str, Mapping[str, object]], places: _Places) -> Iterator[Path]:
    """Writes the archive and the documents, and removes those of an earlier build; yields the paths."""
    for folder in (places.archive, places.documents):
        folder.mkdir(parents=True, exist_ok=True)
    for name in {*RECIPES.values(), *DEPLOYMENTS.values()} - set(documents):
        (places.documents / name).unlink(missing_ok=True)
    yield _archive(content, places.archive / f"{ARTIFACT}.zip")
    for name, document in documents.items():
        path = places.documents / name
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        yield path


def _archive(content: Path, path: Path) -> Path:
    """Writes the archive, with a digest of its content by which a device knows an installed one."""
    inside = sorted(path for path in content.rglob("*") if path.is_file())
    files = {str(file.relative_to(content)): file.read_bytes() for file in inside}
    digest = hashlib.sha256()
    for name, payload in files.items():
        digest.update(f"{name} {hashlib.sha256(payload).hexdigest()}\n".encode())
    files[DIGEST] = digest.hexdigest()[:DIGEST_LETTERS].encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, payload in files.items():
            entry = zipfile.ZipInfo(name, date_time=EARLIEST)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, payload)
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
