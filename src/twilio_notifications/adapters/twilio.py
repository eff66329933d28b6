"""Twilio's REST API, as far as one attempt needs it: create a message or a call, and look it up in the lists.

It reports what was said and what certainly did not happen, and leaves the meaning to core/retry.py.
It never retries, never follows a redirect (a redirected POST could be carried out twice), and never fetches
a URL that a request names.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Self, assert_never
from urllib.parse import urlencode

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from twilio_notifications.config.urls import is_loopback
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.model import (
    Answered,
    Channel,
    NotSent,
    Record,
    Records,
    Text,
    Unanswered,
    Unreadable,
    VoiceLocation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from pyreqwest.client import Client
    from pyreqwest.response import Response

    from twilio_notifications.core.model import Answer, Login, Notification
    from twilio_notifications.ports import Clock

API_VERSION = "2010-04-01"

CONNECT_SHARE = 0.5
"""The share of the time-out that connecting may take, at most CONNECT_LIMIT_SECONDS. It must end before the
whole does: a time-out while connecting is surely not sent, a time-out of the whole is doubt."""
CONNECT_LIMIT_SECONDS = 10.0

IDLE_SECONDS = 25.0
"""How long an unused connection is kept. Shorter than common idle limits of load balancers (60 s) and NAT
gateways, so that a POST is rarely written to a connection that the other side is just closing."""

CONNECT_FAILURE = "client error (Connect)"
"""The cause by which the HTTP client says that it never had a connection: name resolution, TCP, TLS.
The classes of its exceptions do not tell: measured, ConnectError also covers a connection that was closed
after the request had been written, and ConnectTimeoutError an answer that never came. Whatever does not name
this cause is doubt; if a later version words it differently, the fault is too much doubt, never a second
text."""

PAGE_SIZE = 200
"""Records in a page of a list: one page holds days of one recipient's messages, in about 200 kB."""
PAGE_LIMIT = 100
"""Pages that are read before the list is given up as unreadable: never in practice, but a loop has an end."""
PAGE_MARGIN_SECONDS = 600.0
"""By how much the order of a list may differ from the order of creation."""

LONGEST_DETAIL = 200

_URL_IN_A_CAUSE = re.compile(r" for url \(\w+://(?:[^/?#@]*@)?([^/?#)]*).*\)")
"""The HTTP client repeats the whole address, and that of a list has the recipient's number in it. The host is
all that a reader needs."""

_OK = 200
_UNAUTHORIZED = frozenset({401, 403})
_RESOURCES = {Channel.SMS: "Messages", Channel.CALL: "Calls"}


class TwilioSender:
    """Makes attempts in the name of one account, with the login that comes with each."""

    def __init__(
        self,
        *,
        base_url: str,
        account_sid: str,
        clock: Clock,
        timeout_seconds: float,
        ca_file: Path | None = None,
    ) -> None:
        self._origin = base_url.rstrip("/")
        self._account_url = f"{self._origin}/{API_VERSION}/Accounts/{account_sid}"
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._ca_file = ca_file
        self._ca_file_seen: object = None
        self._client: Client

        self.clock_offset: float | None = None
        """Twilio's clock minus ours, by its latest answer; None before the first one."""

    async def __aenter__(self) -> Self:
        """Raises ConfigurationError where the file of authorities cannot be used."""
        if self._ca_file is None:
            self._client = _client(self._origin, self._timeout_seconds, None)
            return self
        failure = self._authorities_read()
        if failure is not None:
            raise ConfigurationError([failure.detail])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def send(self, notification: Notification, login: Login) -> Answer:
        """Makes one attempt, in at most the time-out."""
        url = f"{self._account_url}/{_RESOURCES[notification.channel]}.json"
        said = await self._asked("POST", url, login, fields=form(notification))
        return self._read(*said) if isinstance(said, tuple) else said

    async def look_up(
        self, notification: Notification, *, since: float, login: Login
    ) -> Records | Unreadable:
        """The recipient's messages or calls created at or after `since` (Twilio's clock), page by page."""
        url = f"{self._account_url}/{_RESOURCES[notification.channel]}.json?{_query(notification)}"
        found: list[Record] = []
        for _ in range(PAGE_LIMIT):
            page = await self._page(url, login)
            if isinstance(page, Unreadable):
                return page
            found.extend(record for record in page.records if record.created_at >= since)
            # Newest first, though not to the second: some margin before the rest is taken for older.
            too_old = bool(page.records) and page.records[-1].created_at < since - PAGE_MARGIN_SECONDS
            if page.next_path is None or too_old:
                return Records(found=tuple(found), clock_offset=self.clock_offset)
            url = self._origin + page.next_path
        return Unreadable(detail=f"the list has more than {PAGE_LIMIT} pages")

    async def _page(self, url: str, login: Login) -> _Page | Unreadable:
        said = await self._asked("GET", url, login)
        if not isinstance(said, tuple):
            return Unreadable(detail=said.detail)
        body = said[1]
        answer = self._read(*said)
        page = _read_page(body) if answer.http_status == _OK else None
        if page is None:
            # Bounded: it may be a proxy's page, and it stands in the status when nobody ever knows better.
            message = " ".join((answer.message or "").split())[:LONGEST_DETAIL]
            what = "and a list that cannot be read" if answer.http_status == _OK else message
            detail = f"HTTP {answer.http_status} {what}".rstrip()
            return Unreadable(
                detail=detail,
                retry_after=answer.retry_after,
                unauthorized=answer.http_status in _UNAUTHORIZED,
            )
        return page

    async def _asked(
        self, method: str, url: str, login: Login | None, *, fields: list[tuple[str, str]] | None = None
    ) -> tuple[Response, bytes] | NotSent | Unanswered:
        """One request and its whole answer, or what is known without one."""
        failure = self._authorities_read()
        if failure is not None:
            return failure
        request = self._client.request(method, url)
        if login is not None:
            request = request.header("Authorization", _authorization(login), is_sensitive=True)
        if fields is not None:
            request = request.form(fields)
        try:
            response = await request.build().send()
            return response, bytes(await response.bytes())
        except PyreqwestError as error:
            return failed_answer(error)

    def _authorities_read(self) -> NotSent | None:
        """Where others are trusted by now, the next connection is a new client's; else what is wrong.

        The client before it ends with the last request that it has under way.
        """
        if self._ca_file is None:
            return None
        try:
            found = self._ca_file.stat()
            seen = (found.st_ino, found.st_mtime_ns, found.st_size)
            if seen != self._ca_file_seen:
                certificates = self._ca_file.read_bytes()
                _require_certificates(certificates)
                self._client = _client(self._origin, self._timeout_seconds, certificates)
                self._ca_file_seen = seen
        except (ssl.SSLError, ValueError):  # the HTTP client's own is a ValueError too
            return NotSent(detail=f"{self._ca_file} holds no certificate that can be read ([twilio] ca_file)")
        except OSError as error:
            why = error.strerror
            return NotSent(detail=f"{self._ca_file} cannot be read: {why} ([twilio] ca_file)")
        return None

    def _read(self, response: Response, body: bytes) -> Answered:
        answer = read_answer(response, body, now=self._clock.now())
        if answer.clock_offset is not None:
            self.clock_offset = answer.clock_offset
        return answer

    async def verify(self, login: Login) -> Answer:
        """What Twilio says to this login: reads one message's record, and sends nothing.

        A success that is not Twilio's (the log-in page of a network) is Unanswered.
        """
        url = f"{self._account_url}/{_RESOURCES[Channel.SMS]}.json?PageSize=1"
        said = await self._asked("GET", url, login)
        if not isinstance(said, tuple):
            return said
        if said[0].status == _OK and _read_page(said[1]) is None:
            return Unanswered(detail="what answers there is not Twilio")
        return self._read(*said)

    async def reachable(self) -> bool:
        """Whether a connection can be made; what is answered does not matter."""
        return not isinstance(await self._asked("HEAD", self._account_url, None), NotSent)


def _authorization(login: Login) -> str:
    return "Basic " + base64.b64encode(f"{login.user}:{login.secret.reveal()}".encode()).decode()


def _client(origin: str, timeout_seconds: float, ca_certificates: bytes | None) -> Client:
    connect_seconds = min(timeout_seconds * CONNECT_SHARE, CONNECT_LIMIT_SECONDS)
    builder = (
        ClientBuilder()
        .user_agent("twilio-notifications")
        .timeout(timedelta(seconds=timeout_seconds))
        .connect_timeout(timedelta(seconds=connect_seconds))
        .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
        .follow_redirects(enable=False)
        .referer(enable=False)
    )
    if is_loopback(origin):
        # The environment's proxy is for the way to Twilio; what is on this machine it could not even reach.
        builder = builder.no_proxy()
    if ca_certificates is not None:
        builder = builder.add_root_certificate_pem(ca_certificates)
    return builder.build()


def _require_certificates(pem: bytes) -> None:
    """Raises ValueError or ssl.SSLError; to the HTTP client a file without any has just none to add."""
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii", "ignore"))


def form(notification: Notification) -> list[tuple[str, str]]:
    """The parameters of the create request, under Twilio's names."""
    fields = [("To", notification.recipient.phone_number), ("From", notification.sender_number)]
    match notification.content:
        case Text(body=body):
            fields.append(("Body", body))
        case VoiceLocation(url=url):
            fields.append(("Url", url))
        case _:
            assert_never(notification.content)
    return fields


def read_answer(response: Response, body: bytes, *, now: float) -> Answered:
    """What Twilio said; fields that are missing or not of the expected type are None."""
    fields = _json_object(body)
    return Answered(
        http_status=response.status,
        code=_typed(fields, "code", int),
        message=_typed(fields, "message", str),
        sid=_typed(fields, "sid", str),
        message_status=_typed(fields, "status", str),
        sender_number=_typed(fields, "from", str),
        phone_number=_typed(fields, "to", str),
        retry_after=retry_after_seconds(_header(response, "Retry-After"), now=now),
        clock_offset=clock_offset(_header(response, "Date"), now=now),
    )


def _header(response: Response, name: str) -> str | None:
    """None as well where it is no text: an answer that was given must not be lost over it."""
    try:
        return response.get_header(name)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    records: tuple[Record, ...]
    next_path: str | None


def _query(notification: Notification) -> str:
    """Filters by recipient alone.

    With a messaging service the list shows no sender at first, and the filter for dates looks at the date of
    sending, which a queued message does not have.
    """
    return urlencode({"To": notification.recipient.phone_number, "PageSize": PAGE_SIZE})


def _read_page(body: bytes) -> _Page | None:
    """A page of a list; None when it is none, or when a record in it cannot be read."""
    fields = _json_object(body)
    rows = next((fields[name] for name in ("messages", "calls") if isinstance(fields.get(name), list)), None)
    next_path = fields.get("next_page_uri")
    # Appended to our origin, "@elsewhere/" would name another host, and the credentials go with the request.
    if rows is None or not (next_path is None or (isinstance(next_path, str) and next_path.startswith("/"))):
        return None
    records = [_record(row) for row in rows]
    if None in records:
        return None  # what cannot be read may be the one we look for: then nothing is known
    return _Page(records=tuple(record for record in records if record is not None), next_path=next_path)


def _record(row: Any) -> Record | None:
    if not isinstance(row, dict):
        return None
    created = _typed(row, "date_created", str)
    created_at = None if created is None else _instant(created)
    sid, to, status = (_typed(row, name, str) for name in ("sid", "to", "status"))
    if created_at is None or sid is None or to is None or status is None:
        return None
    return Record(
        sid=sid,
        phone_number=to,
        sender_number=_typed(row, "from", str),
        message_status=status,
        created_at=created_at,
        body=_typed(row, "body", str),
    )


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _typed(fields: Mapping[str, Any], name: str, kind: type) -> Any:
    value = fields.get(name)
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def retry_after_seconds(header: str | None, *, now: float) -> float | None:
    """`Retry-After` in seconds from now: both of its forms (RFC 9110, 10.2.3); None when unreadable."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    instant = _instant(header)
    return None if instant is None else max(0.0, instant - now)


def clock_offset(header: str | None, *, now: float) -> float | None:
    """Twilio's clock minus ours, from its `Date` header (whole seconds); None when unreadable."""
    instant = None if header is None else _instant(header)
    return None if instant is None else instant - now


def _instant(header: str) -> float | None:
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):  # a number that no date has
        return None
    # A date without a zone is read as UTC: HTTP dates are always GMT (RFC 9110, 5.6.7).
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def failed_answer(error: PyreqwestError) -> NotSent | Unanswered:
    """Whether the request certainly never left; in the detail, the causes with the innermost last."""
    details = getattr(error, "details", None) or {}
    causes = [cause["message"] for cause in details.get("causes") or ()]
    detail = ": ".join(_URL_IN_A_CAUSE.sub(r" to \1", cause) for cause in causes or [error.message])
    return NotSent(detail=detail) if CONNECT_FAILURE in causes else Unanswered(detail=detail)
