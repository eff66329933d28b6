"""The simulator as a server: the engine behind a listening socket, for tests, the demo and the command line.

The end of the context closes every connection and waits until the last one has ended. The server speaks HTTP
without TLS and is meant for the loopback.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from twilio_notifications.simulator.api import KnownCredentials, read_request
from twilio_notifications.simulator.connection import SimulatorConnection
from twilio_notifications.simulator.control import PREFIX, control, forbid
from twilio_notifications.simulator.engine import Engine, Reply, RequestCounts

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import TracebackType

    from twilio_notifications.simulator.faults import ArmedFault, Fault
    from twilio_notifications.simulator.store import LedgerEntry

BACKLOG = 1_024  # a benchmark opens its connections all at once


class Simulator:
    """A stand-in for api.twilio.com on `base_url`, while the context is open.

    `clock` gives seconds since the epoch. `latency_seconds` passes between carrying a request out and
    answering it. Without `account_sid` and `auth_tokens` it accepts any account with any token.
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
    ) -> None:
        credentials = KnownCredentials(
            account_sid=account_sid, auth_tokens=None if auth_tokens is None else frozenset(auth_tokens)
        )
        self._engine = Engine(
            clock=clock, random=random, credentials=credentials, latency_seconds=latency_seconds
        )
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
        await self._open.abort_all()
        await self._server.wait_closed()

    @property
    def base_url(self) -> str:
        """The URL that replaces https://api.twilio.com, without a slash at the end."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def ledger(self) -> Sequence[LedgerEntry]:
        """Every resource that was created, in order. The sequence grows with each create."""
        return self._engine.store.ledger

    @property
    def counters(self) -> RequestCounts:
        """The counts since the start of the simulator."""
        return self._engine.counters

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

    def add_fault(self, fault: Fault) -> ArmedFault:
        """Puts a fault in force; `fired` of the result has the number of requests that it struck."""
        return self._engine.add_fault(fault)

    def clear_faults(self) -> None:
        """Removes all faults; answers that a fault withholds already stay withheld."""
        self._engine.faults.clear()

    def _connect(self) -> SimulatorConnection:
        return SimulatorConnection(_Site(self._engine), loop=asyncio.get_running_loop(), roster=self._open)


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

    __slots__ = ("_counted", "_engine")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._counted = False

    def begin(self, *, method: str, target: str, authorization: str, body: bytes, local: bool) -> Reply:
        self._counted = not target.startswith(PREFIX)
        if self._counted:
            request = read_request(method=method, target=target, authorization=authorization, body=body)
            return self._engine.begin(request)
        response = control(self._engine, method=method, target=target, body=body) if local else forbid()
        return Reply(response=response)

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
    stop: asyncio.Event,
    announce: Callable[[str], None],
) -> None:
    """Serves until `stop` is set. Calls `announce` once with the URL, as soon as it answers requests."""
    simulator = Simulator(host=host, port=port, latency_seconds=latency_seconds, clock=clock, random=random)
    async with simulator:
        announce(simulator.base_url)
        await stop.wait()
