"""The journal as people and consoles read it, next to a running connector or without one.

Instants are seconds since the epoch. Phone numbers and names are masked, and texts are left out, unless the
caller asks for the whole ones (`reveal`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.core.errors import Reason, WaitReason
    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.model import Channel, Priority
    from twilio_notifications.core.policy import Limits, Period, Unit
    from twilio_notifications.ports.journal.facts import Fact
    from twilio_notifications.ports.journal.membership import LiveMember
    from twilio_notifications.ports.journal.timeline import Moment
    from twilio_notifications.ports.journal.waits import Pause


class Only(StrEnum):
    """By what a list is narrowed most often."""

    ALL = "all"
    WAITING = "waiting"
    DOUBT = "doubt"
    """An attempt is open, or in doubt."""
    UNREPORTED = "unreported"
    """The broker has not acknowledged the status yet."""
    SUCCESS = "success"
    """Twilio has taken it."""
    FAILED = "failed"
    """The latest status is no success."""
    UNKNOWN = "unknown"
    """Answered with OutcomeUnknown, and no person has said more."""
    UNDELIVERED = "undelivered"
    """Twilio has taken it, and it did not arrive or reached no person."""
    REJECTED = "rejected"
    """It broke the published contract."""
    UNACKNOWLEDGED = "unacknowledged"
    """Its escalation waits for a person, or has ended without one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for; all of it has to hold. None: whatever that is."""

    only: Only = Only.ALL
    id: str | None = None
    """The client's id, whole. A number finds ids that are that number or that text."""
    contact: str | None = None
    """The name of a configured contact, whole."""
    phone_number: str | None = None
    """The recipient's number, whole."""
    name: str | None = None
    """A part of the recipient's name, in upper or lower case."""
    state: State | None = None
    reason: Reason | WaitReason | None = None
    """Why it failed, or why it waits."""
    channel: Channel | None = None
    since: float | None = None
    """Accepted at that instant or later."""
    until: float | None = None
    """Accepted before that instant."""
    among: Sequence[int] | None = None
    """Only these requests, by number."""
    before: int | None = None
    """Only requests with a smaller number: `EntryPage.before` of the page that came before this one."""
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitNow:
    """Why a request waits now, and for how long."""

    reason: WaitReason | None
    """None: for a free place, or for its first attempt."""
    message: str | None
    until: float | None
    """None: the end is not known. Behind the pace of a sender it is the end as it looks now: what is more
    urgent and arrives later leaves first."""
    behind: int | None
    """The request to the same recipient that comes first; None: none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryState:
    """What is known of what Twilio accepted."""

    state: str
    """Twilio's word."""
    code: int | None
    """Twilio's code of an error."""
    at: float
    """Since when it is that word."""
    look_at: float | None
    """When Twilio is asked next; None: following has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationState:
    """The chain that a request began."""

    escalation: str
    ending: str | None
    """`acknowledged`, `unacknowledged`, `cancelled` or `superseded`; None: it waits for a person."""
    by: str | None
    """Who has acknowledged; None: not known, or no one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request as a list shows it."""

    number: int
    """The journal's own, which grows; `id` is the client's and may occur many times."""
    id: str | float | bool
    channel: Channel
    state: State
    name: str | None
    """None for a rejection, like the numbers."""
    phone_number: str | None
    sender_number: str | None
    contact: str | None
    priority: Priority
    accepted_at: float
    expires_at: float | None
    """None for what was answered without an attempt."""
    due_at: float | None
    """When it may leave; None where it does not wait."""
    waits: WaitNow | None
    """None where it does not wait."""
    attempts: int
    """Those that count against its retries."""
    finished_at: float | None
    """None: it has no status yet."""
    reason: Reason | None
    """Why the latest status is no success; None: there is none yet, or it is one."""
    message: str | None
    sid: str | None
    remark: str | None
    """What became of its status, where it did not simply leave."""
    delivery: DeliveryState | None
    """None where nothing is followed."""
    escalation: EscalationState | None
    """None where it began none."""
    chain: int | None
    """The request that began the chain by which this one was made; None: no chain made it."""
    resent_from: int | None
    """The request that a person sent again as this one; None: it is no such one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """Found requests, the newest first."""

    entries: Sequence[Entry]
    before: int | None
    """`Search.before` of the next page; None: this is the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a request holds beyond its entry. Texts and addresses are None unless asked for."""

    kind: str | None
    """`text`, `voice_location`, `spoken_text` or `twiml`; None for a rejection."""
    content: str | None
    """The text, the address of the voice document, what is spoken, or the TwiML."""
    characters: int
    """Length of the content."""
    media_urls: Sequence[str]
    """Empty unless asked for."""
    media: int
    """Number of pictures."""
    language: str | None
    voice: str | None
    retries: int
    about: str | None
    valid_for_seconds: float | None
    messaging_service_sid: str | None
    origin: str | None
    response_topic: str | None
    """Where the client wants its statuses too."""
    traceparent: str | None
    """The client's trace that the request belongs to, as W3C Trace Context writes it."""
    answered_by: str | None
    """What machine detection says of a call."""
    document_code: int | None
    """Twilio's code of an error of the voice document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All that the journal knows of one request."""

    entry: Entry
    particulars: Particulars
    moments: Sequence[Moment]
    """The oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Whether a connector runs on the journal."""

    running: bool
    version: str | None
    """Of the connector that ran last; None: none has written it down yet, like the rest."""
    started_at: float | None
    """Where several connectors run: when the first of them joined."""
    seen_at: float | None
    """When it last wrote something down; now, where it runs."""
    ended_at: float | None
    """When it ended in order; None: it runs, or it ended otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUsed:
    """What is used of a quota in its current window."""

    unit: Unit
    period: Period
    used: int
    most: int
    ends_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStanding:
    """How the connector and its journal stand: the content of `status`."""

    connector: Presence
    members: Sequence[LiveMember]
    """The connectors that share the journal; empty where it has one owner, or none runs."""
    connection: Fact | None
    """To the broker or the nucleus: to which, since when. Where no connector runs, there is none since it was
    seen last. None: not known."""
    credentials: Fact | None
    """Whether Twilio takes them, as the connector last found out. None: not known."""
    paused: Sequence[Pause]
    """What lasts and keeps requests waiting; the oldest first."""
    waiting: Mapping[WaitReason | None, int]
    """Number of requests that wait, by their reason; None: for a free place. Without reasons with none."""
    oldest_waiting_at: float | None
    """When the oldest of them was accepted; None: none waits."""
    in_doubt: int
    """Requests whose attempt is in doubt."""
    unknown: int
    """Requests that were answered with OutcomeUnknown, for a person to resolve."""
    unreported: int
    """Requests with a status that the broker has not acknowledged yet."""
    unacknowledged: int
    """Escalations that wait for a person."""
    limits: Sequence[LimitUsed]
    last_success_at: float | None
    last_failure_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What happened within an hour."""

    at: float
    """When it begins."""
    received: int
    """Requests that were recorded in it, without those that chains made."""
    succeeded: int
    """Requests that Twilio took in it."""
    failed: Mapping[Reason, int]
    """Statuses of it that are no success, by their reason."""


class Need(StrEnum):
    """Why a request needs a person. The most pressing one first."""

    UNACKNOWLEDGED = "unacknowledged"
    """Its escalation waits for a person, or has ended without one."""
    IN_DOUBT = "in_doubt"
    """Whether it was sent is not known: its attempt is in doubt, or it was answered with OutcomeUnknown."""
    FAILED = "failed"
    """It failed, or did not arrive, and was not sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needing:
    """A request that needs a person."""

    need: Need
    entry: Entry


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the changes of a journal were read; only the adapter that made it reads its content."""

    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What has changed since a mark."""

    mark: Mark
    """For the next call."""
    anything: bool
    """Whether the journal has changed at all."""
    requests: Sequence[int]
    """Requests that came or to which something happened, by number; not those whose state alone changed.
    Empty for the first call."""


class JournalReader(Protocol):
    """Reads a journal that a connector may use at the same time; it disturbs it in nothing.

    A call blocks for milliseconds, and may come from any thread. It raises a JournalError that says what to
    do where the journal cannot be read.
    """

    def entries(self, search: Search, *, now: float, reveal: bool = False) -> EntryPage:
        """The requests that are looked for, the newest first."""

    def timeline(self, number: int, *, now: float, reveal: bool = False) -> Timeline:
        """One request with all that happened to it; raises NoSuchRequest where there is none."""

    def standing(self, *, now: float, limits: Limits) -> JournalStanding:
        """How connector and journal stand; `limits` are those of the configuration."""

    def activity(self, *, now: float, hours: int = 24) -> list[Hour]:
        """What happened in each of the last hours, the current one included; the oldest first."""

    def needing_a_person(self, *, now: float, limit: int = 50, reveal: bool = False) -> list[Needing]:
        """What a person should look at: the most pressing needs first, of each the newest requests."""

    def changes(self, after: Mark | None) -> Changes:
        """What has changed since `after`, at the cost of a few rows; None: this is the first call."""
