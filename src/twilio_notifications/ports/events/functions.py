"""Events of the program that runs a function of Greengrass V1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from twilio_notifications.ports.events.event import Event, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReady(Event):
    """The function's subscriptions are acknowledged."""

    level: ClassVar[Level] = Level.INFO
    function: str
    topics: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionEventRetained(Event):
    """A retained message came; the function was not called with it."""

    level: ClassVar[Level] = Level.WARNING
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionEventUnreadable(Event):
    """A message was not JSON; the function was not called with it."""

    level: ClassVar[Level] = Level.WARNING
    topic: str
    error: str
