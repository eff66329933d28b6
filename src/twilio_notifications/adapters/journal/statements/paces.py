"""Statements of paced senders: what each has used of its rate, and what waits for it."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import REQUEST_COLUMNS, UNFINISHED

SENDERS = "SELECT id, number, channel, unit, full_at, place, paused_until FROM senders"

# One that paused already has a row.
NAME_SENDER = """
INSERT INTO senders (number, channel, unit) VALUES (?, ?, ?)
ON CONFLICT (number, channel) DO UPDATE SET unit = excluded.unit
"""

UNNAME_SENDER = "UPDATE senders SET unit = NULL WHERE id = ?"

LEAVE = "UPDATE senders SET full_at = ?, place = ? WHERE id = ?"

PAUSE = """
INSERT INTO senders (number, channel, paused_until) VALUES (?, ?, ?)
ON CONFLICT (number, channel) DO UPDATE SET paused_until = MAX(senders.paused_until, excluded.paused_until)
"""

PAUSED = "SELECT number, channel, paused_until FROM senders WHERE paused_until > ?"

# A pause that a clock in the future has left does not outlive the longest that there is.
BOUND_PAUSES = "UPDATE senders SET paused_until = ? WHERE paused_until > ?"

OF_REQUESTS = f"""
SELECT {REQUEST_COLUMNS} FROM json_each(?) AS chosen CROSS JOIN states ON states.request = chosen.value
JOIN requests ON requests.id = states.request
"""

# Its place among those of its sender is that of its arrival, also where it had to wait for something else.
ASSIGN = """
UPDATE states
SET sender = ?, amount = ?, due_at = (SELECT accepted_at FROM requests WHERE id = request),
    waiting_reason = 'sender_pace', waiting_message = NULL, waiting_since = ?
WHERE request = ?
"""

RELEASE = f"UPDATE states SET sender = NULL WHERE sender = ? AND {UNFINISHED}"

HAS_WAITING = "SELECT EXISTS (SELECT 1 FROM states WHERE sender = ? AND turn = 1)"

# Of each of these senders the first request of a class that is due. The outer table is the short one.
HEADS = """
SELECT one.request, free.value, one.due_at, one.amount
FROM json_each(:senders) AS free CROSS JOIN states AS one ON one.request = (
    SELECT request FROM states
    WHERE turn = 1 AND sender = free.value AND lease IS NULL AND priority = :priority
      AND due_at <= :due_before AND request NOT IN (SELECT value FROM json_each(:aside))
    ORDER BY due_at, request LIMIT 1)
"""

QUEUE = """
SELECT request, due_at, amount FROM states
WHERE turn = 1 AND sender = :sender AND lease IS NULL AND priority = :priority AND due_at <= :due_before
  AND request NOT IN (SELECT value FROM json_each(:aside))
ORDER BY due_at, request LIMIT :limit
"""

# For a person: the paced senders of some requests, and all that is due of one in the order of its leaving.
PACED_OF = """
SELECT DISTINCT senders.id, unit, full_at, paused_until
FROM json_each(?) AS chosen CROSS JOIN states ON states.request = chosen.value
JOIN senders ON senders.id = states.sender WHERE states.turn + 0 = 1 AND unit IS NOT NULL
"""

DUE_OF = """
SELECT request, due_at, amount FROM states WHERE turn = 1 AND sender = ? AND due_at <= ?
ORDER BY priority, due_at, request
"""

# Of an index of those that have their turn, PostgreSQL may read all.
CLAIMED = f"{OF_REQUESTS} WHERE turn + 0 = 1"
