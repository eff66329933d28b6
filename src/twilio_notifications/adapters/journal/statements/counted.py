"""Statements of numbers that are counted in memory, on SQLite alone: on PostgreSQL, sequences give them."""

from __future__ import annotations

# The latest number of all runs: a number is never given twice.
LATEST_REQUEST = "SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'requests'"

# The same of the outbox: what was deleted has left its position in SQLite's own table of such numbers.
LATEST_POSITION = """
SELECT MAX((SELECT COALESCE(MAX(position), 0) FROM statuses),
           (SELECT COALESCE(MAX(seq), 0) FROM sqlite_sequence WHERE name = 'statuses'))
"""

# Before statuses are deleted, the newest of which may be among them.
KEEP_POSITION = (
    """
    INSERT INTO sqlite_sequence (name, seq)
    SELECT 'statuses', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'statuses')
    """,
    """
    UPDATE sqlite_sequence SET seq = (SELECT MAX(position) FROM statuses)
    WHERE name = 'statuses' AND seq < (SELECT MAX(position) FROM statuses)
    """,
)
