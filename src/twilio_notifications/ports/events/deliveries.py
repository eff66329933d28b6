"""Events of deliveries: what became of the texts and calls that Twilio accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from twilio_notifications.ports.events.event import Event, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.delivery import Change, Followed
    from twilio_notifications.core.errors import Reason

LookedAt = Literal["records", "notifications"]
"""Of Twilio: texts and calls, or the notifications of a call."""

LookKind = Literal["single", "page", "notifications"]
"""One text or call, a page of the account's list, or Twilio's notifications of a call."""

CallbackResult = Literal["taken", "nothing_new", "kept", "forbidden", "unreadable"]
"""What became of a callback: `kept` for a SID that is not known yet, `forbidden` for a wrong signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLookedUp(Event):
    """Twilio was asked about deliveries, by one request; the journal does not know the answer yet."""

    kind: LookKind
    answered: bool
    """False: the answer could not be read, or none came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackReceived(Event):
    """Twilio has called, with a right signature; the journal does not know it yet."""

    sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAnswered(Event):
    """A callback has its answer."""

    result: CallbackResult


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryChanged(Event):
    """The journal knows something new about a delivery."""

    level: ClassVar[Level] = Level.DEBUG
    followed: Followed
    """As it was before."""
    change: Change

    def fields(self) -> Mapping[str, object]:
        happened = self.change.happened
        return {
            "number": self.change.request,
            "phone_number": self.followed.request.notification.recipient.phone_number,
            "state": self.change.after.state,
            "code": None if happened is None else happened.code,
            "source": None if happened is None else happened.source,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed(Event):
    """A text or call that Twilio accepted did not arrive; `error` has Twilio's code, and what to do."""

    level: ClassVar[Level] = Level.WARNING
    number: int
    id: str
    phone_number: str
    reason: Reason
    state: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesFailed(Event):
    """So many more deliveries failed within a minute."""

    level: ClassVar[Level] = Level.WARNING
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesUnreadable(Event):
    """Twilio cannot be asked what became of texts and calls; the connector goes on trying."""

    level: ClassVar[Level] = Level.WARNING
    resource: LookedAt
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesReadable(Event):
    """Twilio says again what became of texts and calls."""

    level: ClassVar[Level] = Level.INFO
    resource: LookedAt


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbacksListening(Event):
    """Twilio's callbacks are taken here."""

    level: ClassVar[Level] = Level.INFO
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackForbidden(Event):
    """A callback had a wrong signature, and so had `left_out` others since the last such line."""

    level: ClassVar[Level] = Level.WARNING
    left_out: int
    error: str
