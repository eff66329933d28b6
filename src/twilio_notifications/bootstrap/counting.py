"""The counters and the page of metrics, where the operator wants them; otherwise neither is imported."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence

    from twilio_notifications.adapters.metrics import Counters, MetricsEndpoint
    from twilio_notifications.config import Settings
    from twilio_notifications.ports import Events


def counting(settings: Settings) -> Counters | None:
    """The counters, which hear the events; None without metrics."""
    if settings.metrics.listen is None:
        return None
    from twilio_notifications.adapters import metrics  # noqa: PLC0415 - needs the extra

    return metrics.Counters()


@contextmanager
def metrics_listeners(settings: Settings) -> Iterator[Sequence[socket.socket]]:
    """The sockets that listen for scrapes, opened before the process is confined; none without metrics."""
    with ExitStack() as stack:
        listeners: Sequence[socket.socket] = ()
        if settings.metrics.listen is not None:
            from twilio_notifications.adapters import metrics  # noqa: PLC0415 - needs the extra

            listeners = [stack.enter_context(each) for each in metrics.listening(*settings.metrics.listen)]
        yield listeners


def metrics_endpoint(
    settings: Settings, counters: Counters, events: Events, listeners: Sequence[socket.socket]
) -> MetricsEndpoint:
    """The page of metrics, not opened yet; on the listeners, where they are open already."""
    from twilio_notifications.adapters import metrics  # noqa: PLC0415 - needs the extra

    assert settings.metrics.listen is not None, "there are counters only where something listens"
    host, port = settings.metrics.listen
    return metrics.MetricsEndpoint(host, port, page=counters.page, events=events, listeners=listeners)
