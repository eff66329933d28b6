"""What a Greengrass V2 nucleus offers its components, over one IPC connection at a time.

The SDK calls back in its networking thread. There, nothing is done but to hand what came to the event loop,
in the order in which it came: that thread would otherwise wait for itself.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from awscrt.exceptions import AwsCrtError
from awsiot.greengrasscoreipc import model

from twilio_notifications.adapters.greengrass.connection import (
    Connection,
    ConnectionOver,
    is_absent,
    sentence,
)
from twilio_notifications.adapters.greengrass.messages import (
    Message,
    Unreadable,
    iot_core_message,
    local_message,
)
from twilio_notifications.core.errors import NucleusRefused, SecretAbsent, SecretUnavailable, TransportError
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import AsyncIterator, Callable, Mapping

    from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2

    Asked = concurrent.futures.Future[Any]

SOCKET = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"
TOKEN = "SVCUID"  # noqa: S105 - a name
ENDING_SECONDS = 2.0
"""From the first sign that a connection ends to its end."""
STARTED_BY = "a nucleus puts it into the environment of the components that it starts"


class Stream(Protocol):
    """An open subscription."""

    def close(self) -> object: ...


if TYPE_CHECKING:
    Begun = tuple[Asked, Stream]


@dataclass(slots=True)
class Nucleus:
    """The nucleus that has started this process. `answer_seconds` is how long it may take for each answer."""

    environ: Mapping[str, str] = field(repr=False)
    answer_seconds: float
    _connection: Connection | None = field(init=False, default=None)

    async def connect(self) -> asyncio.Future[str]:
        """A new connection in place of the last one; what is returned is done when it ends, with the reason.

        Raises NucleusRefused where the nucleus does not know this process, TransportError otherwise.
        """
        await self.close()
        missing = [name for name in (SOCKET, TOKEN) if not self.environ.get(name)]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise TransportError(f"{' and '.join(missing)} {verb} not set: {STARTED_BY}")
        self._connection = await Connection.open(
            self.environ[SOCKET], token=self.environ[TOKEN], timeout_seconds=self.answer_seconds
        )
        return self._connection.ended

    async def close(self) -> None:
        """Ends the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    @property
    def is_connected(self) -> bool:
        return self._connection is not None and not self._connection.ended.done()

    @property
    def ended(self) -> asyncio.Future[str]:
        """Done with a reason when the connection has ended; there must have been one."""
        assert self._connection is not None, "connect first"
        return self._connection.ended

    # Messages.

    async def subscribe(
        self,
        origin: Origin,
        topic: str,
        *,
        on_message: Callable[[Message], None],
        on_unreadable: Callable[[str], None],
        on_closed: Callable[[], None],
    ) -> Stream:
        """Returns when the nucleus has granted it; messages come to `on_message` in their order."""
        what = f"subscribing to {topic} ({origin})"
        client, hand_over = self._spoken_to(what)
        heard = {
            "on_stream_error": _goes_on(lambda error: hand_over(on_unreadable, sentence(error))),
            "on_stream_closed": lambda: hand_over(on_closed),
        }

        def hear_local(event: Any) -> None:
            match local_message(event):
                case Message() as message:
                    hand_over(on_message, message)
                case Unreadable(why=why):
                    hand_over(on_unreadable, why)

        def local() -> Any:
            return client.subscribe_to_topic_async(topic=topic, on_stream_event=hear_local, **heard)

        def iot_core() -> Any:
            return client.subscribe_to_iot_core_async(
                topic_name=topic,
                qos=model.QOS.AT_LEAST_ONCE,
                on_stream_event=lambda event: hand_over(on_message, iot_core_message(event)),
                **heard,
            )

        return await self._opened(what, local if origin is Origin.LOCAL else iot_core)

    async def publish(self, origin: Origin, topic: str, payload: bytes) -> None:
        """Returns when the nucleus has taken it."""
        what = f"publishing on {topic} ({origin})"
        client, _ = self._spoken_to(what)

        def local() -> Any:
            message = model.PublishMessage(binary_message=model.BinaryMessage(message=payload))
            return client.publish_to_topic_async(topic=topic, publish_message=message)

        def iot_core() -> Any:
            return client.publish_to_iot_core_async(
                topic_name=topic, qos=model.QOS.AT_LEAST_ONCE, payload=payload
            )

        await self._answered(what, local if origin is Origin.LOCAL else iot_core)

    # The component's own.

    async def configuration(self) -> Mapping[str, object]:
        """The component's configuration; empty where there is none."""
        what = "reading the component configuration"
        client, _ = self._spoken_to(what)
        try:
            answer = await self._answered(what, lambda: client.get_configuration_async(key_path=[]))
        except NucleusRefused as error:
            if is_absent(error.__cause__):
                return {}
            raise
        return answer.value if isinstance(answer.value, dict) else {}

    async def watch_configuration(
        self, *, on_update: Callable[[], None], on_closed: Callable[[], None]
    ) -> Stream:
        """Calls `on_update` after each change."""
        what = "watching the component configuration"
        client, hand_over = self._spoken_to(what)
        return await self._opened(
            what,
            lambda: client.subscribe_to_configuration_update_async(
                key_path=[],
                on_stream_event=lambda _event: hand_over(on_update),
                on_stream_error=_goes_on(lambda _error: hand_over(on_update)),
                on_stream_closed=lambda: hand_over(on_closed),
            ),
        )

    async def secret(self, arn: str, *, label: str, from_aws: bool = False) -> str | bytes:
        """A secret that the nucleus keeps for this component; raises SecretUnavailable or SecretAbsent.

        `from_aws` has a nucleus from 2.13 on fetch it again, for which it needs the network; an earlier one
        gives what it has.
        """
        what = "reading a secret"
        try:
            client, _ = self._spoken_to(what)
            answer = await self._answered(
                what,
                lambda: client.get_secret_value_async(
                    secret_id=arn, version_stage=label, refresh=from_aws or None
                ),
            )
        except NucleusRefused as error:
            raise _no_secret(error, arn=arn, label=label) from error
        except TransportError as error:
            raise SecretUnavailable(str(error)) from error
        value = answer.secret_value
        found = None if value is None else value.secret_string or value.secret_binary
        if not isinstance(found, str | bytes):
            raise SecretAbsent(f"the secret {arn} is empty ({label})")
        return found

    async def say_running(self) -> None:
        """Tells the nucleus that the component works."""
        what = "reporting the state"
        client, _ = self._spoken_to(what)
        state = model.ReportedLifecycleState.RUNNING
        await self._answered(what, lambda: client.update_state_async(state=state))

    # Asking.

    def _spoken_to(self, what: str) -> tuple[GreengrassCoreIPCClientV2, Callable[..., None]]:
        if self._connection is None:
            raise ConnectionOver(f"{what}: there is no connection to the nucleus")
        return self._connection.client, self._connection.hand_over

    async def _answered(self, what: str, ask: Callable[[], Asked]) -> Any:
        async with self._in_sentences(what):
            return await asyncio.wrap_future(ask())

    async def _opened(self, what: str, ask: Callable[[], Begun]) -> Stream:
        async with self._in_sentences(what):
            asked, stream = ask()
            try:
                await asyncio.wrap_future(asked)
            except BaseException:
                stream.close()  # it may still be granted, and its messages would go nowhere
                raise
            return stream

    @asynccontextmanager
    async def _in_sentences(self, what: str) -> AsyncIterator[None]:
        """Raises NucleusRefused where the nucleus says no, TransportError where it says nothing."""
        connection = self._connection
        try:
            async with asyncio.timeout(self.answer_seconds):
                yield
        except TimeoutError:
            silence = f"{what}: the nucleus did not answer within {self.answer_seconds:g} s"
            raise TransportError(silence) from None
        except model.GreengrassCoreIPCError as error:
            raise NucleusRefused(f"{what}: {sentence(error)}") from error
        except (RuntimeError, AwsCrtError) as error:
            # The SDK has several errors for a connection that has ended, and the same ones, and others, for
            # an answer that was cut off or that it cannot read. Only the first is cured by a new connection.
            kind = ConnectionOver if await _has_ended(connection) else TransportError
            raise kind(f"{what}: {sentence(error)}") from error


async def _has_ended(connection: Connection | None) -> bool:
    """The SDK fails the operations under way first, and then says that the connection has ended."""
    if connection is not None:
        await asyncio.wait({connection.ended}, timeout=ENDING_SECONDS)
    return connection is None or connection.ended.done()


def _goes_on(tell: Callable[[Exception], None]) -> Callable[[Exception], bool]:
    """One message that the SDK cannot read is no reason to end the subscription."""

    def told(error: Exception) -> bool:
        tell(error)
        return False

    return told


def _no_secret(error: NucleusRefused, *, arn: str, label: str) -> SecretUnavailable:
    cause = error.__cause__
    if is_absent(cause):
        return SecretAbsent(
            f"the nucleus has no secret {arn} with the label {label}: add it to cloudSecrets in the "
            "configuration of aws.greengrass.SecretManager"
        )
    if isinstance(cause, model.UnauthorizedError):
        return SecretUnavailable(
            f"the component may not read the secret {arn}: allow aws.greengrass#GetSecretValue for it "
            "in its access control"
        )
    return SecretUnavailable(
        f"the nucleus gives no secret ({error}): nucleus lite has no operation for it, so use "
        '[secrets] source = "aws" or "file" there'
    )
