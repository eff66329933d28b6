"""The published topics, and which channel each of them asks for. The only place that knows their names."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.core.model import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The three published topics, each behind the operator's prefix."""

    text: str
    call: str
    status: str

    @classmethod
    def with_prefix(cls, prefix: str) -> Topics:
        """Their full names; `""` gives the published ones, and a prefix brings its own slash (`site7/`)."""
        return cls(
            text=f"{prefix}twilio/txt", call=f"{prefix}twilio/call", status=f"{prefix}twilio/message/status"
        )

    def channel_of(self, topic: str) -> Channel | None:
        """The channel that `topic` asks for; None where it is no request topic."""
        if topic == self.text:
            return Channel.SMS
        return Channel.CALL if topic == self.call else None
