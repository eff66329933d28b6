"""What surrounds the line: the clock, the supervisor, and where the secrets are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twilio_notifications.core.model import (
        Secret,
    )


class Clock(Protocol):
    """Time as an argument, so that a timeline is a test without sleeping."""

    def now(self) -> float:
        """Seconds since the epoch; never runs backwards while the process lives."""

    async def sleep(self, seconds: float) -> None: ...


class SecretSource(Protocol):
    async def read(self) -> Secret:
        """The secret as it is now; raises SecretUnavailable with a sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A secret as it was when its source last gave it."""

    secret: Secret
    stored_at: float


class SecretCopy(Protocol):
    """Keeps a secret on this machine, unreadable without its key."""

    async def load(self) -> Copied | None:
        """None where there is none; raises SecretCopyUnusable where it cannot be opened."""

    async def store(self, copied: Copied) -> None:
        """Returns when it is on disk; raises SecretCopyUnusable."""


class Pulse(Protocol):
    """Something that works by itself, in a thread for instance, and can be asked whether it still does."""

    async def pulse(self) -> None:
        """Returns when it has come round, also while it waits for something that fails."""


class Beacon(Protocol):
    """An address elsewhere that takes signs of life."""

    @property
    def host(self) -> str:
        """The part of its address that may be shown."""

    async def call(self) -> str | None:
        """None where it took the sign; else the sentence that says why not. Takes seconds at most."""


class Supervisor(Protocol):
    """The program that started the connector and watches over it, such as systemd."""

    watchdog_seconds: float | None
    """It ends the connector when it has not heard that it is alive for so long; None: it does not mind."""

    def ready(self) -> None: ...

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""

    def stopping(self) -> None: ...

    def alive(self) -> None: ...
