"""Events of requests, from their arrival to their end.

Those without a level are the points between two steps of the line: too frequent for the log, and counted by
the metrics. A crash means something different after each of them (ARCHITECTURE.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from twilio_notifications.ports.events.event import Event, Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.core.errors import Reason, WaitReason
    from twilio_notifications.core.model import Answer, Channel, Records, Unreadable
    from twilio_notifications.core.steps import Claimed, Doubt, Finish, Postpone
    from twilio_notifications.ports.journal import NewRejection, NewRequest, Recording
    from twilio_notifications.ports.transport import Inbound


# Arrival.


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReceived(Event):
    """A payload came on a topic of the connector; nothing of it is on disk."""

    inbound: Inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecorded(Event):
    """A payload is on disk; `recording` says as what, `number` under which number of the journal.

    Without a number it is a repetition, or a duplicate that waits for the answer to its original.
    """

    inbound: Inbound
    arrival: NewRequest | NewRejection
    recording: Recording
    number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAcknowledged(Event):
    """The transport was asked to acknowledge a payload that is on disk."""

    inbound: Inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainedDropped(Event):
    """A retained message was acknowledged and not executed."""

    level: ClassVar[Level] = Level.WARNING
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTopicDropped(Event):
    """A message came on a topic that is not one of the connector's."""

    level: Level = field()
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedPublishIgnored(Event):
    """The broker delivered again what the journal already holds."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateAnswered(Event):
    """So many requests repeated earlier ones since the last event; they have their status."""

    level: ClassVar[Level] = Level.INFO
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLost(Event):
    """The journal has no room, and what arrived cannot be delivered again."""

    level: ClassVar[Level] = Level.ERROR
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRejected(Event):
    """A request was answered without being carried out; `id` is its sender's, shortened."""

    level: ClassVar[Level] = Level.WARNING
    id: str
    channel: Channel
    reason: Reason
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsRejected(Event):
    """So many more requests were rejected within a minute."""

    level: ClassVar[Level] = Level.WARNING
    left_out: int


# Attempts.


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsClaimed(Event):
    """The turn of these requests has come; a claim writes nothing."""

    requests: Sequence[Claimed]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptsOpened(Event):
    """An attempt of each of these requests is open in the journal; none of them has begun."""

    requests: Sequence[Claimed]


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAnswered(Event):
    """An attempt has its answer, or none can come; the journal does not know it yet."""

    request: Claimed
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFinished(Event):
    """A request has its status."""

    level: ClassVar[Level] = Level.DEBUG
    request: Claimed
    step: Finish
    attempted: bool
    """False: the rules turned it away."""

    def fields(self) -> Mapping[str, object]:
        return _step_fields(self.request, self.step.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPostponed(Event):
    """A request waits in the journal."""

    level: ClassVar[Level] = Level.DEBUG
    request: Claimed
    step: Postpone
    attempted: bool
    """False: the rules turned it away."""

    def fields(self) -> Mapping[str, object]:
        return _step_fields(self.request, self.step.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptInDoubt(Event):
    """Twilio may or may not have carried out an attempt."""

    level: ClassVar[Level] = Level.WARNING
    request: Claimed
    step: Doubt

    def fields(self) -> Mapping[str, object]:
        return _step_fields(self.request, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFailed(Event):
    """A request has ended without success; `number` is the journal's, `id` its sender's, shortened."""

    level: ClassVar[Level] = Level.WARNING
    number: int
    id: str
    phone_number: str
    reason: Reason | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsFailed(Event):
    """So many more requests failed within a minute."""

    level: ClassVar[Level] = Level.WARNING
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSetAside(Event):
    """A request on which the connector fails does not go on; `answered`: with InternalError."""

    level: ClassVar[Level] = Level.ERROR
    number: int
    answered: bool


# Settling.


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsLookedUp(Event):
    """Twilio's records were asked for an attempt in doubt."""

    request: Claimed
    records: Records | Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtSettled(Event):
    """An attempt in doubt has come to an end, so many seconds after its opening."""

    level: Level = field()
    request: Claimed
    step: Finish | Postpone
    outcome: Literal["found", "absent", "unknown"]
    seconds: float

    def fields(self) -> Mapping[str, object]:
        return {"number": self.request.id, "outcome": self.outcome, "seconds": self.seconds}


def _step_fields(request: Claimed, reason: Reason | WaitReason | None) -> Mapping[str, object]:
    phone_number = request.notification.recipient.phone_number
    return {"number": request.id, "phone_number": phone_number, "reason": reason}
