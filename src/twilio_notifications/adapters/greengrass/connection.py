"""One IPC connection to the nucleus. The SDK does not reconnect, so each connection has an end of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from awscrt.exceptions import AwsCrtError
from awscrt.io import ClientBootstrap, DefaultHostResolver, EventLoopGroup, SocketDomain, SocketOptions
from awsiot.eventstreamrpc import AccessDeniedError, LifecycleHandler, MessageAmendment
from awsiot.eventstreamrpc import Connection as RpcConnection
from awsiot.greengrasscoreipc import model
from awsiot.greengrasscoreipc.client import GreengrassCoreIPCClient
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2

from twilio_notifications.core.errors import NucleusRefused, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable


class ConnectionOver(TransportError):
    """There is no connection, or it ended before the answer came."""


HUNG_UP = "AWS_IO_SOCKET_CLOSED"
"""A nucleus that refuses a token may close the connection before the SDK has read the refusal."""


@dataclass(frozen=True, slots=True)
class NucleusConnection:
    """An open connection. The future `ended` holds a reason when either side has ended it."""

    client: GreengrassCoreIPCClientV2
    ended: asyncio.Future[str]
    hand_over: Callable[..., None]
    """Has the event loop call a function with arguments; callable from any thread, in the order of the
    calls."""

    @classmethod
    async def open(cls, socket: str, *, token: str, timeout_seconds: float) -> Self:
        """Connects; raises NucleusRefused where the nucleus refuses the token, TransportError otherwise."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()

        def hand_over(function: Callable[..., None], *arguments: object) -> None:
            try:
                loop.call_soon_threadsafe(function, *arguments)
            except RuntimeError:
                return  # the event loop is closed, so no part of the program waits for this call

        def over(reason: str) -> None:
            if not ended.done():
                ended.set_result(reason)

        lifecycle = _Lifecycle(lambda reason: hand_over(over, reason))
        client = await asyncio.to_thread(_connect, socket, token, lifecycle, timeout_seconds)
        # An executor would call the callbacks later, in another thread and without their order.
        return cls(GreengrassCoreIPCClientV2(client=client, executor=None), ended, hand_over)

    async def close(self) -> None:
        """Ends the connection, and returns when it has ended."""
        await asyncio.to_thread(self.client.close)
        await self.ended


class _Lifecycle(LifecycleHandler):  # type: ignore[misc]  # the SDK has no types
    def __init__(self, on_end: Callable[[str], None]) -> None:
        super().__init__()
        self._on_end = on_end

    def on_disconnect(self, reason: Exception | None) -> None:
        self._on_end("closed" if reason is None else sentence(reason))


def _connect(
    socket: str, token: str, lifecycle: LifecycleHandler, timeout_seconds: float
) -> GreengrassCoreIPCClient:
    try:
        return _opened(socket, token, lifecycle, timeout_seconds)
    except AccessDeniedError:
        raise NucleusRefused(_UNKNOWN) from None
    except AwsCrtError as error:
        if error.name == HUNG_UP:
            raise NucleusRefused(_UNKNOWN) from None
        raise TransportError(f"the nucleus cannot be reached at {socket}: {sentence(error)}") from None
    except TimeoutError:
        raise TransportError(f"the nucleus did not answer within {timeout_seconds:g} s at {socket}") from None
    except (OSError, RuntimeError) as error:
        raise TransportError(f"the nucleus cannot be reached at {socket}: {_why(socket, error)}") from None


def _why(socket: str, error: Exception) -> str:
    """Why there is no connection.

    The SDK's RuntimeError is the same for a missing socket and other failures.
    """
    try:
        Path(socket).stat()
    except FileNotFoundError:
        return "there is no such socket, so the nucleus does not run"
    except OSError as unseen:
        return unseen.strerror or sentence(error)
    return sentence(error)


def _opened(
    socket: str, token: str, lifecycle: LifecycleHandler, timeout_seconds: float
) -> GreengrassCoreIPCClient:
    """Opens a client like the SDK's own `connect`, but closes the connection after a time-out."""
    loops = EventLoopGroup(num_threads=1)
    options = SocketOptions()
    options.domain = SocketDomain.Local
    connection = RpcConnection(
        host_name=socket,
        port=0,  # a Unix socket has none
        bootstrap=ClientBootstrap(loops, DefaultHostResolver(loops)),
        socket_options=options,
        connect_message_amender=MessageAmendment.create_static_authtoken_amender(token),
    )
    try:
        connection.connect(lifecycle).result(timeout_seconds)
    except BaseException:
        connection.close()
        raise
    return GreengrassCoreIPCClient(connection)


_UNKNOWN = (
    "the nucleus does not know this component any more: it was restarted and has lost the token that it gave "
    "to the component. Only a restart of the component by the nucleus helps"
)


def is_absent(error: BaseException | None) -> bool:
    """Whether the nucleus says that it does not have the resource."""
    return isinstance(error, model.ResourceNotFoundError)


def is_passing(error: BaseException | None) -> bool:
    """Whether the nucleus failed, and did not forbid the request, so that a second attempt may succeed."""
    return isinstance(error, model.ServiceError)


def sentence(error: BaseException) -> str:
    """The text of an error of the SDK. Its `str` is empty or holds received content, so it is not used."""
    if isinstance(error, AwsCrtError):
        return f"{error.name}: {error.message}"
    said = getattr(error, "message", None)
    return f"{type(error).__name__}: {said}" if isinstance(said, str) and said else type(error).__name__
