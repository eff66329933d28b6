"""Events of the web console, which is a process of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from twilio_notifications.ports.events.event import Event, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleReady(Event):
    """The console answers at this address."""

    level: ClassVar[Level] = Level.INFO
    address: str
    confined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleStopped(Event):
    """The console has ended."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSignedIn(Event):
    """A person has signed in."""

    level: ClassVar[Level] = Level.INFO
    person: str
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleSignInRefused(Event):
    """A name, a password or a token was wrong, or came too soon after wrong ones."""

    level: ClassVar[Level] = Level.WARNING
    client: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleOrderPlaced(Event):
    """A person has ordered something on a page."""

    level: ClassVar[Level] = Level.INFO
    person: str
    order: str
    requests: int
