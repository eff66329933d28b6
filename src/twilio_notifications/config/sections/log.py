"""[log]: what is written to standard error."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Choice


class LogLevel(StrEnum):
    """The least important records that are written; the names are those of `logging`."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class LogFormat(StrEnum):
    """Whom the log is for: people, or programs (one JSON object a line)."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What is written to standard error."""

    level: LogLevel = key(Choice(words=LogLevel), '"DEBUG", "INFO", "WARNING" or "ERROR".', default="INFO")
    format: LogFormat = key(
        Choice(words=LogFormat), '"text" is for people, "json" writes one object a line.', default="text"
    )


LOG = Section(name="log", text="What is written to standard error.", keys=keys_of(LogSettings))
