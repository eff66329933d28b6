"""Who may sign in, and how fast wrong passwords may be tried."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config.sections.console import TOKEN_PERSON
from twilio_notifications.core.password_hash import SALT_BYTES, USUAL_COST, PasswordHash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twilio_notifications.config import ConsoleSettings

FREE_TRIES = 3
"""Wrong passwords for one name that cost no pause: people mistype."""
FREE_TRIES_OF_AN_ADDRESS = 10
"""As above, for one client's address: several people may sit behind it."""
LONGEST_PAUSE_SECONDS = 60.0
FORGOTTEN_AFTER_SECONDS = 3_600.0
MOST_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """Wrong passwords in a row, and until when the next one is not even looked at."""

    wrong: int
    until: float
    last: float


class Brake:
    """Slows down those who try passwords: each wrong one doubles the pause, up to a minute."""

    def __init__(self) -> None:
        self._tries: OrderedDict[str, Tries] = OrderedDict()

    def pause(self, name: str, address: str, *, now: float) -> float:
        """How many seconds to wait before the next try; 0: it may be made."""
        found = (self._tries.get(key) for key, _ in _keys(name, address))
        return max((tries.until - now for tries in found if tries is not None), default=0.0)

    def fail(self, name: str, address: str, *, now: float) -> None:
        """Notes a wrong password."""
        for key, free in _keys(name, address):
            before = self._tries.pop(key, None)
            is_new = before is None or before.last + FORGOTTEN_AFTER_SECONDS < now
            wrong = 1 if is_new or before is None else before.wrong + 1
            pause = min(2.0 ** min(wrong - free, 10), LONGEST_PAUSE_SECONDS) if wrong >= free else 0.0
            self._tries[key] = Tries(wrong=wrong, until=now + pause, last=now)
        while len(self._tries) > MOST_REMEMBERED:
            self._tries.popitem(last=False)

    def succeed(self, name: str, address: str) -> None:
        """Forgets the wrong passwords before the right one."""
        for key, _ in _keys(name, address):
            self._tries.pop(key, None)


def _keys(name: str, address: str) -> Iterable[tuple[str, int]]:
    return ((f"name {name[:64]}", FREE_TRIES), (f"address {address}", FREE_TRIES_OF_AN_ADDRESS))


class SignIn:
    """Compares what a person typed with the configuration, one at a time: a comparison takes 32 MiB."""

    def __init__(self, settings: ConsoleSettings, *, random_bytes: Callable[[int], bytes]) -> None:
        self._users = {user.name: user.password_hash for user in settings.users}
        self._token = settings.token_hash
        # An unknown name takes as long as a known one, so that names cannot be found out.
        self._no_one = PasswordHash(
            cost=USUAL_COST, salt=random_bytes(SALT_BYTES), digest=random_bytes(2 * SALT_BYTES)
        )
        self._one_at_a_time = asyncio.Lock()

    @property
    def by_name(self) -> bool:
        """Whether people sign in with name and password."""
        return bool(self._users)

    @property
    def by_token(self) -> bool:
        """Whether a token signs in, without a name."""
        return self._token is not None

    async def person(self, name: str, password: str) -> str | None:
        """Who that is; None for a wrong name or password. Without a name, the password is the token."""
        wanted = self._users.get(name) if name else self._token
        async with self._one_at_a_time:
            fits = await asyncio.to_thread((wanted or self._no_one).fits, password)
        if not fits or wanted is None:
            return None
        return name or TOKEN_PERSON
