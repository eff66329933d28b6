"""The published topics and their channels. Only this file knows the names of the topics."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.core.model import Channel

PROBE_TOPIC = "twilio/notifications/probe"
"""The topic of probes, after the same prefix: the connector sends itself messages to test whether the nucleus
delivers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topics:
    """The full names of the topics, with the operator's prefix."""

    text: str
    call: str
    status: str
    cancel: str
    acknowledge: str

    @classmethod
    def with_prefix(
        cls,
        prefix: str,
        *,
        text: str = "twilio/txt",
        call: str = "twilio/call",
        status: str = "twilio/message/status",
        cancel: str = "twilio/cancel",
        acknowledge: str = "twilio/acknowledge",
    ) -> Topics:
        """The topics with `prefix` before each name.

        A prefix includes its slash (`site7/`), `""` adds nothing. `cancel` and `acknowledge` may be `""`: the
        connector then does without that topic.
        """
        return cls(
            text=prefix + text,
            call=prefix + call,
            status=prefix + status,
            cancel=prefix + cancel if cancel else "",
            acknowledge=prefix + acknowledge if acknowledge else "",
        )

    @property
    def inbound(self) -> tuple[str, ...]:
        """The topics on which clients publish."""
        return *self.requests, *self.wishes

    @property
    def requests(self) -> tuple[str, ...]:
        """The published topics of requests."""
        return self.text, self.call

    @property
    def wishes(self) -> tuple[str, ...]:
        """The topics of cancellations and acknowledgements, which the published document does not know."""
        return tuple(topic for topic in (self.cancel, self.acknowledge) if topic)

    def channel_of(self, topic: str) -> Channel | None:
        """The channel of requests on `topic`; None where it is no request topic."""
        if topic == self.text:
            return Channel.SMS
        return Channel.CALL if topic == self.call else None
