"""Whether the address of a call's TwiML document begins with one that the operator allows.

The document decides what a call does: `<Dial>` in it reaches any number, for hours. Programs read odd
addresses differently, so what is odd is not allowed: this program must not see another host or another folder
than Twilio does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from unicodedata import normalize
from urllib.parse import unquote, urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_ODD: Final = re.compile(r"[\x00-\x20\x7f-\xa0\\]")  # control characters, blanks, and the other slash
_ENCODED: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9._~-]")  # RFC 3986, 2.3: encoded or not, they are the same
_DECODINGS: Final = 5
"""Some servers decode more than once. A path that is still encoded after this number of decodings is not
allowed."""


@dataclass(frozen=True, slots=True)
class _Location:
    origin: tuple[str, str, int]
    path: str
    has_more: bool
    """A query or a fragment follows."""


def is_below(url: str, prefix: str) -> bool:
    """Whether `url` has the scheme, host and port of `prefix`, and its path or one below it."""
    location, allowed = _read(url), _read(prefix)
    if location is None or allowed is None or location.origin != allowed.origin:
        return False
    folder = allowed.path.removesuffix("/")
    if location.path.startswith(f"{folder}/"):
        return True
    return location.path == allowed.path


def is_prefix(prefix: str) -> bool:
    """Whether it can be a prefix: an http or https URL without user, password, query and fragment.

    A star in the host is no pattern here: no URL would be below it, and every call declined.
    """
    location = _read(prefix)
    return location is not None and not location.has_more and "*" not in location.origin[1]


def _read(url: str) -> _Location | None:
    """None for what is odd."""
    if _ODD.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a port that is no number, a bracket that is not closed
        return None
    host = parts.hostname or ""
    has_more = bool(parts.query or parts.fragment)
    if parts.scheme not in _PORTS or not host.isascii() or "@" in parts.netloc or "%" in parts.netloc:
        return None
    # "https://good.example?@evil.example": some programs end the host at the "?", and some do not.
    if not host or (has_more and not parts.path) or not _stays_inside(parts.path):
        return None
    return _Location(
        (parts.scheme, host, _PORTS[parts.scheme] if port is None else port), _normal(parts.path), has_more
    )


def _stays_inside(path: str) -> bool:
    """Whether no reading of the path leads out of its folder."""
    for _ in range(_DECODINGS):
        # Some servers take other characters for a dot, such as the full-width one.
        segments = normalize("NFKC", path).replace("\\", "/").split("/")
        if any(segment.partition(";")[0] in {".", ".."} for segment in segments) or "\0" in path:
            return False
        try:
            decoded = unquote(path, errors="strict")
        except UnicodeDecodeError:  # a dot in more bytes than it needs, as some servers read it
            return False
        if decoded == path:
            return True
        path = decoded
    return False


def _normal(path: str) -> str:
    def written(encoded: re.Match[str]) -> str:
        character = chr(int(encoded[1], 16))
        return character if _UNRESERVED.fullmatch(character) else encoded[0].upper()

    return _ENCODED.sub(written, path) or "/"
