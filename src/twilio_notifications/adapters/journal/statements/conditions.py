"""Lists of states (core/lifecycle.py), written as the indexes have them, and columns that reads share."""

from __future__ import annotations

UNFINISHED = "(state = 'WAITING' OR state = 'OPEN' OR state = 'IN_DOUBT')"

ATTEMPTED = "(state = 'OPEN' OR state = 'IN_DOUBT')"
"""An attempt is open."""

ANSWERED = "(state = 'FINISHED' OR state = 'REPORTED')"

# Channels and telephones, of a list of such pairs in JSON. The texts of both lists have neither a NUL nor
# half a surrogate pair, which PostgreSQL takes in no JSON.
WANTED = """
(SELECT json_extract(value, '$[0]') AS channel, json_extract(value, '$[1]') AS phone_number
 FROM json_each(:recipients)) AS wanted
"""

# Scopes of usage, and from when on their windows matter, of a list of such pairs in JSON.
WINDOWS = """
(SELECT json_extract(value, '$[0]') AS scope, json_extract(value, '$[1]') AS since
 FROM json_each(:windows)) AS wanted
"""

# Why a wish that is not carried out to its end yet ends a request that waits; NULL: none does.
COVERED = """
CASE WHEN (chain IS NULL OR chain = states.request)
      AND (EXISTS (SELECT 1 FROM wishes
                   WHERE unfinished = 1 AND wishes.request_id = requests.request_id
                     AND wishes.name = 'cancel' AND up_to >= states.request)
           OR EXISTS (SELECT 1 FROM wishes
                      WHERE unfinished = 1 AND wishes.about = states.about AND up_to >= states.request))
     THEN 'Cancelled' END
"""

# All reads of a request begin with these, by which a row that cannot be read is answered.
IDENTITY_COLUMNS = "states.request, request_id, states.channel"

REQUEST_COLUMNS = f"""
{IDENTITY_COLUMNS}, name, states.phone_number, sender_number, body, voice_location, retries, priority,
accepted_at, expires_at, due_at, attempts, deferrals,
COALESCE(waiting_reason, CASE WHEN turn = 1 AND sender IS NOT NULL THEN 'sender_pace' END),
opened + CASE WHEN state = 'WAITING' THEN 1 ELSE 0 END,
media_urls, spoken_text, language, voice, twiml, messaging_service_sid,
requests.about, escalation, contact, valid_for_seconds, chain, hint, tells_end,
(SELECT ended_at IS NOT NULL FROM chains WHERE chains.request = requests.chain),
COALESCE(recalled, {COVERED}), envelope
"""

# Until when a request waits, for its history. Behind a paced sender that is not known: it is due before.
WAITS_UNTIL = "MAX(due_at, COALESCE(waiting_since, due_at))"

# What rows.delivery reads.
DELIVERY_COLUMNS = """
word, changed_at, code, answered_by, key_pressed, document_code, notification_looks, given_up_at,
cancelled_by_us
"""

DOUBT_COLUMNS = "opened_at, doubt_at, clock_offset, cut_off, doubt"

# A status is kept up to its id, which is the last of its keys and stands in request_id.
WHOLE_STATUS = """
CASE WHEN SUBSTR(status, -6) = CAST(',"id":' AS BLOB) THEN CAST(status || request_id || '}' AS BLOB)
     ELSE status END
"""
