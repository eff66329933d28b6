"""The locks of a transaction: the journal for itself, or its lanes next to other transactions.

They are advisory locks, which end with the transaction. Each transaction takes the lock of the journal first,
then those of its lanes, all at once and in the order of their numbers, before it writes anything: so no two
of them wait for each other in a circle. Two lanes may have the same number, and then share a lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.postgres import storing
from twilio_notifications.adapters.postgres.opening import LOCK_JOURNAL, LOCK_SPACE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.adapters.journal.lanes import Lanes

SHARE_JOURNAL: Final = f"SELECT pg_advisory_xact_lock_shared({LOCK_SPACE + 1}, hashtext(current_schema()))"
"""Until the end of the transaction, no other one has the journal for itself."""

_SEED: Final = "hashtext(current_schema())"

# The same words as in adapters/journal/lanes.py.
_OF_RECIPIENT: Final = f"hashtextextended('recipient ' || channel || ' ' || phone_number, {_SEED})"

_OF_SENDER: Final = f"hashtextextended('sender ' || channel || ' ' || sender_number, {_SEED})"

_OF_NAME: Final = f"hashtextextended(convert_from(decode(name, 'hex'), 'UTF8'), {_SEED})"

# The inner query is carried out as it stands, so that locks are taken in order, and only of what it finds.
_TAKE: Final = """
SELECT pg_advisory_xact_lock(lane)
FROM (SELECT DISTINCT lane FROM ({lanes}) AS every ORDER BY lane OFFSET 0) AS one
"""

TRY_RECIPIENTS: Final = f"""
SELECT request FROM (
    SELECT request, {_OF_RECIPIENT} AS lane FROM states
    WHERE request IN (SELECT value FROM json_each(?)) OFFSET 0) AS found
WHERE pg_try_advisory_xact_lock(lane)
"""  # noqa: S608 - our own
"""Those of the requests whose recipients are no lanes of another transaction; they are this one's now."""


def locks(lanes: Lanes | None) -> str:
    """Commands that a transaction begins with; None: it has the journal for itself."""
    if lanes is None:
        return LOCK_JOURNAL
    found = " UNION ALL ".join(_found(lanes))
    return f"{SHARE_JOURNAL}; {_TAKE.format(lanes=found)}" if found else SHARE_JOURNAL


def _found(lanes: Lanes) -> Iterator[str]:
    """Queries for the numbers of the lanes. A text from outside is written in hexadecimal digits alone."""
    if lanes.names:
        names = ",".join(storing.stored(name).hex() for name in lanes.names)
        yield f"SELECT {_OF_NAME} AS lane FROM unnest('{{{names}}}'::text[]) AS name"  # noqa: S608 - hexadecimal digits
    if lanes.requests:
        requests = ",".join(map(str, lanes.requests))
        yield f"SELECT {_OF_RECIPIENT} AS lane FROM requests WHERE id IN ({requests})"  # noqa: S608 - numbers
        if lanes.of_senders:
            yield f"SELECT {_OF_SENDER} AS lane FROM requests WHERE id IN ({requests})"  # noqa: S608 - numbers
