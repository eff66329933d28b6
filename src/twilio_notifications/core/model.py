"""The values that the parts of the connector pass on: frozen, with no behaviour but their own invariants.

Instants are seconds since the epoch (UTC), durations are seconds; both are floats.
The glossary (docs/glossary.md) defines the names: one word for one thing.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import WaitReason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.errors import Reason


class Secret:
    """A token, key or password. It always prints as `Secret(***)`; only `reveal` returns the value."""

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
    """What Twilio asks for: the account's SID with its auth token, or an API key's SID with its secret."""

    user: str
    secret: Secret


class Channel(StrEnum):
    """The way to reach a recipient. It determines the topic and the resource of Twilio's API."""

    SMS = "SMS"
    CALL = "CALL"


class Priority(StrEnum):
    """The order of waiting requests.

    `urgent` ones overtake those of other recipients, never of the same one.
    """

    URGENT = "urgent"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The one person a request is for, by name and E.164 number."""

    name: str
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The content of a text, which the recipient reads. The connector never logs it.

    `body` is "" only where there are `media_urls`: pictures that Twilio fetches.
    """

    body: str = field(repr=False)
    media_urls: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceLocation:
    """The content of a call: the absolute URL of a TwiML document.

    Twilio fetches it; the connector never does.
    """

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpokenText:
    """The content of a call: a text that Twilio speaks. `voice` is None for Twilio's default voice.

    `key_hint` is spoken after the text where a key is awaited; None: nothing is.
    """

    text: str = field(repr=False)
    language: str = "en-US"
    voice: str | None = None
    key_hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Twiml:
    """The content of a call: a TwiML document that Twilio gets with the request."""

    document: str = field(repr=False)


Content = Text | VoiceLocation | SpokenText | Twiml


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A valid request.

    `sender_number` is the request's `from_number`, or the configured default, or the SID of the Messaging
    Service that chooses the number. `valid_for_seconds` is None where the request sets no lifetime.
    """

    request_id: str
    channel: Channel
    recipient: Recipient
    content: Content
    sender_number: str
    retries: int = 0
    priority: Priority = Priority.NORMAL
    valid_for_seconds: float | None = None
    messaging_service_sid: str | None = None
    about: str | None = None
    """What the request is about: a newer one about the same replaces it while it waits."""
    escalation: str | None = None
    """The name of the configured chain that goes on until a person acknowledges."""
    contact: str | None = None
    """The name of the configured contact that `recipient` was made from."""

    @property
    def sender(self) -> str:
        """What a status names as the sender as long as Twilio has named no number (contract, section 7)."""
        return self.messaging_service_sid or self.sender_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person of the configuration. `language` is the one in which Twilio speaks to this person."""

    name: str
    phone_number: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What a client asks to cancel: the requests with this id, or those about this; the other is None."""

    request_id: str | None = None
    about: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A client says that a person has seen the requests with this id; `by` is None where it names no one."""

    request_id: str
    by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The answer to a request that breaks the published contract; `message` says how."""

    request_id: str | int | float
    message: str


# Answers to one attempt: Twilio's own, or what is known without one.


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An HTTP answer. `code` and `message` come from Twilio's error body; None: it has no such field."""

    http_status: int
    is_twilios: bool = True
    """Whether it has the form of Twilio's answers. False: a proxy, a log-in page or another server made
    it."""
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
    """The request certainly did not leave: no name resolution, no connection, or no TLS session."""

    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """The request may have reached Twilio, but no readable answer came."""

    detail: str


Answer = Answered | NotSent | Unanswered


# What Twilio's lists of messages and calls say.


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
class CameBack:
    """A text or a call that came in. `created_at` is by Twilio's clock; `body` is "" for a call."""

    sid: str
    phone_number: str
    created_at: float
    body: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundPage:
    """What came in, of one page of a list; `oldest_at` is of all its records, None where it has none.

    `next_path` None: this page is the last.
    """

    found: tuple[CameBack, ...]
    oldest_at: float | None
    next_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The records of one recipient, newest first."""

    found: tuple[Record, ...]
    clock_offset: float | None
    """Twilio's clock minus ours, in seconds, when the lists were read; None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """The lists could not be read, so it is not known whether Twilio carried the request out."""

    detail: str
    retry_after: float | None = None
    unauthorized: bool = False
    """Whether Twilio refuses the login."""


# Outcomes: the meaning of an answer for the attempt.


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Twilio accepted the request; `message_status` is Twilio's own word, unchanged."""

    sid: str
    message_status: str
    sender_number: str
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Twilio refused the request, and would refuse it again: the connector does not retry it."""

    reason: Reason
    message: str
    code: int | None = None


class DeferralScope(StrEnum):
    """Which requests wait: those of one sender number (SENDER), or all of them (every other scope)."""

    ACCOUNT = "account"
    SENDER = "sender"
    CREDENTIALS = "credentials"
    """All requests wait until Twilio accepts the login."""
    NETWORK = "network"
    ADDRESS = "address"
    """All requests wait: the server that answers is not Twilio, or Twilio does not know the account there."""


_WAITS: Final[Mapping[DeferralScope, WaitReason]] = MappingProxyType(
    {
        DeferralScope.ACCOUNT: WaitReason.ACCOUNT_SLOWED,
        DeferralScope.SENDER: WaitReason.SENDER_QUEUE_FULL,
        DeferralScope.CREDENTIALS: WaitReason.CREDENTIALS_REFUSED,
        DeferralScope.NETWORK: WaitReason.TWILIO_UNREACHABLE,
        DeferralScope.ADDRESS: WaitReason.TWILIO_UNREACHABLE,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Twilio certainly did not carry the request out, for no fault of the request.

    The request waits, and no attempt is counted. `retry_after` is seconds; None: Twilio names no time.
    """

    scope: DeferralScope
    message: str
    code: int | None = None
    retry_after: float | None = None

    @property
    def reason(self) -> WaitReason:
        """For what requests wait."""
        return _WAITS[self.scope]


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """It is not known whether Twilio carried the request out: neither success nor failure."""

    message: str


Outcome = Accepted | Refused | Deferred | InDoubt
