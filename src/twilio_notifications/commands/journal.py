"""`journal purge`: removes what is old from the journal of the configuration."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twilio_notifications import journals, terminal
from twilio_notifications.config import load_journal
from twilio_notifications.core.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def purge(config: Path | None, *, days: float | None, environ: Mapping[str, str]) -> int:
    """Removes requests that were reported longer ago than `days`; None is the retention time. Returns 0."""
    journal = load_journal(config, environ).journal
    seconds = journal.retention_seconds if days is None else days * 86_400
    removed = journals.purge(journal, finished_before=time.time() - seconds)
    terminal.say(f"{counted(removed, 'request')} removed")
    return 0
