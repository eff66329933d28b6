"""The settings as the rest of the program sees them: frozen, complete and valid.

Holds no defaults (they stand in config.default.toml alone), reads nothing and judges nothing.
Whatever is secret is kept out of every repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from twilio_notifications.core.contract import Topics

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.core.model import Secret
    from twilio_notifications.core.parameters import Parameters
    from twilio_notifications.core.policy import Limits


class TransportKind(StrEnum):
    """Where requests come from: any MQTT broker, or a Greengrass V2 nucleus."""

    MQTT = "mqtt"
    GREENGRASS = "greengrass"


class PubSub(StrEnum):
    """On which sides of a Greengrass V2 nucleus requests are expected."""

    LOCAL = "local"
    IOT_CORE = "iot_core"
    BOTH = "both"


class StatusesTo(StrEnum):
    """Where a status goes on a Greengrass V2 nucleus: where its request came from, or to every side."""

    ORIGIN = "origin"
    BOTH = "both"


class ProtocolVersion(StrEnum):
    """The MQTT version spoken; `AUTO` leaves it to the broker."""

    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


class SecretOrigin(StrEnum):
    """Where the auth token comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    AWS = "aws"
    GREENGRASS = "greengrass"


class JournalPlace(StrEnum):
    """Why the journal is where it is: by default, by the default of an earlier version, or as named."""

    DEFAULT = "default"
    EARLIER_DEFAULT = "earlier default"
    NAMED = "named"


class Ordering(StrEnum):
    """Among which requests the order of arrival is kept."""

    RECIPIENT = "recipient"
    NONE = "none"


class StatusDetail(StrEnum):
    """Whether a status is the published document alone, or carries `detail` in addition."""

    DOCUMENT = "document"
    EXTENDED = "extended"


class LogLevel(StrEnum):
    """The least important records that are written; the names are those of `logging`."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class LogFormat(StrEnum):
    """Whom the log is for: people, or programs (one JSON object a line)."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSettings:
    """The version resolved from `version`, `arn` or the definition; the other two as they were given."""

    version: int
    arn: str | None
    definition: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """How the broker is reached. The URL is taken apart; user and password are decoded."""

    kind: TransportKind
    host: str
    port: int
    tls: bool
    # Hidden too: some brokers take a token as user name.
    username: str | None = field(repr=False)
    password: Secret | None
    protocol: ProtocolVersion
    client_id: str
    ca_file: Path | None
    certificate_file: Path | None
    key_file: Path | None
    alpn: tuple[str, ...]
    topic_prefix: str
    text_topic: str
    call_topic: str
    status_topic: str
    pubsub: PubSub
    statuses_to: StatusesTo
    probe_seconds: float
    answer_seconds: float
    acknowledge_seconds: float
    broker_probe_seconds: float
    keepalive_seconds: int
    connect_timeout_seconds: float
    session_expiry_seconds: int
    receive_maximum: int
    reconnect_initial_seconds: float
    reconnect_maximum_seconds: float

    @property
    def topics(self) -> Topics:
        """The topics with the prefix in front."""
        return Topics.with_prefix(
            self.topic_prefix, text=self.text_topic, call=self.call_topic, status=self.status_topic
        )

    @property
    def address(self) -> str:
        """The URL without user and password, for people and logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretsSettings:
    """Where the auth token comes from, and a second one for the time of a rotation.

    `path` is set where `source` is `FILE`, `key_file` where it is `AWS`. What is `as_given` is what was
    written: a relative name is looked up in $CREDENTIALS_DIRECTORY before the path.
    """

    source: SecretOrigin
    variable: str
    second_variable: str | None
    path: Path | None
    path_as_given: str | None
    second_path: Path | None
    second_path_as_given: str | None
    staging_label: str
    second_label: str | None
    json_key: str | None
    api_key_sid: str | None
    refresh_seconds: float
    copy_path: Path
    key_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings:
    """The journal's file, as an absolute path; 0 for `retention_seconds` keeps no finished request.

    The folder of a journal at its default place is made where it is missing.
    """

    path: Path
    place: JournalPlace
    retention_seconds: float
    maximum_waiting: int
    maximum_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioSettings:
    """How Twilio's API is reached; `base_url` has no slash at its end."""

    base_url: str
    concurrency: int
    timeout_seconds: float
    ca_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """How long requests live, wait and are retried; all in seconds."""

    lifetime_seconds: float
    ordering: Ordering
    backoff_initial_seconds: float
    backoff_maximum_seconds: float
    settle_seconds: float
    deduplicate_by_id_seconds: float
    credential_wait_seconds: float
    credential_probe_seconds: float
    drain_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """How calls are made."""

    time_limit_seconds: float
    """After so long Twilio ends a call, whatever its document does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where the page of metrics is served, as host and port; None: nowhere, and nothing is counted."""

    listen: tuple[str, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSettings:
    """What a published status holds."""

    detail: StatusDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is written to standard error."""

    level: LogLevel
    format: LogFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration. `warnings` are sentences for the log: it works, but look at it."""

    connector: ConnectorSettings
    parameters: Parameters
    transport: TransportSettings
    secrets: SecretsSettings
    journal: JournalSettings
    twilio: TwilioSettings
    delivery: DeliverySettings
    calls: CallSettings
    limits: Limits
    status: StatusSettings
    metrics: MetricsSettings
    log: LogSettings
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """What a program that speaks to the connector has to know."""

    transport: TransportSettings
    log: LogSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFileSettings:
    """What a person who reads or repairs the journal has to have configured."""

    journal: JournalSettings
    lifetime_seconds: float
    """For a request that is sent again."""
    detail: StatusDetail


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPlace:
    """Where the connector's secret is, and which one: `arn`, where the configuration names it.

    `path` and `path_as_given` are as in SecretsSettings.
    """

    source: SecretOrigin
    variable: str
    path: Path | None
    path_as_given: str | None
    staging_label: str
    arn: str | None
