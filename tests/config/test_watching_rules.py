"""What health, heartbeat, traces and topics of MQTT 5 demand: a port for each place, and no secret shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.config.loading_steps import from_toml, only_problem_in_toml
from twilio_notifications.config import MqttSettings
from twilio_notifications.config.urls import HeartbeatUrl
from twilio_notifications.core.model import Secret

if TYPE_CHECKING:
    from pathlib import Path

ADDRESS = "127.0.0.1:8080"


def section(name: str, **values: str) -> str:
    lines = "".join(f'{key} = "{value}"\n' for key, value in values.items())
    return f"[{name}]\n{lines}"


def test_health_and_metrics_on_one_address_are_one_listener_too_many(tmp_path: Path) -> None:
    both = section("health", listen=ADDRESS) + section("metrics", listen=ADDRESS)
    found = only_problem_in_toml(tmp_path, both)
    assert found.startswith(
        "health.listen is metrics.listen too, which serves the health as well: leave it out"
    )


def test_health_and_callbacks_do_not_share_a_port(tmp_path: Path) -> None:
    tracking = section("tracking", listen=ADDRESS, public_url="https://example.com")
    found = only_problem_in_toml(
        tmp_path,
        tracking + section("health", listen=ADDRESS) + section("secrets", signature_variable="TOKEN"),
    )
    assert found.startswith("tracking.listen is health.listen too: each needs a port of its own")


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hc-ping.com/secret", "hc-ping.com", 443),
        ("http://kuma.local:3001/api/push/secret?status=up&msg=OK", "kuma.local", 3001),
    ],
)
def test_a_heartbeat_has_a_url_with_a_secret_in_it(tmp_path: Path, url: str, host: str, port: int) -> None:
    found = from_toml(tmp_path, section("heartbeat", url=url)).heartbeat.url
    assert isinstance(found, HeartbeatUrl)
    assert (Secret(url), host, port) == (found.whole, found.host, found.port)
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        *("hc-ping.com/hunter2", "ftp://x/hunter2", "https:///hunter2", "https://x:0/hunter2"),
        *("https://user:hunter2@x/", "https://x/hunter2#y", "https://x/hunter2 y"),
    ],
)
def test_a_url_that_no_heartbeat_can_have_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    found = only_problem_in_toml(tmp_path, section("heartbeat", url=url))
    assert found.startswith("heartbeat.url must")
    assert "hunter2" not in found


def test_the_availability_has_a_topic_of_its_own_behind_the_prefix(tmp_path: Path) -> None:
    topics = section("transport", topic_prefix="site7/", availability_topic="there")
    transport = from_toml(tmp_path, topics).transport
    assert isinstance(transport, MqttSettings)
    assert "site7/there" == transport.availability
    same = section("transport", availability_topic="twilio/txt")
    assert "each needs a topic of its own" in only_problem_in_toml(tmp_path, same)


def test_by_default_each_topic_of_a_client_may_be_a_response_topic_and_there_is_no_availability(
    tmp_path: Path,
) -> None:
    transport = from_toml(tmp_path, "").transport
    assert isinstance(transport, MqttSettings)
    assert (("#",), None) == (transport.response_topics, transport.availability)


def test_traces_go_to_a_url(tmp_path: Path) -> None:
    url = "http://127.0.0.1:4318/v1/traces"
    assert url == from_toml(tmp_path, section("traces", url=url)).traces.url
    assert only_problem_in_toml(tmp_path, section("traces", url="collector:4318")).startswith(
        "traces.url must"
    )
