"""The simulator without its network: takes a request, and returns what the connection has to do.

The engine owns the state (resources, ledger, faults, credentials, latency) and applies the faults. It never
waits and never writes: a `Reply` says what to send, after how long, and how much of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.simulator import api, faults
from twilio_notifications.simulator.api import Circumstances, KnownCredentials, Request, Response
from twilio_notifications.simulator.faults import Faults
from twilio_notifications.simulator.instants import http_date
from twilio_notifications.simulator.refusals import TOO_MANY_REQUESTS, Refusal, server_error
from twilio_notifications.simulator.resources import Ending
from twilio_notifications.simulator.store import Store

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Mapping

    from twilio_notifications.simulator.faults import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCounts:
    """Counts since the start of the simulator.

    `refusals` are answers 400 to 499, those of faults included.
    """

    requests: int = 0
    creates: int = 0
    refusals: int = 0
    faults: int = 0
    concurrent: int = 0
    concurrent_maximum: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the connection does for a request, `delay_seconds` from now.

    It sends the answer and stays open. With `cut_at`, it sends only this many bytes and closes. Without an
    answer it closes, or stays open without end (`hang`).
    """

    response: Response | None
    delay_seconds: float = 0.0
    cut_at: int | None = None
    hang: bool = False


ORDINARY = Circumstances()


class Engine:
    """The state of one simulator. `clock` gives seconds since the epoch; `random` draws SIDs and faults."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        random: random.Random,
        credentials: KnownCredentials,
        latency_seconds: float,
    ) -> None:
        self._clock = clock
        self._random = random
        self.store = Store(new_sid=self._new_sid)
        self.faults = Faults(chance=random)
        self.credentials = credentials
        self.latency_seconds = latency_seconds
        self.clock_offset_seconds = 0.0
        self.age_seconds: float | None = None
        self._requests = self._refusals = self._struck = 0
        self._concurrent = self._concurrent_maximum = 0

    @property
    def now(self) -> float:
        """Twilio's time in seconds since the epoch; a control request can set it apart from ours."""
        return self._clock() + self.clock_offset_seconds

    @property
    def counters(self) -> RequestCounts:
        return RequestCounts(
            requests=self._requests,
            creates=len(self.store.ledger),
            refusals=self._refusals,
            faults=self._struck,
            concurrent=self._concurrent,
            concurrent_maximum=self._concurrent_maximum,
        )

    def set_api_keys(self, api_keys: Mapping[str, str] | None) -> None:
        """Accepts only these API keys from now on, secrets by SID; None: any key where any token is."""
        keys = None if api_keys is None else dict(api_keys)
        self.credentials = replace(self.credentials, api_keys=keys)

    def set_auth_tokens(self, auth_tokens: Collection[str] | None) -> None:
        """Accepts only these tokens from now on; None: any that is not empty."""
        tokens = None if auth_tokens is None else frozenset(auth_tokens)
        self.credentials = replace(self.credentials, auth_tokens=tokens)

    def add_fault(self, fault: faults.Fault) -> faults.ArmedFault:
        # The period of a fault is measured on our clock, so that moving Twilio's clock does not end it.
        return self.faults.add(fault, now=self._clock())

    def begin(self, request: Request) -> Reply:
        """Carries one request out, unless a fault forbids it.

        The caller calls `finish` when the reply is done.
        """
        self._requests += 1
        self._concurrent += 1
        self._concurrent_maximum = max(self._concurrent_maximum, self._concurrent)
        reply = self._reply(request)
        response = reply.response
        self._refusals += response is not None and 400 <= response.status < 500  # noqa: PLR2004 - HTTP's 4xx
        return reply

    def finish(self) -> None:
        self._concurrent -= 1

    def common_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that every answer of Twilio has."""
        return [
            (b"Content-Type", b"application/json"),
            (b"Date", http_date(self.now)),
            (b"Twilio-Concurrent-Requests", b"%d" % self._concurrent),
            (b"Twilio-Request-Id", self._new_sid("RQ").encode()),
        ]

    def _new_sid(self, prefix: str) -> str:
        return f"{prefix}{self._random.getrandbits(128):032x}"

    def _reply(self, request: Request) -> Reply:
        effect = None
        if self.faults.armed:
            now = self._clock()
            effect = self.faults.strike(request.action, channel=request.channel, to=request.to, now=now)
        if effect is None:
            return Reply(response=self._answer(request), delay_seconds=self.latency_seconds)
        self._struck += 1
        return self._struck_reply(request, effect)

    def _answer(self, request: Request, circumstances: Circumstances = ORDINARY) -> Response:
        circumstances = replace(circumstances, age_seconds=self.age_seconds)
        return api.answer(request, self.store, self.credentials, now=self.now, circumstances=circumstances)

    def _struck_reply(self, request: Request, effect: Effect) -> Reply:
        latency = self.latency_seconds
        match effect:
            case faults.AnswerLost(after_bytes=after_bytes):
                return Reply(response=self._answer(request), delay_seconds=latency, cut_at=after_bytes)
            case faults.ConnectionClosed():
                return Reply(response=None)
            case faults.Hang(executed=executed):
                self._execute(request, executed=executed)
                return Reply(response=None, hang=True)
            case faults.ServerError(status=status, executed=executed):
                self._execute(request, executed=executed)
                return Reply(response=api.refuse(server_error(status)), delay_seconds=latency)
            case faults.RateLimited() | faults.RefusedRequest():
                return Reply(response=_refusal(effect), delay_seconds=latency)
            case faults.Garbage(body=body):
                response = replace(self._answer(request), body=body.encode())
                return Reply(response=response, delay_seconds=latency)
            case faults.Slow(seconds=seconds):
                return Reply(response=self._answer(request), delay_seconds=latency + seconds)
            case faults.ListLag() | faults.Ends():
                response = self._answer(request, _circumstances(effect))
                return Reply(response=response, delay_seconds=latency)
            case _:
                assert_never(effect)

    def _execute(self, request: Request, *, executed: bool) -> None:
        if executed:
            self._answer(request)


def _refusal(effect: faults.RateLimited | faults.RefusedRequest) -> Response:
    if isinstance(effect, faults.RefusedRequest):
        return api.refuse(Refusal(code=effect.code, message=effect.message, status=effect.status))
    if effect.retry_after is None:
        return api.refuse(TOO_MANY_REQUESTS)
    return api.refuse(TOO_MANY_REQUESTS, (b"Retry-After", str(effect.retry_after).encode()))


def _circumstances(effect: faults.ListLag | faults.Ends) -> Circumstances:
    if isinstance(effect, faults.ListLag):
        return Circumstances(list_lag_seconds=effect.seconds)
    ending = Ending(status=effect.status, error_code=effect.error_code, error_message=effect.error_message)
    return Circumstances(ending=ending)
