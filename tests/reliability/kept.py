"""What the journal of a run keeps, read as another program would."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.access import Access

_OPEN: Final = {
    "requests": "SELECT COUNT(*) FROM states WHERE state <> 'REPORTED'",
    "deliveries": "SELECT COUNT(*) FROM deliveries WHERE look_at IS NOT NULL",
    "chains": "SELECT COUNT(*) FROM chains WHERE ended_at IS NULL",
    "statuses": "SELECT COUNT(*) FROM statuses WHERE reported_at IS NULL",
    "calls to hang up": "SELECT COUNT(*) FROM hangups",
}

_WITHDRAWN: Final = """
SELECT COALESCE(body, spoken_text), phone_number FROM requests JOIN statuses ON request = id
WHERE chain <> id AND later = 0 AND reason = 'Cancelled' AND sid IS NULL
"""

_STEP: Final = re.compile(r"step ([12]) of number ([0-9]+)")


def open_in(journal: Access) -> dict[str, int]:
    """The numbers of what has not come to its end; nothing is left out but zeros."""
    with journal.reading(glance=True) as connection:
        counts = {name: connection.execute(query).fetchone()[0] for name, query in _OPEN.items()}
    return {name: count for name, count in counts.items() if count}


def kept_in(journal: Access) -> tuple[Counter[tuple[int, int, str]], dict[str, str]]:
    """Requests of steps that were cancelled before they were sent, and the last word of each delivery."""
    with journal.reading(glance=True) as connection:
        withdrawn = Counter(
            (int(found[2]), int(found[1]), number)
            for content, number in connection.execute(_WITHDRAWN)
            if (found := _STEP.match(content or ""))
        )
        words = dict(map(tuple, connection.execute("SELECT sid, word FROM deliveries WHERE look_at IS NULL")))
    return withdrawn, words
