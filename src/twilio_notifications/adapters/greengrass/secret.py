"""The auth token from the Secret Manager of a classic nucleus, which keeps a copy on the device itself."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import SecretUnavailable
from twilio_notifications.core.secret_text import token_of

if TYPE_CHECKING:
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.core.model import Secret


@dataclass(slots=True, kw_only=True)
class GreengrassSecret:
    """The secret `arn`, in the version with this staging label.

    `json_key` is a key of a JSON secret, or None.
    """

    nucleus: Nucleus
    arn: str
    label: str
    json_key: str | None
    _was_read: bool = field(init=False, default=False)

    async def read(self) -> Secret:
        """The auth token; raises SecretUnavailable with a sentence that says what to do."""
        value = await self._value()
        self._was_read = True
        name = f"the secret {self.arn} ({self.label})"
        if isinstance(value, bytes):
            raise SecretUnavailable(f"{name} is binary. Store the token as text (SecretString).")
        return token_of(value, json_key=self.json_key, name=name)

    async def _value(self) -> str | bytes:
        """The secret on the device at first, so that a start needs no network; later the secret in AWS.

        It is read again when it may have changed, or when Twilio refuses it. Where AWS cannot be reached, the
        secret on the device stays in use. The nucleus itself fetches a secret only with a deployment.
        """
        if self._was_read:
            with suppress(SecretUnavailable):  # without a network, the secret on the device is still good
                return await self.nucleus.secret(self.arn, label=self.label, from_aws=True)
        return await self.nucleus.secret(self.arn, label=self.label)
