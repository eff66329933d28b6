"""The simulator without its network: takes a request, and returns what the connection has to do.

The engine owns the state (resources, ledger, faults, credentials, latency) and applies the faults. It never
waits and never writes: a `Reply` says what to send, after how long, and how much of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.simulator import api, faults
from twilio_notifications.simulator.api import (
    Action,
    Circumstances,
    KnownCredentials,
    Request,
    Response,
    read_basic,
)
from twilio_notifications.simulator.deliveries import DeliveryOrders
from twilio_notifications.simulator.faults import Faults
from twilio_notifications.simulator.instants import http_date
from twilio_notifications.simulator.plans import Plan
from twilio_notifications.simulator.refusals import TOO_MANY_REQUESTS, Refusal, server_error
from twilio_notifications.simulator.telephone.failing import NextFailures
from twilio_notifications.simulator.world import World

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Mapping

    from twilio_notifications.simulator.announcer import Announcer, CallbackEntry
    from twilio_notifications.simulator.faults import Effect
    from twilio_notifications.simulator.store import Store
    from twilio_notifications.simulator.telephone.failing import FailureOrder, WaitingFailure


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
    answer it closes, or stays open without end (`hang`). With `after_callbacks`, the delay begins when the
    callbacks of this SID have been made.
    """

    response: Response | None
    delay_seconds: float = 0.0
    cut_at: int | None = None
    hang: bool = False
    after_callbacks: str | None = None


ORDINARY = Circumstances()
SIGNED = frozenset({"StatusCallback", "AsyncAmdStatusCallback", "Twiml"})
"""The parameters of a create after which Twilio makes requests that it signs."""


class Engine:
    """The state of one simulator. `clock` gives seconds since the epoch; `random` draws SIDs and faults."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        random: random.Random,
        credentials: KnownCredentials,
        latency_seconds: float,
        deliveries: DeliveryOrders | None = None,
        keep: int | None = None,
    ) -> None:
        """`deliveries` decides what becomes of texts and calls; None: as without orders and without a seed.

        With `keep`, older texts, calls, and entries of the ledgers are forgotten.
        """
        self._clock = clock
        self._random = random
        self.world = World(
            new_sid=self._new_sid,
            chance=random,
            deliveries=DeliveryOrders() if deliveries is None else deliveries,
            keep=keep,
        )
        self.faults = Faults(chance=random)
        self.failures = NextFailures(faults=self.faults, deliveries=self.world.deliveries)
        self.credentials = credentials
        self.latency_seconds = latency_seconds
        self.clock_offset_seconds = 0.0
        self.age_seconds: float | None = None
        self._tokens: dict[str, str] = {}
        self._requests = self._refusals = self._struck = 0
        self._concurrent = self._concurrent_maximum = 0

    @property
    def now(self) -> float:
        """Twilio's time in seconds since the epoch; a control request can set it apart from ours."""
        return self._clock() + self.clock_offset_seconds

    @property
    def store(self) -> Store:
        """The resources and the ledger of creates."""
        return self.world.store

    @property
    def announcer(self) -> Announcer:
        """The callbacks to come, and those that were made."""
        return self.world.announcer

    def signing_token(self, account_sid: str) -> str | None:
        """The token that signs the account's callbacks.

        It is the one of the settings, else the one by which the account's latest create logged in; None where
        only API keys have.
        """
        return self.credentials.signing_token or self._tokens.get(account_sid)

    def note_answer(self, entry: CallbackEntry) -> None:
        """Draws the conclusions of a callback that has been made."""
        self.world.note_answer(entry, now=self.now)

    @property
    def counters(self) -> RequestCounts:
        return RequestCounts(
            requests=self._requests,
            creates=self.store.creates.total,
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

    def set_signing_token(self, token: str | None) -> None:
        """Signs callbacks with this token from now on; None: the one that creates log in with."""
        self.credentials = replace(self.credentials, signing_token=token)

    def add_fault(self, fault: faults.Fault) -> faults.ArmedFault:
        # The period of a fault is measured on our clock, so that moving Twilio's clock does not end it.
        return self.faults.add(fault, now=self._clock())

    def add_failure(self, order: FailureOrder) -> WaitingFailure:
        """Has the next requests show a code; raises OrderRefused where that is not possible."""
        return self.failures.add(order, now=self._clock())

    def begin(self, request: Request) -> Reply:
        """Carries one request out, unless a fault forbids it.

        The caller calls `finish` when the reply is done.
        """
        self._requests += 1
        self._concurrent += 1
        self._concurrent_maximum = max(self._concurrent_maximum, self._concurrent)
        self.world.early_sid = None
        reply = self._reply(request)
        if self.world.early_sid is not None:
            reply = replace(reply, after_callbacks=self.world.early_sid)
        response = reply.response
        self._refusals += response is not None and 400 <= response.status < 500  # noqa: PLR2004 - HTTP's 4xx
        return reply

    def finish(self) -> None:
        self._concurrent -= 1

    def common_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that every answer of Twilio has, next to its content type."""
        return [
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
        if request.action is Action.CREATE and SIGNED & request.parameters.keys():
            user, secret = read_basic(request.authorization)
            if user == request.account_sid and self.credentials.admits(request):
                self._tokens[request.account_sid] = secret
        return api.answer(request, self.world, self.credentials, now=self.now, circumstances=circumstances)

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
    plan = Plan(end=effect.status, error_code=effect.error_code, error_message=effect.error_message)
    return Circumstances(plan=plan)
