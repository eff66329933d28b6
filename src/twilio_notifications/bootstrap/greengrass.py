"""The Greengrass V2 nucleus, where the configuration wants it; without it nothing of its SDK is imported."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from twilio_notifications.config import GreengrassSecrets, GreengrassSettings
from twilio_notifications.extras import not_installed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from twilio_notifications.adapters.greengrass import (
        ConfigurationWatch,
        Endurance,
        GreengrassTransport,
        Nucleus,
    )
    from twilio_notifications.config import Settings
    from twilio_notifications.ports import Clock, Events, SecretSource, Supervisor

STARTED_BY = ("AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT", "SVCUID")
"""Variables that a nucleus sets for the components that it starts, and for no other process."""

LAST_START = "last-start"
"""The file next to the journal that holds when the last run began."""

LOOK_SECONDS = 60.0
"""How often the configuration is read again where no probes are sent: a reading leaves the device nowhere."""

FIRST_ANSWER_SECONDS = 10.0
"""The limit for the first answer, which brings the configuration, and with it the limit for all others."""


def problems(environ: Mapping[str, str]) -> Iterator[str]:
    """Why there is no nucleus to be had, one sentence each."""
    if find_spec("awsiot") is None:
        yield not_installed("awsiotsdk", needed_by="Greengrass V2", extra="greengrass")
    missing = [name for name in STARTED_BY if not environ.get(name)]
    if missing:
        yield (
            f"only what a Greengrass V2 nucleus has started can reach it, and {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not set: run it as a component, "
            "see docs/how-to/greengrass-v2.md"
        )


def component_configuration(environ: Mapping[str, str]) -> Mapping[str, object]:
    """The configuration of the component that this process is; before the process is confined."""
    from twilio_notifications.adapters.greengrass.apart import (  # noqa: PLC0415 - needs the extra
        configuration_read_apart,
    )

    return configuration_read_apart(environ, answer_seconds=FIRST_ANSWER_SECONDS)


def is_wanted(settings: Settings) -> bool:
    """Whether the transport or the secrets are those of a nucleus."""
    return isinstance(settings.transport, GreengrassSettings) or isinstance(
        settings.secrets, GreengrassSecrets
    )


@asynccontextmanager
async def nucleus(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Nucleus | None]:
    """Connected; None where it is not wanted."""
    if not is_wanted(settings):
        yield None
        return
    from twilio_notifications.adapters.greengrass import Nucleus  # noqa: PLC0415 - needs the extra

    found = Nucleus(environ, settings.transport.answer_seconds)
    try:
        await found.connect()
        yield found
    finally:
        await found.close()


def secret(nucleus: Nucleus, *, arn: str, label: str, json_key: str | None) -> SecretSource:
    """The secret that the nucleus keeps."""
    from twilio_notifications.adapters.greengrass import GreengrassSecret  # noqa: PLC0415 - needs the extra

    return GreengrassSecret(nucleus=nucleus, arn=arn, label=label, json_key=json_key)


def transport(
    settings: GreengrassSettings,
    nucleus: Nucleus,
    *,
    clock: Clock,
    events: Events,
    endurance: Endurance,
    configuration: ConfigurationWatch | None,
) -> GreengrassTransport:
    """The way by the nucleus."""
    from twilio_notifications.adapters.greengrass import (  # noqa: PLC0415 - needs the extra
        GreengrassTransport,
    )

    return GreengrassTransport(
        settings=settings,
        nucleus=nucleus,
        clock=clock,
        events=events,
        jitter=random.SystemRandom().random,
        endurance=endurance,
        configuration=configuration,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What a nucleus has started: the configuration it began with, and the watch for changes of it."""

    configuration: Mapping[str, object]
    on_change: Callable[[], None]


def configuration_watch(
    settings: Settings, nucleus: Nucleus, component: Component, *, events: Events
) -> ConfigurationWatch:
    """Looks as often as messages are probed; where none are, by default all the same."""
    from twilio_notifications.adapters.greengrass import (  # noqa: PLC0415 - needs the extra
        ConfigurationWatch,
    )

    return ConfigurationWatch(
        nucleus=nucleus,
        events=events,
        every_seconds=settings.transport.probe_seconds or LOOK_SECONDS,
        on_change=component.on_change,
        taken=component.configuration,
    )


def endurance(settings: Settings, now: float) -> Endurance:
    """The endurance of a run that begins now; once for each run, because it is remembered for the next one.

    The folder of the journal is the one that a confined connector may write to.
    """
    from twilio_notifications.adapters.greengrass import (  # noqa: PLC0415 - needs the extra
        Endurance,
        remembered_start,
    )

    path = settings.journal.path.with_name(LAST_START)
    return Endurance(started_at=now, started_before=remembered_start(path, now=now))


def supervisor(nucleus: Nucleus, other: Supervisor, *, events: Events) -> Supervisor:
    """The nucleus as a supervisor, and the other one."""
    from twilio_notifications.adapters.greengrass import NucleusSupervisor  # noqa: PLC0415 - needs the extra

    return NucleusSupervisor(nucleus=nucleus, other=other, events=events)
