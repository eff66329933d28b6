"""The declarations of settings: complete, explained, and what the shipped file and the reference page say."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.config.loading_steps import environment, from_environment, write
from tests.support.variants import as_a
from twilio_notifications import config
from twilio_notifications.config import MqttSettings, SecretsSettings, Settings, TransportSettings, load
from twilio_notifications.config.component import read_component
from twilio_notifications.config.keys import Key, Section, key, keys_of, made
from twilio_notifications.config.kinds import Seconds, Tables, Text, TextList
from twilio_notifications.config.reference import defaults_file, settings_page
from twilio_notifications.config.sections import KEYS, LISTS, SECTIONS, SETTINGS, TABLES
from twilio_notifications.config.sections.connector import PARAMETERS, PUBLISHED_PARAMETERS
from twilio_notifications.config.sources import read_environment, variable_of
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.escalation import Chain
from twilio_notifications.core.parameters import (
    IsolationMode,
    PublishedParameter,
    ValidParameters,
    check_parameters,
)
from twilio_notifications.core.policy import Period, Unit

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "src" / "twilio_notifications" / "config.default.toml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
# Every key with its default as users and acceptance checks rely on them; None: not set by default.
PROMISED: dict[str, Any] = {
    "connector.version": 5,
    "connector.arn": None,
    "connector.definition": None,
    "transport.kind": "mqtt",
    "transport.url": "mqtt://127.0.0.1:1883",
    "transport.protocol": "auto",
    "transport.client_id": "twilio-notifications",
    "transport.shared_group": "",
    "transport.shared_group_seconds": 600,
    "transport.ca_file": None,
    "transport.certificate_file": None,
    "transport.key_file": None,
    "transport.alpn": [],
    "transport.topic_prefix": "",
    "transport.text_topic": "twilio/txt",
    "transport.call_topic": "twilio/call",
    "transport.status_topic": "twilio/message/status",
    "transport.cancel_topic": "twilio/cancel",
    "transport.acknowledge_topic": "twilio/acknowledge",
    "transport.pubsub": "local",
    "transport.statuses_to": "origin",
    "transport.probe_seconds": 60,
    "transport.answer_seconds": 10,
    "transport.acknowledge_seconds": 30,
    "transport.broker_probe_seconds": 10,
    "transport.keepalive_seconds": 60,
    "transport.connect_timeout_seconds": 10,
    "transport.session_expiry_seconds": 604800,
    "transport.receive_maximum": 100,
    "transport.reconnect_initial_seconds": 0.5,
    "transport.reconnect_maximum_seconds": 60,
    "secrets.source": "environment",
    "secrets.variable": "TWILIO_AUTH_TOKEN",
    "secrets.second_variable": None,
    "secrets.signature_variable": None,
    "secrets.path": None,
    "secrets.signature_path": None,
    "secrets.second_path": None,
    "secrets.staging_label": "AWSCURRENT",
    "secrets.second_label": None,
    "secrets.json_key": None,
    "secrets.signature_arn": None,
    "secrets.signature_json_key": None,
    "secrets.api_key_sid": None,
    "secrets.refresh_seconds": 3600,
    "secrets.copy_path": None,
    "secrets.key_file": None,
    "journal.url": "sqlite:///journal/journal.db",
    "journal.retention_seconds": 2592000,
    "journal.maximum_waiting": 1000000,
    "journal.maximum_bytes": 2_000_000_000,
    "journal.lease_seconds": 10,
    "twilio.base_url": "https://api.twilio.com",
    "twilio.concurrency": 50,
    "twilio.timeout_seconds": 30,
    "twilio.ca_file": None,
    "delivery.lifetime_seconds": 14400,
    "delivery.ordering": "recipient",
    "delivery.backoff_initial_seconds": 1,
    "delivery.backoff_maximum_seconds": 60,
    "delivery.settle_seconds": 30,
    "delivery.credential_wait_seconds": 300,
    "delivery.credential_probe_seconds": 15,
    "delivery.deduplicate_by_id_seconds": 0,
    "limits.paused": False,
    "limits.allowed_texts": [],
    "limits.denied_texts": [],
    "limits.allowed_calls": [],
    "limits.denied_calls": [],
    "limits.allowed_voice_locations": [],
    "calls.machine_detection": "off",
    "calls.ring_seconds": 60,
    "calls.time_limit_seconds": 600,
    "tracking.mode": "poll",
    "tracking.poll_initial_seconds": 5,
    "tracking.inbound_seconds": 5,
    "tracking.requests_per_minute": 30,
    "tracking.give_up_seconds": 129600,
    "tracking.listen": "",
    "tracking.public_url": "",
    "limits.requests_per_recipient": 0,
    "limits.recipient_period_seconds": 3600,
    **{f"limits.{unit}_per_{period}": 0 for unit in Unit for period in Period},
    "limits.identical_text_seconds": 0,
    "limits.when_exceeded": "wait",
    "pace": [],
    "quiet_hours.windows": [],
    "quiet_hours.then": "wait",
    "delivery.drain_seconds": 30,
    "status.detail": "document",
    "status.follow_up": "none",
    "metrics.listen": "",
    "health.listen": "",
    "transport.availability_topic": "",
    "transport.response_topics": ["#"],
    "heartbeat.url": "",
    "heartbeat.every_seconds": 60,
    "traces.url": "",
    "console.listen": "127.0.0.1:8377",
    "console.users": [],
    "console.token_hash": "",
    "console.public_url": "",
    "console.session_seconds": 43200,
    "console.isolation": True,
    "log.level": "INFO",
    "log.format": "text",
}
CLASSES = [
    *get_args(TransportSettings),
    *get_args(SecretsSettings),
    config.ConnectorSettings,
    config.JournalSettings,
    config.TwilioSettings,
    config.DeliverySettings,
    config.CallSettings,
    config.TrackingSettings,
    config.StatusSettings,
    config.MetricsSettings,
    config.HealthSettings,
    config.HeartbeatSettings,
    config.TracesSettings,
    config.ConsoleSettings,
    config.LogSettings,
]
# Every key of a table that users name, with its default; None: not set by default.
PROMISED_IN_TABLES: dict[str, dict[str, Any]] = {
    "contacts": {"name": None, "phone_number": None, "language": None, "quiet_hours": []},
    "escalations": {
        "steps": None,
        "repeat": 0,
        "wait_seconds": 300,
        "acknowledge_words": ["ok"],
        "reply_hint": "Reply {code} to acknowledge.",
        "key_hint": "Press any key to acknowledge.",
        "tell_others": True,
    },
}
NAMES = [
    f"{section.name}.{section.example}.{name}" if section.example else f"{section.name}.{name}"
    for section in SECTIONS
    for name in section.keys
]


def flat(text: str) -> dict[str, Any]:
    """Each value of a configuration file, by dotted name."""
    table = tomllib.loads(text)
    parameters = table["connector"].pop("parameters")
    listed = [(name, first) for name in LISTS for first in table.pop(name, [])[:1]]
    named = [
        (f"{section}.{name}", content)
        for section in TABLES
        for name, content in table.pop(section, {}).items()
    ]
    return {
        f"{section}.{name}": value
        for section, content in [*table.items(), *named, *listed, (PARAMETERS.rstrip("."), parameters)]
        for name, value in content.items()
    }


def test_every_promised_key_is_declared_with_its_default() -> None:
    assert PROMISED == {name: key.default for name, key in SETTINGS.items()}
    assert PROMISED_IN_TABLES == {
        name: {key: declared.default for key, declared in section.keys.items()}
        for name, section in TABLES.items()
    }


def test_the_shipped_file_is_what_the_declarations_say() -> None:
    """Where this fails: python -m docs.generate."""
    assert defaults_file() == SHIPPED
    promised = {name: value for name, value in PROMISED.items() if value is not None and name not in LISTS}
    assert promised == flat(SHIPPED)


def test_a_comment_of_the_shipped_file_becomes_a_setting_with_its_example() -> None:
    everything = flat(re.sub(r"(?m)^#(?=[\w-]+ = |\[)", "", SHIPPED))
    assert set(NAMES) == set(everything)
    examples = {name: key.example for name, key in SETTINGS.items() if key.default is None}
    examples |= {
        f"{section.name}.{section.example}.{name}": key.example if key.default is None else key.default
        for section in TABLES.values()
        for name, key in section.keys.items()
    }
    assert examples == {name: everything[name] for name in examples}


def test_a_copy_of_the_file_changes_nothing(tmp_path: Path) -> None:
    """So that a copy is a good start for a configuration of one's own."""
    assert load(write(tmp_path, ""), environment()) == load(write(tmp_path, SHIPPED), environment())


@pytest.mark.parametrize(
    ("section", "key"), [(section, key) for section in TABLES for key in TABLES[section].keys]
)
def test_a_key_of_a_table_is_in_the_reference_the_file_the_environment_and_the_component(
    section: str, key: str
) -> None:
    declared, example = TABLES[section].keys[key], TABLES[section].example
    name, value = f"{section}.{example}.{key}", declared.example or declared.default
    assert f"\n### {section}.NAME.{key}\n" in PAGE
    assert f"- Value: {declared.kind.description}\n" in PAGE
    assert f"`{variable_of(f'{section}.NAME.{key}')}`\n" in PAGE
    assert re.search(rf"(?m)^#{key} = ", SHIPPED.partition(f"\n#[{section}.{example}]\n")[2])
    assert {f"{section}.{example}", name} == set(read_environment({variable_of(name): "x"}).given)
    assert {f"{section}.{example}", name} == set(read_component({section: {example: {key: value}}}).given)


@pytest.mark.parametrize("name", [name for name in SETTINGS if name not in LISTS])
def test_a_declared_key_is_in_the_reference_the_file_the_environment_and_the_component(name: str) -> None:
    """All of it comes from the declaration, so that a new key needs no other place."""
    section, _, short = name.partition(".")
    declared = SETTINGS[name]
    value = declared.example if declared.default is None else declared.default
    assert f"\n### {name}\n" in PAGE
    assert f"- Value: {declared.kind.description}\n- Environment: `{variable_of(name)}`\n" in PAGE
    assert re.search(rf"(?m)^#?{short} = ", SHIPPED.partition(f"\n[{section}]\n")[2].partition("\n[")[0])
    assert {name} == set(read_environment({variable_of(name): "x"}).given)
    assert {name} == set(read_component({section: {short: value or "x"}}).given)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_tables_is_in_the_reference_the_file_the_environment_and_the_component(name: str) -> None:
    section = next(section for section in SECTIONS if section.name == name)
    page, shipped = PAGE.partition(f"\n## [[{name}]]\n")[2], SHIPPED.partition(f"\n#[[{name}]]\n")[2]
    assert f"`{variable_of(name)}`, with {LISTS[name].kind.description}, in JSON.\n" in page
    for each, declared in section.keys.items():
        assert f"\n### {name}: {each}\n" in page
        assert f"- Value: {declared.kind.description}\n" in page
        assert f"\n#{each} = " in shipped
    assert {name} == set(read_environment({variable_of(name): "[]"}).given)
    assert {name} == set(read_component({name: [{}]}).given)


def test_the_reference_page_has_a_heading_and_a_variable_for_each_published_parameter() -> None:
    assert set(PublishedParameter) == set(PUBLISHED_PARAMETERS.keys)
    for parameter in PublishedParameter:
        assert f"\n### {PARAMETERS}{parameter}\n" in PAGE
        assert f"`{variable_of(PARAMETERS + parameter)}`" in PAGE


@pytest.mark.parametrize("settings", CLASSES)
def test_the_dataclasses_have_no_default_of_their_own(settings: type) -> None:
    """A second place with defaults would sooner or later differ from the first."""
    for entry in fields(settings):
        assert (MISSING, MISSING) == (entry.default, entry.default_factory), entry.name


def test_settings_have_a_field_for_each_section() -> None:
    assert {*KEYS, "parameters", "warnings"} == {entry.name for entry in fields(Settings)}


def test_a_chain_of_the_core_has_the_defaults_of_the_configuration() -> None:
    """The core has them for its own tests; they must not differ."""
    declared = {name: key.default for name, key in TABLES["escalations"].keys.items()}
    chain = Chain(steps=())
    assert {name: default for name, default in declared.items() if default is not None} == {
        "repeat": chain.repeat,
        "wait_seconds": chain.wait_seconds,
        "acknowledge_words": list(chain.acknowledge_words),
        "reply_hint": chain.reply_hint,
        "key_hint": chain.key_hint,
        "tell_others": chain.tell_others,
    }


def test_every_setting_and_section_is_explained() -> None:
    for section in SECTIONS:
        assert section.text, section.name
        for name, declared in section.keys.items():
            assert declared.text, name


@pytest.mark.parametrize(
    "declared",
    [*SETTINGS.values(), *(key for section in TABLES.values() for key in section.keys.values())],
    ids=[*SETTINGS, *(f"{name}.NAME.{key}" for name, section in TABLES.items() for key in section.keys)],
)
def test_the_default_or_example_of_a_setting_is_a_value_that_it_accepts(declared: Key) -> None:
    assert (declared.default is None) == (declared.example is not None)
    value = declared.example if declared.default is None else declared.default
    assert not isinstance(declared.kind.accept(value), Wrong)


def test_the_examples_of_the_parameters_are_valid_together() -> None:
    examples = {str(name): declared.example for name, declared in PUBLISHED_PARAMETERS.keys.items()}
    checked = check_parameters(examples, version=5, secret_parameters_required=True)
    assert isinstance(checked, ValidParameters)


def test_the_example_of_the_isolation_mode_is_its_default() -> None:
    """It is a comment, because versions 1 to 4 must not have it; its text says that it is the default."""
    example = PUBLISHED_PARAMETERS.keys[PublishedParameter.ISOLATION_MODE].example
    assert IsolationMode.GREENGRASS_CONTAINER == example


def test_defaults_alone_need_nothing_but_the_account() -> None:
    settings = from_environment()
    assert (5, (), "AC1") == (settings.connector.version, settings.warnings, settings.parameters.account_sid)
    assert "mqtt://127.0.0.1:1883" == as_a(MqttSettings, settings.transport).address


# The mechanism itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Oven:
    heat_seconds: float = key(Seconds(), "How long it heats.", default=1.5)
    words: tuple[str, ...] = key(TextList(), "What it says.", default=["warm", "hot"])
    owner: str | None = key(Text(), "Whose it is.", example="Dora")
    tray: str = key(Text(), "Where the bread is.", example="top", is_filled_in=True, name="shelf")
    place: str


OVEN = Section(name="oven", text="How bread is made.", keys=keys_of(Oven))


def test_the_page_and_the_file_tell_defaults_from_examples() -> None:
    assert settings_page((OVEN,)).endswith(
        "## [oven]\n\nHow bread is made.\n\n### oven.heat_seconds\n\nHow long it heats.\n\n"
        "- Default: `1.5`\n- Value: a number of seconds from 0.001 to 4294967295\n"
        "- Environment: `TWILIO_NOTIFICATIONS__OVEN__HEAT_SECONDS`\n\n### oven.words\n\nWhat it says.\n\n"
        '- Default: `["warm", "hot"]`\n- Value: a list of strings that are not empty\n'
        "- Environment: `TWILIO_NOTIFICATIONS__OVEN__WORDS`\n\n### oven.owner\n\nWhose it is.\n\n"
        '- Not set by default; for example `"Dora"`\n- Value: a string that is not empty\n'
        "- Environment: `TWILIO_NOTIFICATIONS__OVEN__OWNER`\n\n### oven.shelf\n\nWhere the bread is.\n\n"
        '- Not set by default; for example `"top"`\n- Value: a string that is not empty\n'
        "- Environment: `TWILIO_NOTIFICATIONS__OVEN__SHELF`\n"
    )
    assert defaults_file((OVEN,)).endswith(
        "# How bread is made.\n[oven]\n\n# How long it heats.\nheat_seconds = 1.5\n\n# What it says.\n"
        'words = ["warm", "hot"]\n\n# Whose it is.\n#owner = "Dora"\n\n'
        '# Where the bread is.\n#shelf = "top"\n'
    )


def test_settings_are_made_of_accepted_values_and_of_what_the_section_adds() -> None:
    values = {"oven.heat_seconds": 2.0, "oven.words": (), "oven.owner": None, "oven.shelf": None}
    assert Oven(heat_seconds=2.0, words=(), owner=None, tray="low", place="cellar") == made(
        Oven, "oven", values, tray="low", place="cellar"
    )


BUNS = Tables(
    noun="bun",
    keys={
        "weight": Key(kind=Seconds(), text="how heavy", example=2, is_required=True),
        "name": Key(kind=Text(), text="what it is called", example="rye"),
    },
    read=lambda values: (
        f"{values['name']} {values['weight']:g}" if values["weight"] < 9 else Wrong(demand="is heavy")
    ),
)
BAKERS = Section(
    name="bakers",
    text="Who bakes.",
    example="dora",
    keys={"buns": Key(kind=BUNS, text="What they bake:", example=[{"weight": 2}], is_required=True)},
)


def test_a_table_that_the_user_names_is_a_comment_of_the_file() -> None:
    assert defaults_file((BAKERS,)).endswith(
        "# Who bakes.\n#[bakers.dora]\n\n# What they bake:\n"
        "# - weight: how heavy (required, a number of seconds from 0.001 to 4294967295).\n"
        "# - name: what it is called (a string that is not empty).\n#buns = [{ weight = 2 }]\n"
    )
    assert settings_page((BAKERS,)).endswith(
        "## [bakers.NAME]\n\nWho bakes.\n\n### bakers.NAME.buns\n\nWhat they bake:\n\n"
        "- `weight`: how heavy (required, a number of seconds from 0.001 to 4294967295).\n"
        "- `name`: what it is called (a string that is not empty).\n\n"
        "- No default; for example `[{ weight = 2 }]`\n- Value: a list of buns, each a table\n"
        "- Environment: `TWILIO_NOTIFICATIONS__BAKERS__NAME__BUNS`\n"
    )


def test_each_table_of_a_list_becomes_a_value() -> None:
    assert ("rye 2", "None 3") == BUNS.accept([{"weight": 2, "name": "rye"}, {"weight": 3}])
    assert () == BUNS.accept([])


@pytest.mark.parametrize(
    ("value", "demand"),
    [
        ("rye", "must be a list of buns, each a table, not 'rye'"),
        ([5], "must be a list of buns, each a table, not [5]"),
        ([{"weight": 9}], "cannot be used: bun 1: is heavy"),
        (
            [{"weight": 2}, {"wait": 2, "name": ""}],
            (
                "cannot be used: bun 2: unknown key wait: did you mean weight?; weight is missing; name must "
                "be a string that is not empty, not ''"
            ),
        ),
    ],
)
def test_a_wrong_list_of_tables_says_which_table_and_key(value: object, demand: str) -> None:
    assert Wrong(demand=demand) == BUNS.accept(value)
