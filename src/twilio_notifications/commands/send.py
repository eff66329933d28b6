"""`send`: publishes one request and prints its status."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twilio_notifications import terminal
from twilio_notifications.adapters import log
from twilio_notifications.adapters.mqtt.asking import Asker
from twilio_notifications.config import MqttSettings, load
from twilio_notifications.core.errors import ConfigurationError, OutputLost
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CHANNELS = {"txt": Channel.SMS, "call": Channel.CALL}
_CONTENT = {"txt": "message", "call": "voice_message_location"}


_NO_BROKER = (
    'send publishes by a broker, and transport.kind is "greengrass": a nucleus takes requests from its '
    "components alone, see docs/how-to/greengrass-v2.md"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A request from the command line, not yet checked: the connector says whether it is valid."""

    channel: str
    phone_number: str
    name: str
    content: str = field(repr=False)
    sender_number: str | None
    retries: int | None
    priority: str | None
    valid_for_seconds: float | None
    request_id: str | None

    def request(self, default_id: str) -> dict[str, Any]:
        """The published JSON."""
        request: dict[str, Any] = {
            "recipient": {
                "name": self.name,
                "phone_number": self.phone_number,
                _CONTENT[self.channel]: self.content,
            }
        }
        extra = {
            "from_number": self.sender_number,
            "retries": self.retries,
            "priority": self.priority,
            "valid_for_seconds": self.valid_for_seconds,
        }
        request |= {name: value for name, value in extra.items() if value is not None}
        return {"request": request, "id": default_id if self.request_id is None else self.request_id}


def send(config: Path | None, order: Order, *, timeout_seconds: float, environ: Mapping[str, str]) -> int:
    """Publishes the request and prints its status; returns 0 for a success and 1 for a failure."""
    settings = load(config, environ)
    transport = settings.transport
    if not isinstance(transport, MqttSettings):
        raise ConfigurationError([_NO_BROKER])
    log.configure(level=settings.log.level, form=settings.log.format)
    status = asyncio.run(_ask(transport, order, timeout_seconds))
    try:
        terminal.say(json.dumps(status, ensure_ascii=False))
    except OutputLost as lost:
        # The exit code still says what the status said: after a wrong one, a person would send it again.
        terminal.complain(f"twilio-notifications: {lost}")
    return 0 if status["response"]["status"] == "success" else 1


async def _ask(transport: MqttSettings, order: Order, timeout_seconds: float) -> dict[str, Any]:
    token = secrets.token_hex(4)
    client_id = f"{transport.client_id}-send-{token}"
    async with Asker(transport, client_id=client_id) as asker:
        channel = _CHANNELS[order.channel]
        return await asker.ask(channel, order.request(f"send-{token}"), timeout_seconds=timeout_seconds)
