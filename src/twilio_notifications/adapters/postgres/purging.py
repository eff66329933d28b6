"""Removes old requests from a journal whose connector does not run."""

from __future__ import annotations

import asyncio
from contextlib import closing

from twilio_notifications.adapters.journal.statements import care
from twilio_notifications.adapters.postgres.faults import ERRORS
from twilio_notifications.adapters.postgres.opening import (
    LOCK_JOURNAL,
    SETTINGS,
    is_in_use,
    open_to_read,
    require_fit,
)
from twilio_notifications.adapters.postgres.place import place_of, refusal
from twilio_notifications.adapters.postgres.session import Session
from twilio_notifications.core.errors import JournalLocked

PURGED_AT_ONCE = 500
"""Requests in one transaction of a purge."""


def purge(url: str, *, finished_before: float) -> int:
    """Removes what was reported before that instant; how many requests.

    Raises a JournalError that says what to do.
    """
    bounds = {"before": finished_before, "limit": PURGED_AT_ONCE}
    removed = 0
    with (
        closing(asyncio.new_event_loop()) as loop,
        closing(Session(url, run=loop.run_until_complete, on_connect=require_fit)) as session,
    ):
        try:
            while True:
                session.command(f"BEGIN; {SETTINGS}; {LOCK_JOURNAL}")
                session.run(open_to_read)  # no connector migrates it until the end of the transaction
                if session.run(is_in_use):
                    raise JournalLocked(
                        f"a connector is running on the journal {place_of(url)}, or was killed a moment ago. "
                        "Stop it, purge, and start it again."
                    )
                batch = session.execute(care.PURGE, bounds).rowcount
                session.command("COMMIT")
                if not batch:
                    return removed
                removed += batch
        except ERRORS as error:
            raise refusal(url, error) from error
