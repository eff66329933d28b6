"""Statements of the outbox."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import WHOLE_STATUS

# Here the id is in the status already.
_COLUMNS = f"request, '\"\"', channel, position, {WHOLE_STATUS}, origin, envelope, suspicion"

UNREPORTED = f"""
SELECT {_COLUMNS} FROM statuses JOIN requests ON id = request
WHERE reported_at IS NULL AND position > ? AND suspicion < 2 AND held = 0 ORDER BY position LIMIT ?
"""

# The smallest that the broker does not take tells most about its limit.
SUSPECTS = f"""
SELECT {_COLUMNS} FROM statuses JOIN requests ON id = request
WHERE reported_at IS NULL AND suspicion >= ? AND suspicion >= 2
ORDER BY suspicion, LENGTH(status), position LIMIT ?
"""

SUSPECT = "UPDATE statuses SET suspicion = suspicion + ? WHERE position = ? AND reported_at IS NULL"

REMARK = "UPDATE statuses SET remark = ? WHERE position = ?"

REPORT = "UPDATE statuses SET reported_at = ? WHERE position = ? AND reported_at IS NULL"

# Where no other status of the request is left in the outbox. "reported_at IS NULL" would let PostgreSQL walk
# along the index of the outbox, which is full of what has left it.
REPORT_REQUEST = """
UPDATE states SET state = 'REPORTED'
WHERE request = (SELECT request FROM statuses WHERE position = ?) AND state = 'FINISHED'
  AND NOT EXISTS (SELECT 1 FROM statuses AS other
                  WHERE other.request = states.request AND COALESCE(other.reported_at, -1) < 0)
"""

# What another connector has written for the request meanwhile is seen by a new statement alone. "state =
# 'REPORTED'" would let PostgreSQL walk along the index of all that is reported.
NOT_REPORTED = """
UPDATE states SET state = 'FINISHED'
WHERE request = (SELECT request FROM statuses WHERE position = ?) AND state || '' = 'REPORTED'
  AND EXISTS (SELECT 1 FROM statuses AS other
              WHERE other.request = states.request AND COALESCE(other.reported_at, -1) < 0)
"""

TOO_LARGE = "SELECT too_large FROM broker WHERE too_large_at >= ?"

NOTE_TOO_LARGE = "UPDATE broker SET too_large = ?, too_large_at = ?"
