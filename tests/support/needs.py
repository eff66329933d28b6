"""What some tests need beyond Python: which marker needs what, and what follows when it is missing.

A missing need skips the test and says how to get it; where `CI` is set it fails the test,
because a promise without a check is not kept. The decision is pure, `tests/conftest.py` acts on it.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.adapters.isolation import discover

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
OPENAPI = ROOT.parent / "shared" / "data" / "twilio_api_v2010.slim.json"
"""Twilio's own OpenAPI description; it is not ours to distribute, so it may lie next to the repository."""

SYSTEM_FOLDERS = os.pathsep.join(["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
"""Where brokers are installed, and where the PATH of an ordinary user does not lead."""

RABBITMQ_FOLDER = "/usr/lib/rabbitmq/bin"
"""Debian's /usr/sbin/rabbitmq-server changes to a user and a folder of its own; the script here does not."""

POSTGRESQL_FOLDERS = Path("/usr/lib/postgresql")
"""Debian keeps the server of each version in a folder of its own, which no PATH has."""

DEBIAN_TOOLS = ("dpkg-deb", "lintian")

LITE_VARIABLE = "NUCLEUS_LITE"
LITE_PROGRAMS = ("ggconfigd", "ggpubsubd", "ggipcd")

PEERS_VARIABLE = "PEERS"
"""Set where some hundred megabytes of other projects' programs may be fetched."""

CONTROL_GROUPS = Path("/sys/fs/cgroup/unified")
if not CONTROL_GROUPS.is_dir():  # of a system without the groups of version 1
    CONTROL_GROUPS = CONTROL_GROUPS.parent

CAP_SYS_ADMIN = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Something a test needs is not there. `fails`: the test must not be skipped over it."""

    reason: str
    fails: bool


def missing(  # noqa: C901, PLR0912 - a case for each marker
    marker: str, environment: Mapping[str, str], *, openapi: Path = OPENAPI
) -> Missing | None:
    """What the tests with this marker lack on this machine, if anything."""
    path = environment.get("PATH", "")
    in_ci = may_not_skip(environment)
    match marker:
        case "mosquitto" if find_mosquitto(path) is None:
            install = "`apt install mosquitto` or `brew install mosquitto`"
            return Missing(
                reason=f"the broker mosquitto is not installed; install it: {install}", fails=in_ci
            )
        case "rabbitmq" if find_rabbitmq(path) is None or find_epmd(path) is None:
            install = "`apt install rabbitmq-server` or `brew install rabbitmq`"
            return Missing(reason=f"the broker RabbitMQ is not installed; install it: {install}", fails=in_ci)
        case "postgresql" if find_postgresql(path) is None or find_spec("asyncpg") is None:
            install = "`apt install postgresql` or `brew install postgresql`, and `pip install asyncpg`"
            return Missing(
                reason=f"the database PostgreSQL is not installed; install it: {install}", fails=in_ci
            )
        case "pgbouncer" if find_system_program("pgbouncer", path) is None:
            install = "`apt install pgbouncer` or `brew install pgbouncer`"
            return Missing(
                reason=f"the pooler PgBouncer is not installed; install it: {install}", fails=in_ci
            )
        case "prism" if not openapi.exists():
            return Missing(
                reason=f"Twilio's OpenAPI description is not at ../{openapi.parent.name}/", fails=False
            )
        case "prism" | "npm" if shutil.which("npm", path=path) is None:
            install = "`apt install npm` or `brew install node`"
            return Missing(reason=f"npm is not installed; install it: {install}", fails=in_ci)
        case "chromium" if not all(shutil.which(name, path=path) for name in ("chromium", "chromedriver")):
            install = "`apt install chromium chromium-driver`"
            return Missing(
                reason=f"Chromium and its driver are not installed; install them: {install}", fails=in_ci
            )
        case "promtool" if shutil.which("promtool", path=path) is None:
            install = "`apt install prometheus` or `brew install prometheus`"
            return Missing(reason=f"promtool is not installed; install it: {install}", fails=in_ci)
        case "landlock" if not discover().version:
            # No installation helps, so CI does not fail over it.
            return Missing(reason=f"this kernel offers no Landlock: {discover().reason}", fails=False)
        case "nucleus_lite" if lite_programs(environment) is None:
            reason = f"${LITE_VARIABLE} names no folder with ggconfigd, ggpubsubd and ggipcd of nucleus lite"
            return Missing(reason=reason, fails=False)
        case "namespaces" if not _may_administer():
            return Missing(reason="only root, with all its rights, may make namespaces", fails=False)
        case "mounts" if not _may_administer():
            return Missing(reason="only root, with all its rights, may have mounts of its own", fails=False)
        case "mounts" if not _root_is_a_mount_point():
            reason = "in a chroot whose / is no mount point no process can have mounts of its own"
            return Missing(reason=reason, fails=False)
        case "peers" if not in_ci and not environment.get(PEERS_VARIABLE):
            reason = f"programs of others are fetched for their tests only where {PEERS_VARIABLE}=1 is set"
            return Missing(reason=reason, fails=False)
        case "site" if find_spec("material") is None:
            return Missing(
                reason="MkDocs and its theme are not installed; install them: `make site`", fails=in_ci
            )
        case "zsh" | "fish" | "mandoc" if shutil.which(marker, path=path) is None:
            return Missing(
                reason=f"{marker} is not installed; install it: `apt install {marker}`", fails=in_ci
            )
        case "debian" if any(shutil.which(each, path=path) is None for each in DEBIAN_TOOLS):
            install = "`apt install dpkg lintian`, on a Debian"
            return Missing(reason=f"the tools for Debian packages are not installed: {install}", fails=in_ci)
        case "systemd" if shutil.which("systemd-analyze", path=path) is None:
            return Missing(
                reason="systemd-analyze is not installed; install it: `apt install systemd`", fails=False
            )
        case _:
            return None


def may_not_skip(environment: Mapping[str, str]) -> bool:
    """Whether a test fails where it would be skipped because something is missing that can be installed."""
    return environment.get("CI", "").lower() in {"true", "1"}


def lite_programs(environment: Mapping[str, str]) -> Path | None:
    """The folder with the programs of Greengrass nucleus lite, which no distribution has."""
    folder = Path(environment.get(LITE_VARIABLE, "/nonexistent"))
    return folder if all((folder / name).is_file() for name in LITE_PROGRAMS) else None


def _may_administer() -> bool:
    """Whether this process has CAP_SYS_ADMIN; in a container even root often has not."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> CAP_SYS_ADMIN & 1)


def _root_is_a_mount_point() -> bool:
    """False in a chroot into an ordinary folder, where the kernel refuses to make mounts private.

    `os.path.ismount("/")` is true everywhere, so the kernel's own table is read.
    """
    table = Path("/proc/self/mountinfo")
    return not table.exists() or any(line.split()[4] == "/" for line in table.read_text().splitlines())


def find_system_program(name: str, path: str) -> str | None:
    """The program on this search path, or in a folder for system programs."""
    return shutil.which(name, path=path) or shutil.which(name, path=SYSTEM_FOLDERS)


def find_mosquitto(path: str) -> str | None:
    """The broker's program on this search path, or in a folder for system programs."""
    return find_system_program("mosquitto", path)


def mosquitto_program() -> str:
    """The broker's program; the marker `mosquitto` keeps a test from coming here without one."""
    program = find_mosquitto(os.environ.get("PATH", ""))
    assert program is not None, "mark this test with @pytest.mark.mosquitto"
    return program


def find_rabbitmq(path: str) -> str | None:
    """The broker's script: Debian's own folder first, then this search path and the system's folders."""
    folders = (RABBITMQ_FOLDER, path, SYSTEM_FOLDERS)
    return next((found for each in folders if (found := shutil.which("rabbitmq-server", path=each))), None)


def find_postgresql(path: str) -> Path | None:
    """The folder with the server's programs: Debian's newest one, or that on this search path."""
    newest = sorted(POSTGRESQL_FOLDERS.glob("*/bin/initdb"), key=lambda found: int(found.parts[-3]))
    found = newest[-1] if newest else shutil.which("initdb", path=path)
    return None if found is None else Path(found).resolve().parent


def postgresql_programs() -> Path:
    """The folder of the programs; the marker `postgresql` keeps a test from coming here without them."""
    programs = find_postgresql(os.environ.get("PATH", ""))
    assert programs is not None, "mark this test with @pytest.mark.postgresql"
    return programs


def find_epmd(path: str) -> str | None:
    """Erlang's port mapper, which RabbitMQ needs."""
    return find_system_program("epmd", path)


def rabbitmq_program() -> str:
    """The broker's script; the marker `rabbitmq` keeps a test from coming here without one."""
    program = find_rabbitmq(os.environ.get("PATH", ""))
    assert program is not None, "mark this test with @pytest.mark.rabbitmq"
    return program


def epmd_program() -> str:
    """The port mapper; the marker `rabbitmq` keeps a test from coming here without one."""
    program = find_epmd(os.environ.get("PATH", ""))
    assert program is not None, "mark this test with @pytest.mark.rabbitmq"
    return program
