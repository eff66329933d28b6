"""[metrics]: where counts and gauges are served."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import LISTEN_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where the page of metrics is served, as host and port; None: nowhere, and nothing is counted."""

    listen: tuple[str, int] | None = key(
        LISTEN_ADDRESS,
        """Where /metrics is served, as HOST:PORT. It asks for no password, so keep it to the machine or
        its network. "" is off. With port 0 the system chooses a free one; the log says which.""",
        default="",
    )


METRICS = Section(
    name="metrics",
    text='Counts and gauges for Prometheus. Needs the extra "metrics".',
    keys=keys_of(MetricsSettings),
)
