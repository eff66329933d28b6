"""The journal's statements, each named and in one place. Only literals from here reach the driver.

The lists of states come from core/lifecycle.py and are written out, because SQLite uses a partial index only
where the query repeats the index's condition word for word.
"""

from __future__ import annotations

INSERT_REQUEST = """
INSERT INTO requests (request_id, channel, state, name, phone_number, sender_number, body, voice_location,
                      retries, priority, accepted_at, expires_at, due_at, turn, packet_id, digest, origin,
                      delivered)
VALUES (?, ?, 'WAITING', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT connection FROM broker))
"""

INSERT_REJECTION = """
INSERT INTO requests (request_id, channel, state, accepted_at, finished_at, reason, message, status, position,
                      packet_id, digest, origin, delivered)
VALUES (?, ?, 'FINISHED', ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT connection FROM broker))
"""

RECIPIENT_IS_BUSY = """
SELECT EXISTS (SELECT 1 FROM requests
               WHERE channel = ? AND phone_number = ? AND state IN ('WAITING', 'OPEN', 'IN_DOUBT'))
"""

# A broker that keeps packet identifiers repeats under the same one, so that request comes first; others give
# new numbers on each connection. The newest ones are those whose PUBACKs the broker is likeliest to lack.
# Over one and the same connection only the identifier tells that it is the same message.
REPEATABLE = """
SELECT id, packet_id, delivered FROM requests
WHERE digest = ? AND id > (SELECT acknowledged FROM broker)
  AND (delivered IS NULL OR delivered < (SELECT connection FROM broker) OR packet_id = ?)
ORDER BY packet_id IS NOT ?, id DESC LIMIT 1000
"""

# A broker uses an identifier again only after it had the PUBACK of the message before (MQTT 5, 2.2.1).
IS_SUPERSEDED = """
SELECT EXISTS (SELECT 1 FROM requests WHERE id > ? AND packet_id = ? AND delivered IS ?)
"""

REPEATED = """
UPDATE requests SET packet_id = ?, delivered = (SELECT connection FROM broker) WHERE id = ?
"""

REPEATED_DUPLICATE = """
UPDATE duplicates SET packet_id = ?, delivered = (SELECT connection FROM broker)
WHERE id = (
    SELECT id FROM duplicates
    WHERE digest = ? AND (delivered < (SELECT connection FROM broker) OR packet_id = ?)
    ORDER BY packet_id IS NOT ?, id DESC LIMIT 1)
"""

ACKNOWLEDGED = "UPDATE broker SET acknowledged = MAX(acknowledged, ?)"

NEXT_CONNECTION = "UPDATE broker SET connection = connection + 1"

# Only where the operator switched it on: an index that most journals do not need.
INDEX_REQUEST_IDS = """
CREATE INDEX IF NOT EXISTS requests_original ON requests (request_id, channel, phone_number, accepted_at)
"""

# Only without ordering, where the turn goes to the request of a recipient that is due first.
INDEX_DUE = """
CREATE INDEX IF NOT EXISTS requests_recipient_due ON requests (channel, phone_number, due_at, id)
    WHERE state = 'WAITING'
"""

# Bounded, so that one id used for a million different texts does not make each of them dearer.
ORIGINAL = """
SELECT id, state FROM (
    SELECT id, state, name, body, voice_location FROM requests
    WHERE request_id = ? AND channel = ? AND phone_number = ? AND accepted_at > ?
    ORDER BY accepted_at DESC LIMIT 1000)
WHERE name = ? AND body IS ? AND voice_location IS ? LIMIT 1
"""

# A duplicate has the status of its original, and stands in the journal as a rejection does: without content.
ANSWER_DUPLICATE = """
INSERT INTO requests (request_id, channel, state, accepted_at, finished_at, reason, message, status, position,
                      packet_id, digest, origin, delivered, remark)
SELECT request_id, channel, 'FINISHED', ?, ?, reason, message, status, ?,
       ?, ?, ?, ?, 'repeats request ' || id || ', and has its status'
FROM requests WHERE id = ?
"""

INSERT_DUPLICATE = """
INSERT INTO duplicates (original, accepted_at, packet_id, digest, origin, delivered)
VALUES (?, ?, ?, ?, ?, (SELECT connection FROM broker))
"""

DUPLICATES = """
SELECT accepted_at, packet_id, digest, origin, delivered FROM duplicates WHERE original = ? ORDER BY id
"""

CONNECTION = "SELECT connection FROM broker"

DELETE_DUPLICATES = "DELETE FROM duplicates WHERE original = ?"

COUNT_DUPLICATES = "SELECT COUNT(*) FROM duplicates"

COUNT_DUPLICATES_OF = "SELECT COUNT(*) FROM duplicates WHERE original = ?"

FORGET_PACKETS = "UPDATE broker SET acknowledged = (SELECT COALESCE(MAX(id), 0) FROM requests)"

_REQUEST_COLUMNS = """
id, request_id, channel, name, phone_number, sender_number, body, voice_location, retries, priority,
accepted_at, expires_at, due_at, attempts, deferrals, waiting_reason
"""

CLAIM = f"""
SELECT {_REQUEST_COLUMNS} FROM requests
WHERE state = 'WAITING' AND turn = 1 AND priority = ? AND due_at <= ?
ORDER BY due_at, id LIMIT ?
"""

OVERDUE = f"""
SELECT {_REQUEST_COLUMNS} FROM requests
WHERE state = 'WAITING' AND expires_at <= ?
ORDER BY expires_at LIMIT ?
"""

OPEN_REQUEST = """
UPDATE requests SET state = 'OPEN', due_at = NULL, turn = 0 WHERE id = ? AND state = 'WAITING' AND turn = 1
"""

OPEN_ATTEMPT = "INSERT INTO attempts (request, opened_at, clock_offset, charges) VALUES (?, ?, ?, ?)"

CHARGE = """
INSERT INTO usage (scope, since, used) VALUES (?, ?, ?)
ON CONFLICT (scope, since) DO UPDATE SET used = used + excluded.used
"""

PAY_BACK = "UPDATE usage SET used = MAX(0, used - ?) WHERE scope = ? AND since = ?"

# An unused window is no window: of identical texts, its mere being there would say that one was sent.
FORGET_UNUSED = "DELETE FROM usage WHERE scope = ? AND since = ? AND used = 0"

USAGE = "SELECT scope, since, used FROM usage WHERE scope = ? AND since >= ?"

PURGE_USAGE = "DELETE FROM usage WHERE since < ?"

CLOSE_ATTEMPT = """
UPDATE attempts SET closed_at = ?, outcome = ?, reason = ?, message = ?, code = ?, sid = ?, settle_at = NULL
WHERE request = ? AND closed_at IS NULL
RETURNING charges, doubt_at
"""

FINISH = """
UPDATE requests
SET state = 'FINISHED', due_at = NULL, turn = 0, finished_at = ?, reason = ?, message = ?, code = ?, sid = ?,
    status = IIF(request_id = ?, ?, ?), position = ?, attempts = attempts + ?
WHERE id = ? AND state IN ('WAITING', 'OPEN', 'IN_DOUBT')
RETURNING channel, phone_number
"""

# What expires needs no haste, and the index of what does leads to what waits.
HASTEN = """
UPDATE requests SET due_at = ?
WHERE state = 'WAITING' AND expires_at > ? AND waiting_reason = ? AND due_at > ?
"""

POSTPONE = """
UPDATE requests
SET state = 'WAITING', due_at = ?, turn = 0, waiting_reason = ?, attempts = attempts + ?,
    deferrals = deferrals + ?
WHERE id = ? AND state IN ('WAITING', 'OPEN', 'IN_DOUBT')
RETURNING channel, phone_number
"""

DOUBT_REQUEST = "UPDATE requests SET state = 'IN_DOUBT' WHERE id = ? AND state IN ('OPEN', 'IN_DOUBT')"

# The first doubt gives its instant and its sentence; looking again changes neither.
DOUBT_ATTEMPT = """
UPDATE attempts
SET outcome = 'IN_DOUBT', doubt_at = COALESCE(doubt_at, ?), message = COALESCE(message, ?), settle_at = ?
WHERE request = ? AND closed_at IS NULL
"""

RECIPIENT_HAS_OPEN_ATTEMPT = """
SELECT EXISTS (SELECT 1 FROM requests
               WHERE channel = ? AND phone_number = ? AND state IN ('OPEN', 'IN_DOUBT'))
"""

RECIPIENT_TURN = """
SELECT id FROM requests
WHERE channel = ? AND phone_number = ? AND turn = 1
"""

FIRST_IN_ORDER = """
SELECT id, turn FROM requests
WHERE channel = ? AND phone_number = ? AND state IN ('WAITING', 'OPEN', 'IN_DOUBT') AND state = 'WAITING'
ORDER BY id LIMIT 1
"""

FIRST_DUE = """
SELECT id, turn FROM requests
WHERE channel = ? AND phone_number = ? AND state = 'WAITING'
ORDER BY due_at, id LIMIT 1
"""

GIVE_TURN = "UPDATE requests SET turn = 1 WHERE id = ?"

TAKE_TURN = "UPDATE requests SET turn = 0 WHERE id = ?"

DOUBTFUL = f"""
SELECT {_REQUEST_COLUMNS}, opened_at, doubt_at, clock_offset, cut_off, doubt
FROM requests JOIN (SELECT request, opened_at, doubt_at, clock_offset, cut_off, message AS doubt, settle_at
                    FROM attempts WHERE settle_at IS NOT NULL AND settle_at <= ?
                    ORDER BY settle_at LIMIT ?) AS attempt ON requests.id = attempt.request
ORDER BY attempt.settle_at
"""

# Not MIN(): the first ones may be set aside.
NEXT_DUE = """
SELECT id, due_at FROM requests WHERE state = 'WAITING' AND turn = 1 AND priority = ?
ORDER BY due_at LIMIT ?
"""

NEXT_EXPIRY = "SELECT id, expires_at FROM requests WHERE state = 'WAITING' ORDER BY expires_at LIMIT ?"

NEXT_SETTLEMENT = """
SELECT request, settle_at FROM attempts WHERE settle_at IS NOT NULL ORDER BY settle_at LIMIT ?
"""

# A status is kept up to its id, which is the last of its keys and stands in request_id.
_WHOLE_STATUS = """
CASE WHEN SUBSTR(status, -6) = CAST(',"id":' AS BLOB) THEN CAST(status || request_id || '}' AS BLOB)
     ELSE status END
"""

# Whatever is read of a request begins with id, request_id and channel, by which a row that cannot be read is
# answered. Here the id is in the status already.
UNREPORTED = f"""
SELECT id, '""', channel, position, {_WHOLE_STATUS}, origin, suspicion FROM requests
WHERE state = 'FINISHED' AND position > ? AND suspicion < 2 ORDER BY position LIMIT ?
"""

# The smallest that the broker does not take tells most about its limit.
SUSPECTS = f"""
SELECT id, '""', channel, position, {_WHOLE_STATUS}, origin, suspicion FROM requests
WHERE state = 'FINISHED' AND suspicion >= ? AND suspicion >= 2
ORDER BY suspicion, LENGTH(status), position LIMIT ?
"""

SUSPECT = "UPDATE requests SET suspicion = suspicion + ? WHERE id = ? AND state = 'FINISHED'"

REMARK = "UPDATE requests SET remark = ? WHERE id = ?"

TOO_LARGE = "SELECT too_large FROM broker WHERE too_large_at >= ?"

NOTE_TOO_LARGE = "UPDATE broker SET too_large = ?, too_large_at = ?"

REPORT = "UPDATE requests SET state = 'REPORTED', reported_at = ? WHERE id = ? AND state = 'FINISHED'"

PURGE = """
DELETE FROM requests WHERE id IN (
    SELECT id FROM requests WHERE state = 'REPORTED' AND finished_at < ? ORDER BY finished_at LIMIT ?)
"""

# What was rejected has no recipient.
PURGE_REJECTIONS = """
DELETE FROM requests WHERE id IN (
    SELECT id FROM requests WHERE state = 'REPORTED' AND phone_number IS NULL AND finished_at < ?
    ORDER BY finished_at LIMIT ?)
"""

# Where the journal may grow no more: what was reported, oldest first. A request that the broker may deliver
# again stays, or it would be sent twice; a rejection may be answered twice.
TRIM = """
DELETE FROM requests WHERE id IN (
    SELECT id FROM requests
    WHERE state = 'REPORTED'
      AND (digest IS NULL OR phone_number IS NULL OR id <= (SELECT acknowledged FROM broker))
    ORDER BY finished_at LIMIT ?)
"""

KNOWN_SID = "SELECT 1 FROM attempts WHERE sid = ? LIMIT 1"

# Of the outbox alone: positions must grow within one run, and beyond what an earlier run left.
LATEST_POSITION = "SELECT COALESCE(MAX(position), 0) FROM requests WHERE state = 'FINISHED'"

COUNT_UNFINISHED = """
SELECT COUNT(*) FROM requests WHERE state IN ('WAITING', 'OPEN', 'IN_DOUBT')
"""

COUNT_WAITING = """
SELECT COUNT(*) FROM requests WHERE state IN ('WAITING', 'OPEN', 'IN_DOUBT') AND state = 'WAITING'
"""

COUNT_OPEN = "SELECT COUNT(*) FROM requests WHERE state IN ('OPEN', 'IN_DOUBT') AND state = 'OPEN'"

STATE = "SELECT state FROM requests WHERE id = ?"

COUNT_UNREPORTED = "SELECT COUNT(*) FROM requests WHERE state = 'FINISHED'"

# At a start: what an earlier run left open was cut off by our own end.
RECOVER_OPEN_ATTEMPTS = """
UPDATE attempts SET outcome = 'IN_DOUBT', cut_off = 1, message = ? WHERE closed_at IS NULL AND outcome IS NULL
"""

# The settling time begins again: only the clock of the process that is gone measured how much of it has
# passed, and that clock may have been wrong.
RECOVER_DOUBTS = "UPDATE attempts SET doubt_at = ?, settle_at = ? WHERE closed_at IS NULL"

RECOVER_REQUESTS = """
UPDATE requests SET state = 'IN_DOUBT' WHERE state IN ('OPEN', 'IN_DOUBT') AND state = 'OPEN'
"""

# The clock was set back between two runs: what was accepted "in the future" counts from now on, so that it
# neither waits for a due time that is far away nor lives longer than it should.
RECOVER_FUTURE = """
UPDATE requests
SET expires_at = ? + (expires_at - accepted_at), due_at = MIN(due_at, ?), accepted_at = ?
WHERE state IN ('WAITING', 'OPEN', 'IN_DOUBT') AND state <> 'OPEN' AND accepted_at > ?
"""

# The same of one request, where all of them at once did not succeed.
RECOVER_OPEN_ATTEMPT = f"{RECOVER_OPEN_ATTEMPTS} AND request = ?"

RECOVER_DOUBT = f"{RECOVER_DOUBTS} AND request = ?"

RECOVER_REQUEST = f"{RECOVER_REQUESTS} AND id = ?"

LEFT_OPEN = "SELECT id FROM requests WHERE state IN ('OPEN', 'IN_DOUBT')"

COUNT_IN_DOUBT = "SELECT COUNT(*) FROM requests WHERE state IN ('OPEN', 'IN_DOUBT') AND state = 'IN_DOUBT'"

# For people: reading and repairing from another process than the connector.

_ENTRY_COLUMNS = """
id, request_id, channel, state, phone_number, accepted_at, expires_at, due_at, turn, waiting_reason, attempts,
finished_at, reason, message, sid, remark
"""

ENTRY = f"SELECT {_ENTRY_COLUMNS} FROM requests WHERE id = ?"

ATTEMPTS = """
SELECT opened_at, closed_at, outcome, reason, message, code, sid FROM attempts WHERE request = ? ORDER BY id
"""


def entries(condition: str) -> str:
    """The newest requests of which `condition` holds; it is one of repair.STANDINGS, never from outside."""
    return f"SELECT {_ENTRY_COLUMNS} FROM requests WHERE {condition} ORDER BY id DESC LIMIT ?"


# Until its new status was acknowledged, what a person said can be corrected.
_UNKNOWN = "(state IN ('FINISHED', 'REPORTED') AND reason = ?)"

_SETTLED_BY_A_PERSON = """
(state = 'FINISHED'
 AND EXISTS (SELECT 1 FROM orders WHERE orders.request = requests.id AND orders.name = 'resolve'))
"""

UNSETTLED = f"""
SELECT {_REQUEST_COLUMNS} FROM requests WHERE id = ? AND ({_UNKNOWN} OR {_SETTLED_BY_A_PERSON})
"""

UNSETTLED_WITHOUT_ORDERS = f"SELECT {_REQUEST_COLUMNS} FROM requests WHERE id = ? AND {_UNKNOWN}"

ORDER = "INSERT INTO orders (request, name, detail, by, at) VALUES (?, ?, ?, ?, ?)"

ORDERS = "SELECT name, detail, by, at FROM orders WHERE request = ? ORDER BY number"

# Back into the outbox, as the newest: a status that was reported is reported again, with what is known now.
RESOLVE = f"""
UPDATE requests
SET state = 'FINISHED', reported_at = NULL, reason = ?, message = ?, sid = ?, status = ?, position = ?,
    suspicion = 0, remark = NULL
WHERE id = ? AND ({_UNKNOWN} OR {_SETTLED_BY_A_PERSON})
"""

RESOLVE_ATTEMPT = """
UPDATE attempts SET sid = ? WHERE id = (SELECT MAX(id) FROM attempts WHERE request = ?)
"""

OWNER_OF_SID = "SELECT request FROM attempts WHERE sid = ? AND request <> ? LIMIT 1"

RESEND = """
INSERT INTO requests (request_id, channel, state, name, phone_number, sender_number, body, voice_location,
                      retries, priority, origin, accepted_at, expires_at, due_at)
SELECT request_id, channel, 'WAITING', name, phone_number, sender_number, body, voice_location,
       retries, priority, origin, ?, ?, ?
FROM requests WHERE id = ? AND state IN ('FINISHED', 'REPORTED') AND phone_number IS NOT NULL
"""

TURN_OF_RESENT = """
UPDATE requests SET turn = 1
WHERE id = ? AND NOT EXISTS (
    SELECT 1 FROM requests AS other
    WHERE other.channel = requests.channel AND other.phone_number = requests.phone_number
      AND other.state IN ('WAITING', 'OPEN', 'IN_DOUBT') AND other.id <> ?)
"""
