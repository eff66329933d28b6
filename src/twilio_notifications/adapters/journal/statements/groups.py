"""Statements of connectors that take requests in together, by a shared subscription."""

from __future__ import annotations

NEWEST_NUMBER = "SELECT connection FROM broker"

IS_PERIOD = "SELECT 1 FROM periods WHERE number = ?"

# What a connector had taken in before it belonged to a group: any client's session may repeat it.
KEEP_EARLIER = """
INSERT INTO periods (number, connection, client, token, sent_at, ended_at) VALUES (?, ?, '', NULL, NULL, ?)
"""

BEGIN = """
INSERT INTO periods (number, connection, client, token, sent_at, ended_at) VALUES (?, ?, ?, ?, NULL, NULL)
"""

END_OF_CLIENT = "UPDATE periods SET ended_at = ? WHERE client = ? AND ended_at IS NULL"

END_OF_THE_GONE = """
UPDATE periods SET ended_at = ?
WHERE ended_at IS NULL AND token IS NOT NULL AND token NOT IN (SELECT token FROM members)
"""

SENT = "UPDATE periods SET sent_at = ? WHERE number = ? AND ended_at IS NULL"

FORGET = "UPDATE periods SET client = NULL WHERE client = ? OR client = ''"

# A connection that outlived the PUBACKs of a period by so much has surely brought them to the broker, and
# the broker repeats what is older first. Others may still be handed what has not left.
DELETE_SURE = """
DELETE FROM periods
WHERE (client = :client OR client = '' OR client IS NULL)
  AND number <= (SELECT COALESCE(MAX(number), 0) FROM periods
                 WHERE client = :client AND sent_at <= :sure AND ended_at IS NULL)
  AND (sent_at IS NOT NULL OR ended_at <= :over)
"""

# Neither a session nor a handing over lasts for so long.
DELETE_FORGOTTEN = "DELETE FROM periods WHERE ended_at <= ?"

_DELIVERED = """
FROM requests JOIN states ON request = id JOIN periods ON periods.number = delivered
"""
_DUPLICATES = "FROM duplicates JOIN periods ON periods.number = delivered"
_WISHES = "FROM wishes JOIN periods ON periods.number = delivered"

# See REPEATABLE and IS_SUPERSEDED of arrivals.py.
REPEATABLE = f"""
SELECT id, packet_id, connection {_DELIVERED}
WHERE digest = :digest AND (client = :client OR client = '')
  AND (connection < :connection OR packet_id = :packet_id)
ORDER BY packet_id IS NOT :packet_id, id DESC LIMIT 1000
"""

IS_SUPERSEDED = """
SELECT EXISTS (SELECT 1 FROM states
               WHERE request > ? AND packet_id = ?
                 AND delivered IN (SELECT number FROM periods WHERE connection = ?))
"""

_OF_CLIENT = """
WHERE digest = :digest AND (client = :client OR client = '')
  AND (connection < :connection OR packet_id = :packet_id)
ORDER BY packet_id IS NOT :packet_id, 1 DESC LIMIT 1
"""

REPEATABLE_DUPLICATE = f"SELECT id {_DUPLICATES} {_OF_CLIENT}"

REPEATABLE_WISH = f"SELECT wishes.number {_WISHES} {_OF_CLIENT}"

_OF_OTHERS = "WHERE digest = :digest AND connection <> :connection AND sent_at IS NULL"

# What may be handed to another connector: first what is surely free, the oldest first.
LEFT_BY_OTHERS = f"""
SELECT kind, key, ended_at FROM (
    SELECT 'requests' AS kind, id AS key, ended_at {_DELIVERED} {_OF_OTHERS}
    UNION ALL
    SELECT 'duplicates' AS kind, id AS key, ended_at {_DUPLICATES} {_OF_OTHERS}
    UNION ALL
    SELECT 'wishes' AS kind, wishes.number AS key, ended_at {_WISHES} {_OF_OTHERS}) AS every
ORDER BY ended_at IS NULL, ended_at DESC, key LIMIT 1000
"""

TAKE_OVER = {
    "requests": "UPDATE states SET packet_id = ?, delivered = ? WHERE request = ?",
    "duplicates": "UPDATE duplicates SET packet_id = ?, delivered = ? WHERE id = ?",
    "wishes": "UPDATE wishes SET packet_id = ?, delivered = ? WHERE number = ?",
}
