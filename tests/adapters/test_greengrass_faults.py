"""What the Greengrass adapter does about a nucleus that refuses, hangs up, is restarted, or goes deaf."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.adapters.greengrass_steps import CALL_TOPIC, STATUS_TOPIC, TEXT_TOPIC, WAIT_SECONDS, running
from tests.support.nucleus import FakeNucleus, Side, Style
from twilio_notifications.adapters.greengrass.patience import Patience
from twilio_notifications.core.errors import NotAcknowledged, NucleusLost, TransportError
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.greengrass_steps import Running

PROBE_TOPIC = "twilio/notifications/probe"


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


async def test_a_stream_that_ends_is_opened_again_over_the_same_connection(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            nucleus.close_stream(TEXT_TOPIC)
            await found.ready()
            assert 1 == nucleus.publish(TEXT_TOPIC, b"again")
            assert b"again" == (await found.next_inbound()).payload
            assert (1, 1) == (nucleus.connections, len(found.told("subscribed_again")))
            assert [{"topic": TEXT_TOPIC, "side": Origin.LOCAL}] == found.told("subscription_closed")


async def test_a_connection_that_ends_is_opened_again_and_everything_comes_once(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            nucleus.close_connections()
            await found.ready()
            assert 1 == nucleus.publish(CALL_TOPIC, b"again")
            assert b"again" == (await found.next_inbound()).payload
            assert found.inbound.empty()
            assert (1, 2) == (len(found.told("nucleus_connection_lost")), nucleus.connections)


async def test_a_daemon_that_is_restarted_and_keeps_its_tokens_is_joined_again(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            nucleus.restart(keep_token=True)
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"{}")
            assert 1 == len(nucleus.published(STATUS_TOPIC))


async def test_a_daemon_that_forgot_our_token_ends_the_process_so_that_it_gets_a_new_one(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            nucleus.restart(keep_token=False)
            error = await end_of(found)
            assert isinstance(error, NucleusLost)
            assert "SVCUID" in str(error)
            assert nucleus.environ["SVCUID"] not in str(error)


async def test_a_process_that_was_started_a_moment_ago_does_not_end_again(tmp_path: Path) -> None:
    """The nucleus lite bears three starts in an hour."""
    Patience(tmp_path / "starts").started(0)
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path, clock=None) as found:
            await found.ready()
            # The notes now hold this run's start; one more makes it the second of its hour.
            found.lifeline._may_end_at = found.lifeline._started + 1200
            nucleus.restart(keep_token=False)
            while not found.told("end_postponed"):
                await asyncio.sleep(0.01)
            assert not found.ending.done()
            assert 1 == len(found.told("end_postponed"))


async def test_a_nucleus_that_is_not_there_yet_is_waited_for_with_one_line(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        nucleus.stop()
        async with running(nucleus, tmp_path) as found:
            while not found.told("nucleus_unreachable"):
                await asyncio.sleep(0.01)
            nucleus.start()
            await found.ready()
            assert 1 == len(found.told("nucleus_unreachable"))


async def test_a_topic_outside_the_access_control_is_told_of_and_the_other_one_works(tmp_path: Path) -> None:
    with FakeNucleus(access_control=policies(TEXT_TOPIC, STATUS_TOPIC)) as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            (told,) = found.told("subscription_refused")
            assert CALL_TOPIC == told["topic"]
            assert "UnauthorizedError" in str(told["error"])
            nucleus.publish(TEXT_TOPIC, b"x")
            assert b"x" == (await found.next_inbound()).payload
            nucleus.access_control = None
            await found.ready()
            assert 1 == nucleus.publish(CALL_TOPIC, b"y")


@pytest.mark.parametrize("style", list(Style))
async def test_a_status_that_the_nucleus_refuses_is_refused_and_the_connection_stands(
    style: Style, tmp_path: Path
) -> None:
    with FakeNucleus(style=style) as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            nucleus.faults.refused.add("PublishToTopic")
            error = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
            assert error.refused
            assert "ServiceError" in str(error)
            assert 1 == nucleus.connections


async def test_a_status_that_is_never_answered_is_not_acknowledged(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        nucleus.faults.silent.add("PublishToTopic")
        async with running(nucleus, tmp_path, answer_seconds=0.2) as found:
            await found.ready()
            error = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
            assert (False, "the nucleus did not answer PublishToTopic within 0.2 s") == (
                error.refused,
                str(error),
            )


async def test_without_a_connection_a_status_is_not_acknowledged(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            nucleus.stop()
            await asyncio.wait_for(asyncio.shield(found.nucleus.ended), WAIT_SECONDS)
            assert not (await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))).refused


async def test_a_status_that_makes_the_nucleus_hang_up_is_not_sent_again_and_holds_up_nothing(
    tmp_path: Path,
) -> None:
    """The nucleus lite takes no packet of more than 10,000 bytes, and says so to nobody."""
    with FakeNucleus(style=Style.LITE) as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            assert not (await failure_of(found.transport.publish(STATUS_TOPIC, b"x" * 7500))).refused
            await found.ready()
            for size in (7500, 20_000):
                assert (await failure_of(found.transport.publish(STATUS_TOPIC, b"x" * size))).refused
            await asyncio.gather(*(found.transport.publish(STATUS_TOPIC, b"x" * 7200) for _ in range(5)))
            assert [7200] * 5 == [len(one.payload) for one in nucleus.published(STATUS_TOPIC)]
            assert 2 == nucleus.connections
            assert [{"topic": STATUS_TOPIC, "bytes": 7500}] == found.told("status_too_large")


async def test_the_classic_nucleus_takes_large_statuses(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            await found.transport.publish(STATUS_TOPIC, b"x" * 100_000)
            assert 1 == nucleus.connections


async def test_a_nucleus_that_forgot_the_subscriptions_is_noticed_and_asked_again(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path, probe_seconds=0.2) as found:
            await found.ready()
            await nucleus.until_subscribed(PROBE_TOPIC)
            await nucleus.until_published(PROBE_TOPIC, count=2)
            nucleus.forget_subscriptions()
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC, PROBE_TOPIC)
            while not found.told("probe_came_back"):
                await asyncio.sleep(0.01)
            assert 1 == nucleus.publish(TEXT_TOPIC, b"heard")
            assert b"heard" == (await found.next_inbound()).payload
            assert ["subscribe"] == [told["remedy"] for told in found.told("probe_missing")]
            assert 1 == nucleus.connections


async def test_a_nucleus_that_stays_deaf_ends_the_process_at_last(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        nucleus.faults.deaf = True
        async with running(nucleus, tmp_path, probe_seconds=0.1) as found:
            error = await end_of(found)
            assert isinstance(error, BaseExceptionGroup)
            assert [NucleusLost] == [type(leaf) for leaf in error.exceptions]
            assert ["subscribe", "connect", "end"] == [
                told["remedy"] for told in found.told("probe_missing")
            ]
            assert 2 == nucleus.connections


async def test_a_probe_outside_the_access_control_is_no_sign_of_deafness(tmp_path: Path) -> None:
    with FakeNucleus(access_control=policies(TEXT_TOPIC, CALL_TOPIC)) as nucleus:
        async with running(nucleus, tmp_path, probe_seconds=0.05) as found:
            await found.ready()
            while not found.told("subscription_refused"):
                await asyncio.sleep(0.01)
            nucleus.publish(TEXT_TOPIC, b"x")
            await found.next_inbound()
            assert [] == found.told("probe_missing")


async def test_a_retained_message_of_aws_iot_core_is_marked_as_one(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path, pubsub="iot_core") as found:
            await found.ready()
            nucleus.publish(TEXT_TOPIC, b"x", side=Side.IOT_CORE)
            assert not (await found.next_inbound()).retained


async def test_a_copy_that_fails_does_not_hold_up_the_status(tmp_path: Path) -> None:
    with FakeNucleus() as nucleus:
        nucleus.faults.refused.add("PublishToIoTCore")
        async with running(nucleus, tmp_path, pubsub="both", statuses_to="both") as found:
            await found.ready()
            for _ in range(3):
                await found.transport.publish(STATUS_TOPIC, b"{}", origin=Origin.LOCAL)
            assert 3 == len(nucleus.published(STATUS_TOPIC, side=Side.LOCAL))
            while not found.told("status_copy_failed"):
                await asyncio.sleep(0.01)
            error = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}", origin=Origin.IOT_CORE))
            assert error.refused


async def test_what_comes_faster_than_it_is_recorded_is_dropped_beyond_a_bound_and_told_of_once(
    tmp_path: Path,
) -> None:
    with FakeNucleus() as nucleus:
        async with running(nucleus, tmp_path) as found:
            await found.ready()
            for _ in range(1100):
                nucleus.publish(TEXT_TOPIC, b"x")
            while not found.told("requests_dropped"):
                await asyncio.sleep(0.01)
            held = [await found.next_inbound() for _ in range(1000)]
            assert found.inbound.empty()
            for inbound in held:
                inbound.acknowledge()
                inbound.release()
            nucleus.publish(TEXT_TOPIC, b"y")
            assert b"y" == (await found.next_inbound()).payload
            assert 1 == len(found.told("requests_dropped")) == len(found.told("requests_taken_again"))


@pytest.mark.parametrize("variable", ["SVCUID", "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"])
async def test_whoever_is_not_started_by_a_nucleus_is_told_at_once(variable: str, tmp_path: Path) -> None:
    from tests.adapters.greengrass_steps import Running as Steps, transport_settings
    from twilio_notifications.adapters.clock import SystemClock

    with FakeNucleus() as nucleus:
        environ = {name: value for name, value in nucleus.environ.items() if name != variable}
    found = Steps(environ, transport_settings(), clock=SystemClock(), notes=tmp_path / "starts")
    with pytest.raises(TransportError, match=variable):
        await found.run()
