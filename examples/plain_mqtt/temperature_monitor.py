"""Sends a text when a temperature is above 30 degrees, as a client of a plain MQTT broker.

A reading on `temperature/input` says how warm it is and whom to tell:
`{"temperature": 31, "to_name": "Darla", "to_number": "+12345000000"}`.
Run it with `python temperature_monitor.py HOST PORT`; without them it looks for a broker on this machine.
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

LIMIT = 30


def alarm(reading: dict[str, Any], *, request_id: str) -> dict[str, Any] | None:
    """The request to send, if it is too warm. It has no from_number: the connector has a default."""
    if reading["temperature"] <= LIMIT:
        return None
    recipient = {
        "name": reading["to_name"],
        "phone_number": reading["to_number"],
        "message": f"temperature:{reading['temperature']}",
    }
    return {"request": {"recipient": recipient}, "id": request_id}


def connected(client: Client, *_: Any) -> None:
    client.subscribe("temperature/input", qos=1)  # at each connection: a new session knows no subscription


def subscribed(*_: Any) -> None:
    print("listening on temperature/input", flush=True)


def received(client: Client, _: Any, message: MQTTMessage) -> None:
    request = alarm(json.loads(message.payload), request_id=f"request_{uuid.uuid4()}")
    if request is not None:
        # QoS 1, and the connector acknowledges what it has on its disk: from there on it is not lost.
        client.publish("twilio/txt", json.dumps(request), qos=1)


def main(host: str = "127.0.0.1", port: str = "1883") -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, received
    client.connect(host, int(port))
    client.loop_forever(retry_first_connection=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
