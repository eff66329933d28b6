"""Sends the text of the published example to a plain MQTT broker, and prints its status.

Run it with `python hello.py HOST PORT`; without them it looks for a broker on this machine.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

TEXT = {
    "request": {
        "recipient": {"name": "Darla", "phone_number": "+12345000000", "message": "Hello from the edge"},
        "from_number": "+19999999999",
    },
    "id": "request123",
}


def connected(client: Client, *_: Any) -> None:
    client.subscribe("twilio/message/status", qos=1)


def subscribed(client: Client, *_: Any) -> None:
    # Publish only after the subscription: the status could come before it otherwise.
    client.publish("twilio/txt", json.dumps(TEXT), qos=1)


def received(client: Client, _: Any, message: MQTTMessage) -> None:
    status = json.loads(message.payload)
    if status["id"] == TEXT["id"]:  # statuses of others' requests come on this topic, too
        print(json.dumps(status))
        client.disconnect()


def main(host: str = "127.0.0.1", port: str = "1883") -> None:
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_subscribe, client.on_message = connected, subscribed, received
    client.connect(host, int(port))
    client.loop_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
