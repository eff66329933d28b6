"""The durations of the configuration by which conclusions are drawn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All in seconds."""

    backoff_initial: float
    backoff_maximum: float
    settle: float
    """How long an attempt in doubt is looked up in Twilio's records."""
    credential_wait: float
    credential_probe: float
