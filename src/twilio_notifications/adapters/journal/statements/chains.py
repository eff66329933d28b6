"""Statements of chains, and of what ends them."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import (
    DELIVERY_COLUMNS,
    REQUEST_COLUMNS,
    WHOLE_STATUS,
)

INSERT_CHAIN = (
    "INSERT INTO chains (request, published_id, about, configured_name, began_at, look_at)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)

STEPS = "SELECT at, first, requests FROM chain_steps WHERE chain = ? ORDER BY position"

INSERT_STEP = "INSERT INTO chain_steps (chain, position, at, first, requests) VALUES (?, ?, ?, ?, ?)"

INSERT_NUMBER = """
INSERT INTO chain_numbers (chain, phone_number, code, name) VALUES (?, ?, ?, ?)
ON CONFLICT (chain, phone_number) DO NOTHING
"""

CODE = "SELECT code FROM chain_numbers WHERE chain = ? AND phone_number = ?"

USED_CODES = """
SELECT code FROM chain_numbers JOIN chains ON request = chain
WHERE phone_number = ? AND ended_at IS NULL
"""

NOTIFIED_AT = """
UPDATE chain_numbers SET notified_at = ? WHERE chain = ? AND phone_number = ? AND notified_at IS NULL
"""

DUE = f"""
SELECT {REQUEST_COLUMNS}, configured_name, began_at, hastened
FROM chains JOIN states ON states.request = chains.request JOIN requests ON id = chains.request
WHERE look_at IS NOT NULL AND look_at <= ? ORDER BY look_at, chains.request LIMIT ?
"""

NEXT_LOOK = "SELECT request, look_at FROM chains WHERE look_at IS NOT NULL ORDER BY look_at LIMIT ?"

# The answer to a request says whether Twilio took it, and a person may have corrected it. What follows comes
# from its delivery.
MEMBER = f"""
SELECT state = 'FINISHED' OR state = 'REPORTED',
       (SELECT reason FROM statuses WHERE statuses.request = states.request AND later = 0
        ORDER BY position DESC LIMIT 1),
       states.channel, {DELIVERY_COLUMNS}
FROM states LEFT JOIN deliveries ON deliveries.request = states.request WHERE states.request = ?
"""

# What has happened since makes it due at once, and must not be put off.
PUT_OFF = """
UPDATE chains SET look_at = ?
WHERE request = ? AND ended_at IS NULL AND hastened = ?
  AND ? = (SELECT COUNT(*) FROM chain_steps WHERE chain = chains.request)
"""

HASTEN = """
UPDATE chains SET look_at = ?, hastened = hastened + 1 WHERE request = ? AND ended_at IS NULL
"""

HASTEN_OF_REQUEST = """
UPDATE chains SET look_at = ?, hastened = hastened + 1
WHERE request = (SELECT chain FROM requests WHERE id = ?) AND ended_at IS NULL
"""

TAKEN_STEPS = """
SELECT COUNT(*) FROM chain_steps WHERE chain = ?
"""

# A wish that is still to end it keeps it from going on.
IS_RUNNING = """
SELECT EXISTS (
    SELECT 1 FROM chains
    WHERE request = ? AND ended_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM wishes
                      WHERE unfinished = 1 AND request_id = published_id AND up_to >= chains.request)
      AND NOT EXISTS (SELECT 1 FROM wishes
                      WHERE unfinished = 1 AND wishes.about = chains.about AND up_to >= chains.request))
"""

LOOK_NOW = "UPDATE chains SET look_at = ? WHERE request = ? AND ended_at IS NULL"

END = """
UPDATE chains SET look_at = NULL, ended_at = ?, ending = ?, by = ?, door = ?
WHERE request = ? AND ended_at IS NULL
"""

BEGINNING = f"""
SELECT {REQUEST_COLUMNS} FROM states JOIN requests ON id = request WHERE request = ?
"""

# "state = 'WAITING'" would let PostgreSQL walk along all that waits.
WAITING_OF_CHAIN = f"""
SELECT {REQUEST_COLUMNS} FROM requests JOIN states ON request = id
WHERE chain = ? AND state || '' = 'WAITING' ORDER BY id
"""

# Calls of the chain that Twilio took, and that may not have been answered yet.
RINGING = """
INSERT INTO hangups (sid, request, due_at)
SELECT sid, id, :at FROM requests JOIN attempts ON attempts.request = id
WHERE chain = :chain AND channel = 'CALL' AND outcome = 'ACCEPTED' AND sid IS NOT NULL
  AND closed_at > CAST(:at AS DOUBLE PRECISION) - 14400
  AND NOT EXISTS (SELECT 1 FROM deliveries
                  WHERE deliveries.request = id AND word <> 'queued' AND word <> 'initiated'
                    AND word <> 'ringing')
ON CONFLICT (sid) DO NOTHING
"""

# A call that Twilio took after its chain had ended, or after it was cancelled.
HANG_UP_ONE = """
INSERT INTO hangups (sid, request, due_at)
SELECT ?, id, ?
FROM requests JOIN states ON states.request = id LEFT JOIN chains ON chains.request = chain
WHERE id = ? AND states.channel = 'CALL' AND (ended_at IS NOT NULL OR recalled = 'Cancelled')
ON CONFLICT (sid) DO NOTHING
"""

# So that their end is known as our own order, whatever comes first: Twilio's answer, a look or a callback.
MARK_CANCELLED = """
UPDATE deliveries SET cancelled_by_us = 1, version = version + 1
WHERE request IN (SELECT request FROM hangups) AND cancelled_by_us = 0
"""

DUE_HANGUPS = "SELECT sid, request, tries FROM hangups WHERE due_at <= ? ORDER BY due_at, sid LIMIT ?"

DELETE_HANGUP = "DELETE FROM hangups WHERE sid = ?"

RETRY_HANGUP = "UPDATE hangups SET due_at = ?, tries = tries + 1 WHERE sid = ?"

# The telephones that have an alarm of the chain, or may have it.
NUMBERS = """
SELECT phone_number, name FROM chain_numbers
WHERE chain = :chain AND notified_at IS NOT NULL
  AND EXISTS (
    SELECT 1 FROM requests JOIN states ON states.request = id
    WHERE requests.chain = :chain AND requests.phone_number = chain_numbers.phone_number
      AND (state = 'OPEN' OR state = 'IN_DOUBT'
           OR EXISTS (SELECT 1 FROM attempts
                      WHERE attempts.request = id AND (outcome = 'ACCEPTED' OR outcome = 'IN_DOUBT'))))
"""

# As a join with the requests, PostgreSQL might begin with those.
NOTIFIED = """
SELECT chain_numbers.phone_number, configured_name, chain_numbers.name,
       (SELECT sender_number FROM requests WHERE id = chain_numbers.chain),
       chain_numbers.chain, code, notified_at
FROM chains JOIN chain_numbers ON chain_numbers.chain = request
WHERE look_at IS NOT NULL AND notified_at IS NOT NULL
"""

INSERT_REPLY = """
INSERT INTO replies (sid, phone_number, at, meaning, chain) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (sid) DO NOTHING
"""

CHAIN_OF = "SELECT chain, name FROM requests WHERE id = ?"

INSERT_LATER_STATUS = """
INSERT INTO statuses (position, request, status, reason, message, code, written_at, held, later)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
"""

HELD_STATUSES = f"""
SELECT position, {WHOLE_STATUS} FROM statuses JOIN requests ON id = request
WHERE request = ? AND held = 1 ORDER BY position
"""

RELEASE = "UPDATE statuses SET position = ?, held = 0 WHERE position = ?"

# A status of a step, which no one is to see: it keeps why the step ended.
KEPT_STATUS = """
UPDATE statuses SET reported_at = written_at,
       remark = 'not published: it belongs to the escalation of request '
                || (SELECT chain FROM requests WHERE id = statuses.request)
WHERE position = ?
"""

KEPT_STATE = "UPDATE states SET state = 'REPORTED' WHERE request = ? AND state = 'FINISHED'"

LATEST_REASON = "SELECT reason FROM statuses WHERE request = ? AND later = 0 ORDER BY position DESC LIMIT 1"
