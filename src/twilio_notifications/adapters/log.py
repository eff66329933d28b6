"""The log: one line for each event, as text for people or JSON for machines, on standard error.

Rule 1: an event has a constant name and structured fields. Rule 2: phone numbers are masked here, whoever
passes them; tokens and message texts are never passed at all. Rule 3: libraries that log payloads are
silenced.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from twilio_notifications.config import LogFormat
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import TextIO

LOGGER = "twilio_notifications"

_MASKED_FIELDS = frozenset({"phone_number", "sender_number"})
_VISIBLE_DIGITS = 4
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_CHATTY = ("gmqtt", "awsiot", "amqtt", "transitions", "passlib", "boto3", "botocore", "urllib3")
"""Libraries whose lines hold whole packets or answers, and so message texts or tokens, or repeat what our own
events say."""


class LogObserver:
    """Writes events to the standard logging of this package."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def event(self, name: str, *, level: Level = Level.INFO, **fields: object) -> None:
        number = logging.getLevelNamesMapping()[level]
        if self._logger.isEnabledFor(number):
            self._logger.log(number, name, extra={"fields": _masked(fields)})

    def defect(self, name: str, error: BaseException) -> None:
        """A defect of the connector, with its trace."""
        self._logger.error(name, exc_info=error, extra={"fields": {}})


def mask(number: str) -> str:
    """A phone number of which only the last four digits are left."""
    return "*" * max(0, len(number) - _VISIBLE_DIGITS) + number[-_VISIBLE_DIGITS:]


def _masked(fields: dict[str, object]) -> dict[str, object]:
    return {name: _shown(name, value) for name, value in fields.items()}


def _shown(name: str, value: object) -> object:
    if name in _MASKED_FIELDS:
        return mask(str(value))
    # Twilio's own sentences repeat numbers, and some of them are fields.
    return _numbers_masked(value) if isinstance(value, str) else value


def _numbers_masked(text: str) -> str:
    return _NUMBER.sub(lambda number: mask(number[0]), text)


def configure(*, level: str, form: LogFormat, stream: TextIO | None = None) -> LogObserver:
    """Sets up the log of the whole program; called once, by the command that runs."""
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(JsonLines() if form is LogFormat.JSON else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.WARNING)
    silence(_CHATTY)
    logger = logging.getLogger(LOGGER)
    logger.setLevel(level)
    return LogObserver(logger)


def silence(names: Iterable[str]) -> None:
    """Nothing of these libraries is written from now on, whoever has set up the log."""
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class _Lines(logging.Formatter):
    """What is not ours to word, a library's sentence or a trace, may repeat numbers too."""

    def sentence(self, record: logging.LogRecord) -> str:
        return _numbers_masked(record.getMessage())

    def formatException(  # noqa: N802 - the name that logging calls
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return _numbers_masked(super().formatException(ei))


class JsonLines(_Lines):
    """One JSON object a line: time, level, event, then the event's fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _instant(record),
            "level": record.levelname,
            "event": self.sentence(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(_Lines):
    """`time LEVEL event name=value …`, each value on one line whatever it holds."""

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        words = [_instant(record), f"{record.levelname:<7}", self.sentence(record)]
        words += [f"{name}={_word(value)}" for name, value in fields.items()]
        line = " ".join(words)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _word(value: object) -> str:
    """Quoted where it would not read as one word; a line break from outside must not forge a line."""
    text = str(value)
    return text if text.isprintable() and text and not {" ", '"', "="} & set(text) else json.dumps(text)


def _instant(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
