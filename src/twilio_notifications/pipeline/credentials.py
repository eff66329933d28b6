"""The credentials with which attempts are made, read again when Twilio refuses them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from twilio_notifications.core.model import Secret
    from twilio_notifications.ports import SecretSource


class Credentials:
    """User name and secret, as they were last read."""

    def __init__(self, source: SecretSource, *, user: str, secret: Secret) -> None:
        self._source = source
        self._user = user
        self._secret = secret
        self._renewing = asyncio.Lock()

    @classmethod
    async def read(cls, source: SecretSource, *, user: str) -> Self:
        """Reads the secret for the first time; raises SecretUnavailable."""
        return cls(source, user=user, secret=await source.read())

    def current(self) -> tuple[str, Secret]:
        """What the next attempt uses."""
        return self._user, self._secret

    async def renew(self) -> bool:
        """Reads the secret again; whether it is another one now. Raises SecretUnavailable."""
        async with self._renewing:  # or an older reading could end after a newer one, and win
            before, self._secret = self._secret, await self._source.read()
            return self._secret != before
