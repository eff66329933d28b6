"""Makes the callbacks when they are due: signed, with Twilio's retries, and in order for each resource.

Callbacks of one resource are made one after the other, those of different resources at the same time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import ConnectTimeoutError, DetailedPyreqwestError, PyreqwestError

from twilio_notifications.simulator.signing import sign

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyreqwest.client import Client
    from pyreqwest.request import RequestBuilder
    from pyreqwest.response import Response

    from twilio_notifications.simulator.announcer import CallbackEntry
    from twilio_notifications.simulator.callbacks import OutgoingCallback
    from twilio_notifications.simulator.engine import Engine

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 15.0
ANSWER_BYTES: Final = 65_536  # the longest document that Twilio reads
AGENT: Final = "TwilioProxy/1.1"
RETRY_LIMIT: Final = 5
CONCURRENCY: Final = 200
SHORTEST_WAIT: Final = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Twilio's connection overrides, read from the fragment of a callback URL.

    `policy` has the kinds of failure after which it tries again: 4xx, 5xx, ct (no connection), rt (no
    answer).
    """

    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})
    answer_seconds: float = ANSWER_SECONDS
    total_seconds: float = ANSWER_SECONDS

    @classmethod
    def of(cls, url: str) -> Patience:
        """`#rc=2&rp=all&rt=1000&tt=5000`; what cannot be read counts as absent."""
        given = dict(parse_qsl(url.partition("#")[2]))
        policy = frozenset(given.get("rp", "ct").split(","))
        return cls(
            retries=min(int(_whole(given.get("rc"), 1)), RETRY_LIMIT),
            policy=frozenset({"4xx", "5xx", "ct", "rt"}) if "all" in policy else policy,
            answer_seconds=_whole(given.get("rt"), ANSWER_SECONDS * 1_000) / 1_000,
            total_seconds=_whole(given.get("tt"), ANSWER_SECONDS * 1_000) / 1_000,
        )


def _whole(value: str | None, default: float) -> float:
    """The whole number that is written there, or the default."""
    return float(value) if value and value.isascii() and value.isdigit() else default


class CallbackSender:
    """Makes the callbacks of one simulator until it is closed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._client: Client | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._latest: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(CONCURRENCY)
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    async def close(self) -> None:
        """Ends the callbacks under way; none is made from now on."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for sending in self._under_way:
            sending.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        if self._client is not None:
            await self._client.close()

    def send_due(self) -> None:
        """Begins the callbacks that are due, and sets the timer for the next one."""
        if self._closed or self._engine.announcer.next_at is None:
            return
        for entry in self._engine.announcer.take_due(self._engine.now):
            sid = entry.callback.sid
            sending = asyncio.create_task(self._send_after(self._latest.get(sid), entry))
            self._latest[sid] = sending
            self._under_way.add(sending)
            sending.add_done_callback(partial(self._forget, sid))
        self._set_timer()

    async def catch_up(self) -> None:
        """Makes all callbacks that are due; returns when each one has been answered or has failed."""
        self.send_due()
        while self._latest:
            await asyncio.wait(tuple(self._latest.values()))
            self.send_due()

    def when_sent(self, sid: str, then: Callable[[], None]) -> None:
        """Calls `then` once the callbacks of this resource that are under way have ended."""
        sending = self._latest.get(sid)
        if sending is None:
            then()
        else:
            sending.add_done_callback(lambda _: then())

    def _forget(self, sid: str, done: asyncio.Task[None]) -> None:
        self._under_way.discard(done)
        if self._latest.get(sid) is done:
            del self._latest[sid]

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        next_at = self._engine.announcer.next_at
        if next_at is None:
            self._timer = None
            return
        delay = max(next_at - self._engine.now, SHORTEST_WAIT)  # the engine's clock may stand still
        self._timer = asyncio.get_running_loop().call_later(delay, self.send_due)

    async def _send_after(self, earlier: asyncio.Task[None] | None, entry: CallbackEntry) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        patience = Patience.of(entry.callback.url)
        try:
            async with self._places, asyncio.timeout(patience.total_seconds):
                await self._send(entry, patience)
        except TimeoutError:
            entry.failure = "no answer in time"
        self._engine.note_answer(entry)

    async def _send(self, entry: CallbackEntry, patience: Patience) -> None:
        for _ in range(1 + patience.retries):
            entry.requests += 1
            kind = await self._send_once(entry, patience)
            if kind is None or kind not in patience.policy:
                return

    async def _send_once(self, entry: CallbackEntry, patience: Patience) -> str | None:
        """Makes the request once; the kind of its failure, or None."""
        entry.status, entry.failure = None, None
        try:
            async with (
                asyncio.timeout(patience.answer_seconds),
                self._request(entry.callback).build_streamed() as response,
            ):
                entry.status = response.status
                entry.answer = await _read(response)
        except ConnectTimeoutError:
            entry.failure = "no connection in time"
            return "ct"
        except TimeoutError:
            entry.failure = "no answer in time"
            return "rt"
        # Without a connection, or with an address that is none; pyreqwest's runtime raises RuntimeError.
        except (PyreqwestError, RuntimeError, ValueError) as error:
            causes = error.details["causes"] if isinstance(error, DetailedPyreqwestError) else None
            entry.failure = causes[-1]["message"] if causes else str(error)
            return "ct"
        hundreds = response.status // 100
        return f"{hundreds}xx" if hundreds >= 4 else None  # noqa: PLR2004 - HTTP's errors

    def _request(self, callback: OutgoingCallback) -> RequestBuilder:
        """The signed request. Without a known token of the account it has no signature."""
        if self._client is None:
            builder = ClientBuilder().user_agent(AGENT).connect_timeout(timedelta(seconds=CONNECT_SECONDS))
            self._client = builder.follow_redirects(enable=False).no_proxy().build()
        url, form = callback.url.partition("#")[0], dict(callback.fields)
        if callback.method == "GET":
            url, form = f"{url}{'&' if '?' in url else '?'}{urlencode(form)}", {}
        request = self._client.request(callback.method, url)
        if form:
            request = request.header("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
            request = request.body_bytes(urlencode(form).encode())
        request = request.header("I-Twilio-Idempotency-Token", f"{callback.sid}-{callback.due_at:.3f}")
        token = self._engine.signing_token(callback.account_sid)
        return (
            request if token is None else request.header("X-Twilio-Signature", sign(url, form, token=token))
        )


async def _read(response: Response) -> str:
    """The beginning of the body."""
    body = bytearray()
    while len(body) < ANSWER_BYTES and (piece := await response.body_reader.read_chunk()) is not None:
        body += piece
    return body[:ANSWER_BYTES].decode("utf-8", "replace")
