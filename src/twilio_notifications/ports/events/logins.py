"""Events of the secrets, and of the logins that are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from twilio_notifications.ports.events.event import Event, Level

Which = Literal["first", "second"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureSecretUnavailable(Event):
    """The auth token that signs callbacks cannot be read; the one that was read before stays in use."""

    level: ClassVar[Level] = Level.ERROR
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAccepted(Event):
    """Twilio takes the login."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRefused(Event):
    """Twilio refuses the login; no request has failed by it yet."""

    level: ClassVar[Level] = Level.ERROR
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginForTests(Event):
    """The login is Twilio's test credentials, with which nothing arrives."""

    level: ClassVar[Level] = Level.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginUnchecked(Event):
    """Whether Twilio takes the login is not known."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSwitched(Event):
    """Twilio refuses the other login and takes this one, which goes first from now on."""

    level: ClassVar[Level] = Level.WARNING
    login: Which


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsRefused(Event):
    """Twilio refuses requests over their login; they wait until then, in UTC."""

    level: ClassVar[Level] = Level.ERROR
    until: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsAccepted(Event):
    """Twilio takes the credentials again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRead(Event):
    """The secret was read, from its source or, where that is away, from the local copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRenewed(Event):
    """The secret was read again, and has changed."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUnavailable(Event):
    """The secret cannot be read again; the earlier one stays in use."""

    level: ClassVar[Level] = Level.ERROR
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondSecretUnavailable(Event):
    """The second secret cannot be read."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretAvailable(Event):
    """The secret can be read again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretOdd(Event):
    """A secret looks as if it was not copied well; it is used as it is."""

    level: ClassVar[Level] = Level.WARNING
    login: Which
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFromCopy(Event):
    """The secret's source cannot be reached, and the local copy, so old, is used."""

    level: ClassVar[Level] = Level.WARNING
    age_seconds: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretFromSource(Event):
    """The secret's source can be reached again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretNotCopied(Event):
    """There is no local copy of the secret."""

    level: ClassVar[Level] = Level.WARNING
    error: str
