"""The socket under a conversation, with a transport that is handed to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from twilio_notifications.adapters.mqtt.connection import BrokerConnection
from twilio_notifications.adapters.mqtt.inflow import Inflow
from twilio_notifications.adapters.mqtt.protocol import Connack, Conversation, Introduction, Version

if TYPE_CHECKING:
    from twilio_notifications.adapters.mqtt.protocol import Event

CONNACK = b"\x20\x03\x00\x00\x00"


class ForeignTransport:
    """Has what a transport has and is no subclass of asyncio's, as those of uvloop."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = 0
        self.aborted = 0

    def write(self, chunk: bytes) -> None:
        self.written.append(chunk)

    def is_closing(self) -> bool:
        return self.closed > 0

    def close(self) -> None:
        self.closed += 1

    def abort(self) -> None:
        assert self.closed <= 1, "asyncio's TLS of Python 3.11.2 cannot be aborted after it was closed twice"
        self.aborted += 1


class Made:
    """A connection over a foreign transport, and what came of it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.ends: list[str] = []
        self.transport = ForeignTransport()
        conversation = Conversation(Version.V5)
        self.connection = BrokerConnection(
            conversation,
            inflow=Inflow(most_unrecorded=1),
            on_event=self.events.append,
            on_end=self.ends.append,
        )
        self.connection.connection_made(cast("asyncio.Transport", self.transport))
        conversation.connect(Introduction(client_id="client"))
        self.connection.flush_soon()


def read(connection: BrokerConnection, received: bytes) -> None:
    connection.get_buffer(-1)[: len(received)] = received
    connection.buffer_updated(len(received))


async def test_a_transport_need_not_be_one_of_asyncios() -> None:
    made = Made()
    await asyncio.sleep(0)
    assert 1 == len(made.transport.written)
    read(made.connection, CONNACK)
    assert isinstance(made.events[0], Connack)


async def test_a_part_of_the_buffer_is_no_copy() -> None:
    """asyncio's TLS writes each further record into a slice of it."""
    made = Made()
    space = made.connection.get_buffer(-1)
    space[:2] = CONNACK[:2]
    rest = space[2:]
    rest[:3] = CONNACK[2:]
    made.connection.buffer_updated(len(CONNACK))
    assert isinstance(made.events[0], Connack)


async def test_a_connection_is_closed_once_however_often_that_is_asked_for() -> None:
    made = Made()
    closing = [asyncio.ensure_future(made.connection.close()) for _ in range(2)]
    await asyncio.sleep(0)
    made.connection.connection_lost(None)
    await asyncio.gather(*closing)
    await made.connection.close()
    assert (1, 0) == (made.transport.closed, made.transport.aborted)
    assert b"\xe0" in made.transport.written[-1]


async def test_a_peer_that_does_not_let_go_is_left() -> None:
    made = Made()
    closing = asyncio.ensure_future(made.connection.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait({closing})
    assert (1, 1) == (made.transport.closed, made.transport.aborted)
