"""Statements that count, recover and purge."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import ATTEMPTED

COUNT_WAITING = "SELECT COUNT(*) FROM states WHERE state = 'WAITING'"

COUNT_OPEN = f"SELECT COUNT(*) FROM states WHERE {ATTEMPTED} AND state = 'OPEN'"

COUNT_IN_DOUBT = f"SELECT COUNT(*) FROM states WHERE {ATTEMPTED} AND state = 'IN_DOUBT'"

COUNT_UNFINISHED = f"""
SELECT (SELECT COUNT(*) FROM states WHERE state = 'WAITING')
     + (SELECT COUNT(*) FROM states WHERE {ATTEMPTED})
"""

COUNT_UNREPORTED = """
SELECT COUNT(DISTINCT statuses.request) FROM statuses JOIN states ON states.request = statuses.request
WHERE reported_at IS NULL AND state = 'FINISHED'
"""

NEWEST_REQUEST = "SELECT COALESCE(MAX(id), 0) FROM requests"

LEFT_OPEN = f"SELECT request FROM states WHERE {ATTEMPTED}"

# What an earlier run left open, or a member that is none any more, was cut off by its end.
RECOVER_OPEN = f"""
UPDATE states SET state = 'IN_DOUBT', cut_off = 1, doubt = ?, doubt_at = ?, settle_at = ?, lease = NULL
WHERE {ATTEMPTED} AND state = 'OPEN' AND (lease IS NULL OR lease NOT IN (SELECT token FROM members))
"""

# The settling time begins again: only the clock of the process that is gone measured how much of it has
# passed, and that clock may have been wrong.
RECOVER_DOUBTS = f"UPDATE states SET doubt_at = ?, settle_at = ? WHERE {ATTEMPTED} AND state = 'IN_DOUBT'"

# The same of one request, where all of them at once did not succeed.
RECOVER_ONE_OPEN = f"{RECOVER_OPEN} AND request = ?"

RECOVER_ONE_DOUBT = f"{RECOVER_DOUBTS} AND request = ?"

# The clock was set back between two runs: what was accepted "in the future" counts from now on, so that it
# neither waits for a due time that is far away nor lives longer than it should.
FUTURE_WAITING = """
SELECT request, accepted_at FROM states JOIN requests ON id = request
WHERE state = 'WAITING' AND waiting_since > :now AND accepted_at > :now
"""

FUTURE_DOUBTS = f"""
SELECT request, accepted_at FROM states JOIN requests ON id = request
WHERE {ATTEMPTED} AND state = 'IN_DOUBT' AND accepted_at > :now
"""

# A delivery that is followed from an instant that has not come yet would not be looked at until then.
RECOVER_DELIVERIES = """
UPDATE deliveries
SET begun_at = :now, look_at = :now, changed_at = MIN(changed_at, :now), version = version + 1
WHERE look_at > :now AND begun_at > :now
"""

RECOVER_WAITING = """
UPDATE states
SET expires_at = :now + (expires_at - :accepted_at), due_at = MIN(due_at, :now),
    waiting_since = MIN(waiting_since, :now)
WHERE request = :request AND state = 'WAITING'
"""

RECOVER_DOUBT_EXPIRY = """
UPDATE states SET expires_at = :now + (expires_at - :accepted_at)
WHERE request = :request AND state = 'IN_DOUBT'
"""

RECOVER_ACCEPTED = "UPDATE requests SET accepted_at = :now WHERE id = :request"

# What is followed still is kept for its end; where nothing follows it any more, its next look is long past.
PURGE = """
DELETE FROM requests WHERE id IN (
    SELECT request FROM states
    WHERE state = 'REPORTED' AND finished_at < :before
      AND NOT EXISTS (SELECT 1 FROM deliveries
                      WHERE deliveries.request = states.request AND look_at >= :before)
      AND NOT EXISTS (SELECT 1 FROM chains WHERE chains.request = states.request AND ended_at IS NULL)
    ORDER BY finished_at LIMIT :limit)
"""

# What was rejected has no recipient.
PURGE_REJECTIONS = """
DELETE FROM requests WHERE id IN (
    SELECT request FROM states WHERE state = 'REPORTED' AND phone_number IS NULL AND finished_at < :before
    ORDER BY finished_at LIMIT :limit)
"""

# Where the journal may grow no more: what was reported, oldest first. A request that the broker may deliver
# again stays, or it would be sent twice; a rejection may be answered twice.
TRIM = """
DELETE FROM requests WHERE id IN (
    SELECT request FROM states
    WHERE state = 'REPORTED'
      AND (packet_id IS NULL OR phone_number IS NULL OR request <= (SELECT acknowledged FROM broker))
      AND NOT EXISTS (SELECT 1 FROM chains WHERE chains.request = states.request AND ended_at IS NULL)
    ORDER BY finished_at LIMIT ?)
"""
