"""Limits how much comes in over one connection to what the journal records in time.

MQTT 5 has a window for QoS 1 and 2; QoS 0 and MQTT 3.1.1 have none. So the connection is not read while
too many payloads wait to be recorded: TCP makes the broker wait, and the broker keeps the rest. No message
is dropped.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_UNRECORDED_BYTES = 4 * 1024 * 1024
"""The second bound, next to the number of payloads: a hundred of the largest packets would take 25 MiB."""


def nothing_follows() -> None:
    """Does nothing: the callback of a caller that sets none."""


class Inflow:
    """Counts the payloads that wait to be recorded."""

    def __init__(self, *, most_unrecorded: int) -> None:
        self._most = most_unrecorded
        self._count = 0
        self._bytes = 0
        self.is_open = True
        self.on_open: Callable[[], None] = nothing_follows
        """The inflow calls it when there is room again."""

    def add(self, size: int) -> None:
        """Counts a payload of `size` bytes that waits to be recorded."""
        self._count += 1
        self._bytes += size
        if self._count > self._most or self._bytes > MOST_UNRECORDED_BYTES:
            self.is_open = False

    def remove(self, size: int) -> None:
        """Counts a payload of `size` bytes out; a closed inflow opens only when half of its room is free."""
        self._count -= 1
        self._bytes -= size
        has_room = self._count <= self._most // 2 and self._bytes <= MOST_UNRECORDED_BYTES // 2
        if has_room and not self.is_open:
            self.is_open = True
            self.on_open()


class Receipt:
    """One payload from the broker. The first call of `acknowledge` or `release` frees its room."""

    __slots__ = ("_is_acknowledged", "_is_open", "_receipts", "_send", "_size")

    def __init__(self, receipts: Receipts, size: int, send: Callable[[], None]) -> None:
        self._receipts = receipts
        self._size = size
        self._send = send
        self._is_open = True
        self._is_acknowledged = False

    def acknowledge(self) -> None:
        """The payload is recorded.

        The broker gets its acknowledgement after those of all earlier payloads.
        """
        self._settle(is_acknowledged=True)

    def release(self) -> None:
        """The payload will not be recorded. The broker gets no acknowledgement, and keeps it."""
        self._settle(is_acknowledged=False)

    def _settle(self, *, is_acknowledged: bool) -> None:
        if self._is_open:
            self._is_open = False
            self._is_acknowledged = is_acknowledged
            self._receipts.settle(self._size)


class Receipts:
    """The receipts of one connection. They send acknowledgements in the order of arrival (MQTT 5, 4.6)."""

    def __init__(self, inflow: Inflow) -> None:
        self._inflow = inflow
        self._in_order: deque[Receipt] = deque()

    def new(self, size: int, send: Callable[[], None]) -> Receipt:
        """A receipt for a payload of `size` bytes; `send` writes its acknowledgement."""
        self._inflow.add(size)
        receipt = Receipt(self, size, send)
        self._in_order.append(receipt)
        return receipt

    def settle(self, size: int) -> None:
        """Sends the acknowledgements that are due now; one receipt, of `size` bytes, needs no more room."""
        in_order = self._in_order
        while in_order and not in_order[0]._is_open:  # noqa: SLF001 - the two are one mechanism
            receipt = in_order.popleft()
            if receipt._is_acknowledged:  # noqa: SLF001 - see above
                receipt._send()  # noqa: SLF001 - see above
        self._inflow.remove(size)
