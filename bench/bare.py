"""The yardstick: receive, POST, publish, on gmqtt and the connector's own HTTP client, and nothing else.

It is the first version that a programmer would write. There is no journal, no order, no retry, no check of
the request, and the status is published without waiting for its PUBACK: whatever goes wrong here is lost. Run
as a program, it says so in one line of JSON once it is subscribed, and works until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import signal
import sys
from typing import Any
from urllib.parse import urlsplit

import gmqtt
from pyreqwest.client import Client, ClientBuilder

from bench.load import ACCOUNT_SID, AUTH_TOKEN, REQUEST_TOPIC, SENDER_NUMBER, STATUS_TOPIC
from twilio_notifications.event_loop import new_event_loop

READY = "bare_loop_ready"


class BareLoop:
    """A request is acknowledged when its status is published; so many are open at once, the rest wait."""

    def __init__(self, http: Client, *, twilio: str, concurrency: int) -> None:
        self._http = http
        self._url = f"{twilio}/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
        self._authorization = "Basic " + base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
        self._room = asyncio.Semaphore(concurrency)
        self._mqtt: Any = gmqtt.Client(
            "bare-loop", clean_session=True, optimistic_acknowledgement=False, receive_maximum=concurrency
        )
        self._mqtt.on_message = self._received
        self._mqtt.on_subscribe = _tell_ready

    async def connect(self, broker: str) -> None:
        address = urlsplit(broker)
        await self._mqtt.connect(address.hostname, port=address.port)
        self._mqtt.subscribe(REQUEST_TOPIC, qos=1)

    async def disconnect(self) -> None:
        await self._mqtt.disconnect()

    async def _received(self, _client: object, _topic: str, payload: bytes, _qos: int, _rest: object) -> int:
        request = json.loads(payload)
        recipient = request["request"]["recipient"]
        async with self._room:
            answer = await self._post(recipient["phone_number"], recipient["message"])
        messages = {
            "message_status": answer["status"],
            "to_number": answer["to"],
            "name": recipient["name"],
        }
        status = {
            "response": {
                "status": "success",
                "payload": {"from_number": answer["from"], "messages": messages},
            },
            "id": request["id"],
        }
        self._mqtt.publish(STATUS_TOPIC, json.dumps(status), qos=1)
        return 0

    async def _post(self, phone_number: str, body: str) -> Any:
        response = await (
            self._http.post(self._url)
            .header("Authorization", self._authorization)
            .form([("To", phone_number), ("From", SENDER_NUMBER), ("Body", body)])
            .build()
            .send()
        )
        return await response.json()


def _tell_ready(*_: object) -> None:
    print(json.dumps({"event": READY}), file=sys.stderr, flush=True)


async def _run(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with ClientBuilder().build() as http:
        bare = BareLoop(http, twilio=options.twilio, concurrency=options.concurrency)
        await bare.connect(options.broker)
        await stop.wait()
        await bare.disconnect()


def main() -> None:
    parser = argparse.ArgumentParser(description="The bare loop of the benchmark.")
    parser.add_argument("--broker", required=True)
    parser.add_argument("--twilio", required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
