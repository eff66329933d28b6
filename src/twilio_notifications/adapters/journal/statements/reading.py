"""Statements by which people read a journal, next to a running connector."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import ANSWERED, ATTEMPTED

# The request of the same recipient that has an attempt, or else the one that is the next to have one.
_BEHIND = """
COALESCE((SELECT other.request FROM states AS other
          WHERE other.channel = states.channel AND other.phone_number = states.phone_number
            AND (other.state = 'OPEN' OR other.state = 'IN_DOUBT')
          ORDER BY other.request LIMIT 1),
         (SELECT other.request FROM states AS other
          WHERE other.channel = states.channel AND other.phone_number = states.phone_number
            AND other.turn = 1 AND other.state = 'WAITING'
          LIMIT 1))
"""

ENTRIES = f"""
SELECT states.request AS number, request_id, states.channel, state, name, states.phone_number, sender_number,
       contact, priority, accepted_at, expires_at, due_at, turn, sender,
       CASE WHEN state = 'WAITING' AND turn = 0 THEN {_BEHIND} END AS behind,
       CASE WHEN state = 'WAITING' THEN waiting_reason END AS waiting_reason,
       CASE WHEN state = 'WAITING' THEN waiting_message END AS waiting_message,
       attempts, finished_at, reason, latest.message, COALESCE(deliveries.sid, latest.sid) AS sid,
       latest.remark, word, COALESCE(deliveries.code, document_code) AS delivery_code, changed_at,
       deliveries.look_at, configured_name, ending, chains.by, chain, resent_from
FROM json_each(?) AS chosen CROSS JOIN states ON states.request = chosen.value
     JOIN requests ON requests.id = states.request
     LEFT JOIN statuses AS latest
          ON latest.position = (SELECT MAX(position) FROM statuses WHERE statuses.request = states.request)
     LEFT JOIN deliveries ON deliveries.request = states.request
     LEFT JOIN chains ON chains.request = states.request
ORDER BY states.request DESC
"""

SENDER_STALLED = """
states.channel || ' ' || sender_number IN (
    SELECT about FROM pauses
    WHERE reason = 'sender_queue_full' AND ended_at IS NULL AND (until IS NULL OR until > :now))
"""

# One request.

PARTICULARS = """
SELECT body, voice_location, spoken_text, twiml, media_urls, language, voice, retries, requests.about, origin,
       valid_for_seconds, messaging_service_sid, envelope, answered_by, document_code
FROM requests LEFT JOIN deliveries ON deliveries.request = id WHERE id = ?
"""

# The closed ones, and the open one.
ATTEMPTS = """
SELECT number, opened_at, closed_at, outcome, reason, message, code, sid FROM attempts WHERE request = ?
ORDER BY number
"""

OPEN_ATTEMPT = """
SELECT opened AS number, opened_at, doubt_at, doubt, settle_at FROM states
WHERE request = ? AND opened_at IS NOT NULL
"""

EVIDENCE = "SELECT at, attempt, outcome, code, sid FROM evidence WHERE request = ? ORDER BY attempt"

# Those that have ended. The present one stands in its request's state.
WAITS = "SELECT begun_at, due_at, ended_at, reason, message FROM waits WHERE request = ? ORDER BY id"

WAITING_SINCE = "SELECT waiting_since FROM states WHERE request = ? AND state = 'WAITING'"

# Of the account and of one sender: a wait for a limit or a window is a row of its own in `waits`.
PAUSES_DURING = """
SELECT begun_at, reason, message, until, ended_at FROM pauses
WHERE (about = '' OR (reason = 'sender_queue_full'
                      AND about = (SELECT channel || ' ' || sender_number FROM requests WHERE id = :number)))
  AND begun_at < :ends_at AND (ended_at IS NULL OR ended_at > :begins_at)
ORDER BY begun_at
"""

STATUSES = """
SELECT written_at, reported_at, later, reason, message, code, remark FROM statuses WHERE request = ?
ORDER BY position
"""

DELIVERY_EVENTS = """
SELECT at, happening, source, word, code, result FROM delivery_events WHERE request = ? ORDER BY id
"""

ORDERS = """
SELECT number, name, parameters, by, door, at, done_at, result, refusal, made FROM orders WHERE request = ?
ORDER BY number
"""

CHAIN = "SELECT configured_name, began_at, ended_at, ending, by, door FROM chains WHERE request = ?"

CHAIN_STEPS = "SELECT at, requests FROM chain_steps WHERE chain = ? ORDER BY position"

# Those of the steps of a chain, and those that tell the others who has it.
OF_CHAIN = """
SELECT accepted_at, id, states.channel, name, states.phone_number,
       COALESCE(word, (SELECT reason FROM statuses WHERE statuses.request = id
                       ORDER BY position DESC LIMIT 1), state) AS became
FROM requests JOIN states ON states.request = id LEFT JOIN deliveries ON deliveries.request = id
WHERE chain = ?1 AND id <> ?1 ORDER BY id LIMIT 1000
"""

REPLIES = "SELECT sid, phone_number, at, meaning FROM replies WHERE chain = ? ORDER BY at LIMIT 1000"

# The whole.

WAITING_FOR = """
SELECT COUNT(*) FILTER (WHERE turn = 0),
       COUNT(*) FILTER (WHERE turn = 1 AND due_at <= :now AND sender IS NULL),
       COUNT(*) FILTER (WHERE turn = 1 AND due_at <= :now AND sender IS NOT NULL), COUNT(*), MIN(request)
FROM states WHERE state = 'WAITING'
"""

PUT_OFF = """
SELECT waiting_reason, COUNT(*) FROM states WHERE state = 'WAITING' AND turn = 1 AND due_at > ? GROUP BY 1
"""

DUE_OF_SENDER = """
SELECT COUNT(*) FROM states JOIN requests ON id = states.request
WHERE state = 'WAITING' AND turn = 1 AND due_at <= ? AND states.channel || ' ' || sender_number = ?
"""

ACCEPTED_AT = "SELECT accepted_at FROM requests WHERE id = ?"

IN_DOUBT = f"SELECT COUNT(*) FROM states WHERE {ATTEMPTED} AND state = 'IN_DOUBT'"

_UNKNOWN = """
reason IS NOT NULL AND reason = 'OutcomeUnknown' AND later = 0
AND position = (SELECT MAX(position) FROM statuses AS other
                WHERE other.request = statuses.request AND other.later = 0)
"""

UNKNOWN = f"SELECT COUNT(*) FROM statuses WHERE {_UNKNOWN}"

UNREPORTED = "SELECT COUNT(DISTINCT request) FROM statuses WHERE reported_at IS NULL"

UNACKNOWLEDGED = "SELECT COUNT(*) FROM chains WHERE ended_at IS NULL"

LAST_SUCCESS = """
SELECT written_at FROM statuses WHERE reason IS NULL AND later = 0 ORDER BY position DESC LIMIT 1
"""

LAST_FAILURE = "SELECT MAX(written_at) FROM statuses WHERE reason IS NOT NULL"

USED = "SELECT used FROM usage WHERE scope = ? AND since = ?"

FACTS = "SELECT name, word, about, detail, since, written_at FROM facts"

LAST_WRITTEN = "SELECT written_at FROM statuses ORDER BY position DESC LIMIT 1"

# Hours.

FIRST_FROM = "SELECT id, accepted_at FROM requests WHERE id >= ? ORDER BY id LIMIT 1"

RANGE = "SELECT (SELECT MIN(id) FROM requests), (SELECT MAX(id) FROM requests)"

RECEIVED = "SELECT COUNT(*) FROM states WHERE request >= ? AND request < ?"

FINISHED = "SELECT COUNT(*) FROM states WHERE state = 'REPORTED' AND finished_at >= ? AND finished_at < ?"

NOT_REPORTED = """
SELECT CAST(finished_at / 3600 AS INTEGER) AS hour, COUNT(*) FROM states
WHERE state = 'FINISHED' AND finished_at >= ?
  AND request IN (SELECT request FROM statuses WHERE reported_at IS NULL)
GROUP BY 1
"""

FAILURES = """
SELECT CAST(written_at / 3600 AS INTEGER) AS hour, reason, later, COUNT(*) FROM statuses
WHERE reason IS NOT NULL AND written_at >= ? GROUP BY 1, 2, 3
"""

FAILED_DELIVERY = """
(word = 'undelivered' OR word = 'failed' OR word = 'busy' OR word = 'no-answer'
 OR word = 'partially_delivered' OR (word = 'canceled' AND cancelled_by_us = 0)
 OR (word = 'completed' AND key_pressed = 0
     AND (document_code IS NOT NULL OR SUBSTR(answered_by, 1, 7) = 'machine'
          OR SUBSTR(answered_by, 1, 3) = 'fax'))
 OR (given_up_at IS NOT NULL AND word <> 'sent' AND word <> 'delivered' AND word <> 'read'
     AND word <> 'completed' AND word <> 'canceled'))
"""
"""As the index has it: what Twilio took and did not arrive."""

# Those whose status says so are counted among the failures.
NOT_DELIVERED = f"""
SELECT CAST(changed_at / 3600 AS INTEGER) AS hour, states.channel, COUNT(*)
FROM deliveries INDEXED BY deliveries_failed JOIN states ON states.request = deliveries.request
WHERE {FAILED_DELIVERY} AND changed_at >= ?
  AND NOT EXISTS (SELECT 1 FROM statuses
                  WHERE statuses.request = deliveries.request AND reason IS NOT NULL AND later = 1)
GROUP BY 1, 2
"""

# What needs a person.

CHAINS_NEEDING = """
SELECT request FROM chains
WHERE ended_at IS NULL OR (ending = 'unacknowledged' AND ended_at >= ?)
ORDER BY request DESC LIMIT ?
"""

DOUBTS = f"""
SELECT request FROM states INDEXED BY states_one_open WHERE {ATTEMPTED} AND state = 'IN_DOUBT'
UNION SELECT request FROM statuses WHERE {_UNKNOWN}
ORDER BY request DESC LIMIT ?
"""

_LOOKED_AFTER = """
EXISTS (SELECT 1 FROM requests WHERE resent_from = states.request)
OR EXISTS (SELECT 1 FROM requests WHERE id = states.request AND chain IS NOT NULL)
"""

FAILED = f"""
SELECT states.request FROM statuses JOIN states ON states.request = statuses.request
WHERE reason IS NOT NULL AND written_at >= :since AND {ANSWERED}
  AND reason <> 'Cancelled' AND reason <> 'Superseded' AND reason <> 'OutcomeUnknown'
  AND position = (SELECT MAX(position) FROM statuses AS other WHERE other.request = states.request)
  AND NOT ({_LOOKED_AFTER})
UNION
SELECT states.request
FROM deliveries INDEXED BY deliveries_failed JOIN states ON states.request = deliveries.request
WHERE {FAILED_DELIVERY} AND changed_at >= :since AND NOT ({_LOOKED_AFTER})
ORDER BY 1 DESC LIMIT :limit
"""

# What has changed.

PLACES = """
SELECT COALESCE((SELECT MAX(id) FROM requests), 0), COALESCE((SELECT MAX(position) FROM statuses), 0),
       COALESCE((SELECT MAX(id) FROM delivery_events), 0), COALESCE((SELECT MAX(id) FROM waits), 0),
       COALESCE((SELECT MAX(number) FROM orders), 0)
"""

CHANGED = f"""
SELECT * FROM (
    SELECT id FROM requests WHERE id > ?1
    UNION SELECT request FROM statuses WHERE position > ?2
    UNION SELECT request FROM delivery_events WHERE id > ?3
    UNION SELECT request FROM waits WHERE id > ?4
    UNION SELECT request FROM orders WHERE number > ?5 OR done_at IS NULL
    UNION SELECT request FROM states INDEXED BY states_one_open WHERE {ATTEMPTED}) AS changed
WHERE id IS NOT NULL ORDER BY 1 DESC LIMIT ?6
"""
