"""The values that travel through the connector: frozen, without behaviour beyond their own invariants.

Instants are seconds since the epoch (UTC), durations are seconds; both are floats.
Names follow the glossary (docs/glossary.md): one word for one thing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.core.errors import Reason


class Secret:
    """A token, key or password: prints as `Secret(***)` wherever it ends up; `reveal` is the only way in."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Who we are to Twilio: the account's SID and its auth token, or an API key's SID and its secret."""

    user: str
    secret: Secret


class Channel(StrEnum):
    """How a recipient is reached, and so which topic and which resource of Twilio's API are meant."""

    SMS = "SMS"
    CALL = "CALL"


class Priority(StrEnum):
    """`urgent` requests overtake waiting ones of other recipients, never one of the same recipient."""

    URGENT = "urgent"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom a request is for: exactly one person, by name and E.164 number."""

    name: str
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The content of a text: what the recipient reads. Never logged."""

    body: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceLocation:
    """The content of a call: the absolute URL of a TwiML document, which Twilio fetches, never we."""

    url: str = field(repr=False)


Content = Text | VoiceLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A valid request. `sender_number` is `from_number`, or the configured default."""

    request_id: str
    channel: Channel
    recipient: Recipient
    content: Content
    sender_number: str
    retries: int = 0
    priority: Priority = Priority.NORMAL
    valid_for_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A request that breaks the published contract, and the sentence that says how."""

    request_id: str | int | float
    message: str


# What Twilio, or the lack of Twilio, said to one attempt.


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An HTTP answer. `code` and `message` are those of Twilio's error body, where there was one."""

    http_status: int
    is_twilios: bool = True
    """It has the form of Twilio's answers. False: a proxy, a log-in page or another server made it."""
    code: int | None = None
    message: str | None = None
    sid: str | None = None
    message_status: str | None = None
    sender_number: str | None = None
    phone_number: str | None = None
    retry_after: float | None = None
    clock_offset: float | None = None
    """Twilio's clock (the `Date` header) minus ours, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The request certainly never left: no name resolution, no connection, no TLS session."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """The request may have reached Twilio, but no readable answer came."""

    detail: str


Answer = Answered | NotSent | Unanswered


# What Twilio's own lists say.


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A message or a call in Twilio's lists. `created_at` is by Twilio's clock, in whole seconds."""

    sid: str
    phone_number: str
    sender_number: str | None
    message_status: str
    created_at: float
    body: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records of one recipient, newest first, and Twilio's clock minus ours when they were read."""

    found: tuple[Record, ...]
    clock_offset: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """The lists could not be read: nothing is known, neither that it was sent nor that it was not."""

    detail: str
    retry_after: float | None = None
    unauthorized: bool = False
    """Twilio refuses the login."""


# What an answer means for the attempt.


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Twilio took the request; `message_status` is its own word, unchanged."""

    sid: str
    message_status: str
    sender_number: str
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Twilio said no, and would say no again: never retried."""

    reason: Reason
    message: str
    code: int | None = None


class DeferralScope(StrEnum):
    """What has to wait: everything, everything of one sender number, or everything until credentials work."""

    ACCOUNT = "account"
    SENDER = "sender"
    CREDENTIALS = "credentials"
    NETWORK = "network"
    ADDRESS = "address"
    """Everything: what answers is not Twilio, or not this account's place at Twilio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Certainly not carried out, and not the request's fault: it waits, and no attempt is counted."""

    scope: DeferralScope
    reason: Reason
    message: str
    code: int | None = None
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """Not known yet: the request may have been carried out. Neither success nor failure."""

    message: str


Outcome = Accepted | Refused | Deferred | InDoubt
