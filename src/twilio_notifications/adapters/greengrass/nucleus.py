"""The operations of a Greengrass V2 nucleus for its components, over one IPC connection at a time.

The SDK calls back in its networking thread. Callbacks only hand the message to the event loop, in order:
if they did more, that thread could wait for itself.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from awscrt.exceptions import AwsCrtError
from awsiot.greengrasscoreipc import model

from twilio_notifications.adapters.greengrass.connection import (
    ConnectionOver,
    NucleusConnection,
    is_absent,
    sentence,
)
from twilio_notifications.adapters.greengrass.messages import (
    Message,
    UnreadableMessage,
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
"""The most seconds from the first sign that a connection ends to its end."""
STARTED_BY = "a nucleus puts it into the environment of the components that it starts"


class Stream(Protocol):
    """An open subscription."""

    def close(self) -> object: ...


if TYPE_CHECKING:
    Begun = tuple[Asked, Stream]


@dataclass(slots=True)
class Nucleus:
    """The nucleus that has started this process; it must answer each request within `answer_seconds`."""

    environ: Mapping[str, str] = field(repr=False)
    answer_seconds: float
    _connection: NucleusConnection | None = field(init=False, default=None)

    async def connect(self) -> asyncio.Future[str]:
        """Replaces the connection by a new one; returns a future that holds the reason when it has ended.

        Raises NucleusRefused where the nucleus does not know this process, TransportError otherwise.
        """
        await self.close()
        missing = [name for name in (SOCKET, TOKEN) if not self.environ.get(name)]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            raise TransportError(f"{' and '.join(missing)} {verb} not set: {STARTED_BY}")
        self._connection = await NucleusConnection.open(
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
        """The future that holds a reason when the connection has ended. `connect` must come first."""
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
        """Returns when the nucleus has granted the subscription; `on_message` gets its messages in order.

        Raises NucleusRefused or TransportError.
        """
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
                case UnreadableMessage(why=why):
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

        return await self._open(what, local if origin is Origin.LOCAL else iot_core)

    async def publish(self, origin: Origin, topic: str, payload: bytes) -> None:
        """Returns when the nucleus has taken the message; raises NucleusRefused or TransportError."""
        what = f"publishing on {topic} ({origin})"
        client, _ = self._spoken_to(what)

        def local() -> Any:
            message = model.PublishMessage(binary_message=model.BinaryMessage(message=payload))
            return client.publish_to_topic_async(topic=topic, publish_message=message)

        def iot_core() -> Any:
            return client.publish_to_iot_core_async(
                topic_name=topic, qos=model.QOS.AT_LEAST_ONCE, payload=payload
            )

        await self._ask(what, local if origin is Origin.LOCAL else iot_core)

    # Configuration, secrets and state of the component.

    async def configuration(self) -> Mapping[str, object]:
        """The component's configuration.

        Empty where there is none. Raises NucleusRefused or TransportError.
        """
        what = "reading the component configuration"
        client, _ = self._spoken_to(what)
        try:
            answer = await self._ask(what, lambda: client.get_configuration_async(key_path=[]))
        except NucleusRefused as error:
            if is_absent(error.__cause__):
                return {}
            raise
        return answer.value if isinstance(answer.value, dict) else {}

    async def watch_configuration(
        self, *, on_update: Callable[[], None], on_closed: Callable[[], None]
    ) -> Stream:
        """Calls `on_update` after each change that the nucleus reports.

        Raises NucleusRefused or TransportError.
        """
        what = "watching the component configuration"
        client, hand_over = self._spoken_to(what)
        return await self._open(
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

        With `from_aws`, a nucleus from version 2.13 on fetches the secret from AWS, which needs the
        network; an earlier nucleus returns the one that it has.
        """
        what = "reading a secret"
        try:
            client, _ = self._spoken_to(what)
            answer = await self._ask(
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
        await self._ask(what, lambda: client.update_state_async(state=state))

    # Asking.

    def _spoken_to(self, what: str) -> tuple[GreengrassCoreIPCClientV2, Callable[..., None]]:
        if self._connection is None:
            raise ConnectionOver(f"{what}: there is no connection to the nucleus")
        return self._connection.client, self._connection.hand_over

    async def _ask(self, what: str, ask: Callable[[], Asked]) -> Any:
        async with self._in_sentences(what):
            return await asyncio.wrap_future(ask())

    async def _open(self, what: str, ask: Callable[[], Begun]) -> Stream:
        async with self._in_sentences(what):
            asked, stream = ask()
            try:
                await asyncio.wrap_future(asked)
            except BaseException:
                stream.close()  # the nucleus may still grant it, and no part of the program would read it
                raise
            return stream

    @asynccontextmanager
    async def _in_sentences(self, what: str) -> AsyncIterator[None]:
        """Turns errors into sentences: raises NucleusRefused for a refusal, otherwise TransportError."""
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
            # The SDK raises several errors after the end of a connection. It raises them, and others, also
            # for an answer that was cut off or that it cannot read. A new connection helps only in the first
            # case. The SDK fails the requests under way first, and reports the end of the connection later.
            if connection is not None:
                await asyncio.wait({connection.ended}, timeout=ENDING_SECONDS)
            has_ended = connection is None or connection.ended.done()
            kind = ConnectionOver if has_ended else TransportError
            raise kind(f"{what}: {sentence(error)}") from error


def _goes_on(tell: Callable[[Exception], None]) -> Callable[[Exception], bool]:
    """A callback for `tell` that keeps the subscription open after a message that the SDK cannot read."""

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
        f"the nucleus returns no secret ({error}): nucleus lite has no operation for secrets, so use "
        '[secrets] source = "aws" or "file" with it'
    )
