"""Landlock as the kernel documents it: rights, versions, and the ruleset for a confinement.

Pure: the system calls are made in `kernel`. A right that the running kernel's version does not know is left
out, because the kernel refuses a ruleset with it; the log and `check` name what that leaves open.
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


class Scope(IntFlag):
    """LANDLOCK_SCOPE_*: what ends at the border of the confined process and its descendants."""

    ABSTRACT_UNIX_SOCKET = 1 << 0
    SIGNAL = 1 << 1


SOCKETS = "sockets with a path"

_NO_FILES, _NO_PORTS, _NO_SCOPES = FileRight(0), PortRight(0), Scope(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one version of Landlock brought. `name` is for people; `linux` is where it first was."""

    version: int
    linux: str
    name: str
    files: FileRight = _NO_FILES
    ports: PortRight = _NO_PORTS
    scopes: Scope = _NO_SCOPES


STEPS = (
    Step(version=1, linux="5.13", name="files and programs", files=FileRight((1 << 13) - 1)),
    Step(version=2, linux="5.19", name="moving files", files=FileRight.REFER),
    Step(version=3, linux="6.2", name="truncating files", files=FileRight.TRUNCATE),
    Step(version=4, linux="6.7", name="TCP ports", ports=PortRight(3)),
    Step(version=5, linux="6.10", name="device controls", files=FileRight.IOCTL_DEV),
    Step(version=6, linux="6.12", name="signals and abstract sockets", scopes=Scope(3)),
    Step(version=9, linux="7.1", name=SOCKETS, files=FileRight.RESOLVE_UNIX),
)
"""Version 7 brought records for audits, version 8 rules for several threads at once; neither is used here."""

READING = FileRight.READ_FILE | FileRight.READ_DIR
WRITING = READING | FileRight.WRITE_FILE | FileRight.TRUNCATE | FileRight.MAKE_REG | FileRight.REMOVE_FILE
"""No folders, devices, sockets or links are made: the journal and its companions are plain files."""

ON_A_FILE = (
    FileRight.EXECUTE
    | FileRight.WRITE_FILE
    | FileRight.READ_FILE
    | FileRight.TRUNCATE
    | FileRight.IOCTL_DEV
    | FileRight.RESOLVE_UNIX
)
"""The rights that a rule for something other than a folder may have; the kernel refuses it with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What this kernel has of Landlock (its version, or 0 and the reason), and whether it filters calls."""

    version: int
    reason: str = ""
    no_filter: str = ""
    """Why system calls cannot be filtered here; "" where they can."""

    def not_confined(self, allowed: Confinement) -> str:
        """What stays within reach of a process that is confined so, in words for people; UDP always does."""
        steps = [step for step in STEPS if step.version > self.version]
        if not (self.no_filter or allowed.sockets):
            steps = [step for step in steps if step.name != SOCKETS]  # the filter lets none be made
        filtered = ["seccomp"] if self.no_filter else []
        return ", ".join(["UDP", *filtered, *(f"{step.name} (Linux {step.linux})" for step in steps)])

    @property
    def confines_ports(self) -> bool:
        """Whether Landlock does; without the filter there are ways around it."""
        return any(step.ports and step.version <= self.version for step in STEPS)

    def __str__(self) -> str:
        return f"version {self.version}" if self.version else f"none: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRule:
    """Rights below a path; the shell takes those away that a plain file cannot have."""

    path: Path
    rights: FileRight


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRule:
    """Rights to a TCP port."""

    port: int
    rights: PortRight


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """What is forbidden unless a rule allows it, and the rules."""

    files: FileRight
    ports: PortRight
    scopes: Scope
    path_rules: tuple[PathRule, ...]
    port_rules: tuple[PortRule, ...]


def ruleset(allowed: Confinement, *, version: int) -> Ruleset:
    """The strictest ruleset that this version of Landlock knows for the confinement."""
    files, ports, scopes = _NO_FILES, _NO_PORTS, _NO_SCOPES
    for step in STEPS:
        if step.version <= version:
            files, ports, scopes = files | step.files, ports | step.ports, scopes | step.scopes
    return Ruleset(
        files=files,
        ports=ports,
        scopes=scopes,
        path_rules=tuple(_path_rules(allowed, files)),
        port_rules=tuple(_port_rules(allowed)) if ports else (),
    )


def _path_rules(allowed: Confinement, known: FileRight) -> Iterator[PathRule]:
    yield from (PathRule(path=path, rights=READING & known) for path in sorted(allowed.readable))
    yield from (PathRule(path=path, rights=WRITING & known) for path in sorted(allowed.writable))
    if FileRight.RESOLVE_UNIX & known:  # the kernel refuses a rule without any right
        yield from (PathRule(path=path, rights=FileRight.RESOLVE_UNIX) for path in sorted(allowed.sockets))


def _port_rules(allowed: Confinement) -> Iterator[PortRule]:
    """For connecting alone: what listens does so before the process is confined."""
    yield from (PortRule(port=port, rights=PortRight.CONNECT_TCP) for port in sorted(allowed.connect_ports))
