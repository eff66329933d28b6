"""A change of the component's configuration is found, whether the nucleus tells of it or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import until as holds
from tests.adapters.greengrass_steps import running
from tests.support.nucleus import FakeNucleus, Style
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.errors import TransportError

if TYPE_CHECKING:
    from tests.adapters.greengrass_steps import Running

WATCH = "SubscribeToConfigurationUpdate"
LIMITS = {"limits": {"paused": "true"}}


async def until(nucleus: FakeNucleus, operation: str, count: int = 1) -> None:
    await asyncio.to_thread(
        nucleus.wait_until, lambda: nucleus.operations.count(operation) >= count, operation
    )


async def is_told(found: Running) -> None:
    """Waits until the nucleus tells the connector of another configuration."""
    await asyncio.wait_for(found.reconfigured.wait(), WAIT_SECONDS)
    found.reconfigured.clear()


async def test_what_the_nucleus_tells_is_passed_on() -> None:
    with FakeNucleus(configuration={"a": 1}) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            await until(nucleus, "GetConfiguration")
            nucleus.configure({"a": 2})
            await is_told(found)
            assert {"a": 2} == await found.watch.take()


async def test_what_changed_between_the_start_and_the_first_watch_is_found() -> None:
    with FakeNucleus(configuration={}) as nucleus:
        async with running(nucleus) as found:
            found.watch.taken = LIMITS
            await is_told(found)


async def test_what_changed_while_there_was_no_connection_is_found() -> None:
    """The operator may have paused the sending, and no nucleus says so again."""
    with FakeNucleus(configuration={}) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            await until(nucleus, "GetConfiguration")
            nucleus.stop()
            nucleus.configure(LIMITS)
            nucleus.start()
            await is_told(found)


async def test_a_new_connection_alone_is_no_change() -> None:
    with FakeNucleus(configuration=LIMITS) as nucleus:
        async with running(nucleus) as found:
            await found.ready()
            await until(nucleus, "GetConfiguration")
            nucleus.close_connections()
            await until(nucleus, "GetConfiguration", 2)
            await found.ready()
            assert not found.reconfigured.is_set()


async def test_a_key_that_was_removed_is_found_although_nucleus_lite_tells_nobody() -> None:
    with FakeNucleus(style=Style.LITE, configuration=LIMITS) as nucleus:
        async with running(nucleus, probe_seconds=0.05) as found:
            await found.ready()
            await until(nucleus, "GetConfiguration")
            nucleus.remove_configuration("limits")
            await is_told(found)
            assert {} == await found.watch.take()


async def test_after_a_restart_of_the_configuration_service_changes_are_found_and_told_again() -> None:
    """The stream stays open and is dead. Once a change has shown it, there is a new one."""
    with FakeNucleus(style=Style.LITE, configuration={}) as nucleus:
        async with running(nucleus, probe_seconds=0.05) as found:
            await found.ready()
            await until(nucleus, "GetConfiguration")
            nucleus.forget_watchers()
            nucleus.configure(LIMITS)
            await is_told(found)
            await until(nucleus, WATCH, 2)
            assert [] == found.told("subscription_closed")
            await found.watch.take()
            await holds(nucleus.is_watched)


async def test_a_change_that_could_not_be_taken_up_is_found_again() -> None:
    """The nucleus was busy, or the connection ended, just when the connector read it."""
    with FakeNucleus(configuration={}) as nucleus:
        async with running(nucleus, probe_seconds=0.05) as found:
            await found.ready()
            await until(nucleus, "GetConfiguration")
            nucleus.faults.refused.add("GetConfiguration")
            nucleus.configure(LIMITS)
            await is_told(found)
            with pytest.raises(TransportError):
                await found.watch.take()
            await found.events.until("configuration_unread")
            nucleus.faults.refused.clear()
            await is_told(found)
            assert LIMITS == await found.watch.take()
            assert 1 == len(found.told("configuration_unread"))


async def test_a_configuration_that_was_taken_up_is_not_told_of_again() -> None:
    """Even where it was wrong, and the connector has said so."""
    with FakeNucleus(configuration={}) as nucleus:
        async with running(nucleus, probe_seconds=0.02) as found:
            await found.ready()
            await until(nucleus, "GetConfiguration")
            nucleus.configure(LIMITS)
            await is_told(found)
            await found.watch.take()
            found.reconfigured.clear()
            asked = nucleus.operations.count("GetConfiguration")
            await until(nucleus, "GetConfiguration", asked + 3)
            assert not found.reconfigured.is_set()
