"""Opens clients of the broker: for the connector, `send`, `check`, the demo and functions of V1.

From the settings it makes a session with acknowledged subscriptions, in the newest version of MQTT that
the broker speaks, or raises an error. `describe` turns the error into a sentence.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.mqtt.availability import will
from twilio_notifications.adapters.mqtt.inflow import nothing_follows
from twilio_notifications.adapters.mqtt.protocol import Introduction, Version
from twilio_notifications.adapters.mqtt.session import ConnectionEnded, Session
from twilio_notifications.config import ProtocolVersion
from twilio_notifications.core.errors import BrokerRefused, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from twilio_notifications.adapters.mqtt.protocol import RequestProperties
    from twilio_notifications.config import MqttSettings
    from twilio_notifications.ports import Envelope, Event, Events, Inbound

FALL_BACK_SECONDS = 5.0
"""The seconds for which a CONNECT of MQTT 5 may stay unanswered before 3.1.1 is tried. Some brokers (such as
amqtt) do not answer a version that they do not know; a slow link answers well within this time."""

OpeningFailure = OSError | TransportError
"""Why there is no connection: OSError covers time-outs, name resolution, refused connections and TLS."""


def no_envelope(_asked: RequestProperties) -> None:
    """Keeps nothing: for a client that takes no requests."""


def acknowledge(inbound: Inbound) -> None:
    """Acknowledges a message that the caller does not expect, and does nothing else with it."""
    inbound.acknowledge()


class Unobserved:
    """Takes the events of a client that is too short-lived for a log."""

    def tell(self, event: Event) -> None:
        """Does nothing with the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One client of a broker: the broker's address, what CONNECT says, and the callbacks for what comes."""

    host: str
    port: int
    introduction: Introduction
    acknowledge_seconds: float
    on_inbound: Callable[[Inbound], None]
    on_new_session: Callable[[], asyncio.Future[None] | None]
    events: Events
    envelope: Callable[[RequestProperties], Envelope | None] = no_envelope
    """Chooses those of a request's properties that are kept with the request."""


def connector_client(
    settings: MqttSettings,
    *,
    on_inbound: Callable[[Inbound], None],
    on_new_session: Callable[[], asyncio.Future[None] | None] = nothing_follows,
    events: Events,
    envelope: Callable[[RequestProperties], Envelope | None] = no_envelope,
) -> Client:
    """The client for the connector, whose session outlives its connections.

    The session calls `on_new_session` when the broker has no session of ours, so that the packets of the last
    session will not come again. Before any message can arrive, the session waits for the future that it
    returns, for a limited time.
    """
    # 3.1.1 has no expiry: a session that the broker should not keep must be a clean one.
    expiry = settings.session_expiry_seconds or None
    return Client(
        host=settings.broker.host,
        port=settings.broker.port,
        introduction=replace(
            _introduction(settings, settings.client_id, expiry=expiry), will=will(settings.availability)
        ),
        acknowledge_seconds=settings.acknowledge_seconds,
        on_inbound=on_inbound,
        on_new_session=on_new_session,
        events=events,
        envelope=envelope,
    )


def _introduction(settings: MqttSettings, client_id: str, *, expiry: int | None) -> Introduction:
    password = settings.broker.password
    return Introduction(
        client_id=client_id,
        username=settings.broker.username,
        password=None if password is None else password.reveal().encode(),
        keep_alive_seconds=settings.keepalive_seconds,
        session_expiry_seconds=expiry,
        receive_maximum=settings.receive_maximum,
    )


async def open_visitor(
    settings: MqttSettings,
    client_id: str,
    *,
    topics: Sequence[str] = (),
    on_inbound: Callable[[Inbound], None] = acknowledge,
) -> Session:
    """A session next to the connector's, which ends with its connection.

    `client_id` must differ from the connector's: otherwise the broker ends the connector's connection. Raises
    OSError or TransportError.
    """
    client = Client(
        host=settings.broker.host,
        port=settings.broker.port,
        introduction=_introduction(settings, client_id, expiry=None),
        acknowledge_seconds=settings.acknowledge_seconds,
        on_inbound=on_inbound,
        on_new_session=nothing_follows,
        events=Unobserved(),
    )
    return await open_session(settings, client, topics=topics)


async def open_session(
    settings: MqttSettings,
    client: Client,
    *,
    topics: Sequence[str],
    wanted: Sequence[Version] | None = None,
) -> Session:
    """A session with acknowledged subscriptions, in the first `wanted` version that the broker speaks.

    `wanted` None: the versions of the configuration. Raises OSError or TransportError.
    """
    candidates = versions(settings.protocol) if wanted is None else wanted
    limit = settings.connect_timeout_seconds
    for version in candidates[:-1]:
        try:
            return await _open(Session(client, version), settings, topics, min(FALL_BACK_SECONDS, limit))
        except (ConnectionEnded, TimeoutError):
            continue  # the broker does not answer this version, but may answer an older one
        except BrokerRefused as refused:
            if not refused.unsupported_version:
                raise
    return await _open(Session(client, candidates[-1]), settings, topics, limit)


async def _open(session: Session, settings: MqttSettings, topics: Sequence[str], limit: float) -> Session:
    try:
        async with asyncio.timeout(limit):
            # The files are read for each connection, so that a renewed certificate needs no restart.
            await session.open(tls_context(settings))
            if topics:  # the broker may forbid a client that only publishes to subscribe
                await session.subscribe(topics)
    except BaseException:
        await session.close()
        raise
    return session


def versions(protocol: ProtocolVersion, *, shared: bool = False) -> tuple[Version, ...]:
    """The versions to try, the newest first; only MQTT 5 has shared subscriptions."""
    if shared:
        return (Version.V5,)
    match protocol:
        case ProtocolVersion.AUTO:
            return (Version.V5, Version.V311)
        case ProtocolVersion.V5:
            return (Version.V5,)
        case ProtocolVersion.V311:
            return (Version.V311,)
        case _:
            assert_never(protocol)


def tls_context(settings: MqttSettings) -> ssl.SSLContext | None:
    """The context for TLS, which always checks certificate and host name; None for a connection without TLS.

    It is not `ssl.create_default_context`, which writes the session keys to the file that SSLKEYLOGFILE
    names. From Python 3.13 on, that function also refuses private authorities without a key usage in their
    certificate (VERIFY_X509_STRICT), such as those made by mosquitto-tls(7). All else is as in that
    function, for each Python. Raises TransportError where a file cannot be used.
    """
    if not settings.broker.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Python sets this by default, but Debian's Python uses a file of the system, which may allow older
    # versions.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if settings.ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        with _naming(settings.ca_file):
            context.load_verify_locations(settings.ca_file)
    if settings.certificate_file is not None:
        with _naming(settings.certificate_file, settings.key_file):
            # OpenSSL ignores a needless pass phrase; without the argument, it would ask for one at the
            # terminal.
            context.load_cert_chain(settings.certificate_file, settings.key_file, password="")
    if settings.alpn:
        context.set_alpn_protocols(list(settings.alpn))
    return context


@contextmanager
def _naming(*files: Path | None) -> Iterator[None]:
    """Turns an OSError about the files into a TransportError that names them; OpenSSL's error does not."""
    try:
        yield
    except OSError as error:
        names = " and ".join(str(file) for file in files)
        raise TransportError(
            f"{names} cannot be used ({error}): check [transport] ca_file, certificate_file and key_file"
        ) from error


def describe(error: OpeningFailure, settings: MqttSettings) -> str:
    """The sentence for people about the failure: what is wrong, and what to do."""
    port = settings.broker.port
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"the broker's certificate is not accepted: {error.verify_message}; "
                "check [transport] ca_file and the host name in url"
            )
        case ssl.SSLError():
            return f"TLS failed: {error.reason or error}; does the broker speak TLS on port {port}?"
        case ConnectionRefusedError():
            return f"nothing listens there ({error}); is the broker running?"
        case ConnectionError() if settings.broker.tls:
            return f"TLS failed: {error}; does the broker speak TLS on port {port}?"
        case TimeoutError():
            return f"no answer within {settings.connect_timeout_seconds:g} s"
        case ConnectionEnded() if settings.broker.tls:
            # With TLS 1.3, a broker refuses a client's certificate only after the handshake.
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
