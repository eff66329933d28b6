"""One connection of the simulator's HTTP/1.1 server: bytes in, requests out; answers in, bytes out.

h11 implements the protocol, and this module moves its bytes. There is no asyncio task per connection or
request: a late answer is a timer, so hundreds of open connections cost only memory. The engine decides the
answers.
"""

from __future__ import annotations

import asyncio
import re
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol, cast

import h11

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.simulator.api import Response
    from twilio_notifications.simulator.engine import Reply

BODY_LIMIT = 1 << 20  # Twilio's largest create has 4,000 characters of TwiML
LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
OWN_HOST = re.compile(
    rb"(?:127(?:\.[0-9]{1,3}){3}|\[::1\]|(?:[a-z0-9.-]+\.)?localhost)(?::[0-9]+)?", re.IGNORECASE
)
REASONS: Mapping[int, bytes] = {int(status): status.phrase.encode() for status in HTTPStatus}


class Site(Protocol):
    """Answers the requests: `begin` for each one, and `finish` when it is answered or the client has gone.

    `when_sent` calls `then` once the callbacks of that resource have been made.
    """

    def begin(self, *, method: str, target: str, authorization: str, body: bytes, local: bool) -> Reply: ...

    def finish(self) -> None: ...

    def when_sent(self, sid: str, then: Callable[[], None]) -> None: ...

    def common_headers(self) -> list[tuple[bytes, bytes]]: ...


class Roster(Protocol):
    """Keeps track of the open connections."""

    def add(self, connection: SimulatorConnection) -> None: ...

    def discard(self, connection: SimulatorConnection) -> None: ...


class SimulatorConnection(asyncio.Protocol):
    """One client's connection. It is on the roster from its opening to its end."""

    def __init__(self, site: Site, *, loop: asyncio.AbstractEventLoop, roster: Roster) -> None:
        self._site = site
        self._loop = loop
        self._roster = roster
        self._parser = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport
        self._local = False
        self._head: h11.Request
        self._body = bytearray()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._local = bool(peer) and peer[0] in LOOPBACK
        self._roster.add(self)

    def data_received(self, received: bytes) -> None:
        self._parser.receive_data(received)
        self._read()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it was lost, it is gone
        if self._timer is not None:
            self._timer.cancel()
        self._free()
        self._roster.discard(self)

    def abort(self) -> None:
        """Drops the connection at once, also during an answer."""
        self._transport.abort()

    def _read(self) -> None:
        """Reads the received bytes, up to the next request whose answer is late."""
        while not (self._busy or self._transport.is_closing()):
            try:
                event = self._parser.next_event()
            except h11.RemoteProtocolError as error:
                self._reject(error.error_status_hint)
                return
            match event:
                case h11.Request():
                    self._head = event
                    self._body.clear()
                case h11.Data(data=part):
                    self._body += part
                    if len(self._body) > BODY_LIMIT:
                        self._reject(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
                case h11.EndOfMessage():
                    self._begin()
                case _:  # the request is not complete yet, or the client has finished
                    return

    def _begin(self) -> None:
        self._busy = True
        head, headers = self._head, dict(self._head.headers)
        reply = self._site.begin(
            method=head.method.decode(),
            target=head.target.decode("latin-1"),
            authorization=headers.get(b"authorization", b"").decode("latin-1"),
            body=bytes(self._body),
            local=self._local and not _is_from_elsewhere(headers),
        )
        if reply.hang:
            return
        if reply.after_callbacks is not None:
            self._site.when_sent(reply.after_callbacks, partial(self._begin_delay, reply))
        elif reply.delay_seconds > 0:
            self._begin_delay(reply)
        else:
            self._finish(reply)

    def _begin_delay(self, reply: Reply) -> None:
        self._timer = self._loop.call_later(reply.delay_seconds, self._finish_late, reply)

    def _finish_late(self, reply: Reply) -> None:
        self._timer = None
        if not self._busy:  # the client has gone
            return
        self._finish(reply)
        self._read()  # a client may have sent its next request without waiting

    def _finish(self, reply: Reply) -> None:
        if reply.response is not None:
            answer = self._compose(reply.response, self._site.common_headers())
            self._transport.write(answer[: reply.cut_at])
        self._free()
        complete = reply.response is not None and reply.cut_at is None
        if complete and self._parser.our_state is h11.DONE and self._parser.their_state is h11.DONE:
            self._parser.start_next_cycle()
        else:
            self._transport.close()

    def _free(self) -> None:
        if self._busy:
            self._busy = False
            self._site.finish()

    def _compose(self, response: Response, headers: list[tuple[bytes, bytes]]) -> bytes:
        has_body = response.status != HTTPStatus.NO_CONTENT
        length = [(b"Content-Length", b"%d" % len(response.body))] if has_body else []
        head = h11.Response(
            status_code=response.status,
            headers=[(b"Content-Type", response.content_type), *headers, *response.headers, *length],
            reason=REASONS.get(response.status, b""),
        )
        parts = [self._parser.send(head) or b""]
        if has_body and self._head.method != b"HEAD":
            parts.append(self._parser.send(h11.Data(data=response.body)) or b"")
        parts.append(self._parser.send(h11.EndOfMessage()) or b"")
        return b"".join(parts)

    def _reject(self, status: int) -> None:
        """Answers a malformed or too large request with this status, and ends the connection."""
        reason = REASONS.get(status, b"")
        head = b"HTTP/1.1 %d %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (status, reason)
        self._transport.write(head)
        self._transport.close()


def _is_from_elsewhere(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser may send this for a page of another site.

    Such a page names its site as the origin, or has its own host name lead here.
    """
    host = headers.get(b"host", b"localhost")
    if OWN_HOST.fullmatch(host) is None:
        return True
    origin = headers.get(b"origin")
    return origin is not None and origin != b"http://" + host
