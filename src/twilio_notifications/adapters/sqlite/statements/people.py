"""Statements for people: reading and repairing from another process than the connector."""

from __future__ import annotations

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
WAITS = """
SELECT begun_at, due_at, ended_at, reason, message FROM (
    SELECT begun_at, due_at, ended_at, reason, message FROM waits WHERE request = :request
    UNION ALL
    SELECT waiting_since, due_at, NULL, waiting_reason, waiting_message
    FROM states WHERE request = :request AND state = 'WAITING')
ORDER BY begun_at
"""

# Those of the steps of a chain, and those that tell the others who has it.
OF_CHAIN = """
SELECT accepted_at, id, states.channel, name, states.phone_number,
       COALESCE(word, (SELECT reason FROM statuses WHERE statuses.request = id
                       ORDER BY position DESC LIMIT 1), state)
FROM requests JOIN states ON states.request = id LEFT JOIN deliveries ON deliveries.request = id
WHERE chain = ?1 AND id <> ?1 ORDER BY id
"""

DELIVERY = """
SELECT sid, word, begun_at, changed_at, look_at, code, answered_by, document_code, given_up_at
FROM deliveries WHERE request = ?
"""

DELIVERY_EVENTS = """
SELECT at, happening, source, word, code, result FROM delivery_events WHERE request = ? ORDER BY id
"""


ORDERS = """
SELECT name, parameters, by, door, at, done_at, result, refusal FROM orders WHERE request = ? ORDER BY number
"""
