"""What all events have in common, the protocol of those that hear them, and the event of a defect."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_INNER_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")


class Level(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened. Its class is its name: `SendingPaused` is `sending_paused` in the log.

    An event with a line in the log states its `level`: as a ClassVar, or as a field where it depends on
    what happened. The field is not part of the line.
    """

    @property
    def level(self) -> Level | None:
        """The level of its line; None: it has no line."""
        return None

    def fields(self) -> Mapping[str, object]:
        """What its line holds: never a token, never a message text; phone numbers are masked by the log.

        A field whose value is None is left out of the line.
        """
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "level"}


class Events(Protocol):
    """Hears what happens. Stages and adapters tell each event once, after the commit of what it tells of."""

    def tell(self, event: Event) -> None:
        """Neither waits nor fails."""


def name_of(kind: type[Event]) -> str:
    """The constant name of an event in the log."""
    return _INNER_CAPITAL.sub("_", kind.__name__).lower()


DefectName = Literal[
    "attempt_failed",
    "chain_failed",
    "connector_failed",
    "console_failed",
    "delivery_defect",
    "error_outside_the_line",
    "function_failed",
    "intake_failed",
    "journal_step_failed",
    "login_check_failed",
    "look_up_failed",
    "order_failed",
    "record_failed",
    "request_defect",
    "status_not_published",
    "subscriber_failed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect(Event):
    """A defect of the connector. Its line has this name, and the trace of the error."""

    level: ClassVar[Level] = Level.ERROR
    name: DefectName
    error: BaseException

    def fields(self) -> Mapping[str, object]:
        return {}
