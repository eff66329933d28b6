"""Hands each event to all that hear events: the log, the metrics, and what tests add.

A subscriber that fails is a defect of the connector. It disturbs neither the stage that told the event nor
the other subscribers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.ports.events import Defect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_notifications.ports import Event, Events


class EventStream:
    """The subscribers, in the order in which they hear each event."""

    def __init__(self, subscribers: Iterable[Events]) -> None:
        self._subscribers = tuple(subscribers)
        self._failed: set[int] = set()
        """Places of the subscribers whose failure has its defect already."""

    def tell(self, event: Event) -> None:
        """Never raises. All subscribers hear of a subscriber's first failure, as a defect."""
        for place, subscriber in enumerate(self._subscribers):
            try:
                subscriber.tell(event)
            except Exception as error:  # noqa: BLE001 - no error of a subscriber may stop a stage
                # Once for each subscriber: a line for each event would fill the log, and a subscriber
                # that fails on the defect itself would make this endless.
                if place not in self._failed:
                    self._failed.add(place)
                    self.tell(Defect(name="subscriber_failed", error=error))
