"""The component's default configuration, and the needs of a configuration at the nucleus."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.config import PubSub, SecretOrigin
from twilio_notifications.config.component import presets, read_component
from twilio_notifications.config.sections.connector import PARAMETERS
from twilio_notifications.config.sources import defaults
from twilio_notifications.core.contract import PROBE_TOPIC, Topics
from twilio_notifications.core.parameters import PublishedParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

COMPONENT = "TwilioNotifications"

RESOURCE_ID = "TwilioAuthToken"
"""The name of the group's secret resource in Greengrass V1.

The published contract requires one; V2 ignores it.
"""

_HEARD = ("text_topic", "call_topic", "cancel_topic", "acknowledge_topic")

Configuration = dict[str, object]

JOURNAL_FOLDER = "journal"
"""A folder below the work folder, and the only one there into which a confined connector may write."""


class NucleusKind(StrEnum):
    """The two nuclei of Greengrass V2."""

    CLASSIC = "classic"
    LITE = "lite"


def default_configuration(
    kind: NucleusKind,
    *,
    parameters: Mapping[str, str] | None = None,
    settings: Mapping[str, Mapping[str, object]] | None = None,
    pubsub_to_iot_core: bool = False,
) -> Configuration:
    """The published parameters, empty where `parameters` has none, and the settings of a component.

    Numbers and switches are texts, because a nucleus may turn numbers into fractions (AWS's developer guide,
    "component recipe reference"). Nucleus lite keeps no secrets, so the token is a file in its work folder.
    """
    own: dict[str, dict[str, object]] = {"journal": {"url": f"sqlite:///{JOURNAL_FOLDER}/journal.db"}}
    if kind is NucleusKind.LITE:
        own["secrets"] = {"source": str(SecretOrigin.FILE), "path": "twilio-auth-token"}
    for section, values in (settings or {}).items():
        own[section] = {**own.get(section, {}), **values}
    given = {PublishedParameter.SECRET_RESOURCE_ID: RESOURCE_ID, **(parameters or {})}
    published = {str(name): given.get(name, "") for name in PublishedParameter}
    topics = Topics.with_prefix("")
    return {
        **published,
        "InputTopics": {"txt": topics.text, "call": topics.call},
        "OutputTopic": topics.status,
        "PubSubToIoTCore": str(pubsub_to_iot_core).lower(),
        **own,
    }


def configured(kind: NucleusKind, given: Mapping[str, object]) -> Configuration:
    """The configuration after a nucleus has merged `given`, from a deployment, into the default one."""
    return _merged(default_configuration(kind), given)


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> Configuration:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        is_merged = isinstance(under, dict) and isinstance(value, dict)
        merged[key] = _merged(under, value) if is_merged else value  # type: ignore[arg-type]
    return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The topics, the sides and the secrets that a configuration needs of its nucleus.

    `heard_topics` are those of requests, of cancellations and of acknowledgements.
    """

    heard_topics: tuple[str, ...]
    status_topic: str
    probe_topic: str | None
    pubsub: PubSub
    secrets: SecretOrigin
    secret_arns: tuple[str, ...]
    """The secret that logs in, and the one for the signatures of callbacks where it is another one."""
    secret_labels: tuple[str, ...]


def needs(configuration: Mapping[str, object]) -> Needs:
    """The needs of a configuration, read as the connector reads it; mistakes in it are not reported here."""
    here = Path()
    given = {
        name: one.value
        for source in (defaults(folder=here), presets().given, read_component(configuration).given)
        for name, one in source.items()
    }
    prefix = str(given["transport.topic_prefix"])
    arns = (given.get(PARAMETERS + PublishedParameter.SECRET_ARN), given.get("secrets.signature_arn"))
    labels = (given.get(f"secrets.{key}") for key in ("staging_label", "second_label"))
    return Needs(
        heard_topics=tuple(prefix + str(given[f"transport.{key}"]) for key in _HEARD),
        status_topic=prefix + str(given["transport.status_topic"]),
        probe_topic=prefix + PROBE_TOPIC if given["transport.probe_seconds"] else None,
        pubsub=PubSub(str(given["transport.pubsub"])),
        secrets=SecretOrigin(str(given["secrets.source"])),
        secret_arns=tuple(dict.fromkeys(str(arn) for arn in arns if arn)),
        secret_labels=tuple(str(label) for label in labels if label),
    )
