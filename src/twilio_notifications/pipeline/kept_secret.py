"""Reads a secret from a remote store, and keeps a copy on this machine for times when the store is away.

Each reading asks the store first, because the copy may be outdated, and only Twilio could say so. A copy that
cannot be opened or written has a line in the log; while the store answers, the connector needs no copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.core.errors import SecretCopyUnusable, SecretUnavailable
from twilio_notifications.ports import Copied
from twilio_notifications.ports.events import SecretFromCopy, SecretFromSource, SecretNotCopied

if TYPE_CHECKING:
    from twilio_notifications.core.model import Secret
    from twilio_notifications.ports import Clock, Events, SecretCopy, SecretSource


class KeptSecret:
    """The secret of `source`, or the copy of the last one that was read from it."""

    def __init__(self, source: SecretSource, copy: SecretCopy, *, clock: Clock, events: Events) -> None:
        self._source = source
        self._copy = copy
        self._clock = clock
        self._events = events
        self._away: str | None = None
        self._not_kept: str | None = None

    async def read(self) -> Secret:
        """The secret; raises SecretUnavailable where neither the source nor the copy has it."""
        try:
            secret = await self._source.read()
        except SecretUnavailable as error:
            return await self._load(error)
        if self._away is not None:
            self._away = None
            self._events.tell(SecretFromSource())
        await self._keep(secret)
        return secret

    async def _keep(self, secret: Secret) -> None:
        try:
            await self._copy.store(Copied(secret=secret, stored_at=self._clock.now()))
        except SecretCopyUnusable as error:
            if self._not_kept != str(error):
                self._not_kept = str(error)
                self._events.tell(SecretNotCopied(error=str(error)))
        else:
            self._not_kept = None

    async def _load(self, away: SecretUnavailable) -> Secret:
        """The secret in the copy; `away` says why the source has not answered."""
        try:
            copied = await self._copy.load()
        except SecretCopyUnusable as unusable:
            raise SecretUnavailable(f"{away} And {unusable}") from away
        if copied is None:
            raise SecretUnavailable(f"{away} There is no local copy yet.") from away
        if self._away != str(away):
            self._away = str(away)
            age = round(self._clock.now() - copied.stored_at)
            self._events.tell(SecretFromCopy(age_seconds=max(0, age), error=str(away)))
        return copied.secret
