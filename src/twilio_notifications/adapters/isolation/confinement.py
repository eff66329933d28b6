"""What a confined process may still reach, as a value; everything else is out of its reach.

Pure. It neither looks at the machine nor knows how a kernel carries this out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The paths and ports that stay allowed. `a | b` allows what either does.

    A folder stands for everything below it. No program may be executed, wherever it lies.
    """

    readable: frozenset[Path] = frozenset()
    """Files and folders."""
    writable: frozenset[Path] = frozenset()
    """Folders in which files may also be read, created, changed and removed."""
    connect_ports: frozenset[int] = frozenset()
    """TCP ports of other machines, and of this one."""
    listen_ports: frozenset[int] = frozenset()
    """TCP ports of this machine whose listeners were opened before; for people: no new one can be opened."""
    sockets: frozenset[Path] = frozenset()
    """Sockets of this machine that have a path, or folders with such sockets. With none, the process can make
    no such socket at all, on any kernel."""
    watched: frozenset[Path] = frozenset()
    """Files of `readable` that are read again and again: once another file has taken their place they are out
    of reach, and only a new process can be allowed the new one."""

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
        """Whether a new file under this name could be read too, because a folder above it is allowed."""
        return any(path.is_relative_to(folder) and path != folder for folder in self.readable | self.writable)
