"""[traces]: where OpenTelemetry traces go."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Written
from twilio_notifications.config.urls import read_web_url


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesSettings:
    """The collector; `url` None: there are no traces."""

    url: str | None = key(
        Written(description="an https:// or http:// URL", read=read_web_url, may_be_empty=True),
        """Where a collector takes OTLP over HTTP, as http://127.0.0.1:4318/v1/traces. Each request is one
        trace, from its receipt to its status; a client's own trace goes on where its MQTT 5 message has the
        user property traceparent. "" is off. Headers, the name of the service and the sampler come from
        OpenTelemetry's own environment variables.""",
        default="",
    )


TRACES = Section(
    name="traces",
    text='Traces for OpenTelemetry. Needs the extra "otel".',
    keys=keys_of(TracesSettings),
)
