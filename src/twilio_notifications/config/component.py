"""The configuration of a Greengrass V2 component, as `GetConfiguration` answers it, read as one more source.

Its keys are the published parameters, three names in the manner of AWS's own converted connectors, and the
sections of the configuration file. The nuclei change types: the classic nucleus makes a double of every
number, nucleus lite a text of every value of a YAML recipe. So a double without a fraction stands for the
whole number, and a text for the value that it would be in the environment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.config.kinds import Tables, WholeNumber
from twilio_notifications.config.sections import KEYS, LISTS, SETTINGS, TABLES
from twilio_notifications.config.sections.connector import PARAMETERS
from twilio_notifications.config.sections.secrets import SecretOrigin
from twilio_notifications.config.sections.transport import PubSub, StatusesTo, TransportKind
from twilio_notifications.config.sources import Given, Source
from twilio_notifications.config.tables import flaws_of_table, is_table_name, key_of
from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.core.wording import shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.config.kinds import Kind

INPUT_TOPICS = "InputTopics"
OUTPUT_TOPIC = "OutputTopic"
PUBSUB_TO_IOT_CORE = "PubSubToIoTCore"
ACCESS_CONTROL = "accessControl"
"""A key that belongs to the nucleus: what the component is allowed to do."""

NAMES = (*PublishedParameter, INPUT_TOPICS, OUTPUT_TOPIC, PUBSUB_TO_IOT_CORE)
_IGNORED = frozenset({ACCESS_CONTROL})
_WHOLE_AS_FRACTION = re.compile(r"\s*-?[0-9]{1,15}\.0+\s*")
"""A number that a nucleus turned into a fraction before it became a text, as in "50.0"."""
_TOPIC_KEYS = {"txt": "transport.text_topic", "call": "transport.call_topic"}


def presets() -> Source:
    """The settings that a component has by default; its journal is below its work folder."""
    given = {
        "transport.kind": TransportKind.GREENGRASS,
        "secrets.source": SecretOrigin.GREENGRASS,
        "journal.url": SETTINGS["journal.url"].default,
    }
    here = Path.cwd()
    return Source(
        given={
            name: Given(value=str(value), place="preset by --greengrass", folder=here)
            for name, value in given.items()
        }
    )


def read_component(configuration: Mapping[str, object]) -> Source:
    """Every value by its dotted name.

    An unknown key at the top level is a warning: it may come from an earlier version of the component.
    """
    reader = _Reader()
    for key, value in configuration.items():
        if _is_given(value) and key not in _IGNORED:
            reader.read(key, value)
    # A key of [transport] is more precise than a name of AWS's connectors, so it wins.
    return Source(
        given={**reader.by_name, **reader.by_section},
        problems=tuple(reader.problems),
        warnings=tuple(reader.warnings),
    )


class _Reader:
    """Sorts one configuration."""

    def __init__(self) -> None:
        self.by_name: dict[str, Given] = {}
        self.by_section: dict[str, Given] = {}
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def read(self, key: str, value: object) -> None:
        match key:
            case _ if key in set(PublishedParameter):
                # A number that a YAML reader made of an account or a telephone number is a text again.
                whole = _whole(value)
                is_number = isinstance(whole, int) and not isinstance(whole, bool)
                self._give(PARAMETERS + key, str(whole) if is_number else whole, key=key)
            case "InputTopics":
                self._input_topics(value)
            case "OutputTopic":
                self._give("transport.status_topic", value, key=key)
            case "PubSubToIoTCore":
                self._pubsub_to_iot_core(value)
            case _ if key in TABLES:
                self._tables(key, value)
            case _ if key in LISTS:
                lenient = _lenient(LISTS[key].kind, value)
                self.by_section[key] = Given(value=lenient, place=_place(key)[1:-1], folder=Path.cwd())
            case _ if key in KEYS:
                self._section(key, value)
            case _:
                self.warnings.append(f"unknown key {key}: {suggestion(key, (*NAMES, *KEYS))} {_place(key)}")

    def _give(self, name: str, value: object, *, key: str) -> None:
        self.by_name[name] = Given(value=value, place=_place(key)[1:-1], folder=Path.cwd())

    def _input_topics(self, value: object) -> None:
        topics = _topics(value)
        if topics is None:
            self.problems.append(
                f'{INPUT_TOPICS} must be {{"txt": TOPIC, "call": TOPIC}}, or these two topics in this order, '
                f"not {shown(value)} {_place(INPUT_TOPICS)}"
            )
            return
        for kind, topic in topics.items():
            self._give(_TOPIC_KEYS[kind], topic, key=INPUT_TOPICS)

    def _pubsub_to_iot_core(self, value: object) -> None:
        """As in AWS's connectors: "true" subscribes on both sides, and sends statuses to both."""
        wanted = {"true": True, "false": False}.get(str(value).strip().lower())
        if wanted is None:
            self.problems.append(
                f"{PUBSUB_TO_IOT_CORE} must be true or false, not {shown(value)} {_place(PUBSUB_TO_IOT_CORE)}"
            )
        if wanted:
            self._give("transport.pubsub", str(PubSub.BOTH), key=PUBSUB_TO_IOT_CORE)
            self._give("transport.statuses_to", str(StatusesTo.BOTH), key=PUBSUB_TO_IOT_CORE)

    def _section(self, section: str, content: object) -> None:
        if not isinstance(content, dict):
            self.problems.append(f"{section} must be a map of settings {_place(section)}")
            return
        for key, value in content.items():
            name = f"{section}.{key}"
            if name not in SETTINGS:
                self.problems.append(f"unknown key {name}: {suggestion(key, KEYS[section])} {_place(name)}")
            elif _is_given(value):
                place = _place(name)[1:-1]
                lenient = _lenient(SETTINGS[name].kind, value)
                self.by_section[name] = Given(value=lenient, place=place, folder=Path.cwd())

    def _tables(self, section: str, content: object) -> None:
        """The tables that the operator names. An empty one is none; an empty value in a table is a value."""
        if not isinstance(content, dict):
            self.problems.append(f"{section} must be a map of tables {_place(section)}")
            return
        for table, keys in content.items():
            if not _is_given(keys):
                continue
            self._give_in_table(f"{section}.{table}", keys)
            for key, value in keys.items() if isinstance(keys, dict) and is_table_name(table) else ():
                self._give_in_table(f"{section}.{table}.{key}", value)

    def _give_in_table(self, name: str, value: object) -> None:
        flaws = list(flaws_of_table(name, value))
        self.problems += [f"{flaw} {_place(name)}" for flaw in flaws]
        if not flaws and value not in (None, "null"):
            place, key = _place(name)[1:-1], key_of(name)
            lenient = value if key is None else _lenient(key.kind, value)
            self.by_section[name] = Given(value=lenient, place=place, folder=Path.cwd())


def _is_given(value: object) -> bool:
    """False for an empty value: a deployment can empty a key of the recipe, not remove it.

    A nucleus turns a null of YAML into the word "null".
    """
    return value is not None and value not in ("", "null")


def _lenient(kind: Kind[object], value: object) -> object:
    if isinstance(value, str):
        is_whole = isinstance(kind, WholeNumber) and _WHOLE_AS_FRACTION.fullmatch(value)
        value = kind.from_text(value.partition(".")[0] if is_whole else value)
    if isinstance(kind, Tables) and isinstance(value, list):
        return [_lenient_table(kind, table) if isinstance(table, dict) else table for table in value]
    return _whole(value)


def _lenient_table(kind: Tables[object], table: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _lenient(kind.keys[key].kind, value) if key in kind.keys else value
        for key, value in table.items()
        if value not in (None, "null")
    }


def _whole(value: object) -> object:
    """The whole number that a nucleus gives back as a fraction; other values as they are."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _topics(value: object) -> Mapping[str, object] | None:
    if isinstance(value, dict):
        return value if value and set(value) <= set(_TOPIC_KEYS) else None
    both = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(both, list) or len(both) != len(_TOPIC_KEYS):
        return None
    return dict(zip(_TOPIC_KEYS, both, strict=True))


def _place(key: str) -> str:
    return f"({key} in the component configuration)"
