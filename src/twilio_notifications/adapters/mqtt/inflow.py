"""How much may come in over one connection: no more than the journal keeps up with, and no giant packets.

MQTT 5 has a window for QoS 1; QoS 0 and MQTT 3.1.1 have none, so there the connection is not read while too
much is not recorded yet: TCP makes the broker wait, and the broker keeps the rest. Nothing is dropped here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from gmqtt.mqtt.constants import MQTTCommands
from gmqtt.mqtt.package import Package

from twilio_notifications.adapters.mqtt.packets import PacketCutter

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.mqtt.packets import Oversized

MAXIMUM_PACKET_BYTES = 256 * 1024
"""Room for the largest request (128 KiB), the longest topic (64 KiB) and some properties. MQTT allows 256
MiB. What is larger is answered like every request that is too large, but is never held in memory. MQTT 5
could have the broker drop it (maximum packet size in CONNECT): then its sender would never hear of it."""

MOST_UNRECORDED_BYTES = 4 * 1024 * 1024
"""Beside the number of payloads: a hundred of the largest packets would be 25 MiB."""


class Inflow:
    """Stops and goes on reading. `taken` is told of each payload that comes in, `released` of its end."""

    def __init__(self, *, most_unrecorded: int) -> None:
        self._most = most_unrecorded
        self._count = 0
        self._bytes = 0
        self._open = asyncio.Event()
        self._open.set()

    @property
    def is_open(self) -> bool:
        return self._open.is_set()

    def taken(self, size: int) -> None:
        """A payload of so many bytes waits to be recorded."""
        self._count += 1
        self._bytes += size
        if self._count > self._most or self._bytes > MOST_UNRECORDED_BYTES:
            self._open.clear()

    def released(self, size: int) -> None:
        """It waits no more; reading goes on when half of what may wait does, not at each single one."""
        self._count -= 1
        self._bytes -= size
        if self._count <= self._most // 2 and self._bytes <= MOST_UNRECORDED_BYTES // 2:
            self._open.set()

    def regulate(self, connection: Any, *, has_properties: bool, on_oversized: Oversized) -> None:
        """Puts itself between gmqtt's connection and its socket; call it before a request can arrive."""
        protocol = connection._protocol  # noqa: SLF001 - gmqtt has no public way to its reader
        read = protocol.read

        async def read_when_open(n: int = -1) -> bytes:
            await self._open.wait()
            received: bytes = await read(n)
            return received

        protocol.read = read_when_open
        protocol._read_packet = PacketCutter(  # noqa: SLF001 - see above
            protocol._read_packet,  # noqa: SLF001 - see above
            limit=MAXIMUM_PACKET_BYTES,
            has_properties=has_properties,
            on_oversized=on_oversized,
        ).feed
        self._keep_alive(connection)

    def _keep_alive(self, connection: Any) -> None:
        """While we do not read, the broker's silence is our own doing; our pings go on for its sake."""
        keep = connection._keep_connection  # noqa: SLF001 - gmqtt has no public way to its keep alive

        def keep_up() -> None:
            if not self.is_open:
                connection.put_package(Package(MQTTCommands.PINGRESP, b""))  # as if it had been read
            keep()

        connection._keep_connection = keep_up  # noqa: SLF001 - it finds itself there again each time
        connection._keep_connection_callback.cancel()  # noqa: SLF001 - the first time is already arranged
        connection._keep_connection_callback = asyncio.get_running_loop().call_later(  # noqa: SLF001 - see above
            connection.keepalive / 2, keep_up
        )


class Receipt:
    """One payload that came in: whichever comes first, its acknowledgement or its release, frees its room."""

    __slots__ = ("_acknowledge", "_inflow", "_size")

    def __init__(self, inflow: Inflow, size: int, acknowledge: Callable[[], None]) -> None:
        self._inflow: Inflow | None = inflow
        self._size = size
        self._acknowledge = acknowledge
        inflow.taken(size)

    def acknowledge(self) -> None:
        self.release()
        self._acknowledge()

    def release(self) -> None:
        if self._inflow is not None:
            self._inflow.released(self._size)
            self._inflow = None
