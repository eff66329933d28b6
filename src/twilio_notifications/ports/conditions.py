"""What events say of the present: each of the conditions holds, or does not, from such an event on."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.ports.events.journals import JournalAvailable, JournalUnavailable
from twilio_notifications.ports.events.logins import (
    CredentialsAccepted,
    CredentialsRefused,
    LoginAccepted,
    LoginRefused,
)
from twilio_notifications.ports.events.members import ConnectorStandsBy, LeadershipTaken
from twilio_notifications.ports.events.pauses import TwilioReachable, TwilioUnreachable
from twilio_notifications.ports.events.running import ConnectorStopped
from twilio_notifications.ports.events.transports import (
    BrokerConnected,
    BrokerLost,
    BrokerUnreachable,
    NucleusConnected,
    NucleusLost,
    NucleusRefused,
    NucleusUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.ports.events.event import Event


class Condition(StrEnum):
    """What must hold for a request to come in, to be kept, and to go out."""

    BROKER = "broker"
    """There is a session with the broker, or with the nucleus; or another connector takes requests in."""
    JOURNAL = "journal"
    """The journal's disk takes what is written."""
    LOGIN = "login"
    """Twilio takes the credentials, as far as is known."""
    TWILIO = "twilio"
    """Twilio can be reached, as far as is known."""


CONDITIONS: Final[Mapping[type[Event], tuple[Condition, bool]]] = MappingProxyType(
    {
        BrokerConnected: (Condition.BROKER, True),
        BrokerLost: (Condition.BROKER, False),
        BrokerUnreachable: (Condition.BROKER, False),
        ConnectorStandsBy: (Condition.BROKER, True),
        LeadershipTaken: (Condition.BROKER, False),
        NucleusConnected: (Condition.BROKER, True),
        NucleusLost: (Condition.BROKER, False),
        NucleusRefused: (Condition.BROKER, False),
        NucleusUnreachable: (Condition.BROKER, False),
        ConnectorStopped: (Condition.BROKER, False),
        TwilioReachable: (Condition.TWILIO, True),
        TwilioUnreachable: (Condition.TWILIO, False),
        LoginAccepted: (Condition.LOGIN, True),
        LoginRefused: (Condition.LOGIN, False),
        CredentialsAccepted: (Condition.LOGIN, True),
        CredentialsRefused: (Condition.LOGIN, False),
        JournalAvailable: (Condition.JOURNAL, True),
        JournalUnavailable: (Condition.JOURNAL, False),
    }
)
"""Which condition holds (True) or does not (False) after such an event."""

AT_THE_START: Final[Mapping[Condition, bool]] = MappingProxyType(
    {each: each is not Condition.BROKER for each in Condition}
)
"""Before the first event: there is no session yet, and nothing is known against the rest."""
