"""Reads the auth token from the environment or a file; an error says what to do where it cannot."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable
from twilio_notifications.core.model import Secret
from twilio_notifications.core.secret_text import secret_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


MOST_CHARACTERS = 64 * 1024
"""The same limit as at AWS Secrets Manager; a token of Twilio has 32 characters."""


class EnvironmentSecret:
    """The token in an environment variable."""

    def __init__(self, variable: str, *, environ: Mapping[str, str]) -> None:
        self._variable = variable
        self._environ = environ

    async def read(self) -> Secret:
        value = self._environ.get(self._variable, "").strip()
        if not value:
            raise SecretAbsent(
                f"the environment variable {self._variable} with the Twilio auth token is not set. "
                "Set it, or choose another [secrets] source."
            )
        return secret_of(value, name=f"the environment variable {self._variable}")


class FileSecret:
    """The token in the first of `candidates` that exists.

    Only the file's owner and group may be able to read it.
    """

    def __init__(self, *candidates: Path) -> None:
        self._candidates = candidates

    async def read(self) -> Secret:
        for path in self._candidates:
            try:
                secret = _secret(path)
            except (OSError, UnicodeDecodeError) as error:
                raise SecretUnavailable(f"the secret file {path} cannot be read: {error}") from error
            if secret is not None:
                return secret
        places = " or ".join(str(path) for path in self._candidates)
        raise SecretAbsent(f"there is no secret file {places}. Create it, or change [secrets].")


def _secret(path: Path) -> Secret | None:
    """The secret in the file; None where there is no such file.

    Checks the file that it reads, even if another file replaces it meanwhile. Raises SecretUnavailable,
    OSError or UnicodeDecodeError.
    """
    try:
        file = open(path, encoding="utf-8-sig", opener=_open_at_once)  # noqa: SIM115 - closed below
    except (FileNotFoundError, NotADirectoryError):
        return None
    with file:  # "-sig", because editors on Windows write a byte order mark first
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise SecretUnavailable(f"the secret file {path} is not a plain file. Write the token into one.")
        if mode & stat.S_IROTH:
            raise SecretUnavailable(f"every user can read the secret file {path}. Run: chmod o-r {path}")
        value = file.read(MOST_CHARACTERS + 1).strip()
    if len(value) > MOST_CHARACTERS:
        raise SecretUnavailable(
            f"the secret file {path} has more than {MOST_CHARACTERS} characters, so it is no token. Write "
            "only the Twilio auth token into it."
        )
    if not value:
        raise SecretUnavailable(f"the secret file {path} is empty. Write the Twilio auth token into it.")
    return Secret(value)


def _open_at_once(path: str, flags: int) -> int:
    """Opens the path without waiting for a writer where it is a pipe."""
    return os.open(path, flags | os.O_NONBLOCK)
