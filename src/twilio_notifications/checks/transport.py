"""Tries the connection for requests: to the broker, or to the nucleus."""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import TYPE_CHECKING

from twilio_notifications import bootstrap
from twilio_notifications.adapters.mqtt.opening import describe, open_visitor
from twilio_notifications.adapters.mqtt.promises import shortfalls
from twilio_notifications.adapters.mqtt.wish_topics import ANSWER_SECONDS
from twilio_notifications.checks.finding import Finding
from twilio_notifications.config import MqttSettings
from twilio_notifications.core.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.config import Settings


async def transport(settings: Settings, environ: Mapping[str, str]) -> Finding:
    """Whether the broker or the nucleus accepts a connection of this program."""
    if isinstance(settings.transport, MqttSettings):
        return await _broker(settings.transport)
    try:
        async with bootstrap.greengrass.nucleus(settings, environ):
            return Finding(subject="nucleus", works=True, sentence="takes the connection of this component")
    except TransportError as error:
        return Finding(subject="nucleus", works=False, sentence=str(error))


async def _broker(transport: MqttSettings) -> Finding:
    """The finding on a broker.

    Uses its own client id: the connector's would disconnect a running connector.
    """
    client_id = f"{transport.client_id}-check-{token_hex(4)}"
    try:
        session = await open_visitor(transport, client_id, topics=[transport.topics.status])
    except (OSError, TransportError) as error:
        sentence = f"{transport.address}: {describe(error, transport)}"
        return Finding(subject="broker", works=False, sentence=sentence)
    refusal = await _refusal(session, transport.topics.wishes)
    await session.close()
    missing = shortfalls(session)
    if missing:
        sentence = f"{transport.address}: {'; '.join(missing)}"
        return Finding(subject="broker", works=False, sentence=sentence)
    sentence = f"{transport.address} answers, protocol level {session.version.value}{refusal}"
    return Finding(subject="broker", works=True, sentence=sentence)


async def _refusal(session: Session, topics: Sequence[str]) -> str:
    """What follows the finding where the broker refuses the topics of cancellations and acknowledgements.

    Requests need none of them, so a refusal is no failure.
    """
    if not topics:
        return ""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await session.subscribe(topics)
    except (TimeoutError, TransportError) as error:
        return (
            f". Only requests are heard, and no client can cancel or acknowledge on {' and '.join(topics)}: "
            f"{str(error) or 'the broker does not answer the subscription'}"
        )
    return ""
