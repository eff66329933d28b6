"""The HTTP endpoint for Twilio's callbacks: checks the signature, and hands on what a callback says.

Who may reach it may send anything. So nothing of a request is used before its signature is checked, and
nothing of it is repeated or logged.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import parse_qsl

from twilio_notifications.adapters.twilio.answers import LONGEST_NUMBER, LONGEST_SID, LONGEST_STATUS, text
from twilio_notifications.adapters.twilio.receipts import code_in
from twilio_notifications.adapters.twilio.signature import SIGNATURE_HEADER, called_url, is_genuine
from twilio_notifications.core.errors import JournalError
from twilio_notifications.ports import Callback
from twilio_notifications.ports.events import CallbacksListening
from twilio_notifications.serving import ClientBounds, HttpResponse, HttpServer, listening

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    from twilio_notifications.core.model import Secret
    from twilio_notifications.ports import CallbackTaker, Events
    from twilio_notifications.serving import HttpRequest

KEY_ANSWER: Final = b"<Response><Say>Thank you</Say></Response>"
"""What Twilio speaks after a key."""

MOST_BODY_BYTES: Final = 64 * 1024
"""A callback of Twilio's has about 1 kB; the fields of an inbound text with pictures fit as well."""
MOST_FIELDS: Final = 200
MOST_CONNECTIONS: Final = 64
"""At once: Twilio calls for each change, and many may come in the same second."""
PATIENCE_SECONDS: Final = 10.0
"""For a request and its answer; Twilio waits 15 s."""


def callback_listeners(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on each address of the host. Raises ListeningFailed where one cannot be had."""
    return listening(host, port, setting="[tracking] listen")


class CallbackEndpoint:
    """Takes callbacks while it is open, on these listeners, and closes them."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        *,
        public_url: str,
        tokens: Callable[[], Awaitable[Sequence[Secret]]],
        taker: CallbackTaker,
        events: Events,
    ) -> None:
        """`tokens` gives the auth tokens by which Twilio may have signed."""
        self._listeners = listeners
        self._public_url = public_url
        self._tokens = tokens
        self._taker = taker
        self._events = events
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        bounds = ClientBounds(
            body_bytes=MOST_BODY_BYTES, patience_seconds=PATIENCE_SECONDS, connections=MOST_CONNECTIONS
        )
        server = HttpServer(self._listeners, name="callbacks", answer=self._answer, bounds=bounds)
        await self._opened.enter_async_context(server)
        host, port, *_ = self._listeners[0].getsockname()
        self._events.tell(CallbacksListening(address=f"{host}:{port}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponse(status="405 Method Not Allowed", extra="Allow: POST\r\n")
        try:
            fields = parse_qsl(
                request.body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS
            )
        except ValueError:
            return HttpResponse(status="400 Bad Request")
        tokens = await self._tokens()
        if not tokens:
            return HttpResponse(status="503 Service Unavailable")
        signature = request.headers.get(SIGNATURE_HEADER.lower(), "")
        url = called_url(self._public_url, request.target)
        if not is_genuine(signature, url=url, fields=fields, tokens=tokens):
            self._taker.forbidden()
            return HttpResponse(status="403 Forbidden")
        return await self._take(dict(fields), query=request.target.partition("?")[2])

    async def _take(self, fields: Mapping[str, str], *, query: str) -> HttpResponse:
        callback = read_callback(fields, query=query)
        if callback is None:
            self._taker.unreadable()
            return HttpResponse(status="400 Bad Request")
        try:
            # The change goes into the journal also where Twilio has hung up meanwhile.
            await asyncio.shield(self._taker.take(callback))
        except JournalError:  # the connector is about to end; polling goes on where it left off
            return HttpResponse(status="503 Service Unavailable")
        if callback.key_pressed:
            # Twilio asks what to do next in the call, and reads an empty answer as a broken document.
            return HttpResponse(status="200 OK", body=KEY_ANSWER, content_type="text/xml")
        return HttpResponse(status="204 No Content")


def read_callback(fields: Mapping[str, str], *, query: str) -> Callback | None:
    """What the fields of a callback say; None where they name no text and no call."""
    sid = _first(fields, ("MessageSid", "SmsSid", "CallSid"), longest=LONGEST_SID)
    if sid is None:
        return None
    return Callback(
        sid=sid,
        query=query,
        state=_first(fields, ("MessageStatus", "SmsStatus", "CallStatus"), longest=LONGEST_STATUS),
        code=code_in(fields.get("ErrorCode")),
        answered_by=_first(fields, ("AnsweredBy",), longest=LONGEST_STATUS),
        key_pressed=bool(fields.get("Digits")),
        sender_number=_first(fields, ("From",), longest=LONGEST_NUMBER),
        phone_number=_first(fields, ("To",), longest=LONGEST_NUMBER),
    )


def _first(fields: Mapping[str, str], names: tuple[str, ...], *, longest: int) -> str | None:
    """The first of these fields that has a value."""
    return next((value for name in names if (value := text(fields, name, longest=longest))), None)
