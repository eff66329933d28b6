"""Every error of the connector, and the closed list of reasons for a failed request.

Expected results are values (a rejection, a refusal, doubt). Only unexpected ones are raised:

ConnectorError
├── ConfigurationError      the configuration is wrong; holds all its problems
├── JournalError
│   ├── JournalLocked       another connector owns the journal
│   ├── JournalDamaged      the file is no journal, or it is damaged
│   ├── JournalTooNew       a later version of this program wrote the journal, or has migrated it since
│   ├── JournalFull         the journal has reached its limit: the broker must deliver the request again later
│   ├── JournalMoved        the journal's files were deleted or moved while the connector ran
│   ├── NotLeading          another connector leads: it takes in, reports and settles, and this one only sends
│   ├── JournalClosed       the journal was closed before the step was committed
│   └── NoSuchRequest       the journal holds no request with this number, or no longer
├── SecretUnavailable       the auth token cannot be read
│   └── SecretAbsent        there is no auth token in its place
├── SecretCopyUnusable      the local copy of the auth token cannot be opened or written
├── ListeningFailed         an address to listen on cannot be opened
├── FolderUnusable          a folder for files cannot be written to
├── IsolationFailed         the process could not be confined, or outlived its confinement
├── InputEnded              a person ended the input of a command that asks
├── OutputLost              the output of a command did not reach its reader
└── TransportError
    ├── BrokerRefused       the broker refused the connection
    ├── NucleusRefused      the Greengrass nucleus refused a request
    ├── NucleusLost         this process cannot reach the nucleus again: the nucleus must restart it
    └── NotAcknowledged     the broker refused a status, or the connection ended first
"""

from __future__ import annotations

import errno
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Reason(StrEnum):
    """Why a request failed: the `error` of the published status, the log field and the metric label."""

    INVALID_PARAMETER = "InvalidParameter"
    UNAUTHORIZED = "Unauthorized"
    RECIPIENT_OPTED_OUT = "RecipientOptedOut"
    RATE_LIMITED = "RateLimited"
    TWILIO_UNAVAILABLE = "TwilioUnavailable"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    EXPIRED = "Expired"
    NOT_ALLOWED = "NotAllowed"
    QUOTA_EXCEEDED = "QuotaExceeded"
    QUEUE_FULL = "QueueFull"
    UNDELIVERED = "Undelivered"
    NOT_REACHED = "NotReached"
    NOT_ACKNOWLEDGED = "NotAcknowledged"
    SUPERSEDED = "Superseded"
    CANCELLED = "Cancelled"
    INTERNAL_ERROR = "InternalError"


class WaitReason(StrEnum):
    """Why a request waits: in the journal, in the log, in lists for people, and the metric label."""

    OPERATOR_PAUSE = "operator_pause"
    """For the end of a pause that a person ordered."""
    QUIET_HOURS = "quiet_hours"
    """For the end of the operator's quiet hours."""
    QUOTA_USED_UP = "quota_used_up"
    """For room in a limit of the operator's."""
    SENDER_PACE = "sender_pace"
    """For the sender's own pace: [[pace]]."""
    SENDER_QUEUE_FULL = "sender_queue_full"
    """Twilio's queue of the sender is full."""
    ACCOUNT_SLOWED = "account_slowed"
    """Twilio takes no more requests of the account for now: HTTP 429."""
    CREDENTIALS_REFUSED = "credentials_refused"
    """Twilio refuses the account SID or the secret."""
    TWILIO_UNREACHABLE = "twilio_unreachable"
    """There is no network, or another server answers in Twilio's place."""
    RETRY = "retry"
    """An attempt has failed, and the next one has its pause."""
    EARLIER_REQUEST = "earlier_request"
    """Behind an earlier request to the same recipient, which is not finished."""
    JOURNAL_DISK = "journal_disk"
    """The journal's disk is full or fails: no attempt can be opened."""


WAITS_FOR: Final[Mapping[WaitReason, str]] = MappingProxyType(
    {
        WaitReason.OPERATOR_PAUSE: "a pause that a person ordered",
        WaitReason.QUIET_HOURS: "quiet hours",
        WaitReason.QUOTA_USED_UP: "a limit of [limits] is used up",
        WaitReason.SENDER_PACE: "the pace of its sender ([[pace]])",
        WaitReason.SENDER_QUEUE_FULL: "the sender's queue at Twilio is full",
        WaitReason.ACCOUNT_SLOWED: "Twilio takes no more requests of the account for now",
        WaitReason.CREDENTIALS_REFUSED: "Twilio refuses the credentials",
        WaitReason.TWILIO_UNREACHABLE: "Twilio cannot be reached",
        WaitReason.RETRY: "the pause after a failed attempt",
        WaitReason.EARLIER_REQUEST: "an earlier request to the same recipient",
        WaitReason.JOURNAL_DISK: "the journal's disk is full or fails, or its server is away",
    }
)
"""The reasons in words, for sentences."""


class ConnectorError(Exception):
    """Something went wrong in the connector."""


class ConfigurationError(ConnectorError):
    """The configuration is wrong; `problems` holds one sentence for each thing to correct."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class JournalError(ConnectorError):
    """The journal cannot be used."""


class JournalUnreachable(JournalError):
    """The server of the journal's database does not answer, or takes no connection just now."""


class JournalLocked(JournalError):
    """Another connector owns the journal."""


class JournalDamaged(JournalError):
    """The journal file is damaged, or it is no journal."""


class JournalTooNew(JournalError):
    """A later version of this program wrote the journal, or has migrated it while this one used it."""


class JournalFull(JournalError):
    """The journal has reached its limit, and nothing in it may be removed yet."""


class JournalMoved(JournalError):
    """The journal's files were deleted, moved or replaced while the connector ran."""


class NotLeading(JournalError):
    """Another connector leads now, so what only the leader may write was not written."""


class LeaseEnded(JournalError):
    """The lease under which this connector takes requests in has ended, so nothing was recorded."""


class JournalClosed(JournalError):
    """The journal was closed before the step could be committed."""


class NoSuchRequest(JournalError):
    """The journal holds no request with this number, or no longer."""


class SecretUnavailable(ConnectorError):
    """The auth token cannot be read."""


class SecretAbsent(SecretUnavailable):
    """The place of the token can be read, but holds no token, or none yet."""


class SecretCopyUnusable(ConnectorError):
    """The local copy of the auth token cannot be opened or written."""


_LISTENING_ADVICE: Final[Mapping[int | None, str]] = MappingProxyType(
    {
        errno.EADDRINUSE: "another program listens there: end it, or choose another port",
        errno.EACCES: "this user may not use that port: choose a port from 1024 on",
        errno.EADDRNOTAVAIL: "this machine has no such address: choose 127.0.0.1 or one that it has",
        errno.EMFILE: "the process may open no more files: raise its limit (LimitNOFILE= in the unit)",
        errno.ENFILE: "the machine may open no more files: end other programs",
    }
)


class ListeningFailed(ConnectorError):
    """An address to listen on cannot be opened; the message says what to do."""

    @classmethod
    def of(cls, error: OSError, *, setting: str, address: str) -> Self:
        """The error for this address; `setting` is where it was configured, such as "[metrics] listen"."""
        advice = _LISTENING_ADVICE.get(error.errno, "check the host name, or choose another address")
        return cls(f"{setting}: cannot listen on {address} ({error.strerror or error}): {advice}")


class FolderUnusable(ConnectorError):
    """A folder cannot be written to; the message says what to do."""


class IsolationFailed(ConnectorError):
    """The process could not be confined, or outlived its confinement; the message says what to do."""


class TransportError(ConnectorError):
    """The transport failed."""


class BrokerRefused(TransportError):
    """The broker refused the connection."""

    def __init__(self, message: str, *, unsupported_version: bool = False) -> None:
        super().__init__(message)
        self.unsupported_version = unsupported_version
        """The broker does not speak this version of MQTT, but may speak another."""


class NucleusRefused(TransportError):
    """The nucleus refused a request; the SDK's own error is the cause."""


class NucleusLost(TransportError):
    """The process cannot reach the nucleus again: the nucleus must restart it."""


class NotAcknowledged(TransportError):
    """The broker did not acknowledge the status: it refused it, or the connection ended first."""

    def __init__(self, message: str, *, refused: bool = False, largest: int | None = None) -> None:
        super().__init__(message)
        self.refused = refused
        """True: the broker refused the status, and the connection stands. False: the connection ended."""
        self.largest = largest
        """The largest payload in bytes that the broker takes; None: unknown. Set only with `refused=True`."""


class InputEnded(ConnectorError):
    """A person ended the input (Ctrl-D) in place of an answer."""

    def __init__(self) -> None:
        super().__init__("the input has ended before the last answer: nothing is written")


class OutputLost(ConnectorError):
    """The output of a command did not reach its reader."""

    def __init__(self, message: str, *, reader_left: bool = False) -> None:
        super().__init__(message)
        self.reader_left = reader_left
        """The program at the other end of a pipe has ended, as `head` does when it has read enough."""
