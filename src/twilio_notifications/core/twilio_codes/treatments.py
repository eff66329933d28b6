"""The treatments of an answer to a creation, and the form of a row in the tables of codes.

Creating a message is not idempotent, so a row says `Refuse` or `Wait` only where Twilio has certainly not
carried the request out; everything else is `Settle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import DeferralScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Twilio would say no again."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Certainly not carried out, and it may be later."""

    scope: DeferralScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """It may have been carried out: only Twilio's records can tell."""


Treatment = Refuse | Wait | Settle

REFUSE: Final = Refuse(reason=Reason.INVALID_PARAMETER)
OPTED_OUT: Final = Refuse(reason=Reason.RECIPIENT_OPTED_OUT)
ACCOUNT_WAITS: Final = Wait(scope=DeferralScope.ACCOUNT)
SENDER_WAITS: Final = Wait(scope=DeferralScope.SENDER)
ADDRESS_WAITS: Final = Wait(scope=DeferralScope.ADDRESS)
CREDENTIALS_WAIT: Final = Wait(scope=DeferralScope.CREDENTIALS)
SETTLE: Final = Settle()


class Concern(StrEnum):
    """What a code is about, and so who can do something about it."""

    RECIPIENT = "recipient"
    """The number or the telephone of one recipient."""
    SENDER = "sender"
    """The sender number, its registration or its Messaging Service: every request from it is affected."""
    CONTENT = "content"
    """The text, the pictures, or the voice document and the web server that has it."""
    ACCOUNT = "account"
    """The Twilio account, its credentials, permissions and limits: every request is affected."""
    NETWORK = "network"
    """A carrier or Twilio itself."""


RECIPIENT: Final = Concern.RECIPIENT
SENDER: Final = Concern.SENDER
CONTENT: Final = Concern.CONTENT
ACCOUNT: Final = Concern.ACCOUNT
NETWORK: Final = Concern.NETWORK


@dataclass(frozen=True, slots=True)
class TwilioCode:
    """The words for a code; by position, so that a row of a table is one line where it can be."""

    means: str
    """A clause that follows a colon."""
    advice: str
    """One or two sentences."""
    concern: Concern
    creation: Treatment | None = None
    """The treatment where a 4xx answer to a creation names the code; None: the HTTP status decides."""
