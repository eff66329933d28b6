"""A Greengrass nucleus for one test: it speaks the real protocol to the real SDK, over a Unix socket.

It runs in threads of the test's process and serves components of any process, whose environment it tells.
Whatever waits here waits for a condition and has a limit. It leaves no thread and no file behind.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets as random_tokens
import shutil
import socket
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.nucleus import world
from tests.support.nucleus.faults import (
    LITE_PACKET_BYTES,
    LITE_UNACKNOWLEDGED,
    Faults,
    Style,
)
from tests.support.nucleus.frames import Flags, Frame, Kind, Oversized, read
from tests.support.nucleus.world import TYPE_PREFIX, Published, Refused, Side
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SOCKET = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"
TOKEN = "SVCUID"
_CONFIGURATION = "configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One open stream: to a topic of a side, or to changes of the configuration."""

    connection: socket.socket
    stream: int
    source: Side | str
    topic: str


class FakeNucleus:
    """`with FakeNucleus() as nucleus:`; give a component `nucleus.environ` and it finds the nucleus.

    `secrets` maps ARNs to values, or to values by staging label. `access_control` has the form of the recipe;
    None allows everything. `faults` is switched at any time.
    """

    def __init__(
        self,
        *,
        style: Style = Style.CLASSIC,
        configuration: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str | bytes | Mapping[str, str | bytes]] | None = None,
        access_control: Mapping[str, Any] | None = None,
        component: str = "TwilioNotifications",
    ) -> None:
        self.style = style
        self.faults = Faults()
        self.access_control = access_control
        self.component = component
        self.states: list[str] = []
        self.operations: list[str] = []
        """The operations that components asked for, in order, those without an answer included."""
        self.connections = 0
        """How many were accepted, from the first start to the last."""
        self.refused_connections = 0
        self._configuration = dict(configuration or {})
        self._secrets = {arn: _by_label(value) for arn, value in (secrets or {}).items()}
        self._in_aws: dict[str, Mapping[str, str | bytes]] = {}
        self._token = random_tokens.token_hex(8)
        self._changed = threading.Condition(threading.RLock())
        self._open: set[socket.socket] = set()
        self._subscriptions: list[Subscription] = []
        self._published: list[Published] = []
        self._unacknowledged = 0
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._folder = ""

    # Starting and ending.

    @property
    def open_connections(self) -> int:
        """Those too that were never answered."""
        return len(self._open)

    @property
    def environ(self) -> dict[str, str]:
        """What the nucleus puts into the environment of a component that it starts now."""
        return {
            SOCKET: str(self._path),
            TOKEN: self._token,
            "AWS_IOT_THING_NAME": "test-core",
            "AWS_REGION": "us-west-2",
        }

    @property
    def _makes_doubles(self) -> bool:
        """The classic nucleus reads JSON with Gson, which makes a double of every number."""
        return self.style is Style.CLASSIC

    @property
    def _path(self) -> Path:
        return Path(self._folder) / "ipc"

    def __enter__(self) -> Self:
        # Not pytest's tmp_path: the path of a Unix socket has at most 107 bytes.
        self._folder = tempfile.mkdtemp(prefix="gg")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        assert self._listener is None, "the nucleus is running already"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(os.fspath(self._path))
        self._listener.listen()
        self._begin(self._accept, self._listener)

    def stop(self) -> None:
        """Ends the daemon: the socket is gone, its connections are closed."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self._path.unlink()
            _join(self._threads.pop(0))  # the one that accepts: from here on there is no new connection
        self.close_connections()
        while self._threads:
            _join(self._threads.pop())

    def restart(self, *, keep_token: bool) -> None:
        """As when the daemon is restarted: the classic nucleus keeps its tokens, the lite one forgets them.

        Where it forgets, `environ` has a new token then, which a component gets at its next start.
        """
        self.stop()
        if not keep_token:
            self._token = random_tokens.token_hex(8)
        self.start()

    def close_connections(self) -> None:
        """Closes every connection, without a word; new ones are accepted."""
        with self._changed:
            for connection in self._open:
                _hang_up(connection)

    def close_stream(self, topic: str, *, side: Side = Side.LOCAL) -> None:
        """Ends the subscriptions to one topic; their connections stay."""
        with self._changed:
            ending = [one for one in self._subscriptions if (one.source, one.topic) == (side, topic)]
            assert ending, f"nobody is subscribed to {topic}"
            for one in ending:
                self._subscriptions.remove(one)
                frame = Frame(kind=Kind.APPLICATION, flags=Flags.TERMINATE, stream=one.stream)
                self._send(one.connection, frame)

    def forget_watchers(self) -> None:
        """As when nucleus lite restarts its configuration service: streams stay open and tell nothing."""
        with self._changed:
            self._subscriptions = [one for one in self._subscriptions if one.source != _CONFIGURATION]

    def is_watched(self) -> bool:
        """Whether a client has subscribed to changes of the configuration."""
        with self._changed:
            return any(one.source == _CONFIGURATION for one in self._subscriptions)

    def acknowledge(self) -> None:
        """AWS IoT Core acknowledges what it has got; see `faults.holds_acknowledgements`."""
        with self._changed:
            self._unacknowledged = 0
            self._changed.notify_all()

    def forget_subscriptions(self, *, but: str | None = None) -> None:
        """As when the daemon of local messages is restarted: streams stay open, nothing comes any more.

        It learned of the topic `but` after that.
        """
        with self._changed:
            self._subscriptions = [one for one in self._subscriptions if one.topic == but]

    # What a test does and sees.

    def publish(
        self, topic: str, payload: bytes | str, *, side: Side = Side.LOCAL, as_json: bool = False
    ) -> int:
        """As another component or client does; returns to how many subscriptions it went."""
        content = payload.encode() if isinstance(payload, str) else payload
        return self._deliver(Published(side=side, topic=topic, payload=content, as_json=as_json))

    def garble(self, topic: str, content: Mapping[str, Any]) -> None:
        """Delivers to local subscribers what the nucleus should never send."""
        with self._changed:
            for one in self._subscriptions:
                if (one.source, one.topic) == (Side.LOCAL, topic):
                    self._answer(one.connection, one.stream, "SubscriptionResponseMessage", content)

    def remove_configuration(self, key: str) -> None:
        """Removes a key at the top, as a deployment may. Nucleus lite does not announce it."""
        with self._changed:
            del self._configuration[key]
            if self.style is Style.CLASSIC:
                self.configure({})

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Changes keys at the top of the configuration, and tells those that are subscribed to it."""
        with self._changed:
            self._configuration.update(changes)
            told = {"configurationUpdateEvent": {"componentName": self.component, "keyPath": list(changes)}}
            for one in self._subscriptions:
                if one.source == _CONFIGURATION:
                    self._answer(one.connection, one.stream, "ConfigurationUpdateEvents", told)

    def rotate_secret(self, arn: str, value: str | bytes | Mapping[str, str | bytes]) -> None:
        """A new value in AWS; the device fetches it when a component asks again. See `faults.offline`."""
        with self._changed:
            self._in_aws[arn] = _by_label(value)

    def keep_secret(self, arn: str, value: str | bytes | Mapping[str, str | bytes]) -> None:
        """Puts a secret there, or a new value in its place."""
        with self._changed:
            self._secrets[arn] = _by_label(value)

    def published(
        self,
        topic: str | None = None,
        *,
        side: Side | None = None,
        count: int = 1,
        timeout_seconds: float = WAIT_SECONDS,
    ) -> list[Published]:
        """What components published, once there are `count`; raises AssertionError when time is up."""

        def matching() -> list[Published]:
            return [one for one in self._published if topic in {None, one.topic} and side in {None, one.side}]

        self.wait_until(
            lambda: len(matching()) >= count, f"{count} published on {topic}", timeout_seconds=timeout_seconds
        )
        with self._changed:
            return matching()

    async def until_published(
        self,
        topic: str | None = None,
        *,
        side: Side | None = None,
        count: int = 1,
        timeout_seconds: float = WAIT_SECONDS,
    ) -> list[Published]:
        """`published` for an event loop, which is left free meanwhile."""
        return await asyncio.to_thread(
            self.published, topic, side=side, count=count, timeout_seconds=timeout_seconds
        )

    def subscribed(self, *topics: str, side: Side = Side.LOCAL) -> None:
        """Waits until clients are subscribed to all of them."""

        def all_there() -> bool:
            return set(topics) <= {one.topic for one in self._subscriptions if one.source == side}

        self.wait_until(all_there, f"subscriptions to {', '.join(topics)}")

    async def until_subscribed(self, *topics: str, side: Side = Side.LOCAL) -> None:
        await asyncio.to_thread(self.subscribed, *topics, side=side)

    def wait_until(
        self, condition: Callable[[], bool], what: str, *, timeout_seconds: float = WAIT_SECONDS
    ) -> None:
        """Waits for anything that a component's doing changes here, such as `states` or `connections`."""
        with self._changed:
            if not self._changed.wait_for(condition, timeout_seconds):
                raise AssertionError(
                    f"not within {timeout_seconds:g} s: {what}. Asked for: {self.operations}; "
                    f"published: {[one.topic for one in self._published]}"
                )

    # Connections.

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        name = f"nucleus {target.__name__}"
        thread = threading.Thread(target=target, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # the daemon has ended
            with self._changed:
                self._open.add(connection)
                self._changed.notify_all()
                self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._greet(connection):
                self._converse(connection)
            elif not self.faults.curt:
                read(connection)  # the component hangs up; it might not see the refusal if we did it first
        finally:
            with self._changed:
                self._open.discard(connection)
                self._subscriptions = [one for one in self._subscriptions if one.connection is not connection]
                _hang_up(connection)
                connection.close()
                self._changed.notify_all()

    def _greet(self, connection: socket.socket) -> bool:
        frame = read(connection)
        if not isinstance(frame, Frame) or frame.kind != Kind.CONNECT or self.faults.mute:
            return False
        welcome = frame.headers.get(":version") == "0.1.0" and frame.json().get("authToken") == self._token
        flags = Flags.ACCEPTED if welcome else Flags.NONE
        with self._changed:
            self.connections += welcome
            self.refused_connections += not welcome
            if welcome or not self.faults.curt:
                self._send(connection, Frame(kind=Kind.CONNECT_ACK, flags=flags))
            self._changed.notify_all()
        return welcome

    def _converse(self, connection: socket.socket) -> None:
        limit = LITE_PACKET_BYTES if self.style is Style.LITE else None
        while True:
            match read(connection, limit=limit):
                case None | Oversized():
                    return
                case Frame() as frame if frame.flags & Flags.TERMINATE:
                    self._end_stream(connection, frame.stream)
                case Frame() as frame if frame.kind == Kind.APPLICATION:
                    self._asked(connection, frame)
                case Frame():
                    pass  # a ping

    def _end_stream(self, connection: socket.socket, stream: int) -> None:
        with self._changed:
            self._subscriptions = [
                one for one in self._subscriptions if (one.connection, one.stream) != (connection, stream)
            ]
            self._changed.notify_all()

    def _send(self, connection: socket.socket, frame: Frame) -> None:
        with self._changed:
            try:
                connection.sendall(frame.encode())
            except OSError:
                return  # the component has hung up; its thread will notice

    def _answer(self, connection: socket.socket, stream: int, form: str, payload: Mapping[str, Any]) -> None:
        headers = {":content-type": "application/json", "service-model-type": TYPE_PREFIX + form}
        frame = Frame(
            kind=Kind.APPLICATION, stream=stream, headers=headers, payload=json.dumps(payload).encode()
        )
        self._send(connection, frame)

    def _refuse(self, connection: socket.socket, stream: int, refusal: Refused) -> None:
        content = {"_message": refusal.message, "_errorCode": refusal.name}
        if self.style is Style.CLASSIC:
            content["message"] = refusal.message
        headers = {":content-type": "application/json", "service-model-type": TYPE_PREFIX + refusal.name}
        frame = Frame(
            kind=Kind.ERROR,
            flags=Flags.TERMINATE,
            stream=stream,
            headers=headers,
            payload=json.dumps(content).encode(),
        )
        self._send(connection, frame)

    # Operations.

    def _asked(self, connection: socket.socket, frame: Frame) -> None:
        operation = str(frame.headers["operation"]).removeprefix(TYPE_PREFIX)
        with self._changed:
            self.operations.append(operation)
            if operation in self.faults.cut_off:
                self._send(
                    connection, Frame(kind=Kind.APPLICATION, flags=Flags.TERMINATE, stream=frame.stream)
                )
            elif operation not in self.faults.silent:
                try:
                    answer, after = self._carry_out(connection, frame.stream, operation, frame.json())
                except Refused as refusal:
                    self._refuse(connection, frame.stream, refusal)
                else:
                    self._answer(connection, frame.stream, f"{operation}Response", answer)
                    after()
            self._changed.notify_all()

    def _carry_out(
        self, connection: socket.socket, stream: int, operation: str, request: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], Callable[[], object]]:
        """The answer, and what happens once it is sent."""
        if operation in self.faults.refused:
            raise Refused("ServiceError", f"{operation} failed")
        resource = request.get("topic") or request.get("topicName") or request.get("secretId") or ""
        world.check_access(self.access_control, operation, resource)
        match operation:
            case "SubscribeToTopic" | "SubscribeToIoTCore":
                side = _side(operation)
                return {}, lambda: self._subscribe(connection, stream, source=side, topic=resource)
            case "SubscribeToConfigurationUpdate":
                return {}, lambda: self._subscribe(connection, stream, source=_CONFIGURATION, topic="")
            case "PublishToTopic" | "PublishToIoTCore":
                if operation == "PublishToIoTCore":
                    self._hold()
                published = world.of_request(_side(operation), request)
                self._published.append(published)
                return {}, lambda: self._deliver(published)
            case "GetConfiguration":
                return self._configured(request.get("keyPath") or ()), _nothing
            case "GetSecretValue" if self.style is Style.CLASSIC:
                if request.get("refresh"):
                    self._fetch(resource)
                return world.secret(self._secrets, request), _nothing
            case "UpdateState":
                self.states.append(request["state"])
                return {}, _nothing
            case _:
                raise Refused("ServiceError", f"{operation} is not implemented")

    def _hold(self) -> None:
        """Until AWS IoT Core acknowledges it; the classic nucleus has a spooler for more."""
        if self.faults.holds_acknowledgements and self.style is Style.LITE:
            if self._unacknowledged >= LITE_UNACKNOWLEDGED:
                raise Refused("ServiceError", "Failed to publish the message.")
            self._unacknowledged += 1

    def _fetch(self, arn: str) -> None:
        if self.faults.offline:
            raise Refused("ServiceError", "the secret could not be fetched")
        if arn in self._in_aws:
            self._secrets[arn] = self._in_aws.pop(arn)

    def _subscribe(self, connection: socket.socket, stream: int, *, source: Side | str, topic: str) -> None:
        self._subscriptions.append(
            Subscription(connection=connection, stream=stream, source=source, topic=topic)
        )

    def _configured(self, path: Sequence[str]) -> dict[str, Any]:
        value = world.configured(
            self._configuration, path, untyped=self.faults.untyped, doubles=self._makes_doubles
        )
        return {"componentName": self.component, "value": value}

    def _deliver(self, published: Published) -> int:
        form, payload = world.event(published, doubles=self._makes_doubles)
        with self._changed:
            if self.faults.deaf or published.side in self.faults.deaf_sides:
                return 0
            listening = [
                one
                for one in self._subscriptions
                if one.source == published.side and world.listens(one.topic, published.topic)
            ]
            for one in listening:
                self._answer(one.connection, one.stream, form, payload)
            return len(listening)


def _side(operation: str) -> Side:
    return Side.IOT_CORE if operation.endswith("IoTCore") else Side.LOCAL


def _by_label(value: str | bytes | Mapping[str, str | bytes]) -> Mapping[str, str | bytes]:
    return {"AWSCURRENT": value} if isinstance(value, str | bytes) else value


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has been hung up already


def _join(thread: threading.Thread) -> None:
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive(), f"{thread.name} did not end"


def _nothing() -> None:
    """No more happens after the answer."""
