"""What the configuration keeps in place of a password: its scrypt hash (RFC 7914), with cost and salt.

The written form is `scrypt:COST:SALT:HASH`: the cost is the binary logarithm of N, with r = 8 and p = 1; salt
and hash are in URL-safe base64. It has no character that TOML, a shell or a compose file would change.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import scrypt

USUAL_COST = 15
"""32 MiB of memory, and about a tenth of a second of a processor."""
MOST_CHARACTERS = 1_024
"""Of a password; scrypt itself would take any length."""
SALT_BYTES = 16

_HASH_BYTES = 32
_BLOCK = 8
_ENCODED = "[A-Za-z0-9_-]"
_WRITTEN = re.compile(rf"scrypt:(1[4-7]):({_ENCODED}{{22}}):({_ENCODED}{{43}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordHash:
    """A hash with which a password can be compared; the password cannot be computed from it."""

    cost: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def fits(self, password: str) -> bool:
        """Whether it is the hash of this password. A wrong one takes as long as the right one."""
        # HMAC pads a short key with NULs, so that a password and the same one with a NUL have one hash.
        is_possible = len(password) <= MOST_CHARACTERS and "\0" not in password
        computed = _digest(password[:MOST_CHARACTERS], salt=self.salt, cost=self.cost)
        return hmac.compare_digest(computed, self.digest) and is_possible

    def __str__(self) -> str:
        """The form that the configuration takes."""
        return f"scrypt:{self.cost}:{_encoded(self.salt)}:{_encoded(self.digest)}"


def hash_of(password: str, *, salt: bytes, cost: int = USUAL_COST) -> PasswordHash:
    """The hash of a password; `salt` is SALT_BYTES of randomness, new for each password."""
    return PasswordHash(cost=cost, salt=salt, digest=_digest(password, salt=salt, cost=cost))


def read_password_hash(text: str) -> PasswordHash | None:
    """The hash in its written form; None where the text is something else, a password for instance."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    salt, digest = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in found.group(2, 3))
    return PasswordHash(cost=int(found[1]), salt=salt, digest=digest)


def _digest(password: str, *, salt: bytes, cost: int) -> bytes:
    rounds = 1 << cost
    memory = 128 * _BLOCK * (rounds + 2)
    secret = password.encode("utf-8", "surrogatepass")
    return scrypt(secret, salt=salt, n=rounds, r=_BLOCK, p=1, maxmem=2 * memory, dklen=_HASH_BYTES)


def _encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")
