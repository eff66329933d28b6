"""Statements of the line: claims, attempts and the steps of a request's life."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import (
    ATTEMPTED,
    DOUBT_COLUMNS,
    REQUEST_COLUMNS,
    UNFINISHED,
    WAITS_UNTIL,
    WANTED,
    WINDOWS,
)

# What waits for a paced sender is claimed by statements/paces.py.
CLAIM = f"""
SELECT {REQUEST_COLUMNS} FROM states JOIN requests ON id = request
WHERE turn = 1 AND sender IS NULL AND lease IS NULL AND priority = ? AND due_at <= ?
ORDER BY due_at, request LIMIT ?
"""

OVERDUE = f"""
SELECT {REQUEST_COLUMNS} FROM states JOIN requests ON id = request
WHERE state = 'WAITING' AND expires_at <= ?
ORDER BY expires_at, request LIMIT ?
"""

DOUBTFUL = f"""
SELECT {REQUEST_COLUMNS}, {DOUBT_COLUMNS} FROM states JOIN requests ON id = request
WHERE settle_at IS NOT NULL AND settle_at <= ?
ORDER BY settle_at, request LIMIT ?
"""

DOUBT_OF = f"""
SELECT {REQUEST_COLUMNS}, {DOUBT_COLUMNS} FROM states JOIN requests ON id = request
WHERE request = ? AND settle_at IS NOT NULL
"""

# What the steps of a request need to know of it, where the connector does not hold it in memory.
STANDINGS = """
SELECT request, state, states.channel, states.phone_number, request_id, origin, opened, opened_at, charges,
       waiting_since, waiting_reason, chain, priority, sender, amount, envelope, lease
FROM json_each(?) AS chosen CROSS JOIN states ON states.request = chosen.value
JOIN requests ON requests.id = request
"""

# "= 1" would lead to the index of all that have their turn.
HAVE_TURN = """
SELECT request FROM json_each(?) AS chosen CROSS JOIN states ON states.request = chosen.value WHERE turn <> 0
"""

OPEN = """
UPDATE states
SET state = 'OPEN', due_at = NULL, turn = 0, waiting_since = NULL, opened = opened + 1, opened_at = ?,
    clock_offset = ?, charges = ?, lease = ?
WHERE request = ? AND state = 'WAITING' AND turn = 1
"""

INSERT_ATTEMPT = """
INSERT INTO attempts (request, number, opened_at, closed_at, outcome, reason, message, code, sid)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# Keeps the wait of a request, before the request waits no more.
INSERT_WAIT = f"""
INSERT INTO waits (request, reason, message, begun_at, due_at, ended_at)
SELECT request, waiting_reason, waiting_message, waiting_since, {WAITS_UNTIL}, ? FROM states
WHERE request = ? AND state = 'WAITING'
"""

FINISH = f"""
UPDATE states
SET state = 'FINISHED', due_at = NULL, turn = 0, waiting_since = NULL, opened_at = NULL, clock_offset = NULL,
    charges = NULL, cut_off = 0, doubt_at = NULL, doubt = NULL, settle_at = NULL, lease = NULL,
    finished_at = ?, attempts = attempts + ?
WHERE request = ? AND {UNFINISHED}
"""

INSERT_STATUS = """
INSERT INTO statuses (position, request, status, reason, message, code, sid, written_at, remark)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

# What was recalled meanwhile is due at once, to be ended. Each has its paced sender again when the rules
# admit it.
# A wait goes on where it is put off for the same reason; a closed attempt begins a new one.
POSTPONE = f"""
UPDATE states
SET state = 'WAITING', due_at = CASE WHEN recalled IS NULL THEN CAST(? AS DOUBLE PRECISION) ELSE ? END,
    turn = 0, sender = NULL, waiting_reason = ?,
    waiting_message = ?, waiting_since = ?, opened_at = NULL, clock_offset = NULL, charges = NULL,
    cut_off = 0, doubt_at = NULL, doubt = NULL, settle_at = NULL, lease = NULL, attempts = attempts + ?,
    deferrals = deferrals + ?
WHERE request = ? AND {UNFINISHED}
"""

# The first doubt gives its instant and its sentence; looking again changes neither.
DOUBT = f"""
UPDATE states
SET state = 'IN_DOUBT', lease = NULL, doubt_at = COALESCE(doubt_at, ?), doubt = COALESCE(doubt, ?),
    settle_at = ?
WHERE request = ? AND {ATTEMPTED}
"""

_NEXT = f"""
SELECT one.request, one.sender,
    (SELECT request FROM states
     WHERE channel = wanted.channel AND phone_number = wanted.phone_number AND turn = 1),
    (SELECT 1 FROM states
     WHERE channel = wanted.channel AND phone_number = wanted.phone_number AND {ATTEMPTED} LIMIT 1)
FROM {WANTED} CROSS JOIN states AS one ON one.request = (
    SELECT request FROM states
    WHERE channel = wanted.channel AND phone_number = wanted.phone_number AND state = 'WAITING'
"""

# Of each of these recipients the first request that waits, its paced sender, the request that has the turn,
# and 1 where an attempt is open.
FIRST_IN_ORDER = f"{_NEXT} ORDER BY request LIMIT 1)"

# Only without ordering, where the turn goes to the request of a recipient that is due first.
INDEX_DUE = """
CREATE INDEX IF NOT EXISTS states_recipient_due ON states (channel, phone_number, due_at, request)
    WHERE state = 'WAITING'
"""

FIRST_DUE = f"{_NEXT} ORDER BY due_at, request LIMIT 1)"

# The claim of a connector that has not opened it yet ends with the turn.
TAKE_TURN = "UPDATE states SET turn = 0, lease = NULL WHERE request = ?"

GIVE_TURN = "UPDATE states SET turn = 1 WHERE request = ? AND state = 'WAITING'"

# What expires needs no haste, and the index of what does leads to what waits.
HASTEN = """
UPDATE states SET due_at = ?
WHERE state = 'WAITING' AND expires_at > ? AND waiting_reason = ? AND due_at > ?
"""

# Not MIN(): the first ones may be set aside.
NEXT_DUE = """
SELECT request, due_at FROM states
WHERE turn = 1 AND sender IS NULL AND lease IS NULL AND priority = ? ORDER BY due_at LIMIT ?
"""

NEXT_EXPIRY = (
    "SELECT request, expires_at FROM states WHERE state = 'WAITING' ORDER BY expires_at, request LIMIT ?"
)

NEXT_SETTLEMENT = """
SELECT request, settle_at FROM states WHERE settle_at IS NOT NULL ORDER BY settle_at, request LIMIT ?
"""

# A SID that came late for another request is not an attempt's yet, and no proof for this one.
KNOWN_SID = """
SELECT 1 FROM attempts WHERE sid = :sid
UNION ALL SELECT 1 FROM evidence WHERE sid = :sid AND request <> :settling
LIMIT 1
"""

CHARGE = """
INSERT INTO usage (scope, since, used) VALUES (?, ?, ?)
ON CONFLICT (scope, since) DO UPDATE SET used = usage.used + excluded.used
"""

PAY_BACK = "UPDATE usage SET used = MAX(0, used - ?) WHERE scope = ? AND since = ?"

# An unused window is no window: of identical texts, its mere being there would say that one was sent.
FORGET_UNUSED = "DELETE FROM usage WHERE scope = ? AND since = ? AND used = 0"

USAGE = f"""
SELECT usage.scope, usage.since, used
FROM {WINDOWS} CROSS JOIN usage ON usage.scope = wanted.scope AND usage.since >= wanted.since
"""

PURGE_USAGE = "DELETE FROM usage WHERE since < ?"
