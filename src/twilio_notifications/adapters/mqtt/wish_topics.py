"""Subscribes to the topics of cancellations and acknowledgements.

The published document does not know these topics, so the access list of a broker that served its connector
does not name them. A broker refuses such a subscription, or ends the connection because of it. Requests must
be carried out all the same, so these subscriptions come after those to requests, and apart from them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.mqtt.session import ConnectionEnded
from twilio_notifications.core.errors import BrokerRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.adapters.mqtt.telling import Telling

ANSWER_SECONDS = 5.0
"""How long the start of a connection waits for the broker's answer to these subscriptions."""

MOST_ENDS = 2
"""A network may fail at the same moment once. At the second end in a row, the subscription is the cause."""

_WITHOUT: Final = (
    "Until then no client can cancel a request or acknowledge an escalation on these topics. Requests are "
    "carried out all the same. If you do not need the topics, set [transport] cancel_topic and "
    'acknowledge_topic to ""'
)


class WishTopics:
    """The subscriptions of one transport to these topics, over all its connections."""

    def __init__(self, topics: Sequence[str], telling: Telling, *, client_id: str) -> None:
        self._topics = topics
        self._telling = telling
        self._client_id = client_id
        self._ends = 0
        """The number of connections in a row that ended while the broker had not answered."""

    async def subscribe(self, session: Session) -> bool:
        """Whether the connection stands after the broker's answer; False where it has ended without one."""
        if not self._topics:
            return True
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await session.subscribe(self._topics)
        except BrokerRefused as error:
            # The next connection asks again: the access list may have been changed.
            self._tell(str(error))
        except TimeoutError:
            self._tell(f"the broker has not answered the subscriptions to {self._names} yet")
        except ConnectionEnded:
            self._note_end()
            return False
        else:
            self._ends = 0
            self._telling.wishes_granted()
        return True

    def _note_end(self) -> None:
        self._ends += 1
        if self._ends == MOST_ENDS:
            # AWS IoT Core ends the connection of a client that subscribes to a forbidden topic.
            self._tell(
                f"the broker ended {MOST_ENDS} connections in a row when {self._client_id} subscribed to "
                f"{self._names}, so the connector leaves these topics out until its next start: allow them "
                "in the broker's access list, and start the connector again"
            )
            self._topics = ()

    def _tell(self, sentence: str) -> None:
        self._telling.wishes_refused(f"{sentence}. {_WITHOUT}")

    @property
    def _names(self) -> str:
        return " and ".join(self._topics)
