"""The fake nucleus is a nucleus to the real SDK, in what it grants and in what it does wrong."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from awsiot import greengrasscoreipc
from awsiot.eventstreamrpc import AccessDeniedError
from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2
from awsiot.greengrasscoreipc.model import (
    BinaryMessage,
    ConfigurationUpdateEvents,
    IoTCoreMessage,
    JsonMessage,
    PublishMessage,
    ReportedLifecycleState,
    ResourceNotFoundError,
    ServiceError,
    SubscriptionResponseMessage,
    UnauthorizedError,
)

from tests.support.nucleus import LITE_UNACKNOWLEDGED, FakeNucleus, Side, Style
from tests.support.nucleus.frames import Frame, Kind
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
ENDED = RuntimeError
"""What a call on an ended connection raises. StreamClosedError and ConnectionClosedError of the SDK are such
errors; until the SDK has noticed the end itself, a bare one with a number of the runtime beneath it comes."""


@contextmanager
def component(nucleus: FakeNucleus, *, token: str | None = None) -> Iterator[Any]:
    """The SDK's client, connected as a component that this nucleus has started."""
    environ = nucleus.environ
    connected = greengrasscoreipc.connect(
        ipc_socket=environ["AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"],
        authtoken=token or environ["SVCUID"],
    )
    # One thread: with more, events overtake each other.
    client = GreengrassCoreIPCClientV2(client=connected, executor=ThreadPoolExecutor(1))
    try:
        yield client
    finally:
        client.close()


class Heard:
    """What arrived on one subscription, and how it ended."""

    def __init__(self) -> None:
        self.events: queue.Queue[Any] = queue.Queue()
        self.closed: queue.Queue[str] = queue.Queue()

    def next(self) -> Any:
        return self.events.get(timeout=WAIT_SECONDS)

    def subscribe(self, client: Any, topic: str) -> None:
        client.subscribe_to_topic(
            topic=topic,
            on_stream_event=self.events.put,
            on_stream_error=lambda _: True,
            on_stream_closed=lambda: self.closed.put("closed"),
        )

    def subscribe_to_iot_core(self, client: Any, topic: str) -> None:
        client.subscribe_to_iot_core(
            topic_name=topic,
            qos="1",
            on_stream_event=self.events.put,
            on_stream_error=lambda _: True,
            on_stream_closed=lambda: self.closed.put("closed"),
        )


def binary(payload: bytes) -> PublishMessage:
    return PublishMessage(binary_message=BinaryMessage(message=payload))


def test_json_and_binary_messages_reach_a_subscriber_in_order() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        heard = Heard()
        heard.subscribe(client, "twilio/txt")
        for number in range(100):
            assert 1 == nucleus.publish("twilio/txt", f'{{"n": {number}}}', as_json=number % 2 == 0)
        for number in range(100):
            event = heard.next()
            assert isinstance(event, SubscriptionResponseMessage)
            if number % 2 == 0:
                assert {"n": number} == event.json_message.message
                assert "twilio/txt" == event.json_message.context.topic
            else:
                assert f'{{"n": {number}}}'.encode() == event.binary_message.message


@pytest.mark.parametrize(("style", "number"), [(Style.CLASSIC, float), (Style.LITE, int)])
def test_the_classic_nucleus_makes_a_double_of_every_number(style: Style, number: type) -> None:
    """In messages and in the configuration, as deep as they are; a truth value stays one."""
    content = {"a": [{"n": 3}], "t": True}
    with FakeNucleus(style=style, configuration=content) as nucleus, component(nucleus) as client:
        heard = Heard()
        heard.subscribe(client, "a")
        nucleus.publish("a", json.dumps(content), as_json=True)
        for found in (heard.next().json_message.message, client.get_configuration().value):
            assert content == found
            assert (number, bool) == (type(found["a"][0]["n"]), type(found["t"]))


def test_what_a_component_publishes_is_seen_and_comes_back_to_itself() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        heard = Heard()
        heard.subscribe(client, "loop")
        client.publish_to_topic(topic="loop", publish_message=binary(b"\x00\xff"))
        client.publish_to_topic(
            topic="loop", publish_message=PublishMessage(json_message=JsonMessage(message={"a": 1}))
        )
        first, second = nucleus.published("loop", count=2)
        assert (b"\x00\xff", False) == (first.payload, first.as_json)
        assert ({"a": 1}, True) == (second.json(), second.as_json)
        assert b"\x00\xff" == heard.next().binary_message.message
        assert {"a": 1} == heard.next().json_message.message


def test_iot_core_is_another_side_with_topics_of_its_own() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        heard = Heard()
        heard.subscribe_to_iot_core(client, "site/#")
        nucleus.subscribed("site/#", side=Side.IOT_CORE)
        assert 0 == nucleus.publish("site/a", "local")
        assert 1 == nucleus.publish("site/a", "core", side=Side.IOT_CORE)
        event = heard.next()
        assert isinstance(event, IoTCoreMessage)
        assert ("site/a", b"core") == (event.message.topic_name, event.message.payload)
        client.publish_to_iot_core(topic_name="out", qos="1", payload=b"x")
        (published,) = nucleus.published("out", side=Side.IOT_CORE)
        assert (b"x", "1") == (published.payload, published.qos)


def test_the_configuration_is_read_whole_by_key_and_after_a_change() -> None:
    with FakeNucleus(configuration={"a": {"b": 1}, "c": True}) as nucleus, component(nucleus) as client:
        assert {"a": {"b": 1}, "c": True} == client.get_configuration().value
        assert {"b": 1} == client.get_configuration(key_path=["a", "b"]).value
        with pytest.raises(ResourceNotFoundError):
            client.get_configuration(key_path=["nowhere"])
        heard = Heard()
        client.subscribe_to_configuration_update(on_stream_event=heard.events.put)
        nucleus.configure({"c": False})
        event = heard.next()
        assert isinstance(event, ConfigurationUpdateEvents)
        assert ["c"] == event.configuration_update_event.key_path
        assert {"c": False} == client.get_configuration(key_path=["c"]).value


@pytest.mark.parametrize(("style", "told"), [(Style.CLASSIC, 1), (Style.LITE, 0)])
def test_the_nucleus_lite_tells_nobody_that_a_key_was_removed(style: Style, told: int) -> None:
    with FakeNucleus(style=style, configuration={"a": 1, "b": 2}) as nucleus, component(nucleus) as client:
        heard = Heard()
        client.subscribe_to_configuration_update(on_stream_event=heard.events.put)
        nucleus.remove_configuration("a")
        nucleus.configure({"b": 3})
        events = [heard.next().configuration_update_event.key_path for _ in range(1 + told)]
        assert ["b"] == events[-1]
        assert {"b": 3} == client.get_configuration().value


def test_a_stream_of_the_configuration_may_stay_open_and_be_dead() -> None:
    with FakeNucleus(style=Style.LITE, configuration={"a": 1}) as nucleus, component(nucleus) as client:
        heard = Heard()
        client.subscribe_to_configuration_update(
            on_stream_event=heard.events.put, on_stream_closed=lambda: heard.closed.put("closed")
        )
        nucleus.forget_watchers()
        nucleus.configure({"a": 2})
        assert {"a": 2} == client.get_configuration().value
        assert (True, True, False) == (heard.events.empty(), heard.closed.empty(), nucleus.is_watched())


def test_the_nucleus_lite_holds_ten_messages_that_iot_core_has_not_acknowledged() -> None:
    with FakeNucleus(style=Style.LITE) as nucleus, component(nucleus) as client:
        nucleus.faults.holds_acknowledgements = True
        for _ in range(LITE_UNACKNOWLEDGED):
            client.publish_to_iot_core(topic_name="a", qos="1", payload=b"")
        with pytest.raises(ServiceError):
            client.publish_to_iot_core(topic_name="a", qos="1", payload=b"")
        nucleus.acknowledge()
        client.publish_to_iot_core(topic_name="a", qos="1", payload=b"")
        assert 1 + LITE_UNACKNOWLEDGED == len(nucleus.published())


def test_an_untyped_configuration_has_texts_only() -> None:
    configuration = {"a": {"b": 1, "c": [True, None]}, "d": "x"}
    with FakeNucleus(configuration=configuration) as nucleus, component(nucleus) as client:
        nucleus.faults.untyped = True
        assert {"a": {"b": "1", "c": ["true", "null"]}, "d": "x"} == client.get_configuration().value


def test_secrets_have_versions_by_label() -> None:
    secrets: dict[str, dict[str, str | bytes]] = {ARN: {"AWSCURRENT": "new", "AWSPREVIOUS": b"\x01"}}
    with FakeNucleus(secrets=secrets) as nucleus, component(nucleus) as client:
        assert "new" == client.get_secret_value(secret_id=ARN).secret_value.secret_string
        older = client.get_secret_value(secret_id=ARN, version_stage="AWSPREVIOUS")
        assert b"\x01" == older.secret_value.secret_binary
        with pytest.raises(ResourceNotFoundError):
            client.get_secret_value(secret_id=ARN, version_stage="AWSPENDING")
        nucleus.keep_secret(ARN, "newer")
        assert "newer" == client.get_secret_value(secret_id=ARN).secret_value.secret_string


def test_the_nucleus_lite_knows_no_secrets_and_sends_errors_without_a_message() -> None:
    with FakeNucleus(style=Style.LITE, secrets={ARN: "x"}) as nucleus, component(nucleus) as client:
        with pytest.raises(ServiceError) as refused:
            client.get_secret_value(secret_id=ARN)
        assert refused.value.message is None


def test_states_are_kept_in_order() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        client.update_state(state=ReportedLifecycleState.RUNNING)
        client.update_state(state=ReportedLifecycleState.ERRORED)
        assert ["RUNNING", "ERRORED"] == nucleus.states


def test_an_unknown_operation_is_a_service_error_that_says_so() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        with pytest.raises(ServiceError) as refused:
            client.list_components()
        assert "ListComponents is not implemented" == refused.value.message


def test_a_wrong_token_is_refused() -> None:
    with FakeNucleus() as nucleus:
        with pytest.raises(AccessDeniedError), component(nucleus, token="wrong"):
            pass
        assert (0, 1) == (nucleus.connections, nucleus.refused_connections)


def test_topics_outside_the_access_control_are_unauthorized() -> None:
    policy = {
        "operations": ["aws.greengrass#SubscribeToTopic", "aws.greengrass#PublishToTopic"],
        "resources": ["twilio/txt", "status/*"],
    }
    access_control = {"aws.greengrass.ipc.pubsub": {"id": policy}}
    with FakeNucleus(access_control=access_control) as nucleus, component(nucleus) as client:
        Heard().subscribe(client, "twilio/txt")
        client.publish_to_topic(topic="status/a/b", publish_message=binary(b""))
        for other in ("twilio/#", "twilio/call"):
            with pytest.raises(UnauthorizedError):
                Heard().subscribe(client, other)
        with pytest.raises(UnauthorizedError):
            client.publish_to_iot_core(topic_name="twilio/txt", qos="1", payload=b"")
        with pytest.raises(UnauthorizedError):
            client.get_secret_value(secret_id=ARN)


def test_one_stream_can_end_while_the_connection_stays() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        ended, staying = Heard(), Heard()
        ended.subscribe(client, "a")
        staying.subscribe(client, "b")
        nucleus.close_stream("a")
        assert ended.closed.get(timeout=WAIT_SECONDS)
        assert 0 == nucleus.publish("a", "x")
        assert 1 == nucleus.publish("b", "x")
        assert b"x" == staying.next().binary_message.message


def test_a_deaf_daemon_grants_everything_and_delivers_nothing() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        heard = Heard()
        heard.subscribe(client, "a")
        nucleus.forget_subscriptions()
        client.publish_to_topic(topic="a", publish_message=binary(b"lost"))
        heard.subscribe(client, "a")
        client.publish_to_topic(topic="a", publish_message=binary(b"heard"))
        assert b"heard" == heard.next().binary_message.message
        nucleus.faults.deaf = True
        client.publish_to_topic(topic="a", publish_message=binary(b"lost"))
        nucleus.faults.deaf = False
        client.publish_to_topic(topic="a", publish_message=binary(b"heard again"))
        assert b"heard again" == heard.next().binary_message.message


def test_a_closed_connection_ends_every_stream_and_stays_closed() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        heard = Heard()
        heard.subscribe(client, "a")
        nucleus.close_connections()
        assert heard.closed.get(timeout=WAIT_SECONDS)
        with pytest.raises(ENDED):
            client.publish_to_topic(topic="a", publish_message=binary(b""))
        with component(nucleus) as another:
            another.publish_to_topic(topic="a", publish_message=binary(b""))


@pytest.mark.parametrize("keep_token", [True, False])
def test_a_restarted_daemon_keeps_its_tokens_or_forgets_them(*, keep_token: bool) -> None:
    with FakeNucleus() as nucleus:
        before = nucleus.environ["SVCUID"]
        nucleus.restart(keep_token=keep_token)
        if keep_token:
            with component(nucleus, token=before):
                pass
        else:
            with pytest.raises(AccessDeniedError), component(nucleus, token=before):
                pass
        with component(nucleus) as client:
            client.publish_to_topic(topic="a", publish_message=binary(b""))


@pytest.mark.parametrize(
    ("style", "size", "survives"),
    [
        (Style.LITE, 7_200, True),
        (Style.LITE, 7_500, False),
        (Style.CLASSIC, 100_000, True),
    ],
)
def test_the_nucleus_lite_hangs_up_over_a_large_packet(style: Style, size: int, *, survives: bool) -> None:
    with FakeNucleus(style=style) as nucleus, component(nucleus) as client:
        message = binary(b"x" * size)
        if survives:
            client.publish_to_topic(topic="a", publish_message=message)
            assert size == len(nucleus.published("a")[0].payload)
        else:
            with pytest.raises(ENDED):
                client.publish_to_topic(topic="a", publish_message=message)
            with pytest.raises(ENDED):
                client.publish_to_topic(topic="a", publish_message=binary(b""))


def test_an_operation_can_be_refused_or_never_answered() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        nucleus.faults.refused.add("PublishToIoTCore")
        with pytest.raises(ServiceError):
            client.publish_to_iot_core(topic_name="a", qos="1", payload=b"")
        nucleus.faults.silent.add("PublishToTopic")
        unanswered = client.publish_to_topic_async(topic="a", publish_message=binary(b""))
        nucleus.wait_until(lambda: "PublishToTopic" in nucleus.operations, "PublishToTopic")
        nucleus.faults.silent.clear()
        client.publish_to_topic(topic="b", publish_message=binary(b""))
        assert not unanswered.done()
        assert ["b"] == [one.topic for one in nucleus.published()]


def test_a_component_may_be_another_process() -> None:
    program = (
        "from awsiot.greengrasscoreipc.clientv2 import GreengrassCoreIPCClientV2 as Client\n"
        "from awsiot.greengrasscoreipc.model import *\n"
        "client = Client()\n"
        "message = PublishMessage(binary_message=BinaryMessage(message=b'hello'))\n"
        "client.publish_to_topic(topic='a', publish_message=message)\n"
    )
    with FakeNucleus() as nucleus:
        environ = {**os.environ, **nucleus.environ}
        subprocess.run([sys.executable, "-c", program], env=environ, check=True, timeout=WAIT_SECONDS)
        assert [b"hello"] == [one.payload for one in nucleus.published("a")]


def test_a_wait_without_a_result_says_what_there_was_instead() -> None:
    with FakeNucleus() as nucleus, component(nucleus) as client:
        client.publish_to_topic(topic="b", publish_message=binary(b""))
        with pytest.raises(AssertionError, match=r"1 published on a\. Asked for: \['PublishToTopic'\]"):
            nucleus.published("a", timeout_seconds=0.01)


def test_a_frame_is_encoded_as_the_protocol_has_it() -> None:
    """The bytes of a CONNECT_ACK that the SDK takes for an acceptance, checksums included."""
    encoded = Frame(kind=Kind.CONNECT_ACK, flags=1).encode()
    assert len(encoded) == int.from_bytes(encoded[:4])
    assert b"\x0d:message-type\x04\x00\x00\x00\x05" == encoded[12:31]
