"""The Debian package: Debian's own tools find nothing wrong with it, and it holds what its page says.

It is installed, configured, checked and purged in a bare Debian by `make packages`.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.utils import canonicalize_name

from deploy.debian import build
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from tests.support.wheels import needed_by, wheel_of
from twilio_notifications import cli
from twilio_notifications.commands.init import SERVICE_GROUP
from twilio_notifications.completion.scripts import script
from twilio_notifications.completion.shells import Shell
from twilio_notifications.outline import outline

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILT_AT = "1795772428"
UNWANTED = "twilio-notifications-debian."
"""The beginning of the name of the folder in which it is built."""

SERVICES = pytest.mark.parametrize(
    "name", ["twilio-notifications.service", "twilio-notifications-console.service"]
)


def unit_of(name: str) -> str:
    """The unit of this name as the package has it."""
    return build.unit(name, build.CHANGES_OF_THE_CONNECTORS_UNIT if name == f"{build.NAME}.service" else {})


def wheels_and_lock(folder: Path) -> tuple[Path, Path]:
    """What is installed here as wheels, and a lock with their hashes: no index is asked."""
    wheels, lock = folder / "wheels", folder / "lock"
    wheels.mkdir()
    with lock.open("w", encoding="utf-8") as file:
        for found in needed_by("twilio-notifications"):
            digest = hashlib.sha256(wheel_of(found, wheels).read_bytes()).hexdigest()
            name = canonicalize_name(found.metadata["Name"])
            file.write(f"{name}=={found.version} \\\n    --hash=sha256:{digest}\n    # via pyreqwest\n")
    return wheels, lock


def pythons() -> str:
    """Debian's Python where the wheels are for its version, else the one that runs the tests."""
    debians = Path(f"/usr/bin/python3.{sys.version_info.minor}")
    return str(debians if debians.exists() else Path(sys.executable).resolve())


def built(folder: Path) -> Path:
    folder.mkdir()
    wheels, lock = wheels_and_lock(folder)
    command = [sys.executable, str(ROOT / "deploy" / "debian" / "build.py"), "--python", pythons()]
    options = ["--wheels", str(wheels), "--lock", str(lock), "--output", str(folder / "out")]
    environ = {**os.environ, "SOURCE_DATE_EPOCH": BUILT_AT}
    done = subprocess.run(
        [*command, *options], env=environ, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )
    assert 0 == done.returncode, done.stderr
    (package,) = (folder / "out").glob("*.deb")
    return package


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("debian") / "first")


def members(package: Path, part: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Each member of a part of the package, "ctrl" or "fsys", with its content."""
    read = subprocess.run(["dpkg-deb", f"--{part}-tarfile", str(package)], capture_output=True, check=True)
    with tarfile.open(fileobj=BytesIO(read.stdout)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            yield member, b"" if file is None else file.read()


def files(package: Path) -> dict[str, bytes]:
    return {member.name.removeprefix("."): content for member, content in members(package, "fsys")}


def control(package: Path) -> dict[str, bytes]:
    return {member.name.removeprefix("./"): content for member, content in members(package, "ctrl")}


@pytest.mark.debian
def test_debians_own_check_finds_nothing_wrong(package: Path) -> None:
    command = ["lintian", "--allow-root", "--fail-on", "error,warning", str(package)]
    checked = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env=os.environ | {"LC_ALL": "C"},
    )
    found = [line for line in checked.stdout.splitlines() if line.startswith(("E:", "W:"))]
    # Here the interpreter may be one of no Debian.
    assert [] == [line for line in found if "/usr/local/" not in line]


@pytest.mark.debian
def test_the_same_source_makes_the_same_package(package: Path, tmp_path: Path) -> None:
    assert package.read_bytes() == built(tmp_path / "again").read_bytes()


@pytest.mark.debian
def test_every_file_belongs_to_root_and_none_names_the_folder_of_the_build(package: Path) -> None:
    for member, content in members(package, "fsys"):
        assert (0, 0) == (member.uid, member.gid), member.name
        assert not member.mode & 0o022 or member.issym(), member.name
        assert UNWANTED.encode() not in content, member.name


@pytest.mark.debian
def test_it_depends_on_the_python_for_which_it_was_built(package: Path) -> None:
    fields = control(package)["control"].decode()
    assert f"Depends: python3.{sys.version_info.minor}, " in fields
    assert "@" not in fields.replace("<maintainers@", "")


@pytest.mark.debian
def test_an_administrators_file_is_kept_by_upgrades(package: Path) -> None:
    conffiles = control(package)["conffiles"].decode().split()
    assert ["/etc/default/twilio-notifications"] == conffiles
    in_etc = [name for name, content in files(package).items() if name.startswith("/etc/") and content]
    assert conffiles == in_etc


@pytest.mark.debian
def test_what_people_need_at_the_shell_is_where_debian_looks(package: Path) -> None:
    found = files(package)
    whole = outline(cli.parser())
    for shell in Shell:
        assert (
            script(shell, whole).splitlines() == found[f"/{build.COMPLETIONS[shell]}"].decode().splitlines()
        )
    assert found["/usr/share/man/man1/twilio-notifications.1.gz"]
    assert "/usr/bin/twilio-notifications" in found


@pytest.mark.debian
def test_no_installer_and_no_bytecode_is_in_it(package: Path) -> None:
    unwanted = re.compile(r"/pip/|/bin/pip|\.pyc$|/direct_url\.json$|/activate")
    assert [] == [name for name in files(package) if unwanted.search(name)]


@pytest.mark.parametrize("name", build.SCRIPTS)
def test_a_script_of_the_package_is_one_and_stops_at_errors(name: str) -> None:
    path = ROOT / "deploy" / "debian" / name
    subprocess.run(["sh", "-n", str(path)], check=True)
    assert "#!/bin/sh\nset -e\n" == "".join(path.read_text("utf-8").splitlines(keepends=True)[:2])


@SERVICES
def test_the_services_have_the_user_that_the_package_makes(name: str) -> None:
    unit = unit_of(name)
    made = (ROOT / "deploy" / "debian" / "postinst").read_text("utf-8")
    assert f"\nUser={SERVICE_GROUP}\nGroup={SERVICE_GROUP}\n" in unit
    assert re.search(rf"adduser .*--group .*{SERVICE_GROUP}$", made, re.MULTILINE)
    assert "DynamicUser" not in unit
    assert "/opt/" not in unit


@pytest.mark.systemd
@SERVICES
def test_systemd_understands_the_services(name: str, tmp_path: Path) -> None:
    """With a program that exists here; systemd reports what it does not accept."""
    copy = tmp_path / name
    copy.write_text(unit_of(name).replace("/usr/bin/twilio-notifications", sys.executable), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(copy)]
    verified = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert "" == "".join(line for line in verified.stderr.splitlines() if copy.name in line)


@SERVICES
def test_the_services_start_nothing_before_they_are_configured(name: str) -> None:
    assert "ConditionPathExists=/etc/twilio-notifications/twilio-notifications.toml\n" in unit_of(name)
