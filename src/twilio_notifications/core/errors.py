"""Every error of the connector, and the closed list of reasons for a failed request.

What is expected is a value (a rejection, a refusal, doubt); only what is not expected is raised:

ConnectorError
├── ConfigurationError      the configuration is wrong; carries every problem at once
├── JournalError
│   ├── JournalLocked       another connector owns the journal
│   ├── JournalDamaged      the file is no journal, or a broken one
│   ├── JournalTooNew       written by a later version of this program
│   ├── JournalFull         it is as large as it may be: what arrives has to be delivered again later
│   ├── JournalMoved        its files were deleted or moved while the connector ran
│   └── JournalClosed       the journal was closed before the step was committed
├── SecretUnavailable       the auth token cannot be read
│   └── SecretAbsent        there is none where it should be
├── SecretCopyUnusable      the local copy of the auth token cannot be opened or written
├── ListeningFailed         an address to listen on cannot be opened
├── FolderUnusable          a folder for files cannot be written to
├── IsolationFailed         the process could not be confined, or outlived its confinement
├── OutputLost              what a command printed did not reach its reader
└── TransportError
    ├── BrokerRefused       the broker answered, and said no
    ├── NucleusRefused      the Greengrass nucleus answered, and said no
    ├── NucleusLost         only a new start by the nucleus helps
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
    INTERNAL_ERROR = "InternalError"


class ConnectorError(Exception):
    """Something went wrong in the connector."""


class ConfigurationError(ConnectorError):
    """The configuration is wrong; `problems` holds one sentence for each thing to correct."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class JournalError(ConnectorError):
    """The journal cannot be used."""


class JournalLocked(JournalError):
    """Another connector owns the journal."""


class JournalDamaged(JournalError):
    """The journal file is damaged, or no journal at all."""


class JournalTooNew(JournalError):
    """The journal was written by a later version of this program."""


class JournalFull(JournalError):
    """The journal is as large as it may be, and nothing in it may be removed yet."""


class JournalMoved(JournalError):
    """The journal's files were deleted, moved or replaced while the connector ran."""


class JournalClosed(JournalError):
    """The journal was closed before the step could be committed."""


class SecretUnavailable(ConnectorError):
    """The auth token cannot be read."""


class SecretAbsent(SecretUnavailable):
    """There is no token where it should be, or not yet: the place itself could be looked at."""


class SecretCopyUnusable(ConnectorError):
    """The local copy of the auth token cannot be opened or written."""


_LISTENING_ADVICE: Final[Mapping[int | None, str]] = MappingProxyType(
    {
        errno.EADDRINUSE: "another program listens there: end it, or choose another port",
        errno.EACCES: "this user may not use that port: choose one from 1024 on",
        errno.EADDRNOTAVAIL: "this machine has no such address: choose 127.0.0.1 or one of the machine's own",
        errno.EMFILE: "the process may open no more files: raise its limit (LimitNOFILE= in the unit)",
        errno.ENFILE: "the machine may open no more files: end other programs",
    }
)


class ListeningFailed(ConnectorError):
    """An address to listen on cannot be opened; the sentence says what to do."""

    @classmethod
    def of(cls, error: OSError, *, setting: str, address: str) -> Self:
        """`setting` is where the address was configured, such as "[metrics] listen"."""
        advice = _LISTENING_ADVICE.get(error.errno, "check the host name, or choose another address")
        return cls(f"{setting}: {address} cannot be listened on ({error.strerror or error}): {advice}")


class FolderUnusable(ConnectorError):
    """A folder cannot be written to; says what to do."""


class IsolationFailed(ConnectorError):
    """The process could not be confined, or outlived its confinement; says what to do."""


class TransportError(ConnectorError):
    """The transport failed."""


class BrokerRefused(TransportError):
    """The broker answered the connection, and said no."""

    def __init__(self, message: str, *, unsupported_version: bool = False) -> None:
        super().__init__(message)
        self.unsupported_version = unsupported_version
        """The broker does not speak this version of MQTT; another one may do."""


class NucleusRefused(TransportError):
    """The nucleus answered, and said no; the SDK's own error is its cause."""


class NucleusLost(TransportError):
    """The nucleus cannot be reached any more by this process: the process has to be started again."""


class NotAcknowledged(TransportError):
    """The broker did not acknowledge the status: it refused it, or the connection ended first."""

    def __init__(self, message: str, *, refused: bool = False, largest: int | None = None) -> None:
        super().__init__(message)
        self.refused = refused
        """The connection stands, and the broker said no."""
        self.largest = largest
        """Bytes of payload that would have fitted; set only with `refused=True`, where it was too large."""


class OutputLost(ConnectorError):
    """What a command printed did not reach its reader."""

    def __init__(self, message: str, *, reader_left: bool = False) -> None:
        super().__init__(message)
        self.reader_left = reader_left
        """The program at the other end of a pipe has ended, as `head` does when it has read enough."""
