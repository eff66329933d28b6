"""Looks at the secrets: whether their source can be read, and how old the local copy is.

The checks read the source and the copy separately, never one in place of the other, and write nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twilio_notifications import bootstrap
from twilio_notifications.config import AwsSecrets
from twilio_notifications.core.errors import SecretAbsent, SecretCopyUnusable, SecretUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.config import Settings
    from twilio_notifications.core.model import Login, Secret
    from twilio_notifications.pipeline.logins.credentials import Sources
    from twilio_notifications.ports import SecretSource

SECOND = "second-secret"
SIGNATURE = "signatures"
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The finding of one look, and the login with which Twilio can be asked; None where there is none."""

    subject: str
    works: bool
    sentence: str
    login: Login | None = None


async def look(settings: Settings, *, environ: Mapping[str, str], offline: bool, now: float) -> list[Seen]:
    """One look for each secret, and one for the local copy. Raises ConfigurationError."""
    async with bootstrap.greengrass.nucleus(settings, environ) as nucleus:
        sources = bootstrap.secret_sources(settings, environ, nucleus=nucleus)
        seen = await _look_at_each(sources, settings, offline=offline, now=now)
        if settings.tracking.listen is None or (offline and isinstance(settings.secrets, AwsSecrets)):
            return seen
        signature = bootstrap.signature_source(settings, environ, nucleus=nucleus)
        return [*seen, await _signature(signature, settings, seen)]


async def _look_at_each(sources: Sources, settings: Settings, *, offline: bool, now: float) -> list[Seen]:
    identity = bootstrap.identity(settings)
    away = offline and isinstance(settings.secrets, AwsSecrets)
    copy = await _copy(settings, identity.login, now=now)
    if away:
        seen = [Seen(subject="secret", works=True, sentence="AWS is not asked (--offline)")]
    else:
        seen = [await _source(sources.first, settings, identity.login, subject="secret")]
    if copy is not None:
        # Twilio is asked about the copy only where a connector would start with it.
        seen.append(replace(copy, login=None) if seen[0].login else copy)
    if sources.second is not None and not away:
        seen.append(await _source(sources.second, settings, identity.second_login, subject=SECOND))
    return seen


async def _source(
    source: SecretSource, settings: Settings, login_of: Callable[[Secret], Login], *, subject: str
) -> Seen:
    try:
        login = login_of(await source.read())
    except SecretAbsent as error:
        if subject == SECOND:  # it is there for the time of a rotation, and need not be there now
            return Seen(subject=subject, works=True, sentence=f"there is none now: {error}")
        return Seen(subject=subject, works=False, sentence=str(error))
    except SecretUnavailable as error:
        return Seen(subject=subject, works=False, sentence=str(error))
    sentence = f"read from {settings.secrets.source}"
    if login.user != settings.parameters.account_sid:
        sentence += f": API key {login.user}"
    return Seen(subject=subject, works=True, sentence=sentence, login=login)


async def _signature(source: SecretSource | None, settings: Settings, seen: Sequence[Seen]) -> Seen:
    """Whether the connector has the token with which Twilio signs callbacks."""
    if source is not None:
        try:
            await source.read()
        except (SecretAbsent, SecretUnavailable) as error:
            return Seen(subject=SIGNATURE, works=False, sentence=str(error))
        sentence = f"primary auth token read from {settings.secrets.source}"
        return Seen(subject=SIGNATURE, works=True, sentence=sentence)
    logins = [each.login for each in seen if each.login is not None]
    if logins and all(login.user != settings.parameters.account_sid for login in logins):
        sentence = (
            "an API key logs in, and Twilio signs callbacks with the primary auth token of the account: name "
            "its place with signature_… in [secrets]"
        )
        return Seen(subject=SIGNATURE, works=False, sentence=sentence)
    return Seen(subject=SIGNATURE, works=True, sentence="callbacks are checked with the secret that logs in")


async def _copy(settings: Settings, login_of: Callable[[Secret], Login], *, now: float) -> Seen | None:
    copy, secrets = bootstrap.secret_copy(settings), settings.secrets
    if copy is None or not isinstance(secrets, AwsSecrets):
        return None
    path = secrets.copy_path
    try:
        copied = await copy.load()
    except SecretCopyUnusable as error:
        return Seen(subject="secret-copy", works=False, sentence=str(error))
    if copied is None:
        return Seen(subject="secret-copy", works=True, sentence=f"{path}: there is none yet")
    sentence = f"{path}: {age(now - copied.stored_at)} old"
    return Seen(subject="secret-copy", works=True, sentence=sentence, login=login_of(copied.secret))


def age(seconds: float) -> str:
    """The age in its largest unit, rounded down."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{max(0, int(seconds // size))} {unit}"
