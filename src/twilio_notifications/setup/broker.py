"""The password in a broker's URL: whether there is one, and how it gets in."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from twilio_notifications.core.model import Secret


def has_user(url: str) -> bool:
    """Whether a broker's URL names a user."""
    return "@" in url


def has_password(url: str) -> bool:
    """Whether a broker's URL holds a password; also for a URL that is not valid."""
    before, _, _ = url.rpartition("@")
    return ":" in before.removeprefix("mqtts://").removeprefix("mqtt://")


def with_password(url: str, password: Secret) -> str:
    """The URL with this password after its user; the URL must have a user and no password."""
    before, _, host = url.rpartition("@")
    return f"{before}:{quote(password.reveal(), safe='')}@{host}"
