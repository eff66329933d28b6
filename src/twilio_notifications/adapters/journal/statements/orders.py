"""Statements of what people order."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import (
    ANSWERED,
    ATTEMPTED,
    REQUEST_COLUMNS,
)

# The desk of people.

PLACE = """
INSERT INTO orders (name, request, parameters, by, door, at, bulk) VALUES (?, ?, ?, ?, ?, ?, ?)
RETURNING number
"""

NUMBER_OF_BULK = "UPDATE orders SET bulk = number WHERE number = ?"

IS_THERE = "SELECT EXISTS (SELECT 1 FROM requests WHERE id = ?)"

RESULT = "SELECT number, name, request, done_at, result, refusal, made FROM orders WHERE number = ?"

_LOOKED_AT = """
SELECT states.request, request_id, states.channel, states.phone_number, accepted_at, state, latest.reason
FROM states JOIN requests ON id = states.request
     LEFT JOIN statuses AS latest
          ON latest.position = (SELECT MAX(position) FROM statuses WHERE statuses.request = states.request)
"""

LOOKED_AT = f"{_LOOKED_AT} WHERE states.request = ?"

_SELECTED = f"""
{_LOOKED_AT}
WHERE (CAST(:reason AS TEXT) IS NULL OR latest.reason = :reason)
  AND (CAST(:channel AS TEXT) IS NULL OR states.channel = :channel)
  AND (CAST(:phone_number AS TEXT) IS NULL OR states.phone_number = :phone_number)
  AND (CAST(:since AS DOUBLE PRECISION) IS NULL OR accepted_at >= :since)
  AND (chain IS NULL OR chain = states.request)
  AND NOT EXISTS (SELECT 1 FROM orders
                  WHERE orders.request = states.request AND orders.name = :name AND done_at IS NULL)
"""

# What was rejected when it came has no recipient. What may have been sent is left to a person.
SELECTED_TO_RESEND = f"""
{_SELECTED}
  AND {ANSWERED} AND states.phone_number IS NOT NULL AND latest.reason IS NOT NULL
  AND (latest.reason <> 'OutcomeUnknown' OR :reason = 'OutcomeUnknown')
  AND NOT EXISTS (SELECT 1 FROM requests AS again WHERE again.resent_from = states.request)
ORDER BY states.request DESC LIMIT :limit
"""

SELECTED_TO_CANCEL = f"""
{_SELECTED} AND state = 'WAITING' ORDER BY states.request DESC LIMIT :limit
"""

# The connector.

WAITING_ORDERS = """
SELECT number, name, request, parameters, by, door FROM orders WHERE done_at IS NULL ORDER BY number LIMIT ?
"""

IS_WAITING = "SELECT 1 FROM orders WHERE number = ? AND done_at IS NULL"

DONE = """
UPDATE orders SET done_at = ?, result = ?, refusal = ?, made = ? WHERE number = ? AND done_at IS NULL
"""

RECALL = f"""
UPDATE states SET recalled = 'Cancelled' WHERE request = ? AND {ATTEMPTED} AND recalled IS NULL
"""

# Of the account: those of requests go with them.
PURGE_ORDERS = "DELETE FROM orders WHERE request IS NULL AND done_at < ?"

# Until its new status was acknowledged, what a person said can be corrected.
_UNSETTLED = f"""
({ANSWERED} AND states.phone_number IS NOT NULL
 AND ((SELECT reason FROM statuses WHERE statuses.request = states.request AND later = 0
       ORDER BY position DESC LIMIT 1) = ?
      OR (EXISTS (SELECT 1 FROM statuses
                  WHERE statuses.request = states.request AND later = 0 AND reported_at IS NULL)
          AND EXISTS (SELECT 1 FROM orders
                      WHERE orders.request = states.request AND orders.name = 'resolve'
                        AND result IS NOT NULL))))
"""

UNSETTLED = f"""
SELECT {REQUEST_COLUMNS} FROM states JOIN requests ON id = states.request
WHERE states.request = ? AND {_UNSETTLED}
"""

# A status that was reported is followed by another one, with what is known now.
RESOLVE = f"UPDATE states SET state = 'FINISHED' WHERE request = ? AND {ANSWERED}"

# "reported_at IS NULL" would let PostgreSQL walk along the whole outbox.
REPLACE_STATUSES = """
UPDATE statuses
SET reported_at = ?, remark = 'replaced by the next status before the broker had acknowledged it'
WHERE request = ? AND COALESCE(reported_at, -1) < 0 AND later = 0
"""

RESOLVE_ATTEMPT = """
UPDATE attempts SET sid = ?
WHERE request = ?
  AND number = (SELECT MAX(number) FROM attempts AS other WHERE other.request = attempts.request)
"""

OWNER_OF_SID = "SELECT request FROM attempts WHERE sid = ? AND request <> ? LIMIT 1"
