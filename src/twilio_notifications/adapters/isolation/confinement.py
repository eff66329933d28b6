"""What a confined process may still reach, as a value; it cannot reach anything else.

Pure: the value neither looks at the machine nor knows how a kernel puts it in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The paths and ports that stay allowed. `a | b` allows what `a` allows and what `b` allows.

    A folder stands for everything below it. The process may execute no program at all.
    """

    readable: frozenset[Path] = frozenset()
    """Files and folders."""
    writable: frozenset[Path] = frozenset()
    """Folders in which files may also be read, created, changed and removed."""
    connect_ports: frozenset[int] = frozenset()
    """TCP ports of other machines, and of this one."""
    listen_ports: frozenset[int] = frozenset()
    """TCP ports whose listeners were opened before; only shown to people, because no new one can be
    opened."""
    sockets: frozenset[Path] = frozenset()
    """Unix sockets with a path, or folders with such sockets. If there are none, the process cannot create
    a Unix socket at all, on any kernel."""
    watched: frozenset[Path] = frozenset()
    """Files of `readable` that the connector reads repeatedly. When another file replaces one of them,
    this process cannot read the new file; only a new process can."""

    def __or__(self, other: Confinement) -> Confinement:
        return Confinement(
            readable=self.readable | other.readable,
            writable=self.writable | other.writable,
            connect_ports=self.connect_ports | other.connect_ports,
            listen_ports=self.listen_ports | other.listen_ports,
            sockets=self.sockets | other.sockets,
            watched=self.watched | other.watched,
        )

    def outlives_replacement(self, path: Path) -> bool:
        """Whether the process can also read a new file of this name, because a folder above it is allowed."""
        return any(path.is_relative_to(folder) and path != folder for folder in self.readable | self.writable)
