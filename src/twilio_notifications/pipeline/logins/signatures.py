"""The auth tokens by which Twilio may have signed a callback: the primary one, and its successor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import SecretUnavailable
from twilio_notifications.ports.events import SignatureSecretUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.model import Secret
    from twilio_notifications.pipeline.logins.credentials import Credentials
    from twilio_notifications.ports import Clock, Events, SecretSource

READ_AGAIN_SECONDS: Final = 60.0
"""How old a token may be that was read from its own place: a rotation is known within so much."""


@dataclass(slots=True, kw_only=True)
class SignatureTokens:
    """Reads the token from its own place, or takes the tokens that log in where it has none."""

    source: SecretSource | None
    credentials: Credentials
    clock: Clock
    events: Events
    _tokens: tuple[Secret, ...] = field(init=False, default=())
    _read_at: float | None = field(init=False, default=None)
    _trouble: str | None = field(init=False, default=None)

    async def current(self) -> Sequence[Secret]:
        """The tokens; empty where none can be read."""
        if self.source is None:
            return self.credentials.auth_tokens
        now = self.clock.now()
        if self._read_at is None or not 0 <= now - self._read_at < READ_AGAIN_SECONDS:
            self._read_at = now
            await self._read(self.source)
        return self._tokens

    async def _read(self, source: SecretSource) -> None:
        try:
            token = await source.read()
        except SecretUnavailable as error:
            if self._trouble != str(error):  # a state that lasts has one line; what was read stays in use
                self._trouble = str(error)
                self.events.tell(SignatureSecretUnavailable(error=str(error)))
            return
        self._trouble = None
        # In a rotation, callbacks of both come.
        self._tokens = (token, *[other for other in self._tokens[:1] if other != token])
