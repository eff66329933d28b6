"""`status`: how the connector and its journal stand."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twilio_notifications import journals, terminal
from twilio_notifications.config import load_journal
from twilio_notifications.reading import forms
from twilio_notifications.reading.display import OutputForm
from twilio_notifications.reading.screen import screen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.reading.display import Display


def status(config: Path | None, *, display: Display, environ: Mapping[str, str]) -> int:
    """Prints how connector and journal stand; returns 0."""
    settings, now = load_journal(config, environ, with_limits=True), time.time()
    standing = journals.reader(settings.journal).standing(now=now, limits=settings.limits)
    if display.form is OutputForm.JSON:
        terminal.say(forms.line(forms.standing_object(standing, now=now)))
        return 0
    width = terminal.columns()
    lines = screen(standing, calendar=display.calendar, now=now)
    terminal.say(*(terminal.fitted(terminal.printable(line), width) for line in lines))
    return 0
