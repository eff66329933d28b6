"""Statements for people: reading and repairing from another process than the connector."""

from __future__ import annotations

from twilio_notifications.adapters.sqlite.statements.conditions import ANSWERED, REQUEST_COLUMNS, WAITS_UNTIL

_LATEST_STATUS = """
LEFT JOIN statuses AS latest
     ON latest.position = (SELECT MAX(position) FROM statuses WHERE statuses.request = states.request)
"""

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

_ENTRIES = f"""
SELECT states.request, request_id, states.channel, state, states.phone_number, sender_number, accepted_at,
       expires_at, due_at, turn, IIF(state = 'WAITING' AND turn = 0, {_BEHIND}, NULL),
       IIF(state = 'WAITING', waiting_reason, NULL), IIF(state = 'WAITING', waiting_message, NULL),
       attempts, finished_at, reason, latest.message,
       COALESCE(deliveries.sid, latest.sid), latest.remark, word
FROM states JOIN requests ON id = states.request {_LATEST_STATUS}
     LEFT JOIN deliveries ON deliveries.request = states.request
"""

ENTRY = f"{_ENTRIES} WHERE states.request = ?"


def entries(condition: str) -> str:
    """The newest requests of which `condition` holds; it is one of reader.STANDINGS, never from outside."""
    return f"{_ENTRIES} WHERE {condition} ORDER BY states.request DESC LIMIT ?"


# The closed ones, and the open one.
ATTEMPTS = """
SELECT opened_at, closed_at, outcome, reason, message, code, sid FROM (
    SELECT number, opened_at, closed_at, outcome, reason, message, code, sid
    FROM attempts WHERE request = :request
    UNION ALL
    SELECT opened, opened_at, NULL, IIF(state = 'IN_DOUBT', 'IN_DOUBT', NULL), NULL, doubt, NULL, NULL
    FROM states WHERE request = :request AND opened_at IS NOT NULL)
ORDER BY number
"""

# Those that have ended, and the present one.
WAITS = f"""
SELECT begun_at, due_at, ended_at, reason, message FROM (
    SELECT begun_at, due_at, ended_at, reason, message FROM waits WHERE request = :request
    UNION ALL
    SELECT waiting_since, {WAITS_UNTIL}, NULL, waiting_reason, waiting_message
    FROM states WHERE request = :request AND state = 'WAITING')
ORDER BY begun_at
"""

# Until its new status was acknowledged, what a person said can be corrected.
_UNSETTLED = f"""
(({ANSWERED}
  AND (SELECT reason FROM statuses WHERE statuses.request = states.request AND later = 0
       ORDER BY position DESC LIMIT 1) = ?)
 OR (state = 'FINISHED'
     AND EXISTS (SELECT 1 FROM orders WHERE orders.request = states.request AND orders.name = 'resolve')))
"""

UNSETTLED = f"""
SELECT {REQUEST_COLUMNS} FROM states JOIN requests ON id = states.request
WHERE states.request = ? AND {_UNSETTLED}
"""

# Those of the steps of a chain, and those that tell the others who has it.
OF_CHAIN = """
SELECT accepted_at, id, states.channel, name, states.phone_number,
       COALESCE(word, (SELECT reason FROM statuses WHERE statuses.request = id
                       ORDER BY position DESC LIMIT 1), state)
FROM requests JOIN states ON states.request = id LEFT JOIN deliveries ON deliveries.request = id
WHERE chain = ?1 AND id <> ?1 ORDER BY id
"""

ORDER = "INSERT INTO orders (request, name, detail, by, at, done_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)"

WAITING_ORDER = "INSERT INTO orders (request, name, detail, by, at) VALUES (?, ?, ?, ?, ?)"

ORDER_RESULT = "SELECT done_at, refusal FROM orders WHERE number = ?"

DELIVERY = """
SELECT sid, word, begun_at, changed_at, look_at, code, answered_by, document_code, given_up_at
FROM deliveries WHERE request = ?
"""

DELIVERY_EVENTS = """
SELECT at, happening, source, word, code, result FROM delivery_events WHERE request = ? ORDER BY id
"""


ORDERS = "SELECT name, detail, by, at FROM orders WHERE request = ? ORDER BY number"

# A status that was reported is followed by another one, with what is known now.
RESOLVE = f"UPDATE states SET state = 'FINISHED' WHERE request = ? AND {_UNSETTLED}"

REPLACE_STATUSES = """
UPDATE statuses
SET reported_at = ?, remark = 'replaced by the next status before the broker had acknowledged it'
WHERE request = ? AND reported_at IS NULL AND later = 0
"""

RESOLVE_ATTEMPT = """
UPDATE attempts SET sid = ?
WHERE request = ?
  AND number = (SELECT MAX(number) FROM attempts AS other WHERE other.request = attempts.request)
"""

OWNER_OF_SID = "SELECT request FROM attempts WHERE sid = ? AND request <> ? LIMIT 1"

# A person who sends a request again looks after it, so its chain does not begin again.
RESEND_REQUEST = f"""
INSERT INTO requests (request_id, channel, name, phone_number, sender_number, body, voice_location, retries,
                      accepted_at, origin, envelope, media_urls, spoken_text, language, voice, twiml,
                      messaging_service_sid, about, contact, valid_for_seconds)
SELECT request_id, requests.channel, name, requests.phone_number, sender_number, body, voice_location,
       retries, ?, origin, envelope, media_urls, spoken_text, language, voice, twiml, messaging_service_sid,
       requests.about, contact, valid_for_seconds
FROM requests JOIN states ON request = id WHERE id = ? AND {ANSWERED} AND requests.phone_number IS NOT NULL
"""

# Its own lifetime, where it has one, counts from now.
RESEND_STATE = """
INSERT INTO states (request, state, channel, phone_number, priority, about, expires_at, due_at, waiting_since,
                    turn)
SELECT :new, 'WAITING', channel, phone_number, priority, about,
       :at + COALESCE((SELECT valid_for_seconds FROM requests WHERE id = :new), :lifetime), :at, :at,
       NOT EXISTS (SELECT 1 FROM states AS other
                   WHERE other.channel = old.channel AND other.phone_number = old.phone_number
                     AND other.state = 'WAITING')
       AND NOT EXISTS (SELECT 1 FROM states AS other
                       WHERE other.channel = old.channel AND other.phone_number = old.phone_number
                         AND (other.state = 'OPEN' OR other.state = 'IN_DOUBT'))
FROM states AS old WHERE request = :old
"""
