"""Makes each attempt with a login that Twilio accepts: when Twilio refuses one, it uses the next at once.

If Twilio refuses the login, it has not carried out the request (core/answers.py), so a second POST cannot
send twice. Each attempt uses each login once, and keeps its own list of refused logins: the success of
another attempt with one of them says nothing about this attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from twilio_notifications.core.answers import refuses_login
from twilio_notifications.core.model import Answered, Records, Unreadable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.core.model import Answer, Login, Notification
    from twilio_notifications.pipeline.credentials import Credentials
    from twilio_notifications.ports import Twilio

Said = TypeVar("Said", bound="Answer | Records | Unreadable")


class AuthorizedSender:
    """The sender for the dispatcher and the settler, which do not handle logins."""

    def __init__(self, twilio: Twilio, credentials: Credentials) -> None:
        self._twilio = twilio
        self._credentials = credentials

    @property
    def clock_offset(self) -> float | None:
        return self._twilio.clock_offset

    async def send(self, notification: Notification) -> Answer:
        """Twilio's answer; it is a refusal of the login only if Twilio has refused every login."""

        async def ask(login: Login) -> Answer:
            return await self._twilio.send(notification, login)

        return await self._with_a_login(ask)

    async def look_up(self, notification: Notification, *, since: float) -> Records | Unreadable:
        """The records in Twilio's lists; a refusal of the login as in `send`."""

        async def ask(login: Login) -> Records | Unreadable:
            return await self._twilio.look_up(notification, since=since, login=login)

        return await self._with_a_login(ask)

    async def verify(self) -> Answer:
        """Twilio's answer to a login, as in `send`; sends no notification."""
        return await self._with_a_login(self._twilio.verify)

    async def reachable(self) -> bool:
        return await self._twilio.reachable()

    async def _with_a_login(self, ask: Callable[[Login], Awaitable[Said]]) -> Said:
        refused: list[Login] = []
        login: Login | None = self._credentials.current()
        while login is not None:
            said = await ask(login)
            if not _is_refused(said):
                if refused and isinstance(said, Answered | Records):
                    self._credentials.prefer(login)
                return said
            refused.append(login)
            login = await self._credentials.other_than(refused)
        return said


def _is_refused(said: Answer | Records | Unreadable) -> bool:
    match said:
        case Records():
            return False
        case Unreadable(unauthorized=unauthorized):
            return unauthorized
        case answer:
            return refuses_login(answer)
