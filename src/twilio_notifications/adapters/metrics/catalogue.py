"""The closed list of metrics: names, meanings and every value that a label can have.

The reference page is written from this list, and nothing else is ever exported. No value comes from outside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING

from twilio_notifications.core.delivery import NO_RECEIPT, CallResult
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.escalation import Door, EndKind
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Channel
from twilio_notifications.core.policy import Period, Unit
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports.line_steps import LineStep

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "twilio_notifications_"

NO_REASON = "none"
"""The reason of a success."""

SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
"""From a text that leaves at once to a request that waits for its whole default lifetime."""

STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, *SECONDS)
"""From a commit on a fast disk to the same."""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Result(StrEnum):
    """What became of a received request."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REPEATED = "repeated"
    DUPLICATE = "duplicate"


MADE = tuple(outcome for outcome in AttemptOutcome if outcome is not AttemptOutcome.FAILED)
"""What an attempt came to when it was made. Whether one in doubt has failed is known when it is settled."""


class Settled(StrEnum):
    """How an attempt in doubt ended."""

    FOUND = "found"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why something that arrived was no request."""

    RETAINED = "retained"
    WRONG_WISH = "wrong_wish"
    UNKNOWN_TOPIC = "unknown_topic"


class HeartbeatResult(StrEnum):
    """The result of a heartbeat that was due."""

    TAKEN = "taken"
    MISSED = "missed"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. `labels` holds, by the label's name, every value it can have."""

    name: str
    kind: Kind
    meaning: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    only: frozenset[tuple[str, ...]] | None = None
    """The combinations of values that occur; None: all of them."""
    buckets: tuple[float, ...] = ()
    """The upper bounds of a histogram, in seconds."""

    @property
    def full_name(self) -> str:
        """As it is exported."""
        return PREFIX + self.name

    @property
    def combinations(self) -> list[tuple[str, ...]]:
        """The values of the labels of each series, in their order."""
        every = product(*self.labels.values())
        return [values for values in every if self.only is None or values in self.only]


CHANNELS = tuple(Channel)
REASONS = tuple(Reason)

PUT_OFF = tuple(
    reason
    for reason in WaitReason
    if reason not in {WaitReason.SENDER_PACE, WaitReason.EARLIER_REQUEST, WaitReason.JOURNAL_DISK}
)
"""Why a request is put off. What is not claimed yet, behind another one or for its sender's room, or what
cannot be written, is not."""

LASTING = (
    WaitReason.OPERATOR_PAUSE,
    WaitReason.QUIET_HOURS,
    WaitReason.QUOTA_USED_UP,
    WaitReason.SENDER_QUEUE_FULL,
    WaitReason.ACCOUNT_SLOWED,
    WaitReason.CREDENTIALS_REFUSED,
    WaitReason.TWILIO_UNREACHABLE,
    WaitReason.JOURNAL_DISK,
)
"""Reasons of pauses, which keep more than one request waiting."""

COUNTED_STATES = (State.WAITING, State.OPEN, State.IN_DOUBT, State.FINISHED)
"""Not those that are reported: there only purging matters."""

REQUESTS = Metric(
    name="requests_total",
    kind=Kind.COUNTER,
    meaning="Requests received, by what became of them.",
    labels=MappingProxyType({"channel": CHANNELS, "result": tuple(Result)}),
)
TOO_LARGE = Metric(
    name="requests_too_large_total",
    kind=Kind.COUNTER,
    meaning="Requests rejected unread, because they were too large to be held in memory.",
)
DROPPED = Metric(
    name="dropped_total",
    kind=Kind.COUNTER,
    meaning="What arrived and was no request: acknowledged, and not carried out.",
    labels=MappingProxyType({"cause": tuple(Cause)}),
)
_EXPLAINED = (AttemptOutcome.REFUSED, AttemptOutcome.DEFERRED, AttemptOutcome.UNSENT)
"""Outcomes with a reason: that of the status, or that of the wait which follows."""

ATTEMPTS = Metric(
    name="attempts_total",
    kind=Kind.COUNTER,
    meaning="Attempts made, by their first outcome and its reason: that of the status, or of the wait that "
    f'follows; "{NO_REASON}" for what Twilio took, and for what is in doubt.',
    labels=MappingProxyType(
        {"channel": CHANNELS, "outcome": MADE, "reason": (NO_REASON, *REASONS, *PUT_OFF)}
    ),
    only=frozenset(
        (channel, outcome, reason)
        for channel in CHANNELS
        for outcome in MADE
        for reason in ((*REASONS, *PUT_OFF) if outcome in _EXPLAINED else (NO_REASON,))
    ),
)
DEFERRALS = Metric(
    name="deferrals_total",
    kind=Kind.COUNTER,
    meaning="Requests that had to wait (again), by the reason.",
    labels=MappingProxyType({"reason": PUT_OFF}),
)
SETTLEMENTS = Metric(
    name="settlements_total",
    kind=Kind.COUNTER,
    meaning="Attempts in doubt that were brought to an end.",
    labels=MappingProxyType({"channel": CHANNELS, "result": tuple(Settled)}),
)
STATUSES = Metric(
    name="statuses_total",
    kind=Kind.COUNTER,
    meaning=f'Statuses written, by their `error`; "{NO_REASON}" is a success.',
    labels=MappingProxyType({"channel": CHANNELS, "reason": (NO_REASON, *REASONS)}),
)
STATUS_SECONDS = Metric(
    name="status_seconds",
    kind=Kind.HISTOGRAM,
    meaning="Seconds from the acceptance of a request to its status.",
    labels=MappingProxyType({"channel": CHANNELS}),
    buckets=SECONDS,
)
STEPS = Metric(
    name="step_seconds",
    kind=Kind.HISTOGRAM,
    meaning="Seconds that each step took: `record` until the request is on disk, `wait` until its "
    "attempt is open, `send` until Twilio has answered, `close` until that is on disk, `settle` from the "
    "opening of an attempt until its doubt is settled, `report` until the broker has the status.",
    labels=MappingProxyType({"step": tuple(LineStep)}),
    buckets=STEP_SECONDS,
)
CHAINS = Metric(
    name="escalations_ended_total",
    kind=Kind.COUNTER,
    meaning="Escalations that have ended, by how.",
    labels=MappingProxyType({"ending": tuple(EndKind)}),
)
ACKNOWLEDGEMENTS = Metric(
    name="acknowledgements_total",
    kind=Kind.COUNTER,
    meaning="Escalations that a person acknowledged, by the door that the word came through.",
    labels=MappingProxyType({"door": tuple(Door)}),
)
ACKNOWLEDGEMENT_SECONDS = Metric(
    name="acknowledgement_seconds",
    kind=Kind.HISTOGRAM,
    meaning="Seconds from the beginning of an escalation until a person acknowledged it.",
    buckets=SECONDS,
)
DELIVERY_RESULTS = (
    *("delivered", "read", "partially_delivered", "undelivered"),
    *CallResult,  # "failed" and "canceled" are words for texts, too
    NO_RECEIPT,
)

DELIVERIES = Metric(
    name="deliveries_total",
    kind=Kind.COUNTER,
    meaning="What became of what Twilio accepted: its last word for a text, the result of a call.",
    labels=MappingProxyType({"channel": CHANNELS, "result": DELIVERY_RESULTS}),
)
LOOKS = Metric(
    name="delivery_looks_total",
    kind=Kind.COUNTER,
    meaning="Requests to Twilio about deliveries, by what was asked for and whether that could be read.",
    labels=MappingProxyType({"kind": ("single", "page", "notifications"), "answered": ("yes", "no")}),
)
CALLBACKS = Metric(
    name="callbacks_total",
    kind=Kind.COUNTER,
    meaning="Callbacks, by what became of them; `forbidden` had a wrong signature.",
    labels=MappingProxyType({"result": ("taken", "nothing_new", "kept", "forbidden", "unreadable")}),
)
DEFECTS = Metric(
    name="defects_total", kind=Kind.COUNTER, meaning="Defects of the connector; the log has each."
)
JOURNAL = Metric(
    name="journal_requests",
    kind=Kind.GAUGE,
    meaning="Requests in the journal, by state; `FINISHED` is not reported yet.",
    labels=MappingProxyType(
        {"state": COUNTED_STATES},
    ),
)
BROKER = Metric(
    name="broker_connected",
    kind=Kind.GAUGE,
    meaning="1 while there is a session with the broker, or the nucleus of Greengrass V2, else 0.",
)
TWILIO = Metric(
    name="twilio_reachable",
    kind=Kind.GAUGE,
    meaning="0 from an attempt that finds no network until it is back, else 1.",
)
LOGIN = Metric(
    name="login_accepted",
    kind=Kind.GAUGE,
    meaning="0 from when Twilio refuses the credentials until it takes them, else 1.",
)
DISK = Metric(
    name="journal_writable",
    kind=Kind.GAUGE,
    meaning="0 while the journal's disk is full or fails, or its server is away, else 1.",
)

LAST_SUCCESS = Metric(
    name="last_success_timestamp_seconds",
    kind=Kind.GAUGE,
    meaning="When Twilio last took a request, as seconds since the epoch; 0: not since the start.",
    labels=MappingProxyType({"channel": CHANNELS}),
)
LAST_FAILURE = Metric(
    name="last_failure_timestamp_seconds",
    kind=Kind.GAUGE,
    meaning="When a request last failed, as seconds since the epoch; 0: not since the start.",
    labels=MappingProxyType({"channel": CHANNELS}),
)
SECRET_READ = Metric(
    name="secret_read_timestamp_seconds",
    kind=Kind.GAUGE,
    meaning="When the secret was last read, as seconds since the epoch; a local copy: when it was made.",
)
SECRET_SINCE = Metric(
    name="secret_since_timestamp_seconds",
    kind=Kind.GAUGE,
    meaning="Since when the secret is the same, as seconds since the epoch; not before the start.",
)
HEARTBEATS = Metric(
    name="heartbeats_total",
    kind=Kind.COUNTER,
    meaning="Heartbeats that were due: `taken` by their address, `missed`, or `withheld` as the connector "
    "is not well.",
    labels=MappingProxyType({"result": tuple(HeartbeatResult)}),
)
WAITING = Metric(
    name="waiting_requests",
    kind=Kind.GAUGE,
    meaning=f'Requests that wait, by what they wait for; "{NO_REASON}": for a place, or their first attempt.',
    labels=MappingProxyType({"reason": (NO_REASON, *WaitReason)}),
)
OLDEST = Metric(
    name="oldest_waiting_seconds",
    kind=Kind.GAUGE,
    meaning="How long ago the oldest request that waits was accepted; 0: none waits.",
)
_QUOTAS = MappingProxyType({"unit": tuple(Unit), "period": tuple(Period)})
QUOTA_USED = Metric(
    name="quota_used",
    kind=Kind.GAUGE,
    meaning="What is used of the limit of `[limits]` for this unit in the present hour, day or month; 0 if "
    "there is no such limit.",
    labels=_QUOTAS,
)
QUOTA_MOST = Metric(
    name="quota_most",
    kind=Kind.GAUGE,
    meaning="That limit; 0: there is none.",
    labels=_QUOTAS,
)

PAUSES = Metric(
    name="pauses",
    kind=Kind.GAUGE,
    meaning="Lasting states for whose end requests wait, by the reason: senders, limits or windows; 1 or 0 "
    "for the account and the journal.",
    labels=MappingProxyType({"reason": LASTING}),
)
PAUSE_ENDS = Metric(
    name="pause_ends_timestamp_seconds",
    kind=Kind.GAUGE,
    meaning="When the last of these states ends, as seconds since the epoch; 0 where there is none, or where "
    "its end is not known.",
    labels=MappingProxyType({"reason": LASTING}),
)

MEMBERS = Metric(
    name="members",
    kind=Kind.GAUGE,
    meaning="Connectors that share the journal, this one included.",
)
LEADS = Metric(
    name="leads",
    kind=Kind.GAUGE,
    meaning="1 while this connector takes requests in and reports their statuses; 0 while another one does.",
)

METRICS = (
    *(REQUESTS, TOO_LARGE, DROPPED, ATTEMPTS, DEFERRALS, SETTLEMENTS, STATUSES, STATUS_SECONDS, STEPS),
    *(DELIVERIES, LOOKS, CALLBACKS, HEARTBEATS, DEFECTS),
    *(CHAINS, ACKNOWLEDGEMENTS, ACKNOWLEDGEMENT_SECONDS, LAST_SUCCESS, LAST_FAILURE),
    *(JOURNAL, WAITING, OLDEST, PAUSES, PAUSE_ENDS, QUOTA_USED, QUOTA_MOST),
    *(MEMBERS, LEADS),
    *(BROKER, TWILIO, LOGIN, DISK, SECRET_READ, SECRET_SINCE),
)
