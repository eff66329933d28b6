"""Sends a text when a temperature is above 30 degrees, as a component of Greengrass V2.

A reading on `temperature/input` says how warm it is and whom to tell:
`{"temperature": 31, "to_name": "Darla", "to_number": "+12345000000"}`.
Its recipe must allow `aws.greengrass#SubscribeToTopic` on `temperature/input`, and
`aws.greengrass#PublishToTopic` on `twilio/txt`.
"""

from __future__ import annotations

import json
import sys
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import BinaryMessage, PublishMessage, SubscriptionResponseMessage

LIMIT = 30
ENDED = "the nucleus has ended the subscription"


def alarm(reading: dict[str, Any], *, request_id: str) -> dict[str, Any] | None:
    """The request to send, if it is too warm. It has no from_number: the connector has a default."""
    if reading["temperature"] <= LIMIT:
        return None
    recipient = {
        "name": reading["to_name"],
        "phone_number": reading["to_number"],
        # :g, because the classic nucleus makes 31.0 of a JSON message's 31.
        "message": f"temperature:{reading['temperature']:g}",
    }
    return {"request": {"recipient": recipient}, "id": request_id}


def read(event: SubscriptionResponseMessage) -> dict[str, Any]:
    """A component sends JSON or bytes; the MQTT bridge of client devices sends bytes."""
    if event.json_message is not None:
        return dict(event.json_message.message)
    return dict(json.loads(event.binary_message.message))


def not_understood(error: Exception) -> bool:
    print(f"a reading was not understood: {type(error).__name__}", file=sys.stderr, flush=True)
    return False  # the next one is: the subscription stays


def published(publishing: Future[Any]) -> None:
    error = publishing.exception()
    if error is not None:  # most often the recipe does not allow it
        print(f"an alarm was not published: {type(error).__name__}", file=sys.stderr, flush=True)


class Monitor:
    def __init__(self) -> None:
        # One thread, so that readings are handled in the order in which they came.
        self._nucleus = GreengrassCoreIPCClientV2(executor=ThreadPoolExecutor(1))
        self._ended = threading.Event()

    def run(self) -> None:
        self._nucleus.subscribe_to_topic(
            topic="temperature/input",
            on_stream_event=self._received,
            on_stream_error=not_understood,
            on_stream_closed=self._ended.set,
        )
        print("listening on temperature/input", flush=True)
        self._ended.wait()
        sys.exit(ENDED)  # not with code 0: then the nucleus starts it again

    def _received(self, event: SubscriptionResponseMessage) -> None:
        request = alarm(read(event), request_id=f"request_{uuid.uuid4()}")
        if request is None:
            return
        # Not the waiting call: its answer comes by the thread that is in here.
        message = BinaryMessage(message=json.dumps(request).encode())
        publishing = self._nucleus.publish_to_topic_async(
            topic="twilio/txt", publish_message=PublishMessage(binary_message=message)
        )
        publishing.add_done_callback(published)


if __name__ == "__main__":
    Monitor().run()
