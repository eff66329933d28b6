"""The requests that a defect holds up: left alone until the next start, so that the others go on.

A row that cannot be made into a value is one of them. It is kept here until a stage has answered it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.core.contract.request_ids import echoed
from twilio_notifications.core.model import Channel
from twilio_notifications.ports import BrokenRow, Unreported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

R = TypeVar("R")
Row = tuple[Any, ...]


class SetAside:
    """Ids that no read returns any more; a row that cannot be read comes back once it is answered."""

    def __init__(self, *, is_passing: Callable[[Exception], bool]) -> None:
        """`is_passing` says whether an error is one of the database, which says nothing of a row."""
        self._is_passing = is_passing
        self._ids: set[int] = set()
        self._statuses: set[int] = set()
        self._broken: list[BrokenRow] = []

    def add(self, id_: int) -> None:
        self._ids.add(id_)

    def add_status(self, position: int) -> None:
        self._statuses.add(position)

    def discard(self, id_: int) -> None:
        """The request is answered, and so stands in the outbox: of its row, only the status matters now."""
        self._ids.discard(id_)

    @property
    def ids(self) -> str:
        """The requests, as a JSON list."""
        return json.dumps(list(self._ids)) if self._ids else "[]"

    def limit(self, wanted: int) -> int:
        """How many rows to read, so that `wanted` are left where those set aside are among them."""
        return wanted + len(self._ids) + len(self._statuses)

    def values(self, rows: Iterable[Row], make: Callable[[Row], R], *, wanted: int) -> list[R]:
        """The first `wanted` rows as values; a row begins with its request's id."""
        found: list[R] = []
        for row in rows:
            if len(found) == wanted:
                break
            if row[0] in self._ids:
                continue
            try:
                if Undecodable in map(type, row):
                    raise ValueError("the row holds a text that is not UTF-8")  # noqa: TRY301 - one way for all that cannot be read
                value = make(row)
            except Exception as error:
                if self._is_passing(error):
                    raise
                self._break(row, error)  # what stands in one row must not stop the others
                continue
            if not (self._statuses and isinstance(value, Unreported) and value.position in self._statuses):
                found.append(value)
        return found

    def earliest(self, rows: Iterable[Row]) -> float | None:
        """The instant, in the second column, of the first row that is not set aside."""
        return next((row[1] for row in rows if row[0] not in self._ids), None)

    def broken(self) -> list[BrokenRow]:
        """What could not be read since the last call."""
        found, self._broken = self._broken, []
        return found

    def _break(self, row: Row, error: Exception) -> None:
        """The rows of all reads begin alike: id, request_id, channel."""
        id_, request_id, channel, *_ = row
        readable: str | int | float = ""
        with suppress(ValueError, TypeError, RecursionError):  # then it is answered without its id
            readable = echoed(json.loads(request_id))
        self._ids.add(id_)
        self._broken.append(BrokenRow(id=id_, request_id=readable, channel=Channel(channel), error=error))


class Undecodable(str):
    """A text of the file that is not UTF-8."""

    __slots__ = ()
