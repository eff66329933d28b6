"""Counts for Prometheus: what the line did, and how it stands. Imported only where the operator wants them.

No label ever holds anything of a request: its values come from closed lists, and each stands at 0 from the
start. Counting never fails and never waits.
"""

from __future__ import annotations

from twilio_notifications.adapters.metrics.counting import Counters

__all__ = ["Counters"]
