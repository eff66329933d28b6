"""Confines the process as the configuration says.

This module collects what the connector may still reach, piece by piece. A new file, folder or port needs a
piece in `allowed`, and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlsplit

from twilio_notifications.adapters import isolation
from twilio_notifications.adapters.isolation import Confinement, FileWatch, Surroundings
from twilio_notifications.bootstrap import greengrass
from twilio_notifications.bootstrap.outside import prepare_journal
from twilio_notifications.bootstrap.secrets import secret_files
from twilio_notifications.config import AwsSecrets, JournalPlace, MqttSettings
from twilio_notifications.core.errors import ConfigurationError, IsolationFailed
from twilio_notifications.core.parameters import IsolationMode
from twilio_notifications.ports.events import ConfigurationWarning, ProcessConfined, ProcessNotConfined

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.adapters.isolation import Offer
    from twilio_notifications.config import Settings
    from twilio_notifications.ports import Clock, Events


def isolate(
    settings: Settings, config: Path | None, *, environ: Mapping[str, str], clock: Clock, events: Events
) -> FileWatch:
    """Confines this process if the configuration wants it; before any thread, and before any secret is read.

    Returns the watch over the files that a confined process must not lose. Raises ConfigurationError where
    the kernel has no Landlock, IsolationFailed where something keeps it from being used.
    """
    offer = isolation.discover()
    match settings.parameters.isolation_mode:
        case IsolationMode.NO_CONTAINER:
            events.tell(ProcessNotConfined(landlock=str(offer)))
            return FileWatch((), clock=clock, is_forbidden=isolation.is_forbidden)
        case IsolationMode.GREENGRASS_CONTAINER:
            confinement = _confined(settings, config, offer=offer, environ=environ, events=events)
            return FileWatch(confinement.watched, clock=clock, is_forbidden=isolation.is_forbidden)
        case _:
            assert_never(settings.parameters.isolation_mode)


def _confined(
    settings: Settings, config: Path | None, *, offer: Offer, environ: Mapping[str, str], events: Events
) -> Confinement:
    if not offer.version:
        raise ConfigurationError([isolation.refusal(offer, connector_version=settings.connector.version)])
    prepare_journal(settings.journal)
    surroundings = Surroundings.here(environ)
    confinement = allowed(settings, config, surroundings)
    problems = undone(confinement, settings, config, surroundings)
    if problems:
        raise ConfigurationError(problems)
    carry_out(confinement, offer, surroundings=surroundings, events=events)
    return confinement


def carry_out(confinement: Confinement, offer: Offer, *, surroundings: Surroundings, events: Events) -> None:
    """Confines this process for good, and says what it may still do and what may be in its way."""
    for remark in isolation.remarks(confinement, surroundings):
        events.tell(ConfigurationWarning(warning=remark))
    isolation.confine(confinement, offer)
    events.tell(
        ProcessConfined(
            landlock=str(offer),
            not_confined=offer.not_confined(confinement),
            writable=" ".join(map(str, sorted(confinement.writable))),
            connect_ports=port_list(confinement.connect_ports),
            listen_ports=port_list(confinement.listen_ports),
        )
    )


def allowed(settings: Settings, config: Path | None, surroundings: Surroundings) -> Confinement:
    """What the connector may still reach once it is confined."""
    named = chain.from_iterable(_named(settings, config, surroundings).values())
    folders = [settings.journal.path.parent] if settings.journal.database is None else []
    if isinstance(settings.secrets, AwsSecrets):
        folders.append(settings.secrets.copy_path.parent)
    surroundings = replace(surroundings, own=frozenset(path.absolute() for path in (*named, *folders)))
    pieces = (
        isolation.python(surroundings),
        isolation.devices(),
        isolation.certificates(surroundings),
        isolation.name_resolution(surroundings),
        isolation.configuration(config, settings.connector.definition, surroundings=surroundings),
        *(
            isolation.file_read_again(path, surroundings)
            for path in chain(*secret_files(settings, surroundings.environ))
        ),
        isolation.aws_secrets(settings.secrets, surroundings),
        isolation.journal(settings.journal, surroundings),
        isolation.broker(settings.transport, surroundings),
        isolation.twilio(settings.twilio, surroundings),
        isolation.listener(settings.metrics.listen),
        isolation.listener(settings.health.listen),
        isolation.heartbeat(settings.heartbeat.url),
        isolation.collector(settings.traces.url),
        isolation.listener(settings.tracking.listen),
        _local_sockets(settings, surroundings),
    )
    confinement = Confinement()
    for piece in pieces:
        confinement |= piece
    return confinement


def undone(
    confinement: Confinement, settings: Settings, config: Path | None, surroundings: Surroundings
) -> list[str]:
    """Why the confinement would be none at the next start, one sentence for each reason.

    A journal that is still where an earlier version put it by default is used all the same, with the warning
    of the configuration: requests in it must not be left behind by an update.
    """
    if settings.journal.place is JournalPlace.EARLIER_DEFAULT:
        return []
    guarded = [
        isolation.Guarded(path=path.absolute(), what=what)
        for what, paths in _named(settings, config, surroundings).items()
        for path in paths
    ]
    return list(isolation.undoings(confinement, [*guarded, *isolation.program(surroundings)], surroundings))


def _named(settings: Settings, config: Path | None, surroundings: Surroundings) -> dict[str, list[Path]]:
    """The files that the configuration names and the connector only reads, by their kind."""
    secrets = chain(*secret_files(settings, surroundings.environ))
    named: dict[str, tuple[Path | None, ...]] = {
        "the configuration": (config, settings.connector.definition),
        "a secret": (*secrets, *isolation.aws_files(settings.secrets, surroundings)),
        "a key or certificate": (
            *isolation.broker_files(settings.transport),
            settings.twilio.ca_file,
            *(settings.journal.database.files if settings.journal.database is not None else ()),
        ),
    }
    return {what: [path for path in paths if path is not None] for what, paths in named.items()}


def _local_sockets(settings: Settings, surroundings: Surroundings) -> Confinement:
    """What is reached by a socket with a path: a nucleus, and the daemon for names in .local."""
    hosts = [urlsplit(settings.twilio.base_url).hostname or ""]
    if settings.journal.database is not None:
        hosts += [host for host, _ in settings.journal.database.hosts]
    if isinstance(settings.transport, MqttSettings):
        hosts.append(settings.transport.broker.host)
    if settings.heartbeat.url is not None:
        hosts.append(settings.heartbeat.url.host)
    if settings.traces.url is not None:
        hosts.append(urlsplit(settings.traces.url).hostname or "")
    found = isolation.local_names(hosts, surroundings)
    return found | isolation.nucleus(surroundings) if greengrass.is_wanted(settings) else found


def outlived(path: Path) -> IsolationFailed:
    """Why the connector ended, once one of its files was replaced."""
    return IsolationFailed(
        f"{path} was replaced, and a confined process cannot be allowed the new one: start the connector "
        "again, or have that done by itself (systemd: Restart=). See docs/how-to/isolation.md"
    )


def port_list(ports: frozenset[int]) -> str:
    """The ports in ascending order, or "none"."""
    return " ".join(map(str, sorted(ports))) or "none"
