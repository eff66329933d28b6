"""What the Greengrass adapter does about a nucleus that refuses, hangs up, is restarted, or goes deaf."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from tests.adapters.greengrass_steps import Running, running, transport_settings
from tests.adapters.transport_steps import (
    ACKNOWLEDGE_TOPIC,
    CALL_TOPIC,
    CANCEL_TOPIC,
    HEARD_TOPICS,
    STATUS_TOPIC,
    TEXT_TOPIC,
)
from tests.support.clock import HandClock
from tests.support.fakes import RecordingEvents
from tests.support.nucleus import FakeNucleus, Side, Style
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.greengrass import Nucleus
from twilio_notifications.adapters.greengrass.apart import asked_for
from twilio_notifications.adapters.greengrass.endurance import LEAST_FAILURES
from twilio_notifications.adapters.greengrass.inflow import MOST_BYTES, MOST_PAYLOADS, Inflow
from twilio_notifications.adapters.greengrass.listening import STEADY_SECONDS
from twilio_notifications.adapters.greengrass.messages import Message
from twilio_notifications.adapters.greengrass.nucleus import SOCKET, TOKEN
from twilio_notifications.core.contract import PROBE_TOPIC
from twilio_notifications.core.errors import NotAcknowledged, NucleusLost, TransportError
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.ports import Inbound


async def failure_of(published: asyncio.Future[None]) -> NotAcknowledged:
    with pytest.raises(NotAcknowledged) as caught:
        await asyncio.wait_for(published, WAIT_SECONDS)
    return caught.value


async def end_of(found: Running) -> BaseException:
    """What the transport ended with."""
    await asyncio.wait({found.ending}, timeout=WAIT_SECONDS)
    error = found.ending.exception()
    assert error is not None
    found.ending = asyncio.create_task(asyncio.sleep(0))
    return error


def policies(*local: str) -> dict[str, object]:
    operations = ["aws.greengrass#SubscribeToTopic", "aws.greengrass#PublishToTopic"]
    return {"aws.greengrass.ipc.pubsub": {"id": {"operations": operations, "resources": list(local)}}}


def _wait_until_probed(nucleus: FakeNucleus, times: int) -> None:
    nucleus.wait_until(lambda: nucleus.operations.count("PublishToTopic") >= times, f"{times} probes")


async def test_a_stream_that_ends_is_opened_again_over_the_same_connection() -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.close_stream(TEXT_TOPIC)
            await found.ready()
            assert 1 == nucleus.publish(TEXT_TOPIC, b"again")
            assert b"again" == (await found.next_inbound()).payload
            assert 1 == nucleus.connections
            assert [{"topic": TEXT_TOPIC}] == found.told("subscription_closed")


async def test_a_connection_that_ends_is_opened_again_and_everything_comes_once() -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.close_connections()
            await found.ready()
            assert 1 == nucleus.publish(CALL_TOPIC, b"again")
            assert b"again" == (await found.next_inbound()).payload
            assert found.inbound.empty()
            assert (1, 2) == (len(found.told("nucleus_lost")), nucleus.connections)


async def test_what_was_open_for_long_is_opened_again_without_a_pause() -> None:
    """The nucleus keeps no local messages meanwhile. The clock stands still here: no pause would ever end."""
    clock = HandClock()
    with FakeNucleus() as nucleus:
        async with running(nucleus, clock=clock) as found:
            await found.ready()
            await clock.advance(STEADY_SECONDS)
            nucleus.close_stream(TEXT_TOPIC)
            await found.ready()
            await clock.advance(STEADY_SECONDS)
            nucleus.close_connections()
            await found.ready()
            assert 2 == nucleus.connections


async def test_a_daemon_that_is_restarted_and_keeps_its_tokens_is_joined_again() -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.restart(keep_token=True)
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"{}")
            assert 1 == len(nucleus.published(STATUS_TOPIC))


@pytest.mark.parametrize("curt", [False, True])
async def test_a_daemon_that_forgot_our_token_ends_the_process_so_that_it_gets_a_new_one(
    *, curt: bool
) -> None:
    """Also where it hangs up before its refusal was read."""
    with FakeNucleus() as nucleus:
        nucleus.faults.curt = curt
        token = nucleus.environ["SVCUID"]
        async with running(nucleus, rest_seconds=0) as found:
            await found.ready()
            nucleus.restart(keep_token=False)
            error = await end_of(found)
            assert isinstance(error, NucleusLost)
            assert "lost the token" in str(error)
            assert token not in str(error)
            assert LEAST_FAILURES == nucleus.refused_connections


async def test_a_process_that_was_started_a_moment_ago_does_not_end_yet() -> None:
    """The nucleus lite bears three starts in an hour."""
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.restart(keep_token=False)
            refused = lambda: nucleus.refused_connections >= 6  # noqa: E731 - waited for elsewhere
            await asyncio.to_thread(nucleus.wait_until, refused, "refusals")
            assert not found.ending.done()
            assert 1 == len(found.told("nucleus_refused"))
            (postponed,) = found.told("component_end_postponed")
            until = datetime.fromisoformat(str(postponed["until"])).timestamp()
            assert int(found.transport.endurance.may_end_at) == until
            assert str(postponed["until"]).endswith("Z"), "as in every other line of the log"
            assert "lost the token" in str(postponed["error"])


async def test_a_nucleus_that_is_not_there_yet_is_waited_for_with_one_line() -> None:
    with FakeNucleus() as nucleus:
        nucleus.stop()
        async with running(nucleus) as found:
            await found.events.until("nucleus_unreachable")
            nucleus.start()
            await found.ready()
            assert 1 == len(found.told("nucleus_unreachable"))


async def test_a_connection_that_is_not_answered_is_hung_up_before_the_next_one() -> None:
    """The nucleus lite takes fifty connections, those of all its components together."""
    with FakeNucleus() as nucleus:
        nucleus.faults.mute = True
        async with running(nucleus, answer_seconds=0.1) as found:
            told = await found.events.until("nucleus_unreachable")
            assert "did not answer within 0.1 s" in str(told[0]["error"])
            await asyncio.to_thread(nucleus.wait_until, lambda: nucleus.open_connections == 1, "the next one")
            await asyncio.to_thread(nucleus.wait_until, lambda: nucleus.open_connections == 0, "its end")
            nucleus.faults.mute = False
            await found.ready()
            assert 1 == nucleus.open_connections


async def test_a_nucleus_that_gives_no_configuration_is_asked_again_but_not_for_ever() -> None:
    with FakeNucleus(configuration={"a": "b"}) as nucleus:
        nucleus.faults.refused.add("GetConfiguration")
        found = Nucleus(nucleus.environ, transport_settings().answer_seconds)
        more = iter([True, False])
        answer = await asked_for(found, may_go_on=lambda: next(more))
        assert {"error"} == answer.keys()
        assert "reading the component configuration: ServiceError" in str(answer["error"])
        assert 2 == nucleus.operations.count("GetConfiguration")
        nucleus.faults.refused.clear()
        assert {"configuration": {"a": "b"}} == await asked_for(found, may_go_on=lambda: False)
        assert not found.is_connected


async def test_a_topic_outside_the_access_control_is_told_of_and_the_other_one_works() -> None:
    with FakeNucleus(access_control=policies(TEXT_TOPIC, STATUS_TOPIC)) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            for name, topics in (
                ("subscription_refused", {CALL_TOPIC}),
                ("wish_topics_refused", {CANCEL_TOPIC, ACKNOWLEDGE_TOPIC}),
            ):
                refused = {tuple(str(told["error"]).split(": ")[:2]) for told in found.told(name)}
                assert {
                    (f"subscribing to {topic} (local)", "UnauthorizedError") for topic in topics
                } == refused
            nucleus.publish(TEXT_TOPIC, b"x")
            assert b"x" == (await found.next_inbound()).payload
            nucleus.access_control = None
            await nucleus.until_subscribed(CALL_TOPIC)
            assert 1 == nucleus.publish(CALL_TOPIC, b"y")


async def test_a_side_that_is_not_allowed_does_not_keep_the_other_one_waiting() -> None:
    """A policy for local messages is there, and the one for AWS IoT Core was forgotten."""
    access = policies(*HEARD_TOPICS, STATUS_TOPIC)
    with FakeNucleus(access_control=access) as nucleus:
        async with running(nucleus, pubsub="both") as found:
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"{}", origin=Origin.LOCAL)
            refused = await found.events.until("subscription_refused", count=2)
            assert all("(iot_core)" in str(told["error"]) for told in refused)
            assert all("(iot_core)" in str(told["error"]) for told in found.told("wish_topics_refused"))


async def test_without_any_subscription_there_is_nothing_to_be_ready_for() -> None:
    with FakeNucleus(access_control={}) as nucleus:
        async with running(nucleus) as found:
            await found.events.until("subscription_refused", count=2)
            nucleus.access_control = policies(TEXT_TOPIC, CALL_TOPIC)
            assert [] == found.told("nucleus_connected")
            await found.ready()


async def test_a_subscription_that_is_never_answered_is_told_of() -> None:
    with FakeNucleus() as nucleus:
        nucleus.faults.silent.add("SubscribeToIoTCore")
        async with running(nucleus, pubsub="both", answer_seconds=0.7) as found:
            await found.ready()
            told = await found.events.until("subscription_refused", count=2)
            assert all("did not answer within 0.7 s" in str(each["error"]) for each in told)


@pytest.mark.parametrize("style", list(Style))
async def test_a_status_that_the_nucleus_refuses_is_refused_and_the_connection_stands(style: Style) -> None:
    with FakeNucleus(style=style) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.faults.refused.add("PublishToTopic")
            error = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
            assert error.refused
            assert "ServiceError" in str(error)
            assert 1 == nucleus.connections


async def test_a_status_that_is_never_answered_is_tried_again_as_after_a_refusal() -> None:
    """The connection stands, so that no new one would have it published again."""
    with FakeNucleus() as nucleus:
        nucleus.faults.silent.add("PublishToTopic")
        async with running(nucleus, answer_seconds=0.7) as found:
            await found.ready()
            error = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
            assert error.refused
            assert str(error).endswith("the nucleus did not answer within 0.7 s")


async def test_an_answer_that_is_cut_off_is_no_end_of_the_connection() -> None:
    """No connection would begin, so that neither statuses nor requests would ever come through again."""
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.faults.cut_off |= {"PublishToTopic", "SubscribeToTopic"}
            error = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
            assert error.refused
            assert found.nucleus.is_connected
            nucleus.close_stream(TEXT_TOPIC)
            (told,) = await found.events.until("subscription_refused")
            assert f"subscribing to {TEXT_TOPIC} (local): StreamClosedError" in str(told["error"])


async def test_of_many_statuses_under_way_when_the_connection_ends_none_fails_otherwise() -> None:
    """The SDK has four errors for it, by how far each one had come."""
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            for _ in range(10):
                await found.ready()
                many = [found.transport.publish(STATUS_TOPIC, b"x" * 3000) for _ in range(200)]
                await asyncio.sleep(0)  # all of them begin
                nucleus.close_connections()
                results = await asyncio.gather(*many, return_exceptions=True)
                failures = [result for result in results if result is not None]
                assert {NotAcknowledged} >= {type(failure) for failure in failures}
                assert not any(
                    failure.refused for failure in failures if isinstance(failure, NotAcknowledged)
                )


async def test_without_a_connection_a_status_is_not_acknowledged() -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.stop()
            await asyncio.wait_for(asyncio.shield(found.nucleus.ended), WAIT_SECONDS)
            assert not (await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))).refused


async def test_a_status_over_which_nucleus_lite_hangs_up_fails_as_at_the_end_of_any_connection() -> None:
    """It takes no packet of more than 10,000 bytes, and does not say so; the reporter concludes it."""
    with FakeNucleus(style=Style.LITE) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            assert not (await failure_of(found.transport.publish(STATUS_TOPIC, b"x" * 7500))).refused
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"x" * 7000)


async def test_without_a_connection_a_status_fails_at_once() -> None:
    """So that nothing is held against it: it never was on its way."""
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            nucleus.stop()
            await asyncio.wait_for(asyncio.shield(found.nucleus.ended), WAIT_SECONDS)
            published = found.transport.publish(STATUS_TOPIC, b"{}")
            assert published.done()
            assert not (await failure_of(published)).refused


async def test_the_classic_nucleus_takes_large_statuses() -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"x" * 100_000)
            assert 1 == nucleus.connections


async def test_a_nucleus_that_forgot_the_subscriptions_is_noticed_and_asked_again() -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, probe_seconds=0.1, answer_seconds=0.5) as found:
            await found.ready()
            await nucleus.until_subscribed(PROBE_TOPIC)
            await nucleus.until_published(PROBE_TOPIC, count=2)
            nucleus.forget_subscriptions()
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC, PROBE_TOPIC)
            assert 1 == nucleus.publish(TEXT_TOPIC, b"heard")
            assert b"heard" == (await found.next_inbound()).payload
            assert [{"side": Origin.LOCAL}] == found.told("nucleus_deaf")
            assert [{"side": Origin.LOCAL}] == await found.events.until("nucleus_delivers_again")
            assert 1 == nucleus.connections


async def test_a_probe_younger_than_other_subscriptions_does_not_hide_their_end() -> None:
    """The daemon was restarted between them: what was subscribed to before that is dead."""
    with FakeNucleus() as nucleus:
        async with running(nucleus, probe_seconds=0.1, answer_seconds=0.5) as found:
            await found.ready()
            await nucleus.until_published(PROBE_TOPIC)
            nucleus.forget_subscriptions(but=PROBE_TOPIC)
            nucleus.close_stream(PROBE_TOPIC)
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC, PROBE_TOPIC)
            assert 1 == nucleus.publish(TEXT_TOPIC, b"heard")
            assert b"heard" == (await found.next_inbound()).payload


async def test_the_requests_are_subscribed_to_after_the_probe() -> None:
    """So that the first probe proves them, and they need not be renewed."""
    with FakeNucleus() as nucleus:
        async with running(nucleus, probe_seconds=0.05) as found:
            await found.ready()
            await nucleus.until_published(PROBE_TOPIC, count=3)
            assert 1 + len(HEARD_TOPICS) == nucleus.operations.count("SubscribeToTopic")


async def test_a_nucleus_that_stays_deaf_ends_the_process_at_last() -> None:
    with FakeNucleus() as nucleus:
        nucleus.faults.deaf = True
        async with running(nucleus, probe_seconds=0.05, answer_seconds=0.1, rest_seconds=0) as found:
            lost = await end_of(found)
            assert isinstance(lost, NucleusLost)
            assert "delivers no more messages" in str(lost)
            # On a busy machine a connection may take longer than the tenth of a second that it has here.
            assert LEAST_FAILURES <= nucleus.connections


async def test_a_device_without_a_network_goes_on_hearing_what_is_local() -> None:
    """Nothing comes from AWS IoT Core then, and local messages are lost until the connector listens."""
    with FakeNucleus() as nucleus:
        nucleus.faults.deaf_sides.add(Side.IOT_CORE)
        async with running(
            nucleus, rest_seconds=0, pubsub="both", probe_seconds=0.01, answer_seconds=2
        ) as found:
            told = await found.events.until("nucleus_deaf", count=LEAST_FAILURES + 1)
            assert all({"side": Origin.IOT_CORE} == each for each in told)
            assert not found.ending.done()
            subscribed = 1 + len(HEARD_TOPICS)
            assert (1, subscribed) == (nucleus.connections, nucleus.operations.count("SubscribeToTopic"))
            assert subscribed + len(told) >= nucleus.operations.count("SubscribeToIoTCore")


async def test_what_comes_with_the_network_finds_its_subscription() -> None:
    """AWS IoT Core keeps requests for a nucleus that is away, and without a network no new ones come."""
    with FakeNucleus() as nucleus:
        async with running(
            nucleus, rest_seconds=0, pubsub="iot_core", probe_seconds=0.01, answer_seconds=0.5
        ) as found:
            await found.ready()
            await nucleus.until_subscribed(PROBE_TOPIC, side=Side.IOT_CORE)
            nucleus.faults.deaf_sides.add(Side.IOT_CORE)
            nucleus.faults.refused.add("SubscribeToIoTCore")
            await found.events.until("nucleus_deaf")
            await found.events.until("subscription_refused")
            nucleus.faults.deaf_sides.clear()
            assert 1 == nucleus.publish(TEXT_TOPIC, b"kept", side=Side.IOT_CORE)
            assert b"kept" == (await found.next_inbound()).payload
            assert 1 == nucleus.connections


async def test_a_side_that_delivers_does_not_hide_that_local_messages_have_ended() -> None:
    with FakeNucleus() as nucleus:
        nucleus.faults.deaf_sides.add(Side.LOCAL)
        async with running(
            nucleus, rest_seconds=0, pubsub="both", probe_seconds=0.01, answer_seconds=2
        ) as found:
            lost = await end_of(found)
            assert isinstance(lost, NucleusLost)
            assert "delivers no more messages (local)" in str(lost)


async def test_a_nucleus_that_hears_again_in_time_ends_nothing() -> None:
    with FakeNucleus() as nucleus:
        nucleus.faults.deaf = True
        async with running(nucleus, probe_seconds=0.05, answer_seconds=0.5) as found:
            await found.events.until("nucleus_deaf", count=2)
            assert [] == found.told("nucleus_delivers_again")
            nucleus.faults.deaf = False
            assert [{"side": Origin.LOCAL}] == await found.events.until("nucleus_delivers_again")
            before = len(nucleus.published(PROBE_TOPIC))
            await nucleus.until_published(PROBE_TOPIC, count=before + 3)
            nucleus.publish(TEXT_TOPIC, b"x")
            assert b"x" == (await found.next_inbound()).payload


async def test_a_connection_that_ends_is_no_sign_of_deafness() -> None:
    """Not even for the probe that is under way then."""
    with FakeNucleus() as nucleus:
        nucleus.faults.silent.add("PublishToTopic")
        async with running(nucleus, probe_seconds=0.01) as found:
            for number in range(1, 11):
                await found.ready()
                await asyncio.to_thread(_wait_until_probed, nucleus, number)
                nucleus.close_connections()
            await found.ready()
            assert [] == found.told("nucleus_deaf")


async def test_a_probe_outside_the_access_control_is_no_sign_of_deafness() -> None:
    with FakeNucleus(access_control=policies(TEXT_TOPIC, CALL_TOPIC)) as nucleus:
        async with running(nucleus, probe_seconds=0.05) as found:
            await found.ready()
            await found.events.until("subscription_refused")
            nucleus.publish(TEXT_TOPIC, b"x")
            await found.next_inbound()
            assert [] == found.told("nucleus_deaf")


async def test_requests_are_carried_out_where_only_their_topics_are_allowed() -> None:
    with FakeNucleus(access_control=policies(TEXT_TOPIC, CALL_TOPIC, PROBE_TOPIC)) as nucleus:
        async with running(nucleus, probe_seconds=0.05) as found:
            await found.ready()
            nucleus.publish(TEXT_TOPIC, b"x")
            await found.next_inbound()
            await asyncio.to_thread(
                nucleus.wait_until, lambda: nucleus.operations.count("SubscribeToTopic") >= 7, "seven"
            )
            refused = [str(fields["error"]) for fields in found.told("wish_topics_refused")]
            assert 2 == len(refused)
            assert all("requests are carried out all the same" in error for error in refused)
            assert [] == found.told("subscription_refused")


async def test_a_nucleus_that_allows_only_cancellations_makes_no_connector_ready() -> None:
    with FakeNucleus(access_control=policies("twilio/cancel", PROBE_TOPIC)) as nucleus:
        async with running(nucleus, probe_seconds=0.05) as found:
            await found.events.until("subscription_refused")
            await asyncio.to_thread(
                nucleus.wait_until, lambda: nucleus.operations.count("SubscribeToTopic") >= 8, "eight"
            )
            assert [] == found.told("nucleus_connected")


async def test_a_probe_that_may_be_heard_and_not_sent_is_told_of_once() -> None:
    only_hear = {"operations": ["aws.greengrass#SubscribeToTopic"], "resources": ["*"]}
    with FakeNucleus(access_control={"aws.greengrass.ipc.pubsub": {"id": only_hear}}) as nucleus:
        async with running(nucleus, probe_seconds=0.02) as found:
            await found.events.until("probe_refused")
            await asyncio.to_thread(
                nucleus.wait_until, lambda: nucleus.operations.count("PublishToTopic") >= 3, "three probes"
            )
            assert (1, 0) == (len(found.told("probe_refused")), len(found.told("nucleus_deaf")))


async def test_what_comes_faster_than_it_is_recorded_is_dropped_beyond_a_bound_and_told_of_once() -> None:
    """A nucleus keeps nothing and cannot be slowed down, so that memory is all there is."""
    inbound: list[Inbound] = []
    events = RecordingEvents()
    inflow = Inflow(events=events, on_inbound=inbound.append)
    message = Message(payload=b"x")
    for _ in range(MOST_PAYLOADS + 7):
        inflow.receive(TEXT_TOPIC, message, origin=Origin.LOCAL)
    assert (MOST_PAYLOADS, 1) == (len(inbound), events.count("requests_dropped"))
    for each in inbound:
        each.acknowledge()
        each.release()
    assert [{"dropped": 7}] == [told.fields for told in events.named("requests_taken_again")]
    inflow.receive(TEXT_TOPIC, message, origin=Origin.LOCAL)
    assert MOST_PAYLOADS + 1 == len(inbound)


def test_what_waits_is_bounded_in_bytes_too() -> None:
    inbound: list[Inbound] = []
    inflow = Inflow(events=RecordingEvents(), on_inbound=inbound.append)
    large = Message(payload=bytes(MOST_BYTES // 4))
    for _ in range(6):
        inflow.receive(TEXT_TOPIC, large, origin=Origin.LOCAL)
    assert 4 == len(inbound)
    inbound[0].release()
    inflow.receive(TEXT_TOPIC, large, origin=Origin.LOCAL)
    assert 5 == len(inbound)


@pytest.mark.parametrize("variable", ["SVCUID", "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"])
async def test_whoever_is_not_started_by_a_nucleus_is_told_what_is_missing(variable: str) -> None:
    with FakeNucleus() as nucleus:
        environ = {name: value for name, value in nucleus.environ.items() if name != variable}
        found = Nucleus(environ, transport_settings().answer_seconds)
        with pytest.raises(TransportError, match=f"{variable} is not set"):
            await found.connect()


async def test_a_socket_that_is_not_there_is_named(tmp_path: Path) -> None:
    socket = tmp_path / "ipc.socket"
    environ = {SOCKET: str(socket), TOKEN: "any"}
    with pytest.raises(TransportError, match="there is no such socket") as caught:
        await Nucleus(environ, WAIT_SECONDS).connect()
    assert str(socket) in str(caught.value)
