"""The simulator as a server: the engine behind a listening socket, for tests, the demo and the command line.

The end of the context closes every connection and waits until the last one has ended. The server speaks HTTP
without TLS and is meant for the loopback.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

import msgspec

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.api import KnownCredentials, read_request
from twilio_notifications.simulator.connection import SimulatorConnection
from twilio_notifications.simulator.control import PREFIX, control, forbid
from twilio_notifications.simulator.deliveries import DeliveryOrders
from twilio_notifications.simulator.engine import Engine, Reply, RequestCounts
from twilio_notifications.simulator.inbound import InboundOrder
from twilio_notifications.simulator.numbers import normalized
from twilio_notifications.simulator.sender import CallbackSender
from twilio_notifications.simulator.telephone.failing import FailureOrder
from twilio_notifications.simulator.telephone.hands import HandOrder
from twilio_notifications.simulator.telephone.memory import MOST_KEPT
from twilio_notifications.simulator.telephone.page import PAGE_PATH
from twilio_notifications.simulator.telephone.showing import telephones
from twilio_notifications.simulator.telephone.switches import SwitchOrder
from twilio_notifications.simulator.world import ChangeOrder, KeyOrder

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import TracebackType

    from twilio_notifications.simulator.announcer import CallbackEntry, CallbackTreatment
    from twilio_notifications.simulator.deliveries import DeliveryOrder, StandingOrder
    from twilio_notifications.simulator.faults import ArmedFault, Fault
    from twilio_notifications.simulator.store import LedgerEntry
    from twilio_notifications.simulator.telephone.hands import Act
    from twilio_notifications.simulator.telephone.showing import Telephone

BACKLOG = 1_024  # a benchmark opens its connections all at once


class Simulator:
    """A stand-in for api.twilio.com on `base_url`, while the context is open.

    `clock` gives seconds since the epoch. `latency_seconds` passes between carrying a request out and
    answering it. Without `account_sid` and `auth_tokens` it accepts any account with any token. With
    `delivery_seed` the ends of texts and calls are drawn, and come `delivery_speed` times as fast as usual.
    `signing_token` signs callbacks; None: the token that creates log in with. `keep` is how many texts and
    calls it remembers, of each channel the latest, and how many entries of each ledger; None: all.
    """

    def __init__(  # noqa: PLR0913 - keyword-only, and each is one of the caller's choices
        self,
        *,
        clock: Callable[[], float],
        random: random.Random,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_seconds: float = 0.0,
        account_sid: str | None = None,
        auth_tokens: Collection[str] | None = None,
        signing_token: str | None = None,
        delivery_seed: str | None = None,
        delivery_speed: float = 1.0,
        keep: int | None = None,
    ) -> None:
        credentials = KnownCredentials(
            account_sid=account_sid,
            auth_tokens=None if auth_tokens is None else frozenset(auth_tokens),
            signing_token=signing_token,
        )
        self._engine = Engine(
            clock=clock,
            random=random,
            credentials=credentials,
            latency_seconds=latency_seconds,
            deliveries=DeliveryOrders(seed=delivery_seed, speed=delivery_speed),
            keep=keep,
        )
        self._sender = CallbackSender(self._engine)
        self._host = host
        self._port = port
        self._server: asyncio.Server
        self._open = _OpenConnections()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._connect, self._host, self._port, backlog=BACKLOG, reuse_address=True
        )
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._sender.close()
        await self._open.abort_all()
        await self._server.wait_closed()

    @property
    def base_url(self) -> str:
        """The URL that replaces https://api.twilio.com, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def telephone_url(self) -> str:
        """The URL of the page with the telephones."""
        return self.base_url + PAGE_PATH

    def telephone(self, number: str) -> Telephone:
        """The telephone with this number: how it is set, and all that it shows."""
        now, world = self._engine.now, self._engine.world
        (found,) = telephones(world, now=now, number=normalized(number), search="", most=MOST_KEPT)
        return found

    @property
    def ledger(self) -> Sequence[LedgerEntry]:
        """Every create, in order, as far as it is remembered. The sequence grows with each one."""
        return self._engine.store.ledger

    @property
    def counters(self) -> RequestCounts:
        """The counts since the start of the simulator."""
        return self._engine.counters

    def last_status_of(self, sid: str) -> str:
        """The status with which this text or call ends, or has ended. Raises KeyError for an unknown SID."""
        resource = self._engine.store.find(sid)
        if resource is None:
            raise KeyError(sid)
        return resource.timeline[-1].status

    def set_latency(self, seconds: float) -> None:
        """Sends every answer `seconds` after its execution from now on."""
        self._engine.latency_seconds = seconds

    def set_clock_offset(self, seconds: float) -> None:
        """Sets Twilio's clock, its `Date` header included, `seconds` ahead of `clock` from now on."""
        self._engine.clock_offset_seconds = seconds

    def set_age(self, seconds: float | None) -> None:
        """Shows each message and call as it is `seconds` after its create from now on; None: by the clock."""
        self._engine.age_seconds = seconds

    def set_auth_tokens(self, auth_tokens: Collection[str] | None) -> None:
        """Accepts only these tokens from now on; None: any that is not empty."""
        self._engine.set_auth_tokens(auth_tokens)

    def set_api_keys(self, api_keys: Mapping[str, str] | None) -> None:
        """Accepts only these API keys from now on, secrets by SID; None: any key where any token is."""
        self._engine.set_api_keys(api_keys)

    def set_signing_token(self, token: str | None) -> None:
        """Signs callbacks with this token from now on; None: the one that creates log in with."""
        self._engine.set_signing_token(token)

    def add_delivery(self, order: DeliveryOrder) -> StandingOrder:
        """Puts an order for new texts and calls in force; `given` of the result counts what it decided."""
        return self._engine.world.deliveries.add(order)

    def set_callbacks(self, treatment: CallbackTreatment) -> None:
        """Repeats, shuffles, loses or leaves out callbacks in this way from now on."""
        self._engine.announcer.set_treatment(treatment)

    @property
    def callbacks(self) -> Sequence[CallbackEntry]:
        """Every callback that was made or lost, in order, as far as it is remembered. The sequence grows."""
        return self._engine.announcer.ledger

    async def catch_up(self) -> None:
        """Makes all callbacks that are due by `clock`; returns when each has been answered or has failed.

        They are made without it too, as soon as `clock` reaches them; a test that turns `clock` by hand need
        not wait.
        """
        await self._sender.catch_up()

    def change(self, sid: str, status: str, *, error_code: int | None = None) -> None:
        """Gives a text or a call this status at once, in place of all that was to come.

        Raises OrderRefused where there is no such resource, and msgspec.ValidationError where Twilio has no
        such status.
        """
        order = msgspec.convert({"sid": sid, "status": status, "error_code": error_code}, ChangeOrder)
        self._engine.world.change(order, now=self._engine.now)
        self._sender.send_due()

    def press(self, sid: str, digits: str) -> None:
        """Presses keys in a call that is in progress and has a `<Gather>`; raises OrderRefused elsewhere."""
        order = msgspec.convert({"sid": sid, "digits": digits}, KeyOrder)
        self._engine.world.press(order, now=self._engine.now)
        self._sender.send_due()

    def switch(
        self, number: str | None = None, *, on: bool | None = None, by_hand: bool | None = None
    ) -> None:
        """Sets a telephone, None: all of them. `by_hand`: its calls ring until a person answers them.

        What is None stays as it is.
        """
        self._engine.world.switch(SwitchOrder(number=number, on=on, by_hand=by_hand), now=self._engine.now)
        self._sender.send_due()

    def act(self, sid: str, act: Act) -> None:
        """Does with a call what a person can; raises OrderRefused where the call does not allow it."""
        self._engine.world.act(HandOrder(sid=sid, act=act), now=self._engine.now)
        self._sender.send_due()

    def fail_next(self, code: int, *, number: str | None = None, times: int = 1) -> None:
        """Has the next requests show this code of Twilio's; raises OrderRefused where none can."""
        self._engine.add_failure(FailureOrder(code=code, number=number, times=times))

    def receive_text(
        self, body: str, *, sender: str, to: str | None = None, account_sid: str | None = None
    ) -> str:
        """Lets a text come in; returns its SID.

        `to` None: the number from which `sender` got something last; raises OrderRefused where there is none.
        `account_sid` None: the account of the latest create.
        """
        return self._receive(
            InboundOrder(channel=Channel.SMS, sender=sender, to=to, body=body, account_sid=account_sid)
        )

    def receive_call(self, *, sender: str, to: str, account_sid: str | None = None) -> str:
        """Lets a call come in; returns its SID. `account_sid` None: the account of the latest create."""
        return self._receive(
            InboundOrder(channel=Channel.CALL, sender=sender, to=to, account_sid=account_sid)
        )

    def _receive(self, order: InboundOrder) -> str:
        return self._engine.world.receive(order, now=self._engine.now).sid

    def add_fault(self, fault: Fault) -> ArmedFault:
        """Puts a fault in force; `fired` of the result has the number of requests that it struck."""
        return self._engine.add_fault(fault)

    def clear_faults(self) -> None:
        """Removes all faults; answers that a fault withholds already stay withheld."""
        self._engine.faults.clear()

    def _connect(self) -> SimulatorConnection:
        return SimulatorConnection(
            _Site(self._engine, self._sender), loop=asyncio.get_running_loop(), roster=self._open
        )


class _OpenConnections:
    """The open connections. Once they are aborted, one that was still being accepted is aborted too."""

    def __init__(self) -> None:
        self._connections: set[SimulatorConnection] = set()
        self._closing = False
        self._changed = asyncio.Event()

    def add(self, connection: SimulatorConnection) -> None:
        self._connections.add(connection)
        if self._closing:
            connection.abort()

    def discard(self, connection: SimulatorConnection) -> None:
        self._connections.discard(connection)
        self._changed.set()

    async def abort_all(self) -> None:
        self._closing = True
        for connection in self._connections:
            connection.abort()
        while self._connections:
            self._changed.clear()
            await self._changed.wait()


class _Site:
    """The engine as a connection needs it: Twilio's API, and the simulator's own endpoints."""

    __slots__ = ("_counted", "_engine", "_sender")

    def __init__(self, engine: Engine, sender: CallbackSender) -> None:
        self._engine = engine
        self._sender = sender
        self._counted = False

    def begin(self, *, method: str, target: str, authorization: str, body: bytes, local: bool) -> Reply:
        self._counted = not target.startswith(PREFIX)
        if self._counted:
            request = read_request(method=method, target=target, authorization=authorization, body=body)
            reply = self._engine.begin(request)
        else:
            response = control(self._engine, method=method, target=target, body=body) if local else forbid()
            reply = Reply(response=response)
        self._sender.send_due()
        return reply

    def when_sent(self, sid: str, then: Callable[[], None]) -> None:
        self._sender.when_sent(sid, then)

    def finish(self) -> None:
        if self._counted:
            self._engine.finish()

    def common_headers(self) -> list[tuple[bytes, bytes]]:
        return self._engine.common_headers()


async def serve(  # noqa: PLR0913 - keyword-only, and each is one of the caller's choices
    *,
    host: str,
    port: int,
    latency_seconds: float,
    clock: Callable[[], float],
    random: random.Random,
    delivery_seed: str | None,
    keep: int | None,
    stop: asyncio.Event,
    announce: Callable[[str], None],
) -> None:
    """Serves until `stop` is set. Calls `announce` once with the URL, as soon as it answers requests."""
    simulator = Simulator(
        host=host,
        port=port,
        latency_seconds=latency_seconds,
        clock=clock,
        random=random,
        delivery_seed=delivery_seed,
        keep=keep,
    )
    async with simulator:
        announce(simulator.base_url)
        await stop.wait()
