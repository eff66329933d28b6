"""An operator changes settings while the connector works, and a mistake in them changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import a_line, running
from twilio_notifications.config import load
from twilio_notifications.core.errors import ConfigurationError, ConnectorError, TransportError
from twilio_notifications.core.policy import Limits, Period, Quota, Unit
from twilio_notifications.pipeline.reconfiguration import Reconfiguration
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from tests.pipeline.line import Line
    from twilio_notifications.config import Settings

FIRST, SECOND = "+12345000001", "+12345000002"


def settings(**given: str) -> Settings:
    environ = {f"TWILIO_NOTIFICATIONS__{name.upper()}": value for name, value in given.items()}
    return load(None, environ | {"TWILIO_NOTIFICATIONS__CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID": "AC1"})


async def reload(line: Line, now: Settings | ConnectorError) -> None:
    async def reread() -> Settings:
        if isinstance(now, ConnectorError):
            raise now
        return now

    await Reconfiguration(
        started_with=settings(), reread=reread, dispatcher=line.dispatcher, events=line.events
    ).reload()
    await line.clock.settle()


async def test_a_pause_holds_from_the_next_request_on_until_it_is_lifted() -> None:
    async with a_line() as line, running(line):
        await line.accept(FIRST)
        await reload(line, settings(limits__paused="true"))
        await line.accept(FIRST)
        await reload(line, settings())
        await line.accept(SECOND)
        assert ["success", "NotAllowed", "success"] == [result for _, result in await line.results()]
        assert [FIRST, SECOND] == line.sender.ids()
        told = [event.fields["limits"] for event in line.events.named("configuration_reloaded")]
        assert ["changed", "changed"] == told


async def test_what_waits_for_a_quota_is_judged_anew_at_once() -> None:
    """An operator who makes room for waiting alarms does not mean: from next month on."""
    async with a_line() as line, running(line):
        line.dispatcher.limits = Limits(quotas=(Quota(unit=Unit.TEXTS, period=Period.MONTH, most=1),))
        await line.accept(FIRST, SECOND)
        assert [FIRST] == line.sender.ids()
        await reload(line, settings(limits__texts_per_month="2"))
        assert [FIRST, SECOND] == line.sender.ids()


async def test_what_still_finds_no_room_goes_on_waiting() -> None:
    async with a_line() as line, running(line):
        line.dispatcher.limits = Limits(quotas=(Quota(unit=Unit.TEXTS, period=Period.HOUR, most=1),))
        await line.accept(FIRST, SECOND)
        await reload(line, settings(limits__texts_per_hour="1", limits__calls_per_hour="1"))
        assert [FIRST] == line.sender.ids()
        assert 1 == len(await line.waiting())


async def test_a_configuration_that_cannot_be_read_is_not_called_wrong() -> None:
    """The connection to the nucleus ended just then; it is read again with the next one."""
    async with a_line() as line, running(line):
        line.dispatcher.limits = Limits(paused=True)
        await reload(line, TransportError("there is no connection to the nucleus"))
        assert Limits(paused=True) == line.dispatcher.limits
        (told,) = line.events.lines
        assert ("configuration_unread", Level.WARNING) == (told.name, told.level)


async def test_a_wrong_configuration_changes_nothing_and_says_everything() -> None:
    async with a_line() as line, running(line):
        line.dispatcher.limits = Limits(paused=True)
        await reload(line, ConfigurationError(["the first problem", "the second problem"]))
        assert Limits(paused=True) == line.dispatcher.limits
        (told,) = line.events.lines
        assert ("configuration_refused", Level.ERROR) == (told.name, told.level)
        assert {"error": "the first problem; the second problem"} == told.fields


@pytest.mark.parametrize(
    ("change", "section"),
    [
        ({"transport__client_id": "other"}, "transport"),
        ({"delivery__lifetime_seconds": "7"}, "delivery"),
        ({"connector__parameters__defaultfromphonenumber": "+15005550006"}, "connector.parameters"),
    ],
)
async def test_what_needs_a_restart_is_named(change: dict[str, str], section: str) -> None:
    async with a_line() as line:
        await reload(line, settings(**change))
        warnings = [told.fields["warning"] for told in line.events.named("configuration_warning")]
        assert f"[{section}] has changed: it takes effect at the next start" in warnings


async def test_what_has_not_changed_is_not_named() -> None:
    async with a_line() as line:
        await reload(line, settings())
        warnings = [str(told.fields["warning"]) for told in line.events.named("configuration_warning")]
        assert [] == [warning for warning in warnings if "next start" in warning]
