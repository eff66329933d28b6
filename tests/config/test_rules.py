"""What settings demand of each other: certificates and keys, TLS and URLs, sources and files, pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.loading_steps import (
    ACCOUNT,
    SECRET_ARN,
    from_environment,
    from_toml,
    only_problem_in_toml,
    problems,
    write,
)
from tests.support.variants import as_a
from twilio_notifications.config import AwsSecrets, EnvironmentSecrets, GreengrassSettings, MqttSettings

if TYPE_CHECKING:
    from pathlib import Path

TLS_FILES = ("ca_file", "certificate_file", "key_file")


@pytest.fixture
def pem(tmp_path: Path) -> str:
    """A file to point at; what is in it is not looked at yet."""
    tmp_path.joinpath("some.pem").touch()
    return "some.pem"


def transport(scheme: str, **files: str) -> str:
    lines = [f'{key} = "{name}"\n' for key, name in files.items()]
    return f'[transport]\nurl = "{scheme}://broker"\n' + "".join(lines)


def test_a_certificate_with_its_key_is_accepted(tmp_path: Path, pem: str) -> None:
    text = transport("mqtts", ca_file=pem, certificate_file=pem, key_file=pem)
    settings = as_a(MqttSettings, from_toml(tmp_path, text).transport)
    expected = tmp_path / pem
    assert (expected, expected, expected) == (settings.ca_file, settings.certificate_file, settings.key_file)


@pytest.mark.parametrize(
    ("given", "missing"), [("certificate_file", "key_file"), ("key_file", "certificate_file")]
)
def test_a_certificate_and_its_key_need_each_other(
    tmp_path: Path, pem: str, given: str, missing: str
) -> None:
    found = only_problem_in_toml(tmp_path, transport("mqtts", **{given: pem}))
    assert f"transport.{given} needs transport.{missing}" in found


def test_a_certificate_that_is_not_there_is_one_problem_and_not_two(tmp_path: Path, pem: str) -> None:
    text = transport("mqtts", certificate_file="missing.pem", key_file=pem)
    assert "transport.certificate_file = " in only_problem_in_toml(tmp_path, text)


def test_tls_settings_beside_an_unencrypted_url_are_a_problem_each(tmp_path: Path, pem: str) -> None:
    """An operator who sets them believes that the connection is encrypted."""
    text = transport("mqtt", **dict.fromkeys(TLS_FILES, pem)) + 'alpn = ["mqtt"]\n'
    found = problems(write(tmp_path, ACCOUNT + text), {})
    assert [f"transport.{key} is for mqtts://" for key in (*TLS_FILES, "alpn")] == [
        problem.split(",")[0] for problem in found
    ]


def test_tls_settings_do_not_matter_to_greengrass(tmp_path: Path, pem: str) -> None:
    settings = from_toml(tmp_path, transport("mqtt", ca_file=pem) + 'kind = "greengrass"\n')
    assert isinstance(settings.transport, GreengrassSettings)


def test_a_wrong_url_does_not_make_tls_settings_wrong_too(tmp_path: Path, pem: str) -> None:
    assert "transport.url must" in only_problem_in_toml(tmp_path, transport("amqps", ca_file=pem))


def test_certificates_for_twilio_need_https(tmp_path: Path, pem: str) -> None:
    text = f'[twilio]\nca_file = "{pem}"\nbase_url = '
    assert tmp_path / pem == from_toml(tmp_path, text + '"https://127.0.0.1"\n').twilio.ca_file
    found = only_problem_in_toml(tmp_path, text + '"http://127.0.0.1"\n')
    assert "twilio.ca_file is for https://" in found


def test_the_source_file_needs_a_path(tmp_path: Path) -> None:
    found = only_problem_in_toml(tmp_path, '[secrets]\nsource = "file"\n')
    assert 'secrets.source = "file" needs secrets.path' in found
    as_a(EnvironmentSecrets, from_toml(tmp_path, "").secrets)


PARAMETERS = f"""TwilioAuthTokenSecretArn = "{SECRET_ARN}"
TwilioAuthTokenSecretArn-ResourceId = "TwilioAuthToken"
"""


def test_the_source_aws_needs_a_private_key(tmp_path: Path) -> None:
    """Without it there would be no local copy, and no start without the network."""
    found = only_problem_in_toml(tmp_path, PARAMETERS + '[secrets]\nsource = "aws"\n')
    assert 'secrets.source = "aws" needs secrets.key_file' in found


def test_the_key_for_the_broker_serves_unless_there_is_another(tmp_path: Path, pem: str) -> None:
    """With AWS IoT it is the device's private key, as the original used."""
    text = PARAMETERS + transport("mqtts", certificate_file=pem, key_file=pem) + '[secrets]\nsource = "aws"\n'
    assert tmp_path / pem == as_a(AwsSecrets, from_toml(tmp_path, text).secrets).key_file
    tmp_path.joinpath("other.pem").touch()
    text += 'key_file = "other.pem"\n'
    assert tmp_path / "other.pem" == as_a(AwsSecrets, from_toml(tmp_path, text).secrets).key_file


def test_a_private_key_that_is_not_there_is_one_problem_and_not_two(tmp_path: Path) -> None:
    text = PARAMETERS + '[secrets]\nsource = "aws"\nkey_file = "missing.pem"\n'
    assert "secrets.key_file = " in only_problem_in_toml(tmp_path, text)


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("TRANSPORT__RECONNECT_INITIAL_SECONDS", "TRANSPORT__RECONNECT_MAXIMUM_SECONDS"),
        ("DELIVERY__BACKOFF_INITIAL_SECONDS", "DELIVERY__BACKOFF_MAXIMUM_SECONDS"),
    ],
)
def test_the_first_pause_is_not_above_the_longest(tmp_path: Path, lower: str, higher: str) -> None:
    from_environment(**{lower: "5", higher: "5"})
    section, key = lower.lower().split("__")
    text = f"[{section}]\n{key} = 5.5\n{higher.lower().split('__')[1]} = 5\n"
    found = only_problem_in_toml(tmp_path, text)
    assert f"{section}.{key} = 5.5 must not be above" in found
    assert str(tmp_path) in found


def test_a_connector_may_do_without_the_topics_of_cancellations_and_acknowledgements(tmp_path: Path) -> None:
    lines = '[transport]\ntopic_prefix = "site7/"\ncancel_topic = ""\nacknowledge_topic = ""\n'
    topics = from_toml(tmp_path, lines).transport.topics
    assert ("site7/twilio/txt", "site7/twilio/call") == topics.inbound


@pytest.mark.parametrize(
    ("topics", "second", "first"),
    [
        ({"call_topic": "twilio/txt"}, "call_topic", "text_topic"),
        ({"status_topic": "twilio/call"}, "status_topic", "call_topic"),
        ({"text_topic": "a", "status_topic": "a"}, "status_topic", "text_topic"),
    ],
)
def test_a_topic_has_one_use(tmp_path: Path, topics: dict[str, str], second: str, first: str) -> None:
    """A status on a request topic would be answered with a status, and that one again, without end."""
    lines = "".join(f'{key} = "{topic}"\n' for key, topic in topics.items())
    found = only_problem_in_toml(tmp_path, f"[transport]\n{lines}")
    claim = f"transport.{second} = '{topics[second]}' is transport.{first} too: each needs a topic of its own"
    assert claim in found


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (f'call_topic = "{"x" * 65_536}"', "transport.call_topic has 65536 bytes, and MQTT allows 65535"),
        (f'status_topic = "{"ü" * 33_000}"', "transport.status_topic has 66000 bytes, and"),
        (f'client_id = "{"x" * 65_536}"', "transport.client_id has 65536 bytes, and MQTT allows 65535"),
        (
            f'topic_prefix = "p/"\ntext_topic = "{"x" * 65_534}"',
            "transport.text_topic has 65536 bytes with transport.topic_prefix before it, and",
        ),
    ],
)
def test_what_mqtt_cannot_express_is_a_problem(tmp_path: Path, lines: str, problem: str) -> None:
    assert problem in only_problem_in_toml(tmp_path, f"[transport]\n{lines}\n")


def test_the_topics_are_the_operators_with_the_prefix_in_front(tmp_path: Path) -> None:
    text = '[transport]\ntopic_prefix = "site7/"\ntext_topic = "sms"\nstatus_topic = "done"\n'
    topics = from_toml(tmp_path, text).transport.topics
    assert ("site7/sms", "site7/twilio/call", "site7/done") == (topics.text, topics.call, topics.status)


# Connectors that take requests in together.

GROUPED = """[transport]
shared_group = "site"
client_id = "one"
[journal]
url = "postgresql://connector@database/journal"
"""


def test_a_connector_of_a_group_has_a_name_of_its_own_and_a_shared_journal(tmp_path: Path) -> None:
    settings = as_a(MqttSettings, from_toml(tmp_path, GROUPED).transport)
    assert "$share/site/twilio/txt" == settings.subscribed("twilio/txt")


@pytest.mark.parametrize(
    ("was", "becomes", "expected"),
    [
        ('client_id = "one"\n', "", "needs a transport.client_id of its own for each connector"),
        ('client_id = "one"\n', 'client_id = "one"\nprotocol = "3.1.1"\n', "needs MQTT 5"),
        (
            'client_id = "one"\n',
            'client_id = "one"\nsession_expiry_seconds = 0\n',
            "needs sessions that outlive a connection",
        ),
        ("postgresql://connector@database/journal", "sqlite:///journal.db", "needs a journal that"),
        (
            'client_id = "one"\n',
            'client_id = "one"\nkeepalive_seconds = 10\n',
            "transport.keepalive_seconds must be longer than journal.lease_seconds (10)",
        ),
    ],
)
def test_a_group_needs_more(tmp_path: Path, was: str, becomes: str, expected: str) -> None:
    assert expected in only_problem_in_toml(tmp_path, GROUPED.replace(was, becomes))


def test_without_a_group_a_subscription_is_the_topic(tmp_path: Path) -> None:
    assert "twilio/txt" == as_a(MqttSettings, from_toml(tmp_path, "").transport).subscribed("twilio/txt")
