"""What the operations of the journal need of a connection to a database, of whichever engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Parameters = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    """What a statement has brought."""

    @property
    def rowcount(self) -> int:
        """Rows that were added, changed or removed; of `executemany`, by all of its executions together."""

    def fetchone(self) -> Any:
        """The next row; None: there is none left."""

    def fetchall(self) -> list[Any]:
        """All rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Statements are those of `statements/`: the text is SQLite's, another engine translates it."""

    def execute(self, statement: str, parameters: Parameters = (), /) -> Cursor:
        """Carries out one statement with the parameters of its `?`, or of its `:name`."""

    def executemany(self, statement: str, parameters: Iterable[Parameters], /) -> Cursor:
        """Carries out one statement with each of these parameters."""


class Row(Protocol):
    """A row that people read, by the names of its columns."""

    def __getitem__(self, column: str, /) -> Any: ...

    def __iter__(self) -> Iterator[Any]: ...
