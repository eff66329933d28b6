"""The published topics, and which channel each of them asks for. The only place that knows their names."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.core.model import Channel

PROBE_TOPIC = "twilio/notifications/probe"
"""Ours alone, behind the same prefix: what a connector says to itself, to hear whether a nucleus delivers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The three topics, each behind the operator's prefix; by default the published ones."""

    text: str
    call: str
    status: str

    @classmethod
    def with_prefix(
        cls,
        prefix: str,
        *,
        text: str = "twilio/txt",
        call: str = "twilio/call",
        status: str = "twilio/message/status",
    ) -> Topics:
        """Their full names; `""` leaves them as they are, and a prefix brings its own slash (`site7/`)."""
        return cls(text=prefix + text, call=prefix + call, status=prefix + status)

    def channel_of(self, topic: str) -> Channel | None:
        """The channel that `topic` asks for; None where it is no request topic."""
        if topic == self.text:
            return Channel.SMS
        return Channel.CALL if topic == self.call else None
