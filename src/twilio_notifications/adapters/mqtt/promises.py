"""What a broker grants less than the connector promises, in words. Compares, and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt.protocol import Version

if TYPE_CHECKING:
    from twilio_notifications.adapters.mqtt.session import Session

_ADVICE = "allow QoS 1 at the broker (Mosquitto: max_qos)"

NO_ACKNOWLEDGEMENTS = (
    "the broker takes messages with QoS 0 only, so a status that is lost on the way is not published again: "
    f"{_ADVICE}"
)
NO_REPETITIONS = (
    "the broker delivers requests with QoS 0 only, so a request that is lost on the way, or comes while the "
    f"connector is away, is not delivered again: {_ADVICE}"
)


def shortfalls(session: Session) -> tuple[str, ...]:
    """A sentence for each promise that this session cannot keep."""
    found = []
    if session.granted_qos == 0:
        found.append(NO_REPETITIONS)
    if session.limits.maximum_qos == 0 or refuses_acknowledgements(session):
        found.append(NO_ACKNOWLEDGEMENTS)
    return tuple(found)


def refuses_acknowledgements(session: Session) -> bool:
    """Whether it ended over a message with QoS 1, as far as is known.

    MQTT 3.1.1 cannot say that a broker takes QoS 0 only. One that grants no more to our subscriptions, and
    ends the connection while a message with QoS 1 is not acknowledged, very likely takes no more.
    """
    is_suspected = session.version is Version.V311 and session.granted_qos == 0
    return is_suspected and session.ended.done() and session.left_unacknowledged
