"""Requests in, statuses out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Origin(StrEnum):
    """The sides of a transport that has two, as a Greengrass V2 nucleus does."""

    LOCAL = "local"
    IOT_CORE = "iot_core"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What a client wrote around its request, where the transport has such a thing. Kept with the request."""

    response_topic: str | None = None
    """A topic on which the client wants its statuses too; None: it does not."""
    correlation: bytes | None = field(default=None, repr=False)
    """Goes back to the client with each of those; it means nothing to the connector."""
    traceparent: str | None = None
    """The client's trace, which the request belongs to (core/traceparent.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One received payload with its acknowledgement, which is called only after the journal's commit."""

    topic: str
    payload: bytes = field(repr=False)
    acknowledge: Callable[[], None]
    release: Callable[[], None] = lambda: None
    """Instead of `acknowledge`: it was not recorded and never will be, so it takes up no room any more."""
    give_back: Callable[[], None] | None = None
    """Instead of `acknowledge`: it could not be recorded now, so have it delivered again later. None: that is
    not possible, and what is released is lost."""
    passed_over: int = 0
    """Bytes of a payload that was too large to be held in memory; `payload` is empty then."""
    retained: bool = False
    redelivered: bool = False
    """The broker marks it as sent before (DUP); only then may it be a repetition."""
    packet_id: int | None = None
    origin: Origin | None = None
    """The side that it came from, where the transport has more than one."""
    envelope: Envelope | None = None


class Transport(Protocol):
    """Brings requests in and statuses out."""

    async def run(
        self,
        *,
        on_inbound: Callable[[Inbound], None],
        on_ready: Callable[[], None],
        on_connection_ended: Callable[[], None] = ...,
    ) -> None:
        """Connects, and connects again, until cancelled; `on_ready` after each acknowledged subscription.

        `on_connection_ended` is called between two connections: after the last message of the old one, and
        before the first message of the new one.
        """

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        origin: Origin | None = None,
        envelope: Envelope | None = None,
    ) -> asyncio.Future[None]:
        """Done when the broker has acknowledged; fails with NotAcknowledged when the connection ends.

        `origin` is where the request came from that is answered, `envelope` what its client wrote around it.
        """

    async def close(self) -> None:
        """Ends the connection in good order; the broker keeps the session."""
