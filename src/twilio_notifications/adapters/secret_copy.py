"""Keeps a copy of a secret on this machine, which only the device's private key opens.

The package `cryptography` encrypts it with AES-256-GCM; HKDF derives the key from the bytes of a private
key file. The file is replaced as a whole, so that a power cut leaves either the old copy or the new one.
The seal also protects the name of the secret and the time of the copy against changes.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twilio_notifications.config.files import read_plain
from twilio_notifications.core.errors import SecretCopyUnusable
from twilio_notifications.core.model import Secret
from twilio_notifications.ports import Copied

if TYPE_CHECKING:
    from pathlib import Path

FORMAT = 1
MOST_BYTES = 1024 * 1024
"""The most bytes of a file that is read: a secret has at most 64 KiB at AWS, and a key a few thousand
bytes."""
_PURPOSE = b"twilio-notifications: local copy of a secret"
_KEY_BYTES = 32
_SALT_BYTES = 16
_NONCE_BYTES = 12
"""The length that NIST SP 800-38D recommends for GCM. The salt also gives each copy a key of its own."""


class EncryptedCopy:
    """The copy at `path` of the secret called `name`; the private key in `key_file` (PEM) opens it."""

    def __init__(self, path: Path, *, key_file: Path, name: str) -> None:
        self._path = path
        self._key_file = key_file
        self._name = name

    async def load(self) -> Copied | None:
        return await asyncio.to_thread(self._load)

    async def store(self, copied: Copied) -> None:
        await asyncio.to_thread(self._store, copied)

    def _load(self) -> Copied | None:
        private_key = self._private_key()  # an unusable key is an error even without a copy
        try:
            text = read_plain(self._path, most_bytes=MOST_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SecretCopyUnusable(
                f"the local copy {self._path} cannot be read: {error.strerror}"
            ) from error
        sealed = self._sealed(text)
        secret = sealed.open(private_key, name=self._name)
        if secret is None:
            raise SecretCopyUnusable(
                f"the local copy {self._path} does not open with {self._key_file}: it was made with another "
                "key, or from another secret, or is damaged. The connector replaces it when it reaches AWS."
            )
        return Copied(secret=secret, stored_at=sealed.stored_at)

    def _sealed(self, text: bytes) -> _Sealed:
        try:
            fields = json.loads(text)
            if fields["format"] == FORMAT:
                return _Sealed.read(fields)
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            fields = None
        what = "is damaged" if fields is None else "was written by another version of this program"
        raise SecretCopyUnusable(
            f"the local copy {self._path} {what}. The connector replaces it when it reaches AWS."
        )

    def _store(self, copied: Copied) -> None:
        text = _Sealed.seal(copied, self._private_key(), name=self._name).write()
        try:
            _replace(self._path, text)
        except OSError as error:
            raise SecretCopyUnusable(
                f"the local copy {self._path} cannot be written: {error.strerror}"
            ) from error

    def _private_key(self) -> bytes:
        """The bytes of the key file, which protect the copy; raises SecretCopyUnusable where it is unfit."""
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only some users have it
        from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

        path = self._key_file
        try:
            is_open = path.stat().st_mode & stat.S_IROTH
            text = read_plain(path, most_bytes=MOST_BYTES)
            load_pem_private_key(text, password=None)
        except OSError as error:
            raise SecretCopyUnusable(f"the key file {path} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SecretCopyUnusable(
                f"the key file {path} is not a private key in PEM without a pass phrase. "
                "Name such a key in [secrets] key_file."
            ) from None
        if is_open:
            raise SecretCopyUnusable(
                f"every user can read the key file {path}, which opens the local copy of the token. "
                f"Run: chmod o-r {path}"
            )
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    """The content of the file."""

    stored_at: float
    salt: bytes
    nonce: bytes
    ciphertext: bytes

    @classmethod
    def seal(cls, copied: Copied, private_key: bytes, *, name: str) -> _Sealed:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        ciphertext = AESGCM(_key(private_key, salt)).encrypt(
            nonce, copied.secret.reveal().encode(), _bound(name, copied.stored_at)
        )
        return cls(stored_at=copied.stored_at, salt=salt, nonce=nonce, ciphertext=ciphertext)

    def open(self, private_key: bytes, *, name: str) -> Secret | None:
        """The secret; None where the key, the name or the content differs from the sealed one."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        cipher = AESGCM(_key(private_key, self.salt))
        try:
            return Secret(cipher.decrypt(self.nonce, self.ciphertext, _bound(name, self.stored_at)).decode())
        except (InvalidTag, ValueError):
            return None

    @classmethod
    def read(cls, fields: dict[str, Any]) -> _Sealed:
        """The content with these fields.

        Raises ValueError, TypeError, KeyError or OverflowError for others.
        """
        return cls(
            stored_at=float(fields["stored_at"]),
            salt=_bytes(fields["salt"]),
            nonce=_bytes(fields["nonce"]),
            ciphertext=_bytes(fields["ciphertext"]),
        )

    def write(self) -> bytes:
        named = {"salt": self.salt, "nonce": self.nonce, "ciphertext": self.ciphertext}
        encoded = {name: base64.b64encode(value).decode() for name, value in named.items()}
        return json.dumps({"format": FORMAT, "stored_at": self.stored_at, **encoded}).encode() + b"\n"


def _key(private_key: bytes, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, info=_PURPOSE).derive(private_key)


def _bound(name: str, stored_at: float) -> bytes:
    """The public part of the seal: a copy with another name or another date does not open."""
    return json.dumps([FORMAT, name, stored_at]).encode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _replace(path: Path, text: bytes) -> None:
    """Replaces the file: the text is on disk before it gets the name, and the name before this returns."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # a power cut may have left one
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
