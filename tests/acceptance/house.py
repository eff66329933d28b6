"""The requests of the acceptance tests, and the bytes that the published document answers them with."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Protocol

from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.process import Connector, Section

TEXT_TOPIC = "twilio/txt"
CALL_TOPIC = "twilio/call"
STATUS_TOPIC = "twilio/message/status"

SENDER = "+19999999999"
RECIPIENT = "+12345000000"

TEXT_SUCCESS = (
    b'{"response":{"status":"success","payload":{"from_number":"+19999999999","messages":'
    b'{"message_status":"queued","to_number":"+12345000000","name":"Darla"}}},"id":"request123"}'
)
"""The published example of a success, without its white space."""

FAILURE = (
    b'{"response":{"status":"fail","error_message":"Recipient name cannot be None",'
    b'"error":"InvalidParameter","payload":null},"id":"request123"}'
)
"""The published example of a failure, as valid JSON."""


class MakeConnector(Protocol):
    """The fixture `make_connector`."""

    def __call__(
        self,
        broker_url: str,
        *,
        folder: str = "connector",
        crash_at: str = "",
        parameters: Section | None = None,
        environ: Mapping[str, str] | None = None,
        **sections: Section,
    ) -> Connector: ...


def text(request_id: str = "request123", *, to: str = RECIPIENT, body: str = "Hello from the edge") -> str:
    """The published request of a text, with `retries` as published."""
    recipient = {"name": "Darla", "phone_number": to, "message": body}
    return _request(recipient, request_id)


def call(request_id: str = "request123", *, to: str = RECIPIENT) -> str:
    """The published request of a call."""
    recipient = {"name": "Darla", "phone_number": to, "voice_message_location": "https://some-public-TwiML"}
    return _request(recipient, request_id)


def _request(recipient: dict[str, Any], request_id: str) -> str:
    request = {"recipient": recipient, "from_number": SENDER, "retries": 3}
    return json.dumps({"request": request, "id": request_id})


async def until(holds: Callable[[], bool], limit_seconds: float = WAIT_SECONDS) -> None:
    """Returns once it holds, for facts that no event announces: the ledger, a broker's log."""
    async with asyncio.timeout(limit_seconds):
        while not holds():  # noqa: ASYNC110 - there is nothing to wait for but the state itself
            await asyncio.sleep(0.01)
