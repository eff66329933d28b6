"""`journal list`, `show`, `tail`, `stats` and `export`: what people read of the journal."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NoReturn

from twilio_notifications import journals, terminal
from twilio_notifications.config import load_journal
from twilio_notifications.core.errors import ConfigurationError, NoSuchRequest, OutputLost
from twilio_notifications.core.wording import counted
from twilio_notifications.exit_codes import FAILED
from twilio_notifications.reading import forms, one_request
from twilio_notifications.reading.display import OutputForm
from twilio_notifications.reading.following import Follower
from twilio_notifications.reading.hours import table
from twilio_notifications.reading.lines import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from twilio_notifications.ports.journal.reader import Entry, JournalReader, Search, Timeline
    from twilio_notifications.reading.display import Display

PAGE: Final = 500
"""Requests that are read at once: a list of a million takes no more memory than this."""

LOOK_SECONDS: Final = 0.5
"""Between two looks for changes."""

_PRIVATE: Final = 0o600


def entries(
    config: Path | None,
    search: Search,
    *,
    display: Display,
    exit_code: bool,
    environ: Mapping[str, str],
) -> int:
    """Prints the requests that are looked for, the newest first.

    Returns 0; with `exit_code`, 1 where there is none.
    """
    reader, now = journals.reader(load_journal(config, environ).journal), time.time()
    table = Table(calendar=display.calendar, width=terminal.columns(), now=now, names=display.reveal)
    if display.form is OutputForm.CSV:
        terminal.say(forms.csv_line(list(forms.CSV_COLUMNS)))
    number = 0
    for page in _pages(reader, search, now=now, reveal=display.reveal):
        match display.form:
            case OutputForm.LINES:
                terminal.say(*table.lines(page, header=number == 0))
            case OutputForm.JSON:
                terminal.say(*(forms.line(forms.entry_object(entry)) for entry in page))
            case OutputForm.CSV:
                terminal.say(*(forms.csv_row(entry) for entry in page))
        number += len(page)
    if display.form is OutputForm.LINES:
        more = f"; there may be more (--limit {search.limit})" if number == search.limit else ""
        terminal.say(f"{counted(number, 'request')}{more}")
    return FAILED if exit_code and not number else 0


def _pages(reader: JournalReader, search: Search, *, now: float, reveal: bool) -> Iterator[Sequence[Entry]]:
    """What is found, in parts that are not empty, up to the limit of the search."""
    left, before = search.limit, search.before
    while left > 0:
        asked = replace(search, limit=min(left, PAGE), before=before)
        page = reader.entries(asked, now=now, reveal=reveal)
        if page.entries:
            yield page.entries
        left -= len(page.entries)
        before = page.before
        if before is None:
            return


def show(config: Path | None, number: int, *, display: Display, environ: Mapping[str, str]) -> int:
    """Prints one request with all that happened to it; returns 0."""
    reader, now = journals.reader(load_journal(config, environ).journal), time.time()
    timeline = reader.timeline(number, now=now, reveal=display.reveal)
    if display.form is OutputForm.JSON:
        terminal.say(forms.line(forms.timeline_object(timeline)))
    else:
        terminal.say(*one_request.lines_of(timeline, calendar=display.calendar, now=now))
    return 0


def tail(config: Path | None, search: Search, *, display: Display, environ: Mapping[str, str]) -> NoReturn:
    """Prints the newest requests, the oldest of them first, and then a line for each change, without end."""
    reader = journals.reader(load_journal(config, environ).journal)
    follower = Follower(reader=reader, search=search, reveal=display.reveal)
    changes, now = reader.changes(None), time.time()
    _say_followed(follower.first(now=now), display, now=now, header=True)
    while True:
        time.sleep(LOOK_SECONDS)
        changes, now = reader.changes(changes.mark), time.time()
        _say_followed(follower.look(changes, now=now), display, now=now)


def _say_followed(found: Sequence[Entry], display: Display, *, now: float, header: bool = False) -> None:
    if display.form is OutputForm.JSON:
        terminal.say(*(forms.line(forms.entry_object(entry)) for entry in found))
    elif found or header:
        listed = Table(calendar=display.calendar, width=terminal.columns(), now=now, names=display.reveal)
        terminal.say(*listed.lines(found, header=header))


def stats(config: Path | None, *, hours: int, display: Display, environ: Mapping[str, str]) -> int:
    """Prints what happened in each of the last hours; returns 0."""
    reader = journals.reader(load_journal(config, environ).journal)
    found = reader.activity(now=time.time(), hours=hours)
    if display.form is OutputForm.JSON:
        terminal.say(*(forms.line(forms.hour_object(hour)) for hour in found))
    else:
        width = terminal.columns()
        terminal.say(*(terminal.fitted(line, width) for line in table(found, display.calendar)))
    return 0


def export(
    config: Path | None,
    search: Search,
    *,
    display: Display,
    output: Path | None,
    environ: Mapping[str, str],
) -> int:
    """Writes each request that is looked for, in JSON with its time line, or in CSV without; returns 0.

    To standard output, or into a new file that only its owner may read, and that is there only as a whole.
    """
    reader, now = journals.reader(load_journal(config, environ).journal), time.time()
    number = 0
    with _outlet(output) as write:
        if display.form is OutputForm.CSV:
            write([forms.csv_line(list(forms.CSV_COLUMNS))])
        for page in _pages(reader, search, now=now, reveal=display.reveal):
            if display.form is OutputForm.CSV:
                lines = [forms.csv_row(entry) for entry in page]
            else:
                found = _timelines(reader, page, now=now, reveal=display.reveal)
                lines = [forms.line(forms.timeline_object(timeline)) for timeline in found]
            write(lines)
            number += len(lines)
    if output is not None:
        terminal.say(f"{counted(number, 'request')} written to {output}")
    return 0


def _timelines(
    reader: JournalReader, page: Sequence[Entry], *, now: float, reveal: bool
) -> Iterator[Timeline]:
    """The time lines of those that are still there: the connector removes old requests meanwhile."""
    for entry in page:
        with suppress(NoSuchRequest):
            yield reader.timeline(entry.number, now=now, reveal=reveal)


@contextmanager
def _outlet(output: Path | None) -> Iterator[Callable[[Sequence[str]], None]]:
    if output is None:
        yield lambda lines: terminal.say(*lines)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        raise ConfigurationError(
            [f"--output {output}: {error.strerror}. Name a file that does not exist yet"]
        ) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield lambda lines: file.writelines(f"{terminal.printable(line)}\n" for line in lines)
    except OSError as error:
        output.unlink(missing_ok=True)
        raise OutputLost(
            f"--output {output} cannot be written: {error.strerror}. What was written of it is removed"
        ) from error
    except BaseException:
        output.unlink(missing_ok=True)
        raise
