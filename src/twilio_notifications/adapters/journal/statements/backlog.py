"""Statements that count what waits, for the metrics."""

from __future__ import annotations

# What holds up all requests that are due; the latest one where there are several.
PAUSE_OF_ALL = """
SELECT reason FROM pauses
WHERE ended_at IS NULL AND about = '' AND (until IS NULL OR until > :now) ORDER BY begun_at DESC LIMIT 1
"""

# As adapters/journal/reading/waiting.py says it of one request; what is due and paced waits for room.
WAITING = """
SELECT CASE WHEN turn = 0 THEN 'earlier_request'
            WHEN due_at > :now THEN waiting_reason
            WHEN CAST(:pause AS TEXT) IS NOT NULL THEN :pause
            WHEN sender IS NOT NULL THEN 'sender_pace' END AS reason,
       COUNT(*), MIN(request)
FROM states WHERE state = 'WAITING' GROUP BY reason
"""

ACCEPTED_AT = "SELECT accepted_at FROM requests WHERE id = ?"
