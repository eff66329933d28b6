"""Makes the requests to Twilio that attempts need: creates messages and calls, and reads the lists of them.

It returns what Twilio answered, or what certainly did not happen; core/answers.py gives that a meaning.
It never retries, never follows a redirect (Twilio could carry out a redirected POST twice), and never fetches
a URL that a request names.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, urlencode

from pyreqwest.exceptions import PyreqwestError

from twilio_notifications.adapters.twilio.answers import DateReader, failed_answer, read_answer
from twilio_notifications.adapters.twilio.client import Clients, HttpReply, read_reply
from twilio_notifications.adapters.twilio.form import CallForm, form, query
from twilio_notifications.adapters.twilio.lists import Page, read_inbound, read_numbers, read_page
from twilio_notifications.adapters.twilio.receipts import read_notices, read_receipt, read_receipts
from twilio_notifications.core.delivery import DeliveryReceipt, NoReceipt, Notices, ReceiptPage
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.model import Channel, NotSent, Record, Records, Secret, Unanswered, Unreadable
from twilio_notifications.core.phone_numbers import may_be_one, spellings

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from twilio_notifications.core.delivery import CallbackUrls
    from twilio_notifications.core.model import Answer, Answered, InboundPage, Login, Notification
    from twilio_notifications.ports import Clock

API_VERSION = "2010-04-01"

ANSWER_BYTES = 1_048_576
"""The most bytes that are read of the answer to a create request: about 300 times what Twilio sends."""

PAGE_SIZE = 200
"""Records in a page of a list. One page holds several days of one recipient's messages, in about 200 kB."""
PAGE_BYTES = 4_000_000
"""The most bytes that are read of a page: 200 texts of 1,600 characters, all escaped in JSON, take 2 MB."""
PAGE_LIMIT = 100
"""The most pages that are read; a longer list counts as unreadable. No real list is so long, but the loop
ends."""
LIST_BYTES = 20_000_000
"""The most bytes that are read and held of all pages of one list."""
PAGE_MARGIN_SECONDS = 600.0
"""The most seconds by which the order of a list differs from the order of creation."""

LONGEST_DETAIL = 200

_OK = 200
_NOT_FOUND = 404
_UNAUTHORIZED = frozenset({401, 403})
_RESOURCES = {Channel.SMS: "Messages", Channel.CALL: "Calls"}


class TwilioSender:
    """Makes attempts for one account. The caller passes the login with each request."""

    def __init__(
        self,
        *,
        base_url: str,
        account_sid: str,
        clock: Clock,
        timeout_seconds: float,
        ca_file: Path | None = None,
        calls: CallForm | None = None,
    ) -> None:
        """`calls`: how calls are made; None: as Twilio makes them by itself."""
        self._origin = base_url.rstrip("/")
        self._account_url = f"{self._origin}/{API_VERSION}/Accounts/{account_sid}"
        self._clock = clock
        self._ca_file = ca_file
        self._calls = calls or CallForm()
        self._clients = Clients(self._origin, timeout_seconds=timeout_seconds, ca_file=ca_file)
        self._dates = DateReader()
        self._authorized: tuple[Login, Secret] | None = None
        self.clock_offset: float | None = None
        """Twilio's clock minus ours in seconds, from the latest answer; None before the first answer."""

    async def __aenter__(self) -> Self:
        """Raises ConfigurationError where the file of certificate authorities cannot be used."""
        client = self._clients.current()
        if isinstance(client, NotSent) and self._ca_file is not None:
            raise ConfigurationError([client.detail])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._clients.close()

    async def send(
        self,
        notification: Notification,
        login: Login,
        *,
        seconds_left: float | None = None,
        callbacks: CallbackUrls | None = None,
    ) -> Answer:
        """Makes one attempt, and returns the answer at the latest after the time-out."""
        url = f"{self._account_url}/{_RESOURCES[notification.channel]}.json"
        fields = form(notification, calls=self._calls, seconds_left=seconds_left, callbacks=callbacks)
        said = await self._ask("POST", url, login, fields=fields)
        return self._read(said) if isinstance(said, HttpReply) else said

    async def look_up(
        self, notification: Notification, *, since: float, login: Login
    ) -> Records | Unreadable:
        """The recipient's messages or calls that were created at or after `since` (Twilio's clock).

        Asks for each spelling that Twilio may give the number: a filter finds only one spelling.
        """
        found: list[Record] = []
        for number in spellings(notification.recipient.phone_number):
            path = f"{_RESOURCES[notification.channel]}.json?{query(number, page_size=PAGE_SIZE)}"
            listed = await self._list(f"{self._account_url}/{path}", since=since, login=login)
            if isinstance(listed, Unreadable):
                return listed
            found.extend(listed)
        return Records(found=tuple(found), clock_offset=self.clock_offset)

    async def _list(self, url: str, *, since: float, login: Login) -> list[Record] | Unreadable:
        found: list[Record] = []
        allowed = LIST_BYTES
        for _ in range(PAGE_LIMIT):
            page = self._page(await self._ask("GET", url, login, limit=min(PAGE_BYTES, allowed)))
            if isinstance(page, Unreadable):
                return page
            allowed -= page.size
            found.extend(record for record in page.records if record.created_at >= since)
            # The newest come first, but not exactly: a margin before all further records count as too old.
            too_old = bool(page.records) and page.records[-1].created_at < since - PAGE_MARGIN_SECONDS
            if page.next_path is None or too_old:
                return found
            url = self._origin + page.next_path
        return Unreadable(detail=f"the list has more than {PAGE_LIMIT} pages")

    def _page(self, said: HttpReply | NotSent | Unanswered) -> Page | Unreadable:
        if not isinstance(said, HttpReply):
            return Unreadable(detail=said.detail)
        page = self._page_in(said)
        return self._unreadable(said, what="and an unreadable list") if page is None else page

    def _unreadable(self, said: HttpReply, *, what: str) -> Unreadable:
        """Why nothing can be concluded from the answer; `what` is what is wrong with one of HTTP 200."""
        answer = self._read(said)
        # The sentence may come from a proxy's page, and goes into the status of a request that stays in
        # doubt: it must be short and printable.
        shown = (c if c.isprintable() else " " for c in (answer.message or "")[:LONGEST_DETAIL])
        message = " ".join("".join(shown).split())
        return Unreadable(
            detail=f"HTTP {said.status} {what if said.status == _OK else message}".rstrip(),
            retry_after=answer.retry_after,
            unauthorized=answer.is_twilios and said.status in _UNAUTHORIZED,
        )

    async def came_back(
        self, channel: Channel, *, to: str | None, path: str | None = None, login: Login
    ) -> InboundPage | Unreadable:
        """A page of the inbound texts or calls: the newest ones, or the page at `path`."""
        numbers = {} if to is None else {"To": to}
        values = urlencode({**numbers, "PageSize": PAGE_SIZE})
        newest = f"{self._account_url}/{_RESOURCES[channel]}.json?{values}"
        said = await self._ask("GET", self._origin + path if path else newest, login, limit=PAGE_BYTES)
        page = read_inbound(said) if isinstance(said, HttpReply) and said.status == _OK else None
        if page is not None:
            return page
        unreadable = self._page(said)
        return unreadable if isinstance(unreadable, Unreadable) else Unreadable(detail="no list")

    async def hang_up(self, sid: str, login: Login) -> Answer:
        """Has Twilio end a call that waits or rings; one that was answered goes on."""
        url = f"{self._account_url}/{_RESOURCES[Channel.CALL]}/{sid}.json"
        said = await self._ask("POST", url, login, fields=[("Status", "canceled")])
        return self._read(said) if isinstance(said, HttpReply) else said

    async def fetch(
        self, channel: Channel, sid: str, *, login: Login
    ) -> DeliveryReceipt | NoReceipt | Unreadable:
        """The text or call with this SID, as Twilio has it now."""
        url = f"{self._account_url}/{_RESOURCES[channel]}/{quote(sid, safe='')}.json"
        said = await self._ask("GET", url, login, limit=ANSWER_BYTES)
        if not isinstance(said, HttpReply):
            return Unreadable(detail=said.detail)
        if said.status == _NOT_FOUND and self._read(said).is_twilios:
            return NoReceipt()
        found = read_receipt(said) if said.status == _OK else None
        if found is None or found.sid != sid:
            return self._unreadable(said, what="and an unreadable record")
        return found

    async def receipts(self, channel: Channel, path: str | None, *, login: Login) -> ReceiptPage | Unreadable:
        """A page of the account's texts or calls: the newest ones, or the page at `path`."""
        first = f"{self._account_url}/{_RESOURCES[channel]}.json?PageSize={PAGE_SIZE}"
        url = first if path is None else self._origin + path
        said = await self._ask("GET", url, login, limit=PAGE_BYTES)
        if not isinstance(said, HttpReply):
            return Unreadable(detail=said.detail)
        page = read_receipts(said) if said.status == _OK else None
        return self._unreadable(said, what="and an unreadable list") if page is None else page

    async def notices(self, sid: str, *, login: Login) -> Notices | Unreadable:
        """Twilio's notifications of errors in this call."""
        path = f"Calls/{quote(sid, safe='')}/Notifications.json?Log=0&PageSize={PAGE_SIZE}"
        said = await self._ask("GET", f"{self._account_url}/{path}", login, limit=PAGE_BYTES)
        if not isinstance(said, HttpReply):
            return Unreadable(detail=said.detail)
        if said.status == _NOT_FOUND and self._read(said).is_twilios:
            return Notices(codes=())
        found = read_notices(said) if said.status == _OK else None
        return self._unreadable(said, what="and an unreadable list") if found is None else found

    async def verify(self, login: Login) -> Answer:
        """Twilio's answer to this login, from reading one record of a message; sends nothing.

        Unanswered where the answer is not Twilio's, as with the log-in page of a network.
        """
        url = f"{self._account_url}/{_RESOURCES[Channel.SMS]}.json?PageSize=1"
        said = await self._ask("GET", url, login, limit=PAGE_BYTES)
        if not isinstance(said, HttpReply):
            return said
        answer = self._read(said)
        if answer.is_twilios or self._page_in(said) is not None:
            return answer
        return Unanswered(detail=f"the server that answers (HTTP {said.status}) is not Twilio")

    async def owns(self, number: str, login: Login) -> bool | Unreadable:
        """Whether the number belongs to the account at Twilio."""
        url = f"{self._account_url}/IncomingPhoneNumbers.json?{urlencode({'PhoneNumber': number})}"
        said = await self._ask("GET", url, login, limit=PAGE_BYTES)
        numbers = read_numbers(said) if isinstance(said, HttpReply) and said.status == _OK else None
        if numbers is not None:
            return any(may_be_one(owned, number) or owned.endswith(number) for owned in numbers)
        page = self._page(said)
        return (
            page if isinstance(page, Unreadable) else Unreadable(detail="the answer is not a list of numbers")
        )

    async def reachable(self) -> bool:
        """Whether a connection to Twilio can be made; the answer does not matter."""
        return not isinstance(await self._ask("HEAD", self._account_url, None), NotSent)

    async def _ask(
        self,
        method: str,
        url: str,
        login: Login | None,
        *,
        fields: list[tuple[str, str]] | None = None,
        limit: int = ANSWER_BYTES,
    ) -> HttpReply | NotSent | Unanswered:
        """Makes one request; returns its whole answer, or what is known without one."""
        client = self._clients.current()
        if isinstance(client, NotSent):
            return client
        request = client.request(method, url)
        if login is not None:
            request = request.header("Authorization", self._authorization(login), is_sensitive=True)
        if fields is not None:
            request = request.form(fields)
        try:
            reply = await read_reply(request, limit=limit)
        except PyreqwestError as error:
            return failed_answer(error)
        return reply or Unanswered(detail=f"the answer is larger than {limit} bytes")

    def _authorization(self, login: Login) -> str:
        """The header of a login; most attempts are made with the same one."""
        if self._authorized is None or self._authorized[0] is not login:
            pair = f"{login.user}:{login.secret.reveal()}".encode()
            self._authorized = login, Secret("Basic " + base64.b64encode(pair).decode())
        return self._authorized[1].reveal()

    def _read(self, reply: HttpReply) -> Answered:
        now = self._clock.now()
        answer = read_answer(reply, now=now, offset=self._dates.offset(reply.date, now=now))
        if answer.clock_offset is not None:
            self.clock_offset = answer.clock_offset
        return answer

    def _page_in(self, reply: HttpReply) -> Page | None:
        page = read_page(reply) if reply.status == _OK else None
        offset = None if page is None else self._dates.offset(reply.date, now=self._clock.now())
        if offset is not None:
            self.clock_offset = offset
        return page
