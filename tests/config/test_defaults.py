"""The shipped file of defaults: complete, explained, in agreement with the code and the reference page."""

from __future__ import annotations

import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from tests.config.loading_steps import environment, from_environment, write
from twilio_notifications.config import (
    CallSettings,
    ConnectorSettings,
    DeliverySettings,
    JournalSettings,
    LogSettings,
    MetricsSettings,
    SecretsSettings,
    Settings,
    StatusSettings,
    TransportSettings,
    TwilioSettings,
    load,
)
from twilio_notifications.config.keys import KEYS, PARAMETERS, SETTINGS
from twilio_notifications.config.reference import Paragraph, Section, Setting, read_blocks, render
from twilio_notifications.config.sources import defaults_text, variable_of
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.parameters import (
    IsolationMode,
    PublishedParameter,
    ValidParameters,
    check_parameters,
)
from twilio_notifications.core.policy import Period, Unit

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
# Every key with its default as users and acceptance checks rely on them; None: not set by default.
PROMISED: dict[str, Any] = {
    "connector.version": 5,
    "connector.arn": None,
    "connector.definition": None,
    "transport.kind": "mqtt",
    "transport.url": "mqtt://127.0.0.1:1883",
    "transport.protocol": "auto",
    "transport.client_id": "twilio-notifications",
    "transport.ca_file": None,
    "transport.certificate_file": None,
    "transport.key_file": None,
    "transport.alpn": [],
    "transport.topic_prefix": "",
    "transport.text_topic": "twilio/txt",
    "transport.call_topic": "twilio/call",
    "transport.status_topic": "twilio/message/status",
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
    "secrets.path": None,
    "secrets.second_path": None,
    "secrets.staging_label": "AWSCURRENT",
    "secrets.second_label": None,
    "secrets.json_key": None,
    "secrets.api_key_sid": None,
    "secrets.refresh_seconds": 3600,
    "secrets.copy_path": None,
    "secrets.key_file": None,
    "journal.url": "sqlite:///journal/journal.db",
    "journal.retention_seconds": 2592000,
    "journal.maximum_waiting": 1000000,
    "journal.maximum_bytes": 2_000_000_000,
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
    "calls.time_limit_seconds": 600,
    "limits.requests_per_recipient": 0,
    "limits.recipient_period_seconds": 3600,
    **{f"limits.{unit}_per_{period}": 0 for unit in Unit for period in Period},
    "limits.identical_text_seconds": 0,
    "limits.when_exceeded": "wait",
    "delivery.drain_seconds": 30,
    "status.detail": "document",
    "metrics.listen": "",
    "log.level": "INFO",
    "log.format": "text",
}
SECTIONS: dict[str, type] = {
    "connector": ConnectorSettings,
    "transport": TransportSettings,
    "secrets": SecretsSettings,
    "journal": JournalSettings,
    "twilio": TwilioSettings,
    "delivery": DeliverySettings,
    "calls": CallSettings,
    "status": StatusSettings,
    "metrics": MetricsSettings,
    "log": LogSettings,
}
# A URL is taken apart, and a relative credential is looked up under the name that was given.
INSTEAD_OF_KEY = {"transport.url": {"host", "port", "tls", "username", "password"}, "journal.url": {"path"}}
BESIDE_KEYS = {"secrets": {"path_as_given", "second_path_as_given"}, "journal": {"place"}}


def settings_in_file() -> list[Setting]:
    return [block for block in read_blocks(defaults_text()) if isinstance(block, Setting)]


def value_of(setting: Setting) -> Any:
    return tomllib.loads(f"value = {setting.value}")["value"]


def test_every_promised_key_stands_in_the_file_with_its_default() -> None:
    found = {
        setting.name: None if setting.unset else value_of(setting)
        for setting in settings_in_file()
        if not setting.name.startswith(PARAMETERS)
    }
    assert PROMISED == found


def test_the_file_and_the_table_of_settings_have_the_same_names() -> None:
    parameters = [PARAMETERS + name for name in PublishedParameter]
    assert sorted([*SETTINGS, *parameters]) == sorted(setting.name for setting in settings_in_file())


@pytest.mark.parametrize("section", SECTIONS)
def test_the_dataclasses_have_a_field_for_each_key_and_no_default_of_their_own(section: str) -> None:
    """A second place with defaults would sooner or later differ from the first."""
    expected = set(BESIDE_KEYS.get(section, set()))
    for key in KEYS[section]:
        expected |= INSTEAD_OF_KEY.get(f"{section}.{key}", {key})
    assert expected == {entry.name for entry in fields(SECTIONS[section])}
    for entry in fields(SECTIONS[section]):
        assert (MISSING, MISSING) == (entry.default, entry.default_factory), entry.name


def test_settings_have_a_field_for_each_section() -> None:
    assert {*SECTIONS, "limits", "parameters", "warnings"} == {entry.name for entry in fields(Settings)}
    assert {*SECTIONS, "limits"} == set(KEYS)


def test_every_setting_and_section_is_explained() -> None:
    for block in read_blocks(defaults_text()):
        if isinstance(block, Setting | Section):
            assert "".join(block.lines), block.name
        assert all(not line.startswith("#") for line in block.lines)


def test_no_comment_hides_a_setting_from_the_reference() -> None:
    """A commented-out setting that does not end its block would pass as prose; prose alone is the opening."""
    blocks = list(read_blocks(defaults_text()))
    assert not [line for block in blocks for line in block.lines if re.match(r"[\w-]+ = ", line)]
    assert [blocks[0]] == [block for block in blocks if isinstance(block, Paragraph)]


def test_the_example_of_each_unset_setting_is_a_value_that_it_accepts() -> None:
    examples = {setting.name: value_of(setting) for setting in settings_in_file() if setting.unset}
    for name in set(examples) & set(SETTINGS):
        assert not isinstance(SETTINGS[name].accept(examples[name]), Wrong), name
    parameters = {
        name.removeprefix(PARAMETERS): value for name, value in examples.items() if name not in SETTINGS
    }
    checked = check_parameters(parameters, version=5, secret_parameters_required=True)
    assert isinstance(checked, ValidParameters)


def test_the_example_of_the_isolation_mode_is_its_default() -> None:
    """It is a comment, because versions 1 to 4 must not have it; its text says that it is the default."""
    name = PARAMETERS + PublishedParameter.ISOLATION_MODE
    example = next(setting for setting in settings_in_file() if setting.name == name)
    assert IsolationMode.GREENGRASS_CONTAINER == value_of(example)


def test_a_copy_of_the_file_changes_nothing(tmp_path: Path) -> None:
    """So that a copy is a good start for a configuration of one's own."""
    bare = load(write(tmp_path, ""), environment())
    assert bare == load(write(tmp_path, defaults_text()), environment())


def test_the_reference_page_is_up_to_date() -> None:
    """Where this fails: python -m twilio_notifications.config.reference > docs/reference/settings.md."""
    assert render(defaults_text()) == PAGE.read_text(encoding="utf-8")


def test_the_reference_page_has_a_heading_and_a_variable_for_each_setting() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in (*SETTINGS, *(PARAMETERS + parameter for parameter in PublishedParameter)):
        assert f"\n### {name}\n" in page
        assert f"`{variable_of(name)}`" in page


def test_the_page_tells_defaults_from_examples() -> None:
    text = '# Head.\n\n# About logs.\n[log]\n\n# How much.\nlevel = "INFO"\n\n# Where.\n#path = "x"\n'
    page = render(text)
    assert page.endswith(
        "Head.\n\n## [log]\n\nAbout logs.\n\n### log.level\n\nHow much.\n\n"
        '- Default: `"INFO"`\n- Value: one of "DEBUG", "INFO", "WARNING", "ERROR"\n'
        "- Environment: `TWILIO_NOTIFICATIONS__LOG__LEVEL`\n\n### log.path\n\nWhere.\n\n"
        '- Not set by default; for example `"x"`\n- Value: a string\n'
        "- Environment: `TWILIO_NOTIFICATIONS__LOG__PATH`\n"
    )


def test_defaults_alone_need_nothing_but_the_account() -> None:
    settings = from_environment()
    assert (5, (), "AC1") == (settings.connector.version, settings.warnings, settings.parameters.account_sid)
    assert "mqtt://127.0.0.1:1883" == settings.transport.address
