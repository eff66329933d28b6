"""Statements of what clients want on the topics for cancellations and acknowledgements."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import ATTEMPTED, COVERED, REQUEST_COLUMNS

INSERT_WISH = """
INSERT INTO wishes (name, request_id, about, by, at, up_to, passed_expiry, passed_request, packet_id, digest,
                    delivered)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
RETURNING number
"""

UNFINISHED_WISH = """
SELECT number, name, request_id, about, by, up_to, passed_expiry, passed_request FROM wishes
WHERE unfinished = 1 ORDER BY number LIMIT ?
"""

WISH = """
SELECT number, name, request_id, about, by, up_to, passed_expiry, passed_request FROM wishes WHERE number = ?
"""

PASSED = """
UPDATE wishes
SET passed_expiry = ?, passed_request = ?, unfinished = ?, chains = chains + ?, requests = requests + ?
WHERE number = ?
"""

ENDED_BY_WISH = "SELECT chains, requests FROM wishes WHERE number = ?"

PURGE_WISHES = "DELETE FROM wishes WHERE at < ? AND unfinished = 0"

COVERED_OF = f"""
SELECT states.request FROM json_each(?) AS chosen CROSS JOIN states ON states.request = chosen.value
JOIN requests ON requests.id = states.request WHERE ({COVERED}) IS NOT NULL
"""

# The chains that a wish ends. They leave these indexes by their end, so that the next look finds the others.
CHAINS_BY_ID = """
SELECT request FROM chains
WHERE published_id = ? AND request <= ? AND ended_at IS NULL ORDER BY request LIMIT ?
"""

CHAINS_ABOUT = """
SELECT request FROM chains WHERE about = ? AND request <= ? AND ended_at IS NULL ORDER BY request LIMIT ?
"""

OLDER_CHAINS_ABOUT = """
SELECT chains.request FROM chains JOIN states ON states.request = chains.request
WHERE chains.about = ? AND channel = ? AND phone_number = ? AND chains.request < ? AND ended_at IS NULL
ORDER BY chains.request
"""

OLDER_WAITING_ABOUT = f"""
SELECT {REQUEST_COLUMNS} FROM states JOIN requests ON id = states.request
WHERE states.about = ? AND states.channel = ? AND states.phone_number = ? AND states.request < ?
  AND state = 'WAITING'
"""

WAITING_ABOUT = f"""
SELECT {REQUEST_COLUMNS} FROM states JOIN requests ON id = states.request
WHERE states.about = ? AND state = 'WAITING' AND states.request <= ? LIMIT ?
"""

# An index of all ids would cost each request more than a cancellation costs now and then, so what waits is
# looked through: what expires last comes first, as it is what came last. Nothing that waits moves to a later
# expiry, so the walk misses nothing. Two statements, because SQLite uses a pair of values for a range of the
# first column only, and after a clock was set back many requests expire at once.
WAITING_AT = """
SELECT states.request, expires_at, request_id, chain IS NOT NULL AND chain <> states.request
FROM states CROSS JOIN requests ON id = states.request
WHERE state = 'WAITING' AND expires_at = ? AND states.request < ? ORDER BY states.request DESC LIMIT ?
"""

WAITING_BEFORE = """
SELECT states.request, expires_at, request_id, chain IS NOT NULL AND chain <> states.request
FROM states CROSS JOIN requests ON id = states.request
WHERE state = 'WAITING' AND expires_at < ? ORDER BY expires_at DESC, states.request DESC LIMIT ?
"""

# What has an attempt under way is ended if it comes back to waiting.
RECALL_BY_ID = f"""
UPDATE states SET recalled = 'Cancelled'
WHERE {ATTEMPTED}
  AND EXISTS (SELECT 1 FROM requests
              WHERE id = states.request AND request_id = :key AND (chain IS NULL OR chain = id))
"""

RECALL_ABOUT = f"""
UPDATE states SET recalled = 'Cancelled' WHERE {ATTEMPTED} AND about = :key
"""

RECALL_OLDER_ABOUT = f"""
UPDATE states SET recalled = 'Superseded'
WHERE about = ? AND channel = ? AND phone_number = ? AND request < ? AND {ATTEMPTED} AND recalled IS NULL
"""

# Twilio lets no call wait or ring for longer than that.
_CALLS = """
INSERT INTO hangups (sid, request, due_at)
SELECT attempts.sid, states.request, :at
FROM states CROSS JOIN requests ON id = states.request
     CROSS JOIN attempts ON attempts.request = states.request
     LEFT JOIN deliveries ON deliveries.request = states.request
WHERE states.channel = 'CALL' AND states.phone_number IS NOT NULL
  AND finished_at > CAST(:at AS DOUBLE PRECISION) - 14400
  AND outcome = 'ACCEPTED' AND attempts.sid IS NOT NULL
  AND (word IS NULL OR word = 'queued' OR word = 'initiated' OR word = 'ringing')
"""

CALLS_BY_ID = f"""
{_CALLS} AND request_id = :key
ON CONFLICT (sid) DO NOTHING
"""

CALLS_ABOUT = f"""
{_CALLS} AND states.about = :key
ON CONFLICT (sid) DO NOTHING
"""

CALLS_OF_REQUEST = f"""
{_CALLS} AND states.request = :key
ON CONFLICT (sid) DO NOTHING
"""
