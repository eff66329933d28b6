"""The auth token from the Secret Manager of a classic nucleus, which keeps a copy on the device itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import SecretUnavailable
from twilio_notifications.core.secret_text import token_of

if TYPE_CHECKING:
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.core.model import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class GreengrassSecret:
    """The secret `arn` in the version with this staging label; `json_key` picks a value out of a JSON one."""

    nucleus: Nucleus
    arn: str
    label: str
    json_key: str | None

    async def read(self) -> Secret:
        """Raises SecretUnavailable with a sentence that says what to do."""
        value = await self.nucleus.secret(self.arn, label=self.label)
        name = f"the secret {self.arn} ({self.label})"
        if isinstance(value, bytes):
            raise SecretUnavailable(f"{name} is binary. Store the token as text (SecretString).")
        return token_of(value, json_key=self.json_key, name=name)
