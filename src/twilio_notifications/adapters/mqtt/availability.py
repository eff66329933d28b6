"""Keeps a retained message at the broker that says whether the connector is connected.

"online" is published over each connection, as soon as it stands. "offline" is published before the connector
closes a connection, and otherwise by the broker, as the will of the connection.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.mqtt.protocol import Will
from twilio_notifications.core.errors import NotAcknowledged

if TYPE_CHECKING:
    import asyncio

    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.adapters.mqtt.telling import Telling

ONLINE: Final = b"online"
OFFLINE: Final = b"offline"
"""Home Assistant and others expect these two words by default."""


MOST_ENDS: Final = 3
"""Some brokers end the connection over a message that they do not allow."""


def will(topic: str | None) -> Will | None:
    """The message that the broker publishes when the connection is lost; None: it publishes none."""
    return None if topic is None else Will(topic=topic, payload=OFFLINE)


@dataclass(slots=True, kw_only=True)
class Availability:
    """Says so over each session."""

    topic: str | None
    """None: it says nothing."""
    telling: Telling
    _ends: int = field(init=False, default=0)
    """The connections in a row that ended before the broker had acknowledged it."""

    @property
    def _is_left_out(self) -> bool:
        return self._ends >= MOST_ENDS

    def come(self, session: Session) -> None:
        """The session stands."""
        if self.topic is None or self._is_left_out:
            return
        if session.limits.retain_available:
            session.publish(self.topic, ONLINE, retained=True).add_done_callback(self._hear)
        else:
            self.telling.availability_refused("the broker keeps no retained messages")

    def go(self, session: Session) -> None:
        """The session is closed next. Without an acknowledgement, because no one waits for it any more."""
        if self.topic is not None and session.limits.retain_available and not self._is_left_out:
            session.say(self.topic, OFFLINE)

    def _hear(self, published: asyncio.Future[None]) -> None:
        error = None if published.cancelled() else published.exception()
        if not isinstance(error, NotAcknowledged):
            self._ends = 0
        elif error.refused:
            self.telling.availability_refused(str(error))
        else:
            self._ends += 1
            if self._ends == MOST_ENDS:
                self.telling.availability_refused(
                    f"{MOST_ENDS} connections in a row ended over it, so it is left out until the next start:"
                    " allow it in the broker's access list"
                )
