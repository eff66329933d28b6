"""The settings for programs next to the connector: the transport, the log, and the place of the secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.loading_steps import PREFIX, SECRET_ARN, write
from tests.support.variants import as_a
from twilio_notifications.config import (
    LogFormat,
    MqttSettings,
    SecretOrigin,
    TransportKind,
    load_client,
    load_secret_place,
)
from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

KIND, URL = f"{PREFIX}TRANSPORT__KIND", f"{PREFIX}TRANSPORT__URL"


def test_the_connectors_parameters_are_not_asked_for() -> None:
    settings = load_client(None, {URL: "mqtt://broker:1884", f"{PREFIX}LOG__FORMAT": "json"})
    broker = as_a(MqttSettings, settings.transport).broker
    assert ("broker", 1884) == (broker.host, broker.port)
    assert LogFormat.JSON is settings.log.format


def test_other_sections_may_name_what_only_the_connector_can_read(tmp_path: Path) -> None:
    path = write(tmp_path, '[transport]\ntopic_prefix = "x/"\n[twilio]\nca_file = "of-the-connector.pem"\n')
    assert "x/" == load_client(path, {}).transport.topic_prefix


def test_a_path_starts_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    path = write(tmp_path, '[transport]\nurl = "mqtts://broker"\nca_file = "ca.pem"\n')
    assert tmp_path / "ca.pem" == as_a(MqttSettings, load_client(path, {}).transport).ca_file


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[transport]\nkind = 1\n", "transport.kind must be one of"),
        ("[transport]\nkin = 1\n", "unknown key transport.kin"),
        ('[transport]\nurl = "mqtt://b"\nca_file = "connector.toml"\n', "transport.ca_file is for mqtts://"),
    ],
)
def test_what_is_wrong_with_the_transport_is_said(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        load_client(write(tmp_path, text), {})


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_client(tmp_path / "absent.toml", {})


@pytest.mark.parametrize(
    ("environ", "kind"),
    [
        ({}, TransportKind.GREENGRASS),
        ({f"{PREFIX}TRANSPORT__TOPIC_PREFIX": "x/"}, TransportKind.GREENGRASS),
        ({URL: "mqtt://b"}, TransportKind.MQTT),
        ({KIND: "mqtt"}, TransportKind.MQTT),
        ({KIND: "greengrass", URL: "mqtt://b"}, TransportKind.GREENGRASS),
    ],
)
def test_inside_a_nucleus_it_is_the_transport_unless_one_is_configured(
    environ: dict[str, str], kind: TransportKind
) -> None:
    assert kind is load_client(None, environ, in_nucleus=True).transport.kind


def test_outside_of_a_nucleus_it_is_a_broker() -> None:
    assert TransportKind.MQTT is load_client(None, {}).transport.kind


def test_inside_a_nucleus_it_keeps_the_secrets_unless_another_place_is_configured() -> None:
    assert SecretOrigin.GREENGRASS is load_secret_place(None, {}, in_nucleus=True).source
    source = {f"{PREFIX}SECRETS__SOURCE": "environment"}
    assert SecretOrigin.ENVIRONMENT is load_secret_place(None, source, in_nucleus=True).source
    assert SecretOrigin.ENVIRONMENT is load_secret_place(None, {}).source


def test_which_secret_it_is_stands_in_the_parameters(tmp_path: Path) -> None:
    path = write(tmp_path, f'[connector.parameters]\nTwilioAuthTokenSecretArn = "{SECRET_ARN}"\n')
    assert SECRET_ARN == load_secret_place(path, {}).arn
    assert load_secret_place(None, {}).arn is None


def test_a_definition_that_is_wrong_is_said(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"d\.json"):
        load_secret_place(write(tmp_path, '[connector]\ndefinition = "d.json"\n'), {})


def test_a_secret_in_a_file_needs_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"needs secrets\.path"):
        load_secret_place(write(tmp_path, '[secrets]\nsource = "file"\n'), {})
