"""Makes each attempt with a login that Twilio accepts: when Twilio refuses one, it uses the next at once.

If Twilio refuses the login, it has not carried out the request (core/answers.py), so a second POST cannot
send twice. Each attempt uses each login once, and keeps its own list of refused logins: the success of
another attempt with one of them says nothing about this attempt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from twilio_notifications.core.answers import refuses_login
from twilio_notifications.core.delivery import CallbackUrls, DeliveryReceipt, NoReceipt, Notices, ReceiptPage
from twilio_notifications.core.model import Answered, InboundPage, Records, Unreadable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.core.model import Answer, Channel, Login, Notification
    from twilio_notifications.pipeline.logins.credentials import Credentials
    from twilio_notifications.ports import Twilio

Read = Records | DeliveryReceipt | NoReceipt | ReceiptPage | Notices | InboundPage
"""What Twilio's resources hold."""

Said = TypeVar("Said", bound="Answer | Read | Unreadable")


class AuthorizedSender:
    """The sender for the dispatcher and the settler, which do not handle logins."""

    def __init__(self, twilio: Twilio, credentials: Credentials) -> None:
        self._twilio = twilio
        self._credentials = credentials

    @property
    def clock_offset(self) -> float | None:
        return self._twilio.clock_offset

    async def send(
        self,
        notification: Notification,
        *,
        seconds_left: float | None = None,
        callbacks: CallbackUrls | None = None,
    ) -> Answer:
        """Twilio's answer; it is a refusal of the login only if Twilio has refused every login."""

        async def ask(login: Login) -> Answer:
            return await self._twilio.send(
                notification, login, seconds_left=seconds_left, callbacks=callbacks
            )

        return await self._with_a_login(ask)

    async def look_up(self, notification: Notification, *, since: float) -> Records | Unreadable:
        """The records in Twilio's lists; a refusal of the login as in `send`."""

        async def ask(login: Login) -> Records | Unreadable:
            return await self._twilio.look_up(notification, since=since, login=login)

        return await self._with_a_login(ask)

    async def came_back(
        self, channel: Channel, *, to: str | None, path: str | None = None
    ) -> InboundPage | Unreadable:
        """A page of what came back from telephones, as `send`."""

        async def ask(login: Login) -> InboundPage | Unreadable:
            return await self._twilio.came_back(channel, to=to, path=path, login=login)

        return await self._with_a_login(ask)

    async def hang_up(self, sid: str) -> Answer:
        """Twilio's answer to the end of a call, as `send`."""

        async def ask(login: Login) -> Answer:
            return await self._twilio.hang_up(sid, login)

        return await self._with_a_login(ask)

    async def fetch(self, channel: Channel, sid: str) -> DeliveryReceipt | NoReceipt | Unreadable:
        """A text or a call, as `send`."""

        async def ask(login: Login) -> DeliveryReceipt | NoReceipt | Unreadable:
            return await self._twilio.fetch(channel, sid, login=login)

        return await self._with_a_login(ask)

    async def receipts(self, channel: Channel, path: str | None = None) -> ReceiptPage | Unreadable:
        """A page of the account's texts or calls, as `send`."""

        async def ask(login: Login) -> ReceiptPage | Unreadable:
            return await self._twilio.receipts(channel, path, login=login)

        return await self._with_a_login(ask)

    async def notices(self, sid: str) -> Notices | Unreadable:
        """Twilio's notifications of a call, as `send`."""

        async def ask(login: Login) -> Notices | Unreadable:
            return await self._twilio.notices(sid, login=login)

        return await self._with_a_login(ask)

    async def verify(self) -> Answer:
        """Twilio's answer to a login, as in `send`; sends no notification."""
        return await self._with_a_login(self._twilio.verify)

    async def reachable(self) -> bool:
        return await self._twilio.reachable()

    async def _with_a_login(self, ask: Callable[[Login], Awaitable[Said]]) -> Said:
        login = self._credentials.current()
        said = await ask(login)
        return await self._with_another(ask, said, login) if _is_refused(said) else said

    async def _with_another(
        self, ask: Callable[[Login], Awaitable[Said]], said: Said, refused_login: Login
    ) -> Said:
        """Asks with each other login there is; `said` is how Twilio refused the first one."""
        refused = [refused_login]
        while (login := await self._credentials.other_than(refused)) is not None:
            said = await ask(login)
            if not _is_refused(said):
                if isinstance(said, Answered | Read):
                    self._credentials.prefer(login)
                return said
            refused.append(login)
        return said


def _is_refused(said: Answer | Read | Unreadable) -> bool:
    match said:
        case Records() | DeliveryReceipt() | NoReceipt() | ReceiptPage() | Notices() | InboundPage():
            return False
        case Unreadable(unauthorized=unauthorized):
            return unauthorized
        case answer:
            return refuses_login(answer)
