"""The component's configuration as a deployment starts from it, and what it asks of the nucleus."""

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
"""A name of the group's resource in Greengrass V1; here it only has to be there, because it always had to."""

Configuration = dict[str, object]

JOURNAL_FOLDER = "journal"
"""Below the work folder, where the program stands too: into this one alone a confined connector may write."""


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
    """The published parameters, empty where they are not given, and what a component needs in addition.

    Numbers and switches are texts: a deployment may give them back as fractions (guide, "component recipe
    reference"). Nucleus lite keeps no secrets, so there the token is a file in the work folder.
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
    """What a nucleus makes of the default configuration and of what a deployment merges into it."""
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
    """What a configuration needs of its nucleus."""

    request_topics: tuple[str, ...]
    status_topic: str
    probe_topic: str | None
    pubsub: PubSub
    secrets: SecretOrigin
    secret_arn: str | None
    secret_labels: tuple[str, ...]


def needs(configuration: Mapping[str, object]) -> Needs:
    """As the connector itself would read it; what is wrong in it is not judged here."""
    here = Path()
    given = {
        name: one.value
        for source in (defaults(folder=here), presets().given, read_component(configuration).given)
        for name, one in source.items()
    }
    prefix = str(given["transport.topic_prefix"])
    arn = given.get(PARAMETERS + PublishedParameter.SECRET_ARN)
    labels = (given.get(f"secrets.{key}") for key in ("staging_label", "second_label"))
    return Needs(
        request_topics=tuple(prefix + str(given[f"transport.{key}"]) for key in ("text_topic", "call_topic")),
        status_topic=prefix + str(given["transport.status_topic"]),
        probe_topic=prefix + PROBE_TOPIC if given["transport.probe_seconds"] else None,
        pubsub=PubSub(str(given["transport.pubsub"])),
        secrets=SecretOrigin(str(given["secrets.source"])),
        secret_arn=str(arn) if arn else None,
        secret_labels=tuple(str(label) for label in labels if label),
    )
