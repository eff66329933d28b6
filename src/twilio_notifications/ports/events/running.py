"""Events of a run: its start, its configuration, its stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from twilio_notifications.ports.events.event import Event, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationWarning(Event):
    """A setting is valid, but probably not what the operator meant."""

    level: ClassVar[Level] = Level.WARNING
    warning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReloaded(Event):
    """The configuration was read again, and its limits and quiet hours are in force."""

    level: ClassVar[Level] = Level.INFO
    limits: Literal["changed", "unchanged"]
    quiet_hours: Literal["changed", "unchanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationUnread(Event):
    """The nucleus did not give the component's configuration."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRefused(Event):
    """The configuration that was read again is wrong; the old limits stay."""

    level: ClassVar[Level] = Level.ERROR
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessConfined(Event):
    """The process can reach only what the fields name and what it must read."""

    level: ClassVar[Level] = Level.INFO
    landlock: str
    not_confined: str
    writable: str
    connect_ports: str
    listen_ports: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessNotConfined(Event):
    """The configuration wants no isolation."""

    level: ClassVar[Level] = Level.INFO
    landlock: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfinedFileReplaced(Event):
    """A file was replaced that the confined process reads; the connector ends."""

    level: ClassVar[Level] = Level.ERROR
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupervisorUnreachable(Event):
    """The supervisor's socket does not take messages."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsListening(Event):
    """The metrics are served at this address."""

    level: ClassVar[Level] = Level.INFO
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthListening(Event):
    """The health of the connector is served at this address."""

    level: ClassVar[Level] = Level.INFO
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatTaken(Event):
    """The address of the heartbeat has taken one; at INFO the first one, and the first after a trouble."""

    level: Level = field()
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatMissed(Event):
    """The address of the heartbeat did not take one; at WARNING once for each reason in a row."""

    level: Level = field()
    host: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatWithheld(Event):
    """The connector is not well, so it sent none; at WARNING once for each reason in a row."""

    level: Level = field()
    host: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesLost(Event):
    """The collector takes no traces; those of this time are lost."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TracesTaken(Event):
    """The collector takes traces again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorReady(Event):
    """The first subscriptions are acknowledged."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorReloaded(Event):
    """Everything that may change while the connector works was read again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorReloadFailed(Event):
    """Something could not be read again; an earlier event says what."""

    level: ClassVar[Level] = Level.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorDraining(Event):
    """The connector finishes the attempts and statuses under way and begins nothing new."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainCutShort(Event):
    """The drain took too long, or a second signal came."""

    level: ClassVar[Level] = Level.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosingCutShort(Event):
    """Connections or the journal could not be closed in time."""

    level: ClassVar[Level] = Level.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorStopped(Event):
    """The connector has stopped."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorFailed(Event):
    """The connector cannot start, or had to end."""

    level: ClassVar[Level] = Level.ERROR
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLinesLost(Event):
    """So many lines of the log could not be written."""

    level: ClassVar[Level] = Level.WARNING
    lines: int
