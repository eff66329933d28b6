"""Keeps a session with the broker: connects, falls back to MQTT 3.1.1, connects again with growing pauses.

A broker that is absent or goes away is waited for as long as it takes; the log has one line for each change,
not one for each try. What arrives is handed over at once; acknowledging it is the receiver's decision.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.mqtt.session import ConnectionEnded, Endpoint, Session, Version
from twilio_notifications.config import ProtocolVersion
from twilio_notifications.core.errors import BrokerRefused, NotAcknowledged, TransportError
from twilio_notifications.core.retry import backoff_ceiling
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from twilio_notifications.config import TransportSettings
    from twilio_notifications.ports import Clock, Inbound, Observer, Origin

FALL_BACK_SECONDS = 5.0
"""How long an MQTT 5 CONNECT may go unanswered before 3.1.1 is tried. Some brokers (amqtt among them) do not
answer a version they do not know; a slow link answers well within this."""

STEADY_SECONDS = 10.0
"""A connection that lasted this long was a good one: the next pause is the shortest again. Two connectors
with one client_id, each throwing out the other, stay below it and slow down."""

CLOSE_SECONDS = 2.0
"""How long a goodbye may take; a TLS peer that is gone would otherwise keep us for its time-out."""

Failure = OSError | TransportError
"""Why there is no connection: OSError covers time-outs, name resolution, refused connections and TLS."""


def _nobody() -> None:
    """Who is told as long as nobody is named."""


class MqttTransport:
    """The transport over MQTT, for one client identifier."""

    def __init__(  # noqa: PLR0913 - two of them are who is told of what
        self,
        settings: TransportSettings,
        *,
        topics: Sequence[str],
        clock: Clock,
        observer: Observer,
        jitter: Callable[[], float],
        on_new_session: Callable[[], asyncio.Future[None] | None] = _nobody,
        on_connection_ended: Callable[[], None] = _nobody,
    ) -> None:
        """`on_new_session`: the broker has no session of ours; the packets of the last one are over.

        What it returns is waited for, but not for ever, before anything can arrive.
        `on_connection_ended` is called between two connections: nothing of the last one arrives after it,
        and nothing of the next one before it.
        """
        self._settings = settings
        self._topics = topics
        self._clock = clock
        self._observer = observer
        self._jitter = jitter
        self._on_new_session = on_new_session
        self._on_connection_ended = on_connection_ended
        self._versions = versions(settings.protocol)
        self._session: Session | None = None
        self._last_told = ""

    async def run(self, *, on_inbound: Callable[[Inbound], None], on_ready: Callable[[], None]) -> None:
        """Stays connected until cancelled."""
        failures = 0
        while True:
            started = self._clock.now()
            try:
                session = await self._connect(on_inbound)
            except (OSError, TransportError) as error:
                self._tell("broker_unreachable", error=describe(error, self._settings))
            else:
                await self._stay(session, on_ready)
                if self._clock.now() - started >= STEADY_SECONDS:
                    failures = 0
            self._on_connection_ended()
            failures += 1
            await self._clock.sleep(self._pause(failures))

    def publish(self, topic: str, payload: bytes, *, origin: Origin | None = None) -> asyncio.Future[None]:  # noqa: ARG002 - a broker has one side
        """Done with the broker's acknowledgement; fails with NotAcknowledged while there is no connection."""
        if self._session is not None:
            return self._session.publish(topic, payload)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(NotAcknowledged("there is no connection to the broker"))
        return future

    async def close(self) -> None:
        """Says goodbye; the broker keeps the session and what arrives for it."""
        if self._session is not None:
            session, self._session = self._session, None
            await close_session(session)

    async def _stay(self, session: Session, on_ready: Callable[[], None]) -> None:
        self._session = session
        self._tell("broker_connected", protocol=_NAMES[session.version])
        on_ready()
        reason = await asyncio.shield(session.ended)
        if self._session is session:  # otherwise we closed it ourselves
            self._session = None
            self._tell("broker_lost", error=reason)
        await close_session(session)

    async def _connect(self, on_inbound: Callable[[Inbound], None]) -> Session:
        session = await open_session(
            self._settings,
            endpoint(self._settings),
            versions=self._versions,
            topics=self._topics,
            on_inbound=on_inbound,
            on_new_session=self._on_new_session,
        )
        # It answered: do not ask in vain at each reconnection. The others stay, for the day it is replaced.
        others = (version for version in self._versions if version is not session.version)
        self._versions = (session.version, *others)
        return session

    def _pause(self, failures: int) -> float:
        """Doubling up to the maximum; half of it at random, so that a fleet does not knock at once."""
        settings = self._settings
        initial, maximum = settings.reconnect_initial_seconds, settings.reconnect_maximum_seconds
        ceiling = backoff_ceiling(count=failures, initial=initial, maximum=maximum)
        return ceiling * (0.5 + 0.5 * self._jitter())

    def _tell(self, event: str, **fields: object) -> None:
        told = f"{event} {fields}"
        if told != self._last_told:
            level = Level.INFO if event == "broker_connected" else Level.WARNING
            self._observer.event(event, level=level, broker=self._settings.address, **fields)
        self._last_told = told


_NAMES = {Version.V5: "MQTT 5", Version.V311: "MQTT 3.1.1"}


async def open_session(
    settings: TransportSettings,
    client: Endpoint,
    *,
    versions: Sequence[Version],
    topics: Sequence[str],
    on_inbound: Callable[[Inbound], None],
    on_new_session: Callable[[], asyncio.Future[None] | None] = _nobody,
) -> Session:
    """A session with its subscriptions acknowledged, in the first of `versions` that the broker speaks.

    Raises OSError or TransportError; `describe` makes a sentence of either.
    """
    limit = settings.connect_timeout_seconds
    for version in versions[:-1]:
        session = Session(client, version=version, on_inbound=on_inbound, on_new_session=on_new_session)
        try:
            return await _opened(session, settings, topics, min(FALL_BACK_SECONDS, limit))
        except (ConnectionEnded, TimeoutError):
            continue  # no answer to this version: perhaps to an older one
        except BrokerRefused as refused:
            if not refused.unsupported_version:
                raise
    session = Session(client, version=versions[-1], on_inbound=on_inbound, on_new_session=on_new_session)
    return await _opened(session, settings, topics, limit)


async def _opened(
    session: Session, settings: TransportSettings, topics: Sequence[str], limit: float
) -> Session:
    try:
        async with asyncio.timeout(limit):
            # Read anew for each connection, so that a renewed certificate is used without a restart.
            await session.open(tls_context(settings))
            if topics:  # who only publishes may not be allowed to subscribe
                await session.subscribe(topics)
    except BaseException:
        await close_session(session)
        raise
    return session


def versions(protocol: ProtocolVersion) -> tuple[Version, ...]:
    """The versions to try, the newest first."""
    match protocol:
        case ProtocolVersion.AUTO:
            return (Version.V5, Version.V311)
        case ProtocolVersion.V5:
            return (Version.V5,)
        case ProtocolVersion.V311:
            return (Version.V311,)
        case _:
            assert_never(protocol)


def endpoint(settings: TransportSettings) -> Endpoint:
    """The broker of the configuration, with a session that outlives the connection."""
    return Endpoint(
        host=settings.host,
        port=settings.port,
        client_id=settings.client_id,
        username=settings.username,
        password=settings.password,
        keepalive_seconds=settings.keepalive_seconds,
        # 3.1.1 has no expiry: a session that shall not be kept must be a clean one.
        session_expiry_seconds=settings.session_expiry_seconds or None,
        receive_maximum=settings.receive_maximum,
    )


def tls_context(settings: TransportSettings) -> ssl.SSLContext | None:
    """Certificate and host name are always checked; None for a connection without TLS."""
    if not settings.tls:
        return None
    with _naming(settings.ca_file):
        context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.certificate_file is not None:
        with _naming(settings.certificate_file, settings.key_file):
            # A pass phrase that is not needed is not looked at; without one OpenSSL would ask the terminal.
            context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
    if settings.alpn:
        context.set_alpn_protocols(list(settings.alpn))
    return context


@contextmanager
def _naming(*files: Path | None) -> Iterator[None]:
    """Turns what goes wrong with the files into an error that names them; OpenSSL's does not."""
    try:
        yield
    except OSError as error:
        names = " and ".join(str(file) for file in files)
        raise TransportError(
            f"{names} cannot be used ({error}): check [transport] ca_file, certificate_file and key_file"
        ) from error


def describe(error: Failure, settings: TransportSettings) -> str:
    """What is wrong and what to do, in one line."""
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"the broker's certificate is not accepted: {error.verify_message}; "
                "check [transport] ca_file and the host name in url"
            )
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}; does the broker speak TLS on port {settings.port}?"
        case ConnectionRefusedError():
            return f"nobody listens there ({error}); is the broker running?"
        case ConnectionError() if settings.tls:
            return f"TLS failed: {error}; does the broker speak TLS on port {settings.port}?"
        case TimeoutError():
            return f"no answer within {settings.connect_timeout_seconds:g} s"
        case ConnectionEnded() if settings.tls:
            # With TLS 1.3 a client's certificate is refused after the handshake, and gmqtt does not say why.
            is_shown = settings.certificate_file is not None
            certificate = "take ours (it may have expired)" if is_shown else "want a client certificate"
            return (
                f"{error}; does it {certificate} ([transport] certificate_file), a user and password, "
                "or another protocol version?"
            )
        case ConnectionEnded():
            return (
                f"{error}; does it want TLS (mqtts://), a client certificate, a user and password, "
                "or another protocol version?"
            )
        case _:
            return str(error)


async def close_session(session: Session) -> None:
    """A goodbye that fails changes nothing: the connection is gone either way."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await session.close()
    except OSError:  # TimeoutError is one
        return
