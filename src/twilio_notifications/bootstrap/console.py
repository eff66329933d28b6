"""Settings → the console, wired with journal and broker, and confined. Imported by the command alone."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from twilio_notifications import journals
from twilio_notifications.adapters import isolation
from twilio_notifications.adapters.isolation import Confinement, Surroundings
from twilio_notifications.adapters.mqtt.visiting import MqttVisitor
from twilio_notifications.bootstrap.isolation import carry_out
from twilio_notifications.bootstrap.outside import prepare_journal
from twilio_notifications.config import MqttSettings, load_journal
from twilio_notifications.config.in_force import in_force
from twilio_notifications.console.application import Console
from twilio_notifications.console.parts import ConsoleParts
from twilio_notifications.core.errors import ConfigurationError, JournalError
from twilio_notifications.core.policy import Limits
from twilio_notifications.ports.events import ProcessNotConfined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from twilio_notifications.config import ConsoleFileSettings
    from twilio_notifications.ports import Events
    from twilio_notifications.ports.visiting import Visitor


def console(
    settings: ConsoleFileSettings, config: Path | None, *, environ: Mapping[str, str], events: Events
) -> Console:
    """The console of this configuration; nothing is opened yet."""
    return Console(
        ConsoleParts(
            settings=settings,
            reader=journals.reader(settings.journal),
            desk=journals.desk(settings.journal),
            visitor=partial(_visitor, settings),
            in_force=partial(in_force, config, environ),
            limits=partial(_limits, config, environ),
            events=events,
            now=time.time,
            random_bytes=os.urandom,
            version=version("twilio-notifications"),
        )
    )


def _visitor(settings: ConsoleFileSettings, on_message: Callable[[str, bytes], None]) -> Visitor | None:
    transport = settings.transport
    if not isinstance(transport, MqttSettings):
        return None
    return MqttVisitor(
        transport,
        client_id=f"{transport.client_id}-console-{os.urandom(4).hex()}",
        topics=[transport.topics.status],
        on_message=on_message,
    )


def _limits(config: Path | None, environ: Mapping[str, str]) -> Limits:
    try:
        return load_journal(config, environ, with_limits=True).limits
    except ConfigurationError:
        return Limits()  # the Parameters page says what is wrong


def confine(
    settings: ConsoleFileSettings, config: Path | None, *, environ: Mapping[str, str], events: Events
) -> bool:
    """Confines this process to what the console needs; returns whether it is confined.

    Without Landlock, or where the configuration wants no isolation, the console works unconfined, and the log
    says so. Raises IsolationFailed where something keeps the process from being confined, JournalError where
    the journal has no folder: a confined process would not see one that is made later.
    """
    prepare_journal(settings.journal)
    folder = settings.journal.path.parent
    if settings.journal.database is None and not folder.is_dir():
        raise JournalError(
            f"the journal's folder {folder} does not exist: correct journal.url, or start the connector first"
        )
    offer = isolation.discover()
    if not offer.version or not settings.console.isolation:
        events.tell(ProcessNotConfined(landlock=str(offer)))
        return False
    surroundings = Surroundings.here(environ)
    confinement = allowed(settings, config, surroundings)
    carry_out(confinement, offer, surroundings=surroundings, events=events)
    return True


def allowed(settings: ConsoleFileSettings, config: Path | None, surroundings: Surroundings) -> Confinement:
    """What the console may still reach: the journal, the configuration, the broker, and no Twilio."""
    named = [path for path in (config, *isolation.broker_files(settings.transport)) if path is not None]
    database = settings.journal.database
    places = database.files if database is not None else (settings.journal.path.parent,)
    own = frozenset(path.absolute() for path in (*named, *places))
    surroundings = replace(surroundings, own=own)
    broker = settings.transport.broker.host if isinstance(settings.transport, MqttSettings) else ""
    hosts = () if database is None else [host for host, _ in database.hosts]
    pieces = (
        isolation.python(surroundings),
        isolation.devices(),
        isolation.certificates(surroundings),
        isolation.name_resolution(surroundings),
        isolation.configuration(config, None, surroundings=surroundings),
        isolation.journal(settings.journal, surroundings),
        isolation.broker(settings.transport, surroundings),
        isolation.listener(settings.console.listen),
        isolation.local_names([broker, *hosts], surroundings),
    )
    confinement = Confinement()
    for piece in pieces:
        confinement |= piece
    return confinement
