"""A client of the connector next to the connector itself, as the Test page of the console needs one."""

from __future__ import annotations

from typing import Protocol


class Visitor(Protocol):
    """Publishes requests, and receives the statuses on the topics it was made for."""

    async def connect(self) -> None:
        """Connects and subscribes where it is not connected; raises a TransportError that says what to do."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns when the broker has acknowledged; raises a TransportError that says what to do."""

    @property
    def is_connected(self) -> bool:
        """Whether statuses arrive."""

    @property
    def address(self) -> str:
        """Where it connects to, without a password."""

    async def close(self) -> None:
        """Ends the connection."""
