"""One function for each adapter that faces the outside: Settings → the adapter, not opened yet."""

from __future__ import annotations

import os
import random
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from twilio_notifications import journals
from twilio_notifications.adapters.journal.grouping import Group
from twilio_notifications.adapters.mqtt import MqttTransport
from twilio_notifications.adapters.sqlite.place import make_private, real
from twilio_notifications.adapters.systemd import SystemdSupervisor
from twilio_notifications.adapters.twilio import CallForm, TwilioSender
from twilio_notifications.config import JournalPlace, MachineDetection, MqttSettings, Ordering
from twilio_notifications.core.contract import PROBE_TOPIC
from twilio_notifications.core.errors import JournalError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from twilio_notifications.adapters.journal.journal import SqlJournal
    from twilio_notifications.config import JournalSettings, Settings
    from twilio_notifications.ports import Clock, Events

_GOODBYE_SECONDS = 30.0
_TCP_SECONDS = 3600.0


def prepare_journal(settings: JournalSettings) -> None:
    """Makes the folder of a journal at its default place, and takes the rights of others from its files.

    Both before the process is confined, which can change no modes and is not allowed what is not there yet.
    Raises JournalError where the folder cannot be made. Elsewhere a folder that is missing is a mistake, or a
    disk that is not there yet.
    """
    if settings.database is not None:
        return
    folder = settings.path.parent
    if settings.place is JournalPlace.DEFAULT:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise JournalError(
                f"the journal's folder {folder} cannot be made: {error.strerror}. Make it, for the user that "
                "runs the connector, or name another place in journal.url"
            ) from error
    with suppress(OSError):  # the journal says so when it is opened, as for files that are another user's
        deque(make_private(real(settings.path)), maxlen=0)


def journal(settings: Settings, *, events: Events, member: str) -> SqlJournal:
    """The journal of the configuration, not opened yet; `member` is the name of this connector."""
    prepare_journal(settings.journal)
    # A connection that outlives a PUBACK by so long has surely brought it to the broker: a dead one is
    # noticed within two keep alives and a goodbye. Without a keep alive, TCP gives up after 15 minutes.
    # A nucleus repeats nothing, so any time does there.
    transport = settings.transport
    keepalive = transport.keepalive_seconds if isinstance(transport, MqttSettings) else 0
    return journals.journal(
        settings.journal,
        events=events,
        member=member,
        ordering="none" if settings.delivery.ordering is Ordering.NONE else "recipient",
        paces=settings.pace,
        deduplicate_seconds=settings.delivery.deduplicate_by_id_seconds,
        group=_group(settings),
        sure_seconds=3 * keepalive + _GOODBYE_SECONDS if keepalive else _TCP_SECONDS,
    )


def _group(settings: Settings) -> Group | None:
    transport = settings.transport
    if not isinstance(transport, MqttSettings) or not transport.shared_group:
        return None
    return Group(
        client=transport.client_id,
        handing_over_seconds=transport.shared_group_seconds,
        session_seconds=transport.session_expiry_seconds,
        lease_seconds=settings.journal.lease_seconds,
    )


def twilio_sender(settings: Settings, *, clock: Clock) -> TwilioSender:
    """The way to Twilio, not opened yet."""
    return TwilioSender(
        base_url=settings.twilio.base_url,
        account_sid=settings.parameters.account_sid,
        clock=clock,
        timeout_seconds=settings.twilio.timeout_seconds,
        ca_file=settings.twilio.ca_file,
        calls=CallForm(
            ring_seconds=settings.calls.ring_seconds,
            time_limit_seconds=settings.calls.time_limit_seconds,
            detects_machines=settings.calls.machine_detection is MachineDetection.DETECT,
        ),
    )


def supervisor(environ: Mapping[str, str], *, events: Events) -> SystemdSupervisor:
    """Speaks to systemd, where it started this process. Made before the process is confined."""
    return SystemdSupervisor(environ, pid=os.getpid(), events=events)


def mqtt_transport(
    settings: MqttSettings,
    *,
    clock: Clock,
    events: Events,
    on_new_session: Callable[[], asyncio.Future[None]],
) -> MqttTransport:
    """The way to the broker."""
    topics = settings.topics
    return MqttTransport(
        settings,
        topics=topics.requests,
        wish_topics=topics.wishes,
        probe_topic=settings.topic_prefix + PROBE_TOPIC,
        clock=clock,
        events=events,
        jitter=random.SystemRandom().random,
        on_new_session=on_new_session,
    )
