"""The table of all settings: section, key, and the kind of value. The only list of what may be configured.

Which of them have a default, and which, stands in config.default.toml; a test proves that the two agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.config.kinds import (
    ApiKeySid,
    BrokerUrl,
    Choice,
    ConnectorArn,
    Destinations,
    FilePath,
    JournalUrl,
    ListenAddress,
    Seconds,
    Switch,
    Text,
    TextList,
    VoiceLocations,
    WebUrl,
    WholeNumber,
)
from twilio_notifications.config.settings import (
    LogFormat,
    LogLevel,
    Ordering,
    ProtocolVersion,
    PubSub,
    SecretOrigin,
    StatusDetail,
    StatusesTo,
    TransportKind,
)
from twilio_notifications.core.parameters import VERSIONS
from twilio_notifications.core.policy import LONGEST_PERIOD_SECONDS, Exceeding, Period, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.config.kinds import Kind

PARAMETERS = "connector.parameters."
"""What the names of the published parameters begin with; core.parameters knows the rest of them."""

_SHARED = ("$share/", "$queue/", "$exclusive/")
"""Shared and exclusive subscriptions (MQTT 5, 4.8.2, and EMQX): messages arrive on the name behind the group
or the prefix. Connectors that share a topic cannot keep the order of a recipient's requests."""

_COUNT = WholeNumber(minimum=0, maximum=1_000_000_000)

KEYS: Mapping[str, Mapping[str, Kind]] = {
    "connector": {
        "version": WholeNumber(minimum=VERSIONS[0], maximum=VERSIONS[-1]),
        "arn": ConnectorArn(),
        "definition": FilePath(),
    },
    "transport": {
        "kind": Choice(words=TransportKind),
        "url": BrokerUrl(),
        "protocol": Choice(words=ProtocolVersion),
        "client_id": Text(),
        "ca_file": FilePath(),
        "certificate_file": FilePath(),
        "key_file": FilePath(),
        "alpn": TextList(),
        # Wildcards belong to filters; a status is published on a topic (MQTT 5, 4.7.1).
        "topic_prefix": Text(may_be_empty=True, without="+#", not_beginning=_SHARED),
        "text_topic": Text(without="+#", not_beginning=_SHARED),
        "call_topic": Text(without="+#", not_beginning=_SHARED),
        "status_topic": Text(without="+#", not_beginning=_SHARED),
        "pubsub": Choice(words=PubSub),
        "statuses_to": Choice(words=StatusesTo),
        "probe_seconds": Seconds(minimum=0),
        "answer_seconds": Seconds(),
        "acknowledge_seconds": Seconds(),
        "broker_probe_seconds": Seconds(minimum=0),
        "keepalive_seconds": Seconds(maximum=65_535, whole=True),  # two bytes (MQTT 5, 3.1.2.10)
        "connect_timeout_seconds": Seconds(),
        "session_expiry_seconds": Seconds(minimum=0, whole=True),
        "receive_maximum": WholeNumber(minimum=1, maximum=65_535),  # two bytes, never 0 (MQTT 5, 3.1.2.11.3)
        "reconnect_initial_seconds": Seconds(),
        "reconnect_maximum_seconds": Seconds(),
    },
    "secrets": {
        "source": Choice(words=SecretOrigin),
        "variable": Text(without="="),
        "second_variable": Text(without="="),
        "path": FilePath(must_exist=False),  # it may lie in $CREDENTIALS_DIRECTORY, or come later
        "second_path": FilePath(must_exist=False),
        "staging_label": Text(),
        "second_label": Text(),
        "json_key": Text(),
        "api_key_sid": ApiKeySid(),
        "refresh_seconds": Seconds(minimum=0),
        "copy_path": FilePath(must_exist=False),
        "key_file": FilePath(),
    },
    "journal": {
        "url": JournalUrl(),
        "retention_seconds": Seconds(minimum=0),
        "maximum_waiting": WholeNumber(minimum=1, maximum=1_000_000_000),
        "maximum_bytes": WholeNumber(minimum=1_000_000, maximum=1_000_000_000_000_000),
    },
    "twilio": {
        "base_url": WebUrl(),
        "concurrency": WholeNumber(minimum=1, maximum=1_000),
        "timeout_seconds": Seconds(),
        "ca_file": FilePath(),
    },
    "delivery": {
        "lifetime_seconds": Seconds(),
        "ordering": Choice(words=Ordering),
        "backoff_initial_seconds": Seconds(),
        "backoff_maximum_seconds": Seconds(),
        "settle_seconds": Seconds(minimum=0),
        "deduplicate_by_id_seconds": Seconds(minimum=0),
        "credential_wait_seconds": Seconds(),
        "credential_probe_seconds": Seconds(),
        "drain_seconds": Seconds(minimum=0),
    },
    "calls": {"time_limit_seconds": Seconds(maximum=86_400)},
    "limits": {
        "paused": Switch(),
        "allowed_texts": Destinations(),
        "denied_texts": Destinations(),
        "allowed_calls": Destinations(),
        "denied_calls": Destinations(),
        "allowed_voice_locations": VoiceLocations(),
        "requests_per_recipient": _COUNT,
        "recipient_period_seconds": Seconds(maximum=LONGEST_PERIOD_SECONDS),
        **{f"{unit}_per_{period}": _COUNT for unit in Unit for period in Period},
        "identical_text_seconds": Seconds(minimum=0, maximum=LONGEST_PERIOD_SECONDS),
        "when_exceeded": Choice(words=Exceeding),
    },
    "status": {"detail": Choice(words=StatusDetail)},
    "metrics": {"listen": ListenAddress()},
    "log": {"level": Choice(words=LogLevel), "format": Choice(words=LogFormat)},
}

SETTINGS: Mapping[str, Kind] = {
    f"{section}.{key}": kind for section, kinds in KEYS.items() for key, kind in kinds.items()
}
"""The same by dotted name, as problems name them: "log.level"."""
