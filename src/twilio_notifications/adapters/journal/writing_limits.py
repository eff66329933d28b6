"""How much the writer writes at once, and how long it waits for what."""

from __future__ import annotations

from typing import Final

BATCH_LIMIT: Final = 256
"""Members in one transaction (requests, steps): well past the point where the cost of a commit per row has
vanished, small enough that the first of them does not wait for the last."""

BUSY_SIZE: Final = 4
"""Members of the last commit from which on the next one waits for company. A lone request never gets there:
its calls wait for each other, one at a time."""

COMPANY_SECONDS: Final = 0.008
"""How long it waits. Measured: a message costs the journal 52 µs where 16 share a commit, and 40 µs where 32
do. That is reached at 4,000 messages a second; at 50 there is no company to wait for."""

REPORT_SECONDS: Final = 1.0
"""How long a call that may ride along with others waits for one."""

MOST_CONFLICTS: Final = 100
"""Tries of a transaction that others were in the way of, one right after the other. Then it pauses."""

RETRY_SECONDS: Final = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Pauses before a failed transaction is tried again; the last one repeats."""

GIVE_BACK_SECONDS: Final = 1.0
"""How long an arrival waits for room in a journal that is as large as it may be. Then its transport has it
delivered again later: as long as it waits, the transport may have to stop reading, and with that misses the
acknowledgements of statuses that would make room."""
