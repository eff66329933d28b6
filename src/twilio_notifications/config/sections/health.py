"""[health]: where probes ask whether the connector is alive and ready."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import LISTEN_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSettings:
    """Where the health is served, as host and port; None: nowhere but next to the metrics."""

    listen: tuple[str, int] | None = key(
        LISTEN_ADDRESS,
        """Where /health/live and /health/ready are served, as HOST:PORT. They ask for no password and say
        nothing of a request. "" is off; [metrics] listen serves them as well. With port 0 the system
        chooses a free one; the log says which.""",
        default="",
    )


HEALTH = Section(
    name="health",
    text="What a container platform or a load balancer asks: does the connector live, can it do its work?",
    keys=keys_of(HealthSettings),
)
