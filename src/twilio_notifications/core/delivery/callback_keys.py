"""The key in the URL of a callback, by which an attempt is found as long as its SID is not known.

A key is made of the number of the request, that of the attempt, and a secret of the journal. So no key is
stored, and no one else can make one.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

_KEY_DIGITS: Final = 32
_LONGEST_NUMBER: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptName:
    """One attempt of one request, by the numbers of the journal."""

    request: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackUrls:
    """Where Twilio calls about one attempt; None: it does not."""

    report: str | None = None
    """Where it reports each change."""
    key: str | None = None
    """Where it calls when a person presses a key in the call."""


def callback_url(public_url: str, name: AttemptName, *, secret: bytes) -> str:
    """Where Twilio reports what becomes of this attempt."""
    query = urlencode({"request": name.request, "attempt": name.attempt, "key": _key(name, secret)})
    # Without a path, a client adds "/" when it calls, and Twilio's signature is for the URL as it was given.
    parts = urlsplit(public_url)
    public_url = urlunsplit(parts._replace(path=parts.path or "/"))
    return f"{public_url}{'&' if '?' in public_url else '?'}{query}"


def named_attempt(query: str, *, secret: bytes) -> AttemptName | None:
    """The attempt that the query of a callback names; None where it names none, or has a wrong key."""
    fields = parse_qs(query)
    request, attempt, key = ((fields.get(name) or [""])[0] for name in ("request", "attempt", "key"))
    if not all(text.isascii() and text.isdecimal() for text in (request, attempt)):
        return None
    if max(len(request), len(attempt)) > _LONGEST_NUMBER:
        return None
    name = AttemptName(request=int(request), attempt=int(attempt))
    return name if hmac.compare_digest(_key(name, secret).encode(), key.encode()) else None


def _key(name: AttemptName, secret: bytes) -> str:
    return hmac.digest(secret, f"{name.request}:{name.attempt}".encode(), "sha256").hex()[:_KEY_DIGITS]
