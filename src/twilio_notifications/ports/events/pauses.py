"""Events of requests that wait together: for Twilio, for a limit, for Twilio's records. `until` is in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from twilio_notifications.ports.events.event import Event, Level

if TYPE_CHECKING:
    from twilio_notifications.core.errors import WaitReason


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioUnreachable(Event):
    """Twilio cannot be reached; `until` None: a connection is tried every second."""

    level: ClassVar[Level] = Level.WARNING
    until: str | None = None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioReachable(Event):
    """Twilio can be reached again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingPaused(Event):
    """Twilio takes no more requests of this account for now."""

    level: ClassVar[Level] = Level.WARNING
    until: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendingResumed(Event):
    """The pause of the account is over."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderPaused(Event):
    """Twilio takes no more requests of this sender number for now."""

    level: ClassVar[Level] = Level.WARNING
    until: str
    error: str
    sender_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderResumed(Event):
    """The pause of this sender number is over."""

    level: ClassVar[Level] = Level.INFO
    sender_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUsedUp(Event):
    """A limit of the operator leaves no room."""

    level: ClassVar[Level] = Level.WARNING
    until: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFreeAgain(Event):
    """The period of the limit is over."""

    level: ClassVar[Level] = Level.INFO
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHoursBegan(Event):
    """A request waits for the end of this window; until then only urgent ones and steps of chains leave."""

    level: ClassVar[Level] = Level.INFO
    window: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHoursEnded(Event):
    """The window is over."""

    level: ClassVar[Level] = Level.INFO
    window: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PausesChanged(Event):
    """How many pauses of this kind there are now, and when the last of them ends.

    `until` is None where there is none, or where its end is not known.
    """

    reason: WaitReason
    count: int
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsUnreadable(Event):
    """Twilio's lists cannot be read, so that doubt cannot be settled."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsReadable(Event):
    """Twilio's lists can be read again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPauseBegan(Event):
    """A person ordered that all requests wait; without `until`, until another order."""

    level: ClassVar[Level] = Level.WARNING
    until: str | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorPauseEnded(Event):
    """That pause is over: its time has passed, or a person ended it."""

    level: ClassVar[Level] = Level.INFO
