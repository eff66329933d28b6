"""How much may come in over one connection: no more than the journal keeps up with.

MQTT 5 has a window for QoS 1 and 2; QoS 0 and MQTT 3.1.1 have none, so there the connection is not read while
too much is not recorded yet: TCP makes the broker wait, and the broker keeps the rest. Nothing is dropped.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_UNRECORDED_BYTES = 4 * 1024 * 1024
"""A second bound next to the number of payloads: a hundred of the largest packets would be 25 MiB."""


def nothing_follows() -> None:
    """What follows where the caller names nothing."""


class Inflow:
    """Counts the payloads that wait to be recorded."""

    def __init__(self, *, most_unrecorded: int) -> None:
        self._most = most_unrecorded
        self._count = 0
        self._bytes = 0
        self.is_open = True
        self.on_open: Callable[[], None] = nothing_follows
        """Called when there is room again."""

    def taken(self, size: int) -> None:
        """A payload of `size` bytes waits to be recorded."""
        self._count += 1
        self._bytes += size
        if self._count > self._most or self._bytes > MOST_UNRECORDED_BYTES:
            self.is_open = False

    def released(self, size: int) -> None:
        """It waits no more; reading goes on when half of what may wait does, not at each single one."""
        self._count -= 1
        self._bytes -= size
        has_room = self._count <= self._most // 2 and self._bytes <= MOST_UNRECORDED_BYTES // 2
        if has_room and not self.is_open:
            self.is_open = True
            self.on_open()


class Receipt:
    """One payload that came in. The first call of `acknowledge` or `release` frees its room."""

    __slots__ = ("_is_acknowledged", "_is_open", "_receipts", "_send", "_size")

    def __init__(self, receipts: Receipts, size: int, send: Callable[[], None]) -> None:
        self._receipts = receipts
        self._size = size
        self._send = send
        self._is_open = True
        self._is_acknowledged = False

    def acknowledge(self) -> None:
        """It is recorded: the broker hears of it, after all that came before it."""
        self._settle(is_acknowledged=True)

    def release(self) -> None:
        """It was not recorded and will not be: the broker keeps it."""
        self._settle(is_acknowledged=False)

    def _settle(self, *, is_acknowledged: bool) -> None:
        if self._is_open:
            self._is_open = False
            self._is_acknowledged = is_acknowledged
            self._receipts.settled(self._size)


class Receipts:
    """Those of one connection. Acknowledgements leave in the order of arrival (MQTT 5, 4.6)."""

    def __init__(self, inflow: Inflow) -> None:
        self._inflow = inflow
        self._in_order: deque[Receipt] = deque()

    def new(self, size: int, send: Callable[[], None]) -> Receipt:
        """For a payload of `size` bytes; `send` writes its acknowledgement."""
        self._inflow.taken(size)
        receipt = Receipt(self, size, send)
        self._in_order.append(receipt)
        return receipt

    def settled(self, size: int) -> None:
        """One of them was acknowledged or released."""
        in_order = self._in_order
        while in_order and not in_order[0]._is_open:  # noqa: SLF001 - the two are one mechanism
            receipt = in_order.popleft()
            if receipt._is_acknowledged:  # noqa: SLF001 - see above
                receipt._send()  # noqa: SLF001 - see above
        self._inflow.released(size)
