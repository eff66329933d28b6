"""Statements that move the rows of a journal of version 5 into the tables of version 6.

`:after` and `:last` bound the requests of one step.
"""

from __future__ import annotations

BOUNDS = "SELECT COALESCE(MIN(id), 0), COALESCE(MAX(id), 0) FROM old_requests"

LAST_OF_STEP = "SELECT MAX(id) FROM (SELECT id FROM old_requests WHERE id > ? ORDER BY id LIMIT ?)"

# The broker delivers nothing again up to the watermark: the digest of those is of no use any more.
REQUESTS = """
INSERT INTO requests (id, request_id, channel, name, phone_number, sender_number, body, voice_location,
                      retries, accepted_at, origin, digest)
SELECT id, request_id, channel, name, phone_number, sender_number, body, voice_location, retries,
       accepted_at, origin, IIF(id > (SELECT acknowledged FROM broker), digest, NULL)
FROM old_requests WHERE id > :after AND id <= :last
"""

STATES = """
INSERT INTO states (request, state, channel, phone_number, priority, expires_at, due_at, turn, attempts,
                    deferrals, waiting_reason, waiting_since, opened, opened_at, clock_offset, charges,
                    cut_off, doubt_at, doubt, settle_at, finished_at, packet_id, delivered)
SELECT old_requests.id, state, channel, phone_number, priority, expires_at, due_at, turn, attempts,
       deferrals, waiting_reason, IIF(state = 'WAITING', accepted_at, NULL),
       (SELECT COUNT(*) FROM old_attempts AS every WHERE every.request = old_requests.id),
       IIF(state = 'OPEN' OR state = 'IN_DOUBT', COALESCE(opened_at, accepted_at), NULL),
       clock_offset, charges, COALESCE(cut_off, 0),
       IIF(state = 'IN_DOUBT', COALESCE(doubt_at, opened_at, accepted_at), NULL),
       IIF(state = 'IN_DOUBT', COALESCE(attempt.message, 'the attempt has no answer'), NULL),
       IIF(state = 'IN_DOUBT', COALESCE(settle_at, doubt_at, opened_at, accepted_at), NULL),
       finished_at,
       IIF(old_requests.id > (SELECT acknowledged FROM broker), packet_id, NULL), delivered
FROM old_requests LEFT JOIN old_attempts AS attempt
     ON attempt.request = old_requests.id AND closed_at IS NULL
WHERE old_requests.id > :after AND old_requests.id <= :last
"""

ATTEMPTS = """
INSERT INTO attempts (request, number, opened_at, closed_at, outcome, reason, message, code, sid)
SELECT request,
       (SELECT COUNT(*) FROM old_attempts AS earlier
        WHERE earlier.request = old_attempts.request AND earlier.id <= old_attempts.id),
       opened_at, closed_at, outcome, reason, message, code, sid
FROM old_attempts WHERE request > :after AND request <= :last AND closed_at IS NOT NULL
"""

# Positions were given again by later runs; only the order of what is not reported matters.
REPORTED = """
INSERT INTO statuses (request, status, reason, message, code, sid, written_at, reported_at, suspicion, remark)
SELECT id, status, reason, message, code, sid, finished_at, reported_at, suspicion, remark
FROM old_requests WHERE state = 'REPORTED' AND id > :after AND id <= :last ORDER BY id
"""

UNREPORTED = """
INSERT INTO statuses (request, status, reason, message, code, sid, written_at, suspicion, remark)
SELECT id, status, reason, message, code, sid, finished_at, suspicion, remark
FROM old_requests WHERE state = 'FINISHED' ORDER BY position
"""

# What was moved makes room for what follows.
FORGET_ATTEMPTS = "DELETE FROM old_attempts WHERE request > :after AND request <= :last"

FORGET_REQUESTS = "DELETE FROM old_requests WHERE id > :after AND id <= :last AND state <> 'FINISHED'"

STEP = (REQUESTS, STATES, ATTEMPTS, REPORTED, FORGET_ATTEMPTS, FORGET_REQUESTS)

# A number is never given twice, also where the newest requests were purged.
END = (
    UNREPORTED,
    "DELETE FROM sqlite_sequence WHERE name = 'requests'",
    """
    INSERT INTO sqlite_sequence (name, seq)
    SELECT 'requests', seq FROM sqlite_sequence WHERE name = 'old_requests'
    """,
    "DROP TABLE old_attempts",
    "DROP TABLE old_requests",
)
"""The statements after the last step."""
