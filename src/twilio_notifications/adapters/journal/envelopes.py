"""What a client wrote around its request, as the journal keeps it: JSON, with bytes in base64."""

from __future__ import annotations

import base64
import json

from twilio_notifications.ports import Envelope


def encoded_envelope(envelope: Envelope | None) -> str | None:
    """The value of the column `envelope`."""
    if envelope is None:
        return None
    correlation = envelope.correlation
    kept = {
        "response_topic": envelope.response_topic,
        "correlation": None if correlation is None else base64.b64encode(correlation).decode(),
        "traceparent": envelope.traceparent,
    }
    return json.dumps({name: value for name, value in kept.items() if value is not None})


def decoded_envelope(text: str | None) -> Envelope | None:
    """What the column holds."""
    if text is None:
        return None
    kept = json.loads(text)
    correlation = kept.get("correlation")
    return Envelope(
        response_topic=kept.get("response_topic"),
        correlation=None if correlation is None else base64.b64decode(correlation),
        traceparent=kept.get("traceparent"),
    )


def traceparent_in(text: str | None) -> str | None:
    """The client's trace in what the column holds."""
    envelope = decoded_envelope(text)
    return None if envelope is None else envelope.traceparent
