"""An earlier program under the connector's client identifier, on paho-mqtt: it leaves a session behind."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

WAIT_SECONDS = 30.0
HOUR = 3600


async def leave_session(
    url: str,
    client_id: str,
    filters: Sequence[str],
    *,
    qos: int = 1,
    protocol: Literal["5", "3.1.1"] = "5",
    identifier: int | None = None,
) -> None:
    """Subscribes and says goodbye; the broker keeps the subscriptions and what comes for them."""
    await asyncio.to_thread(_leave_session, url, client_id, filters, qos, protocol, identifier)


def _leave_session(
    url: str, client_id: str, filters: Sequence[str], qos: int, protocol: str, identifier: int | None
) -> None:
    address, is_new = urlsplit(url), protocol == "5"
    version = MQTTv5 if is_new else MQTTv311
    clean: dict[str, Any] = {} if is_new else {"clean_session": False}
    client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=version, **clean)
    granted = threading.Event()
    client.on_subscribe = lambda *_: granted.set()
    connect: dict[str, Any] = {}
    if is_new:
        kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has no types here
        kept.SessionExpiryInterval = HOUR
        connect = {"clean_start": False, "properties": kept}
    client.connect(address.hostname or "", address.port or 0, **connect)
    client.loop_start()
    if is_new:
        marked = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call]  # as above
        if identifier is not None:
            marked.SubscriptionIdentifier = identifier
        client.subscribe([(each, SubscribeOptions(qos=qos)) for each in filters], properties=marked)
    else:
        client.subscribe([(each, qos) for each in filters])
    is_granted = granted.wait(WAIT_SECONDS)
    client.disconnect()
    client.loop_stop()
    assert is_granted, f"no answer to the subscription to {filters}"
