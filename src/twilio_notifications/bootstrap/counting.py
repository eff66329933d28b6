"""Who counts, where the operator wants metrics; without them nothing of theirs is even imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.adapters.metrics import Counters, MetricsEndpoint
    from twilio_notifications.config import Settings
    from twilio_notifications.ports import Observer

NO_PROMETHEUS_CLIENT = (
    "[metrics] listen needs the package prometheus-client, which is not installed. "
    "In a clone of the project, run: pip install '.[metrics]'"
)


def counting(settings: Settings, observer: Observer) -> tuple[Counters | None, Observer]:
    """What counts, and an observer that tells it."""
    if settings.metrics.listen is None:
        return None, observer
    from twilio_notifications.adapters import metrics  # noqa: PLC0415 - needs the extra

    counters = metrics.Counters()
    return counters, metrics.CountingObserver(observer, counters)


def metrics_endpoint(settings: Settings, counters: Counters, observer: Observer) -> MetricsEndpoint:
    """Where the counts are served, not opened yet."""
    from twilio_notifications.adapters import metrics  # noqa: PLC0415 - needs the extra

    assert settings.metrics.listen is not None, "there are counters only where something listens"
    host, port = settings.metrics.listen
    return metrics.MetricsEndpoint(host, port, page=counters.page, observer=observer)
