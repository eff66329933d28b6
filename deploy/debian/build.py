"""Builds a Debian package of the connector, with all that it needs from requirements.lock, by hash.

    python deploy/debian/build.py                 # into build/debian
    python deploy/debian/build.py aws metrics     # with these extras of pyproject.toml

The package holds an environment of its own for the Python of the Debian on which it is built, so it is for
that release and that architecture. It needs dpkg-deb, and hatchling in the Python that runs it.
"""  # noqa: INP001 - a program of its own

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
NAME = "twilio-notifications"
HOME = Path("usr/lib") / NAME
UNITS = ROOT / "deploy" / "systemd"
CONSOLE = "console"
"""The extra that brings a service of its own."""
MANUAL = ROOT / "deploy" / "man" / f"{NAME}.1"
SCRIPTS = ("postinst", "prerm", "postrm")
COMPLETIONS = {
    "bash": f"usr/share/bash-completion/completions/{NAME}",
    "zsh": f"usr/share/zsh/vendor-completions/_{NAME}",
    "fish": f"usr/share/fish/vendor_completions.d/{NAME}.fish",
}
CHANGES_OF_UNITS = {
    "[Unit]\n": f"""\
[Unit]
Documentation=man:{NAME}(1)
# Until `sudo twilio-notifications init --service` has written it, there is nothing to start.
ConditionPathExists=/etc/{NAME}/{NAME}.toml
""",
    f"/opt/{NAME}/bin/{NAME}": f"/usr/bin/{NAME}",
    "DynamicUser=yes\n": f"Group={NAME}\nEnvironmentFile=-/etc/default/{NAME}\n",
}
CHANGES_OF_THE_CONNECTORS_UNIT = {
    "/opt/twilio-notifications holds": "/usr/lib/twilio-notifications holds",
    "DynamicUser=yes\n": f"User={NAME}\nDynamicUser=yes\n",
}
START = f"""\
#!/{HOME}/bin/python -I
from twilio_notifications.__main__ import main

main()
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The options of the command line, with the project's table of pyproject.toml."""

    project: Mapping[str, Any]
    extras: Sequence[str]
    python: str
    lock: Path
    wheels: Path | None
    maintainer: str
    output: Path
    built_at: int


def main(arguments: Sequence[str]) -> int:
    order = _order(_parser().parse_args(arguments))
    with tempfile.TemporaryDirectory(prefix="twilio-notifications-debian.") as folder:
        stage = Path(folder, "stage")
        stage.mkdir(mode=0o755)
        _install(stage / HOME, order, Path(folder))
        _add_files(stage, order)
        _add_control(stage, order)
        order.output.mkdir(parents=True, exist_ok=True)
        environ = {**os.environ, "SOURCE_DATE_EPOCH": str(order.built_at)}
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(stage), str(order.output)]
        subprocess.run(command, check=True, env=environ)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py", description="Builds a Debian package of the connector.")
    parser.add_argument("extras", metavar="EXTRA", nargs="*", help="an extra of pyproject.toml")
    parser.add_argument(
        "--python",
        default="/usr/bin/python3",
        metavar="PROGRAM",
        help="the Python of the Debian that the package is for (default: /usr/bin/python3)",
    )
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "debian", metavar="FOLDER")
    parser.add_argument("--lock", type=Path, default=ROOT / "requirements.lock", metavar="FILE")
    parser.add_argument(
        "--wheels", type=Path, metavar="FOLDER", help="take the packages from this folder, and ask no index"
    )
    parser.add_argument(
        "--maintainer",
        default="The maintainers of twilio-notifications <maintainers@twilio-notifications.invalid>",
        metavar="'NAME <ADDRESS>'",
        help="who answers for this build",
    )
    return parser


def _order(options: argparse.Namespace) -> Order:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return Order(
        project=tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"],
        extras=options.extras,
        python=str(Path(options.python).resolve()),
        lock=options.lock,
        wheels=options.wheels,
        maintainer=options.maintainer,
        output=options.output,
        built_at=int(epoch) if epoch else int((ROOT / "pyproject.toml").stat().st_mtime),
    )


# The environment


def _install(home: Path, order: Order, folder: Path) -> None:
    """An environment with the connector, as it will lie in /usr/lib; no file in it names this folder."""
    subprocess.run([order.python, "-m", "venv", "--without-pip", "--symlinks", str(home)], check=True)
    locked = [sys.executable, str(ROOT / "deploy" / "locked.py"), "--only", "run", "--lock", str(order.lock)]
    requirements = folder / "locked.txt"
    requirements.write_bytes(subprocess.run([*locked, *order.extras], check=True, capture_output=True).stdout)
    wheels = folder / "wheels"
    _pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT))
    (ours,) = wheels.glob("*.whl")
    into = ("--python", str(home / "bin" / "python"), "install", "--no-compile", "--only-binary", ":all:")
    index = () if order.wheels is None else ("--no-index", "--find-links", str(order.wheels))
    _pip(*into, *index, "--require-hashes", "--requirement", str(requirements))
    _pip(*into, "--no-index", "--no-deps", str(ours))
    _clean(home, order)


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    subprocess.run(command, check=True)


def _clean(home: Path, order: Order) -> None:
    """Leaves the interpreter, the packages and the start of the program; the same for each build."""
    for path in (home / "bin").iterdir():
        path.unlink()
    (home / "bin" / "python").symlink_to(os.path.relpath(order.python, f"/{HOME}/bin"))
    start = home / "bin" / NAME
    start.write_text(START, encoding="utf-8")
    start.chmod(0o755)
    shutil.rmtree(home / "share", ignore_errors=True)
    shutil.rmtree(home / "include", ignore_errors=True)
    (home / "lib64").unlink(missing_ok=True)
    version = re.sub(r".*?(\d+\.\d+)$", r"\1", Path(order.python).name)
    (home / "pyvenv.cfg").write_text(
        f"home = {Path(order.python).parent}\ninclude-system-site-packages = false\nversion = {version}\n",
        encoding="utf-8",
    )
    for path in home.rglob("*.dist-info/*"):
        # RECORD lists the programs that were taken away, direct_url.json has the folder of this build.
        if path.name in {"RECORD", "direct_url.json", "REQUESTED"}:
            path.unlink()


# The other files


def _add_files(stage: Path, order: Order) -> None:
    _write(stage / "usr/bin" / NAME, link=f"../lib/{NAME}/bin/{NAME}")
    services = stage / "usr/lib/systemd/system"
    _write(services / f"{NAME}.service", unit(f"{NAME}.service", CHANGES_OF_THE_CONNECTORS_UNIT))
    if CONSOLE in order.extras:
        _write(services / f"{NAME}-{CONSOLE}.service", unit(f"{NAME}-{CONSOLE}.service", {}))
    _write(stage / "etc/default" / NAME, (HERE / "default").read_text(encoding="utf-8"))
    (stage / "etc" / NAME).mkdir()
    packages = next((stage / HOME).glob("lib/python3.*/site-packages"))
    for shell, place in COMPLETIONS.items():
        # By its Python itself: the link to it leads nowhere before the package is installed.
        done = subprocess.run(
            [order.python, "-s", "-m", "twilio_notifications", "completion", shell],
            env={"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"},
            check=True,
            capture_output=True,
            text=True,
        )
        _write(stage / place, done.stdout)
    overrides = (HERE / "lintian-overrides").read_text(encoding="utf-8")
    _write(stage / "usr/share/lintian/overrides" / NAME, overrides)
    documents = stage / "usr/share/doc" / NAME
    _write(documents / "copyright", _filled("copyright", order))
    _compress(documents / "changelog.gz", _changelog(order))
    _compress(stage / "usr/share/man/man1" / f"{NAME}.1.gz", MANUAL.read_text(encoding="utf-8"))


def unit(name: str, changes: Mapping[str, str]) -> str:
    """The unit that confines the service, for the places and the user of this package."""
    text = (UNITS / name).read_text(encoding="utf-8")
    for old, new in (*changes.items(), *CHANGES_OF_UNITS.items()):
        if old not in text:
            sys.exit(f"build.py: {name} has no {old.strip()!r} any more: change build.py with it")
        text = text.replace(old, new)
    return text


def _changelog(order: Order) -> str:
    built = datetime.fromtimestamp(order.built_at, UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return (
        f"{NAME} ({order.project['version']}) unstable; urgency=medium\n\n"
        f"  * See {order.project['urls']['Homepage']}\n\n"
        f" -- {order.maintainer}  {built}\n"
    )


def _add_control(stage: Path, order: Order) -> None:
    control = stage / "DEBIAN"
    _write(control / "control", _filled("control", order, size=_kibibytes(stage)))
    _write(control / "conffiles", f"/etc/default/{NAME}\n")
    for script in SCRIPTS:
        _write(control / script, (HERE / script).read_text(encoding="utf-8"), mode=0o755)
    _write(control / "md5sums", "".join(_md5sums(stage)))


def _md5sums(stage: Path) -> Iterator[str]:
    """The sums by which dpkg finds damaged files; configuration files may change, and are left out."""
    for path in sorted(stage.rglob("*")):
        name = path.relative_to(stage)
        if path.is_file() and not path.is_symlink() and name.parts[0] not in {"DEBIAN", "etc"}:
            yield f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {name}\n"


def _filled(template: str, order: Order, *, size: int = 0) -> str:
    # `dpkg` and `dpkg-deb` are those of the Debian on which the package is built.
    architecture = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    ).stdout
    values = {
        "VERSION": order.project["version"],
        "ARCHITECTURE": architecture.strip(),
        "MAINTAINER": order.maintainer,
        "SIZE": str(size),
        "PYTHON": Path(order.python).name,
        "HOMEPAGE": order.project["urls"]["Homepage"],
    }
    text = (HERE / template).read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], text)


def _kibibytes(stage: Path) -> int:
    return sum(path.lstat().st_size // 1024 + 1 for path in stage.rglob("*"))


def _write(path: Path, text: str = "", *, mode: int = 0o644, link: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if link:
        path.symlink_to(link)
        return
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def _compress(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
