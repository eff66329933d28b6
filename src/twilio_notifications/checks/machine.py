"""Tries the parts that need no network: certificates, journal and disk, the addresses to listen on."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import ssl
from functools import partial
from typing import TYPE_CHECKING

from twilio_notifications import journals
from twilio_notifications.adapters.sqlite.opening import inspect, inspect_used
from twilio_notifications.checks.finding import Finding
from twilio_notifications.config import JournalPlace, MqttSettings
from twilio_notifications.core.errors import ConnectorError, JournalLocked, ListeningFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from twilio_notifications.config import Settings

LEAST_FREE_BYTES = 16 * 1024 * 1024
"""Enough for the write-ahead log (8 MiB) and some thousand requests."""


def certificates(settings: Settings) -> Iterator[Finding]:
    """A finding for each configured file that holds no valid certificate or key."""
    transport, twilio = settings.transport, settings.twilio
    broker = transport if isinstance(transport, MqttSettings) else None
    for name, path in (
        ("transport.ca_file", None if broker is None else broker.ca_file),
        ("twilio.ca_file", twilio.ca_file),
    ):
        if path is not None:
            loaded = partial(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations, path)
            yield from _certificate(name, path, loaded)
    if broker is not None and broker.certificate_file is not None:
        loaded = partial(
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain,
            broker.certificate_file,
            broker.key_file,
            password="",
        )
        names = "transport.certificate_file and key_file"
        yield from _certificate(names, broker.certificate_file, loaded)


def _certificate(names: str, path: Path, load: Callable[[], None]) -> Iterator[Finding]:
    try:
        load()
    except OSError as error:  # ssl.SSLError is one
        sentence = f"{names}: {path} cannot be used ({error}). It must be in PEM, without a pass phrase"
        yield Finding(subject="certificates", works=False, sentence=sentence)


def journal(settings: Settings, *, offline: bool) -> Finding:
    """The state of the journal for the next start, and whether its disk has room for more requests."""
    if settings.journal.database is not None:
        return _database(settings, offline=offline)
    path = settings.journal.path
    folder = path.parent
    # The connector makes the folder of the default place itself.
    is_to_be_made = settings.journal.place is JournalPlace.DEFAULT and not folder.exists()
    if is_to_be_made:
        folder = folder.parent
    try:
        sentence = f"{path}: will be created, with its folder" if is_to_be_made else _inspected(path)
    except ConnectorError as error:
        return Finding(subject="journal", works=False, sentence=str(error))
    if not os.access(folder, os.W_OK | os.X_OK):
        sentence = f"{folder} is not writable for this user: the journal could not be kept there"
        return Finding(subject="journal", works=False, sentence=sentence)
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        sentence = f"{folder} has only {free // 1024} KiB free: requests could not be recorded. Make room"
        return Finding(subject="journal", works=False, sentence=sentence)
    return Finding(subject="journal", works=True, sentence=sentence)


def _database(settings: Settings, *, offline: bool) -> Finding:
    if offline:
        return Finding(subject="journal", works=True, sentence="its database is not asked (--offline)")
    try:
        sentence = journals.database_state(settings.journal)
    except ConnectorError as error:
        return Finding(subject="journal", works=False, sentence=str(error))
    return Finding(subject="journal", works=True, sentence=sentence)


def _inspected(path: Path) -> str:
    try:
        return inspect(path)
    except JournalLocked:
        return f"{path}: in use by a running connector; {inspect_used(path)}"


def listeners(settings: Settings) -> Iterator[Finding]:
    """Whether the connector could listen for scrapes and callbacks; a running one listens there already."""
    for subject, listen in (
        ("metrics", settings.metrics.listen),
        ("health", settings.health.listen),
        ("tracking", settings.tracking.listen),
    ):
        if listen is not None:
            yield _listener(settings, *listen, subject=subject)


def _listener(settings: Settings, host: str, port: int, *, subject: str) -> Finding:
    address = f"{host}:{port}"
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, at in dict.fromkeys((entry[0], entry[4]) for entry in addresses):
            socket.create_server(at, family=family).close()
    except OSError as error:
        is_ours = error.errno == errno.EADDRINUSE and _is_running(settings)
        refused = ListeningFailed.of(error, setting=f"[{subject}] listen", address=address)
        sentence = f"{address}: in use, and a connector runs" if is_ours else str(refused)
        return Finding(subject=subject, works=is_ours, sentence=sentence)
    return Finding(subject=subject, works=True, sentence=f"{address} is free")


def _is_running(settings: Settings) -> bool:
    try:
        return journals.is_in_use(settings.journal)
    except ConnectorError:
        return False
