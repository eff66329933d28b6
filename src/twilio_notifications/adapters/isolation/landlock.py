"""Landlock as the kernel documents it: rights, versions, and the ruleset for a confinement.

Pure: `kernel` makes the system calls. A ruleset leaves out the rights that the running kernel does not know,
because the kernel refuses a ruleset with them; the log and `check` name what stays open for that reason.
https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twilio_notifications.adapters.isolation.confinement import Confinement


class FileRight(IntFlag):
    """LANDLOCK_ACCESS_FS_*."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15
    RESOLVE_UNIX = 1 << 16


class PortRight(IntFlag):
    """LANDLOCK_ACCESS_NET_*."""

    BIND_TCP = 1 << 0
    CONNECT_TCP = 1 << 1


class LandlockScope(IntFlag):
    """LANDLOCK_SCOPE_*: what cannot leave the confined process and its descendants."""

    ABSTRACT_UNIX_SOCKET = 1 << 0
    SIGNAL = 1 << 1


SOCKETS = "sockets with a path"

_NO_FILES, _NO_PORTS, _NO_SCOPES = FileRight(0), PortRight(0), LandlockScope(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandlockVersion:
    """What one version of Landlock added.

    `name` is for people; `linux` is the first Linux with this version.
    """

    version: int
    linux: str
    name: str
    files: FileRight = _NO_FILES
    ports: PortRight = _NO_PORTS
    scopes: LandlockScope = _NO_SCOPES


VERSIONS = (
    LandlockVersion(version=1, linux="5.13", name="files and programs", files=FileRight((1 << 13) - 1)),
    LandlockVersion(version=2, linux="5.19", name="moving files", files=FileRight.REFER),
    LandlockVersion(version=3, linux="6.2", name="truncating files", files=FileRight.TRUNCATE),
    LandlockVersion(version=4, linux="6.7", name="TCP ports", ports=PortRight(3)),
    LandlockVersion(version=5, linux="6.10", name="device controls", files=FileRight.IOCTL_DEV),
    LandlockVersion(version=6, linux="6.12", name="signals and abstract sockets", scopes=LandlockScope(3)),
    LandlockVersion(version=9, linux="7.1", name=SOCKETS, files=FileRight.RESOLVE_UNIX),
)
"""Version 7 added records for audits, version 8 rules for several threads at once; we use neither."""

READING = FileRight.READ_FILE | FileRight.READ_DIR
WRITING = READING | FileRight.WRITE_FILE | FileRight.TRUNCATE | FileRight.MAKE_REG | FileRight.REMOVE_FILE
"""No right to make folders, devices, sockets or links: the journal consists of plain files."""

ON_A_FILE = (
    FileRight.EXECUTE
    | FileRight.WRITE_FILE
    | FileRight.READ_FILE
    | FileRight.TRUNCATE
    | FileRight.IOCTL_DEV
    | FileRight.RESOLVE_UNIX
)
"""The rights that a rule for a file may have; the kernel refuses a rule for a file with any other right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What this kernel offers: a version of Landlock (0: none, for `reason`) and a filter of system calls."""

    version: int
    reason: str = ""
    no_filter: str = ""
    """Why system calls cannot be filtered; "" where they can."""

    def not_confined(self, allowed: Confinement) -> str:
        """What a process with this confinement can still reach, in words for people; UDP is always in it."""
        missing = [each for each in VERSIONS if each.version > self.version]
        if not (self.no_filter or allowed.sockets):
            missing = [each for each in missing if each.name != SOCKETS]  # the filter allows no such socket
        filtered = ["seccomp"] if self.no_filter else []
        return ", ".join(["UDP", *filtered, *(f"{each.name} (Linux {each.linux})" for each in missing)])

    @property
    def confines_ports(self) -> bool:
        """Whether Landlock confines TCP ports; without the filter, a process has ways around that."""
        return any(each.ports and each.version <= self.version for each in VERSIONS)

    def __str__(self) -> str:
        return f"version {self.version}" if self.version else f"none: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRule:
    """Rights below a path; for a plain file, `kernel` leaves out the rights that only folders have."""

    path: Path
    rights: FileRight


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRule:
    """Rights to a TCP port."""

    port: int
    rights: PortRight


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """The rights that need a rule, and the rules."""

    files: FileRight
    ports: PortRight
    scopes: LandlockScope
    path_rules: tuple[PathRule, ...]
    port_rules: tuple[PortRule, ...]


def ruleset(allowed: Confinement, *, version: int) -> Ruleset:
    """The strictest ruleset that this version of Landlock knows for the confinement."""
    files, ports, scopes = _NO_FILES, _NO_PORTS, _NO_SCOPES
    for each in VERSIONS:
        if each.version <= version:
            files, ports, scopes = files | each.files, ports | each.ports, scopes | each.scopes
    # No rule for listening: listeners are opened before the process is confined.
    connecting = [PortRule(port=port, rights=PortRight.CONNECT_TCP) for port in sorted(allowed.connect_ports)]
    return Ruleset(
        files=files,
        ports=ports,
        scopes=scopes,
        path_rules=tuple(_path_rules(allowed, files)),
        port_rules=tuple(connecting) if ports else (),
    )


def _path_rules(allowed: Confinement, known: FileRight) -> Iterator[PathRule]:
    yield from (PathRule(path=path, rights=READING & known) for path in sorted(allowed.readable))
    yield from (PathRule(path=path, rights=WRITING & known) for path in sorted(allowed.writable))
    if FileRight.RESOLVE_UNIX & known:  # the kernel refuses a rule without any right
        yield from (PathRule(path=path, rights=FileRight.RESOLVE_UNIX) for path in sorted(allowed.sockets))
