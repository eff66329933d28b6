"""The calls refuse the arguments that V1 refused before it sent a message, with the same kinds of errors."""

from __future__ import annotations

from typing import Any

import pytest

from twilio_notifications import greengrasssdk
from twilio_notifications.greengrasssdk.courier import Couriers


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that got through would fail for its configuration, and with another error."""
    monkeypatch.setenv("TWILIO_NOTIFICATIONS_CONFIG", "nowhere.toml")


@pytest.mark.parametrize(
    ("given", "kind", "complaint"),
    [
        ({}, ValueError, "the parameter topic is required"),
        ({"payload": "x"}, ValueError, "the parameter topic is required"),
        ({"topic": "t", "queueFullPolicy": "Drop"}, ValueError, "queueFullPolicy must be one of"),
        ({"topic": "t", "queueFullPolicy": None}, ValueError, "queueFullPolicy must be one of"),
        ({"topic": "t", "payload": {"a": 1}}, TypeError, "must be str or bytes, not dict"),
        ({"topic": "t", "payload": None}, TypeError, "must be str or bytes, not NoneType"),
        ({"topic": ""}, ValueError, "not empty"),
        ({"topic": "a/#"}, ValueError, "without"),
        ({"topic": "a/+/b"}, ValueError, "without"),
        ({"topic": None}, ValueError, "must be a text"),
    ],
)
def test_a_publish_that_v1_or_mqtt_forbids_is_refused(
    given: dict[str, Any], kind: type[Exception], complaint: str
) -> None:
    with pytest.raises(kind, match=complaint):
        greengrasssdk.client("iot-data").publish(**given)


def test_keywords_are_all_that_publish_takes() -> None:
    publish: Any = greengrasssdk.client("iot-data").publish
    with pytest.raises(TypeError, match="positional"):
        publish("twilio/txt", "{}")


@pytest.mark.parametrize("policy", ["AllOrException", "BestEffort", ""])
def test_the_policies_of_v1_pass_and_other_keywords_are_not_looked_at(policy: str) -> None:
    """Code that came from boto3 says qos as well."""
    with pytest.raises(greengrasssdk.ConfigurationError, match=r"nowhere\.toml does not exist"):
        greengrasssdk.client("iot-data").publish(topic="t", payload=b"", queueFullPolicy=policy, qos=0)


def test_a_secret_needs_its_name() -> None:
    with pytest.raises(ValueError, match="the parameter SecretId is required"):
        greengrasssdk.client("secretsmanager").get_secret_value(VersionStage="AWSCURRENT")


def test_a_version_cannot_be_asked_for_by_its_id() -> None:
    with pytest.raises(greengrasssdk.SecretsManagerError) as caught:
        greengrasssdk.client("secretsmanager").get_secret_value(SecretId="x", VersionId="1")
    assert "Query by VersionId is not yet supported" == str(caught.value)


def test_a_secret_that_cannot_be_had_for_its_configuration_is_an_error_of_the_client() -> None:
    with pytest.raises(greengrasssdk.SecretsManagerError, match=r"nowhere\.toml does not exist"):
        greengrasssdk.client("secretsmanager").get_secret_value(SecretId="x")


@pytest.mark.parametrize("name", ["lambda", "streammanager", "s3"])
def test_another_client_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(ValueError, match=r'client\("iot-data"\).*client\("secretsmanager"\)'):
        greengrasssdk.client(name)


def test_a_process_has_one_courier_and_another_process_another() -> None:
    couriers = Couriers()
    assert couriers.of(1) is couriers.of(1)
    assert couriers.of(2) is not couriers.of(1)


def test_arguments_of_a_client_do_not_matter() -> None:
    client = greengrasssdk.client("iot-data", "us-west-2", region_name="us-west-2")
    assert isinstance(client, greengrasssdk.Publisher)
