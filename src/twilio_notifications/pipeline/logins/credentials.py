"""Holds the logins for attempts: the configured one and, during a rotation, a second one.

They are read again when Twilio refuses them, on a period, and when the operator asks for it. A login that
cannot be read has a line in the log, and the one that was read before stays in use: an unreachable store
must not stop a connector that works.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable
from twilio_notifications.core.model import Login, Secret
from twilio_notifications.core.secret_text import oddity
from twilio_notifications.ports.events import logins

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from twilio_notifications.ports import Event, Events, SecretSource

_API_KEY = re.compile(r"(?P<sid>SK[0-9a-fA-F]{32}):(?P<secret>\S+)")
"""The SID and the secret of an API key in one text, because they change together. An auth token has no
colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The owner of a secret without a SID in it: the API key `api_key_sid`, or for None the account."""

    account_sid: str
    api_key_sid: str | None = None

    def login(self, secret: Secret) -> Login:
        """The login with the configured secret."""
        return _login(secret, user=self.api_key_sid or self.account_sid)

    def second_login(self, secret: Secret) -> Login:
        """The login with the second secret, which belongs to another key than the first."""
        return _login(secret, user=self.account_sid)


def _login(secret: Secret, *, user: str) -> Login:
    api_key = _API_KEY.fullmatch(secret.reveal())
    if api_key is None:
        return Login(user=user, secret=secret)
    return Login(user=api_key["sid"], secret=Secret(api_key["secret"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources of the secrets. The second secret may be absent at any time; the first may not."""

    first: SecretSource
    second: SecretSource | None = None


class Credentials:
    """The logins from the last reading, and the one in use."""

    def __init__(
        self, *, identity: Identity, events: Events, sources: Sources, on_renewed: Callable[[], None]
    ) -> None:
        """`on_renewed` is called when there is a login that Twilio has not seen yet."""
        self._sources = sources
        self._identity = identity
        self._events = events
        self._logins: tuple[Login, ...] = ()
        self._in_use = 0
        self._reading = asyncio.Lock()
        self._readings = 0
        self._troubles: dict[type[Event], Event] = {}
        self._oddities: dict[str, str | None] = {}
        self._on_renewed = on_renewed

    @classmethod
    async def read(
        cls, sources: Sources, *, identity: Identity, events: Events, on_renewed: Callable[[], None]
    ) -> Self:
        """Reads the secrets for the first time; raises SecretUnavailable."""
        credentials = cls(sources=sources, identity=identity, events=events, on_renewed=on_renewed)
        credentials._logins = await credentials._read()
        events.tell(logins.SecretRead())
        return credentials

    def current(self) -> Login:
        """The login that the next attempt uses."""
        return self._logins[self._in_use]

    @property
    def auth_tokens(self) -> tuple[Secret, ...]:
        """The secrets that are auth tokens of the account, not secrets of API keys: by them Twilio signs."""
        account = self._identity.account_sid
        return tuple(login.secret for login in self._logins if login.user == account)

    async def other_than(self, refused: Collection[Login]) -> Login | None:
        """A login that is not in `refused`; reads the secrets again if it knows none. None: there is none."""
        other = self._known(refused)
        if other is None:
            await self.refresh()
            other = self._known(refused)
        return other

    def prefer(self, login: Login) -> None:
        """Makes the next attempts begin with this login, which Twilio accepted after it refused another."""
        if login in self._logins and login != self.current():
            self._in_use = self._logins.index(login)
            which: logins.Which = "second" if self._in_use else "first"
            self._events.tell(logins.LoginSwitched(login=which))

    async def refresh(self) -> bool:
        """Reads the secrets again; False where they cannot be read, and the logins in use stay.

        Callers that ask before a reading begins share this one reading.
        """
        seen = self._readings
        async with self._reading:
            if self._readings == seen:
                self._readings += 1
                await self._read_again()
        return logins.SecretUnavailable not in self._troubles

    def _known(self, refused: Collection[Login]) -> Login | None:
        in_order = (self.current(), *self._logins)
        return next((login for login in in_order if login not in refused), None)

    async def _read_again(self) -> None:
        try:
            found = await self._read()
        except SecretUnavailable as error:
            self._trouble(logins.SecretUnavailable(error=str(error)))
            return
        if self._troubles.pop(logins.SecretUnavailable, None):
            self._events.tell(logins.SecretAvailable())
        self._events.tell(logins.SecretRead())
        self._adopt(found)

    def _adopt(self, found: tuple[Login, ...]) -> None:
        before, in_use = self._logins, self.current()
        # A new first secret is the latest change of the operator, so it comes before a second one that works.
        keeps = found[0] == before[0] and in_use in found
        self._logins, self._in_use = found, found.index(in_use) if keeps else 0
        if not set(found) <= set(before):
            self._events.tell(logins.SecretRenewed())
            self._on_renewed()

    async def _read(self) -> tuple[Login, ...]:
        reading = asyncio.ensure_future(self._read_second())  # at the same time, because both may be slow
        try:
            first = self._identity.login(await self._sources.first.read())
            second = await reading
        finally:
            reading.cancel()  # a stop does not wait for a store that does not answer
        self._look_at(first, which="first")
        if second is not None:
            self._look_at(second, which="second")
        return (first,) if second is None or second == first else (first, second)

    async def _read_second(self) -> Login | None:
        if self._sources.second is None:
            return None
        try:
            secret = await self._sources.second.read()
        except SecretAbsent:
            return None  # there is one only during a rotation
        except SecretUnavailable as error:
            self._trouble(logins.SecondSecretUnavailable(error=str(error)))
            return self._logins[1] if len(self._logins) > 1 else None  # it may be the only one that works
        self._troubles.pop(logins.SecondSecretUnavailable, None)
        return self._identity.second_login(secret)

    def _look_at(self, login: Login, *, which: logins.Which) -> None:
        """Warns once of a secret that was copied badly; only Twilio knows whether it is valid."""
        odd = oddity(login.secret)
        if odd is not None and self._oddities.get(which) != odd:
            self._events.tell(logins.SecretOdd(login=which, error=f"the secret {odd}"))
        self._oddities[which] = odd

    def _trouble(self, trouble: Event) -> None:
        """Tells the trouble, unless it equals the last one of its kind."""
        if self._troubles.get(type(trouble)) != trouble:
            self._troubles[type(trouble)] = trouble
            self._events.tell(trouble)
