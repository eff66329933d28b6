"""The other side of the broker in a test: publishes requests, and collects what is published in return.

A thin client on gmqtt with what gmqtt lacks: a publish that ends with its PUBACK, waits that have a limit,
and no second attempt behind the test's back. Nothing of it runs on afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from gmqtt import Client
from gmqtt.mqtt.constants import MQTTv50, MQTTv311

from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

STATUS_TOPIC = "twilio/message/status"
CONNACK_SECONDS = 0.2
VERSIONS: Mapping[str, int] = {"5": MQTTv50, "3.1.1": MQTTv311}
NEVER_RECONNECT = -2  # gmqtt reads -1 as "without end", and 0 as "once more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    correlation: bytes | None = None
    """The correlation of MQTT 5, where the message has one."""

    def json(self) -> Any:
        return json.loads(self.payload)


class Peer:
    """`async with Peer(broker.url) as peer:` is connected and subscribed, with a session that ends with it.

    `subscribe` is the topic filter it listens to, `""` for none. Name and password are read from the URL.
    `context` is needed for mqtts:// and carries the client's own certificate, if it has one.
    """

    def __init__(
        self,
        url: str,
        *,
        subscribe: str = STATUS_TOPIC,
        protocol: Literal["5", "3.1.1"] = "5",
        context: ssl.SSLContext | None = None,
        client_id: str | None = None,
    ) -> None:
        self._address = urlsplit(url)
        self._subscribe = subscribe
        self._protocol = protocol
        self._context = context
        self._acknowledgements = _Acknowledgements()
        self._subscribed: asyncio.Future[None] | None = None
        self._lost = asyncio.Event()
        self._arrived: asyncio.Queue[Received] = asyncio.Queue()
        self._client = self._make_client(client_id or f"peer-{uuid.uuid4().hex}")
        self.received: list[Received] = []
        """Everything that arrived so far, in order, whether it was waited for or not."""

    @property
    def statuses(self) -> list[Any]:
        """The JSON documents that arrived so far."""
        return [message.json() for message in self.received]

    async def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 1, retain: bool = False, **properties: Any
    ) -> None:
        """Publish, and wait for the broker's PUBACK (not with `qos=0`). ConnectionError if it cannot come.

        `properties` are those of MQTT 5, by gmqtt's names.
        """
        acknowledged = self._acknowledgements.expect_next()
        self._client.publish(topic, payload, qos=qos, retain=retain, **properties)
        if qos > 0:
            await asyncio.wait_for(acknowledged, WAIT_SECONDS)

    async def next_message(self, timeout: float = WAIT_SECONDS) -> Received:  # noqa: ASYNC109 - says how long
        """The next message that was not waited for yet."""
        try:
            return await asyncio.wait_for(self._arrived.get(), timeout)
        except TimeoutError:
            raise AssertionError(f"no message within {timeout} s; arrived before: {self.received}") from None

    async def collect(self, n: int, timeout: float = WAIT_SECONDS) -> list[Received]:  # noqa: ASYNC109 - as above
        """The next `n` messages, all of them within the time."""
        collected: list[Received] = []
        try:
            async with asyncio.timeout(timeout):
                while len(collected) < n:
                    collected.append(await self._arrived.get())
        except TimeoutError:
            raise AssertionError(
                f"{len(collected)} of {n} messages within {timeout} s: {collected}"
            ) from None
        return collected

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._connect()
                await self._listen()
        except BaseException:
            await self._disconnect()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._disconnect()

    def _make_client(self, client_id: str) -> Any:
        client = Client(client_id, clean_session=True, persistent_storage=self._acknowledgements)
        client.set_config({"reconnect_retries": NEVER_RECONNECT})
        if self._address.username is not None:
            password = self._address.password
            client.set_auth_credentials(unquote(self._address.username), unquote(password or ""))
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        return client

    async def _connect(self) -> None:
        tls = self._address.scheme == "mqtts"
        assert not tls or self._context is not None, "mqtts:// needs a context"
        connecting = asyncio.ensure_future(
            self._client.connect(
                self._address.hostname,
                self._address.port,
                ssl=self._context if tls else False,
                version=VERSIONS[self._protocol],
            )
        )
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            # gmqtt waits without end for the CONNACK of a lost connection; one with the reason for the
            # loss may just have come, so it has a moment to be read.
            await asyncio.wait({connecting, lost}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({connecting}, timeout=CONNACK_SECONDS)
            if not connecting.done():
                raise ConnectionError("the broker ended the connection before it answered")
            connecting.result()
        finally:
            connecting.cancel()
            lost.cancel()

    async def _listen(self) -> None:
        if self._subscribe:
            self._subscribed = asyncio.get_running_loop().create_future()
            self._client.subscribe(self._subscribe, qos=1)
            await self._subscribed

    async def _disconnect(self) -> None:
        if self._client._connection is not None:
            with contextlib.suppress(OSError):
                await self._client.disconnect()
        # gmqtt ends its reader, and a reconnection that it decides against, in the next turns of the loop.
        for _ in range(5):
            await asyncio.sleep(0)

    def _on_message(
        self, _client: Any, topic: str, payload: bytes, qos: int, properties: Mapping[str, Any]
    ) -> int:
        message = Received(
            topic=topic,
            payload=bytes(payload),
            qos=qos,
            retain=bool(properties["retain"]),
            dup=bool(properties["dup"]),
            correlation=next(iter(properties.get("correlation_data", [])), None),
        )
        self.received.append(message)
        self._arrived.put_nowait(message)
        return 0

    def _on_subscribe(self, _client: Any, _mid: int, granted: tuple[int, ...], _properties: Any) -> None:
        assert self._subscribed is not None
        if granted[0] >= 0x80:  # a refusal (MQTT 5, 3.9.3)
            self._subscribed.set_exception(
                ConnectionError(f"the broker refused {self._subscribe!r}: {granted}")
            )
        else:
            self._subscribed.set_result(None)

    def _on_disconnect(self, _client: Any, _packet: bytes, _error: Exception | None = None) -> None:
        self._lost.set()
        self._acknowledgements.fail(ConnectionError("the connection ended before the PUBACK"))


class _Acknowledgements:
    """What gmqtt calls its persistent storage: told of each PUBLISH that awaits a PUBACK, and of that."""

    def __init__(self) -> None:
        self._next: asyncio.Future[None] | None = None
        self._open: dict[int, tuple[bytes, asyncio.Future[None]]] = {}

    def expect_next(self) -> asyncio.Future[None]:
        """What is done once the PUBLISH that is pushed next has been acknowledged."""
        self._next = asyncio.get_running_loop().create_future()
        return self._next

    def fail(self, error: Exception) -> None:
        for _, acknowledged in self._open.values():
            if not acknowledged.done():
                acknowledged.set_exception(error)
        self._open.clear()

    def push_message(self, mid: int, packet: bytes) -> None:
        acknowledged, self._next = self._next, None
        if acknowledged is not None:
            self._open[mid] = (packet, acknowledged)

    def remove_message_by_mid(self, mid: int) -> None:
        _, acknowledged = self._open.pop(mid, (b"", None))
        if acknowledged is not None and not acknowledged.done():
            acknowledged.set_result(None)

    @property
    def is_empty(self) -> bool:
        return not self._open

    async def wait_empty(self) -> None:
        """Nothing is kept from one connection to the next, so there is nothing to wait for."""

    def clear(self) -> None:
        self._open.clear()

    def get_all(self) -> list[tuple[int, bytes]]:
        return [(mid, packet) for mid, (packet, _) in self._open.items()]
