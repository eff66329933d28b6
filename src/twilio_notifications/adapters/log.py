"""The log: one line for each event, as text for people or JSON for machines, on standard error.

Rule 1: an event has a constant name and structured fields. Rule 2: this module masks phone numbers, so
events hold them whole; the line of an event holds no token and no message text. Rule 3: libraries that log
payloads are silenced.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from twilio_notifications.config import LogFormat
from twilio_notifications.core.phone_numbers import masked, with_numbers_masked
from twilio_notifications.ports import Level
from twilio_notifications.ports.events import Defect, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from twilio_notifications.ports import Event

LOGGER = "twilio_notifications"

_MASKED_FIELDS = frozenset({"phone_number", "sender_number"})

_CHATTY = ("awsiot", "amqtt", "transitions", "passlib", "boto3", "botocore", "urllib3")
"""Libraries whose lines hold whole packets or answers, and so message texts or tokens, or repeat what our own
events say."""

_LEVELS: Final = MappingProxyType(
    {
        Level.DEBUG: logging.DEBUG,
        Level.INFO: logging.INFO,
        Level.WARNING: logging.WARNING,
        Level.ERROR: logging.ERROR,
    }
)

_PRIORITIES: Final = MappingProxyType(
    {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
)
"""syslog(3), as systemd reads them in front of a line: sd-daemon(3)."""


class Stream(Protocol):
    """Where lines go, as far as logging asks for it."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class EventLog:
    """Hears the events and writes them to the standard logging of this package."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def tell(self, event: Event) -> None:
        """Writes one line, if the event has one; a field whose value is None is left out."""
        level = event.level
        if level is None or not self._logger.isEnabledFor(_LEVELS[level]):
            return
        if isinstance(event, Defect):
            self._logger.error(event.name, exc_info=event.error, extra={"fields": {}})
        else:
            extra = {"fields": _masked(event.fields())}
            self._logger.log(_LEVELS[level], name_of(type(event)), extra=extra)


def _masked(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: _shown(name, value) for name, value in fields.items() if value is not None}


def _shown(name: str, value: object) -> object:
    if name in _MASKED_FIELDS:
        return masked(str(value))
    # Twilio's own sentences repeat numbers, and some of them are fields.
    return with_numbers_masked(value) if isinstance(value, str) else value


def configure(
    *, level: str, form: LogFormat, stream: Stream | None = None, priorities: bool = False
) -> EventLog:
    """Sets up the log of the whole program, by the command that runs; the last call counts.

    Without a `stream` lines go to standard error at once. `priorities` puts systemd's in front of each line.
    """
    output: logging.StreamHandler[Stream] = logging.StreamHandler(sys.stderr if stream is None else stream)
    formatter = JsonLines() if form is LogFormat.JSON else TextLines()
    output.setFormatter(_Prioritized(formatter) if priorities else formatter)
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(logging.WARNING)
    silence(_CHATTY)
    logger = logging.getLogger(LOGGER)
    logger.setLevel(level)
    return EventLog(logger)


def is_read_by_systemd(environ: Mapping[str, str], descriptor: int) -> bool:
    """Whether the descriptor leads to systemd's journal, which takes a priority from the start of a line.

    $JOURNAL_STREAM names the device and inode; the variable stays where the descriptor was redirected.
    """
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def prioritized(text: str, level: int) -> str:
    """The text with systemd's priority in front of each of its lines."""
    prefix = f"<{_PRIORITIES.get(level, _PRIORITIES[logging.INFO])}>"
    return "\n".join(prefix + line for line in text.split("\n"))


def adopt_strays(events: EventLog) -> None:
    """What Python itself would print to standard error becomes a line of the log from now on."""
    logging.captureWarnings(capture=True)

    def tell(error: BaseException | None) -> None:
        if error is not None:
            events.tell(Defect(name="error_outside_the_line", error=error))

    sys.unraisablehook = lambda stray: tell(stray.exc_value)
    threading.excepthook = lambda stray: tell(stray.exc_value)


def silence(names: Iterable[str]) -> None:
    """Nothing of these libraries is written from now on, even where another program has set up the log."""
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


class _Lines(logging.Formatter):
    """Masks phone numbers also in sentences of libraries and in traces, which this program does not word."""

    def sentence(self, record: logging.LogRecord) -> str:
        return with_numbers_masked(record.getMessage())

    def formatException(  # noqa: N802 - the name that logging calls
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return with_numbers_masked(super().formatException(ei))


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


class _Prioritized(logging.Formatter):
    """Another formatter's lines, with systemd's priorities."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self._formatter = formatter

    def format(self, record: logging.LogRecord) -> str:
        return prioritized(self._formatter.format(record), record.levelno)


def _word(value: object) -> str:
    """Quoted where it would not read as one word; a line break from outside must not forge a line."""
    text = str(value)
    return text if text.isprintable() and text and not {" ", '"', "="} & set(text) else json.dumps(text)


def _instant(record: logging.LogRecord) -> str:
    return (
        datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )
