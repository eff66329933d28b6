"""Compares what a broker grants with what the connector promises, and puts each difference into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt.protocol import Version

if TYPE_CHECKING:
    from twilio_notifications.adapters.mqtt.session import Session

_ADVICE = "allow QoS 1 at the broker (Mosquitto: max_qos)"

NO_ACKNOWLEDGEMENTS = (
    "the broker takes only messages with QoS 0, so a status that is lost on the way is not published again: "
    f"{_ADVICE}"
)
NO_REPETITIONS = (
    "the broker delivers requests only with QoS 0, so it does not deliver a request again that is lost on "
    f"the way, or that comes while the connector is not connected: {_ADVICE}"
)


def shortfalls(session: Session) -> tuple[str, ...]:
    """One sentence for each promise that this session cannot keep."""
    found = []
    if session.granted_qos == 0:
        found.append(NO_REPETITIONS)
    if session.limits.maximum_qos == 0 or refuses_acknowledgements(session):
        found.append(NO_ACKNOWLEDGEMENTS)
    return tuple(found)


def refuses_acknowledgements(session: Session) -> bool:
    """Whether the broker very likely ended the session because of a message with QoS 1.

    A broker of MQTT 3.1.1 cannot say that it takes only QoS 0. If it grants our subscriptions only QoS 0,
    and ends the connection while a message with QoS 1 is unacknowledged, it very likely takes only QoS 0.
    """
    is_suspected = session.version is Version.V311 and session.granted_qos == 0
    return is_suspected and session.ended.done() and session.left_unacknowledged
