"""Statements that record what arrives, and find out whether it is new."""

from __future__ import annotations

from twilio_notifications.adapters.journal.statements.conditions import ATTEMPTED, WANTED, WHOLE_STATUS

INSERT_REQUEST = """
INSERT INTO requests (id, request_id, channel, name, phone_number, sender_number, body, voice_location,
                      retries, accepted_at, origin, digest, media_urls, spoken_text, language, voice, twiml,
                      messaging_service_sid, about, escalation, contact, valid_for_seconds, chain, hint,
                      tells_end, envelope, resent_from)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

INSERT_WAITING = """
INSERT INTO states (request, state, channel, phone_number, priority, expires_at, packet_id, delivered,
                    about, sender, amount, due_at, waiting_since, turn)
VALUES (?, 'WAITING', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

INSERT_OPEN = """
INSERT INTO states (request, state, channel, phone_number, priority, expires_at, packet_id, delivered,
                    about, sender, amount, opened, opened_at, clock_offset, lease)
VALUES (?, 'OPEN', ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?)
"""

INSERT_FINISHED = """
INSERT INTO states (request, state, channel, packet_id, delivered, finished_at)
VALUES (?, 'FINISHED', ?, ?, ?, ?)
"""

# Those of these recipients for whom a request waits, or has an open attempt. Not EXISTS: for that, PostgreSQL
# may read all that waits, and look there. The order names the index.
BUSY = f"""
SELECT channel, phone_number FROM {WANTED}
WHERE COALESCE(
    (SELECT 1 FROM states
     WHERE channel = wanted.channel AND phone_number = wanted.phone_number AND state = 'WAITING'
     ORDER BY request LIMIT 1),
    (SELECT 1 FROM states
     WHERE channel = wanted.channel AND phone_number = wanted.phone_number AND {ATTEMPTED} LIMIT 1)) = 1
"""

# A broker that keeps packet identifiers repeats under the same one, so that request comes first; others give
# new numbers on each connection. The newest ones are those whose PUBACKs the broker is likeliest to lack.
# Over one and the same connection only the identifier tells that it is the same message.
REPEATABLE = """
SELECT id, packet_id, delivered FROM requests JOIN states ON request = id
WHERE digest = :digest AND id > (SELECT acknowledged FROM broker)
  AND (delivered IS NULL OR delivered < :connection OR packet_id = :packet_id)
ORDER BY packet_id IS NOT :packet_id, id DESC LIMIT 1000
"""

# A broker uses an identifier again only after it had the PUBACK of the message before (MQTT 5, 2.2.1).
IS_SUPERSEDED = """
SELECT EXISTS (SELECT 1 FROM states WHERE request > ? AND packet_id = ? AND delivered IS ?)
"""

REPEATED = "UPDATE states SET packet_id = ?, delivered = ? WHERE request = ?"

REPEATED_WISH = """
UPDATE wishes SET packet_id = :packet_id, delivered = :connection
WHERE number = (
    SELECT number FROM wishes
    WHERE digest = :digest AND (delivered < :connection OR packet_id = :packet_id)
    ORDER BY packet_id IS NOT :packet_id, number DESC LIMIT 1)
"""

REPEATED_DUPLICATE = """
UPDATE duplicates SET packet_id = :packet_id, delivered = :connection
WHERE id = (
    SELECT id FROM duplicates
    WHERE digest = :digest AND (delivered < :connection OR packet_id = :packet_id)
    ORDER BY packet_id IS NOT :packet_id, id DESC LIMIT 1)
"""

CONNECTION = "SELECT connection FROM broker"

ACKNOWLEDGED = "UPDATE broker SET acknowledged = MAX(acknowledged, ?)"

NEXT_CONNECTION = "UPDATE broker SET connection = connection + 1"

FORGET_PACKETS = "UPDATE broker SET acknowledged = (SELECT COALESCE(MAX(id), 0) FROM requests)"

# Only where the operator switched it on: an index that most journals do not need.
INDEX_REQUEST_IDS = """
CREATE INDEX IF NOT EXISTS requests_original ON requests (request_id, channel, phone_number, accepted_at)
"""

# Bounded, so that one id used for a million different texts does not make each of them dearer.
ORIGINAL = """
SELECT id, state FROM (
    SELECT id, name, body, voice_location, media_urls, spoken_text, language, voice, twiml FROM requests
    WHERE request_id = ? AND channel = ? AND phone_number = ? AND accepted_at > ?
    ORDER BY accepted_at DESC LIMIT 1000) AS same JOIN states ON request = id
WHERE name = ? AND body IS ? AND voice_location IS ? AND media_urls IS ? AND spoken_text IS ?
  AND language IS ? AND voice IS ? AND twiml IS ? LIMIT 1
"""

# The latest answer to a request, which a duplicate of it has too.
ANSWER = f"""
SELECT request_id, requests.channel, status, {WHOLE_STATUS}, reason, message, code
FROM requests JOIN statuses ON request = id WHERE id = ? AND later = 0
ORDER BY position DESC LIMIT 1
"""

INSERT_DUPLICATE = """
INSERT INTO duplicates (original, accepted_at, packet_id, digest, origin, envelope, delivered)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""

DUPLICATES = """
SELECT accepted_at, packet_id, digest, origin, envelope, delivered FROM duplicates
WHERE original = ? ORDER BY id
"""

DELETE_DUPLICATES = "DELETE FROM duplicates WHERE original = ?"

COUNT_DUPLICATES = "SELECT COUNT(*) FROM duplicates"

COUNT_DUPLICATES_OF = "SELECT COUNT(*) FROM duplicates WHERE original = ?"
