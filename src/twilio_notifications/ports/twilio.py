"""Twilio's API, and the sender that makes an attempt with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twilio_notifications.core.delivery import (
        CallbackUrls,
        DeliveryReceipt,
        NoReceipt,
        Notices,
        ReceiptPage,
    )
    from twilio_notifications.core.model import (
        Answer,
        Channel,
        InboundPage,
        Login,
        Notification,
        Records,
        Unreadable,
    )


class Twilio(Protocol):
    """Twilio's API, for callers with a login. Knows nothing of retries, order or the journal."""

    @property
    def clock_offset(self) -> float | None:
        """Twilio's clock minus ours, by its latest answer; None before the first one."""

    async def send(
        self,
        notification: Notification,
        login: Login,
        *,
        seconds_left: float | None = None,
        callbacks: CallbackUrls | None = None,
    ) -> Answer: ...

    async def look_up(
        self, notification: Notification, *, since: float, login: Login
    ) -> Records | Unreadable: ...

    async def came_back(
        self, channel: Channel, *, to: str | None, path: str | None = None, login: Login
    ) -> InboundPage | Unreadable: ...

    async def hang_up(self, sid: str, login: Login) -> Answer: ...

    async def fetch(
        self, channel: Channel, sid: str, *, login: Login
    ) -> DeliveryReceipt | NoReceipt | Unreadable: ...

    async def receipts(
        self, channel: Channel, path: str | None, *, login: Login
    ) -> ReceiptPage | Unreadable: ...

    async def notices(self, sid: str, *, login: Login) -> Notices | Unreadable: ...

    async def verify(self, login: Login) -> Answer:
        """What Twilio says to this login; sends nothing."""

    async def reachable(self) -> bool: ...


class Inbox(Protocol):
    """What came back from telephones, and the end of calls; with whichever login Twilio takes."""

    @property
    def clock_offset(self) -> float | None:
        """Twilio's clock minus ours, by its latest answer; None before the first one."""

    async def came_back(
        self, channel: Channel, *, to: str | None, path: str | None = None
    ) -> InboundPage | Unreadable:
        """A page of the inbound texts or calls: the newest ones, or the page at `path`. One request.

        `to` is the number that they went to; None: any number of the account.
        """

    async def hang_up(self, sid: str) -> Answer:
        """Has Twilio end a call that waits or rings; one that was answered goes on."""


class Sender(Protocol):
    """Makes one attempt, with whichever login Twilio takes."""

    @property
    def clock_offset(self) -> float | None:
        """Twilio's clock minus ours, by its latest answer; None before the first one."""

    async def send(
        self,
        notification: Notification,
        *,
        seconds_left: float | None = None,
        callbacks: CallbackUrls | None = None,
    ) -> Answer:
        """Makes one attempt.

        `seconds_left`: what is left of the lifetime of the request; None: not known. `callbacks`: where
        Twilio calls about it; None: nowhere.
        """

    async def look_up(self, notification: Notification, *, since: float) -> Records | Unreadable:
        """What Twilio's lists hold for this recipient, created at or after `since` (Twilio's clock)."""

    async def verify(self) -> Answer:
        """What Twilio says to the login, or to the other one where it refuses the first; sends nothing."""

    async def reachable(self) -> bool:
        """Whether there is a network between us and Twilio; costs nothing, sends nothing."""


class DeliveryReceipts(Protocol):
    """What Twilio says about texts and calls that it accepted. Each call is one request; raises nothing."""

    async def fetch(self, channel: Channel, sid: str) -> DeliveryReceipt | NoReceipt | Unreadable:
        """The text or call with this SID, as Twilio has it now."""

    async def receipts(self, channel: Channel, path: str | None = None) -> ReceiptPage | Unreadable:
        """A page of the account's texts or calls: the newest ones, or the page at `path`."""

    async def notices(self, sid: str) -> Notices | Unreadable:
        """Twilio's notifications of errors in this call."""
