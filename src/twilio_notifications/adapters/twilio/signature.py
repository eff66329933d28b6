"""Checks the signature of Twilio's callbacks, so that no one else can report a delivery.

Twilio signs the URL that it called, and each form field with its name, with the account's primary auth token:
https://www.twilio.com/docs/usage/security. Whether it signs a port is not constant, so both forms count.
"""

from __future__ import annotations

import base64
import hmac
from collections import defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from twilio_notifications.core.model import Secret

SIGNATURE_HEADER: Final = "X-Twilio-Signature"

_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def called_url(public_url: str, target: str) -> str:
    """The URL that Twilio called, from the configured one and the target of the request as it arrived here.

    A proxy may change scheme, host and port, and may take the path of `public_url` off: nothing of it is read
    from the request. `target` begins with a slash and has the query.
    """
    public = urlsplit(public_url)
    prefix = public.path.rstrip("/")
    kept = target.startswith((f"{prefix}/", f"{prefix}?")) or target == prefix
    return f"{public.scheme}://{public.netloc}{'' if kept else prefix}{target}"


def is_genuine(
    signature: str, *, url: str, fields: Iterable[tuple[str, str]], tokens: Sequence[Secret]
) -> bool:
    """Whether one of `tokens` made `signature` for `url` and the decoded form `fields`.

    Takes the same time wherever the signatures differ. False where the URL is none, raises for no input.
    """
    given = signature.encode("utf-8", "surrogatepass")
    signed = _signed_fields(fields)
    forms = _forms(url)
    genuine = False
    for token in tokens:
        key = token.reveal().encode()
        for form in forms:
            text = (form + signed).encode("utf-8", "surrogatepass")
            expected = base64.b64encode(hmac.digest(key, text, "sha1"))
            genuine |= hmac.compare_digest(expected, given)
    return genuine


def _signed_fields(fields: Iterable[tuple[str, str]]) -> str:
    """Each name with each of its different values, both sorted."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    for name, value in fields:
        values[name].add(value)
    return "".join(name + value for name in sorted(values) for value in sorted(values[name]))


def _forms(url: str) -> tuple[str, ...]:
    """The URL without and with its port, and without its fragment; none where it is no http or https URL."""
    whole = url.partition("#")[0]
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        return ()
    scheme, _, rest = whole.partition("://")
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.netloc or not rest.startswith(parts.netloc):
        return ()
    host = parts.netloc.rstrip(":") if port is None else parts.netloc[: parts.netloc.rindex(":")]
    netlocs = (host, f"{host}:{default if port is None else port}")
    return tuple(f"{scheme}://{netloc}{rest.removeprefix(parts.netloc)}" for netloc in netlocs)
