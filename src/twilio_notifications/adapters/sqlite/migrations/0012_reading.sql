-- What people ask of a journal next to a running connector, and what the connector writes down of itself for them.
-- A request that succeeds pays for none of these indexes.

-- One row for each thing that a person wants to know of the connector; written when it changes.
CREATE TABLE facts (
    name       TEXT PRIMARY KEY CHECK (name IN ('connector', 'connection', 'credentials')),
    word       TEXT NOT NULL,                                -- how it stands
    about      TEXT NOT NULL,                                -- the version of the connector; the broker
    detail     TEXT NOT NULL,                                -- a sentence; '': there is none
    since      REAL NOT NULL,                                -- since when it stands so
    written_at REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- What failed: in the order of the requests, with all that lists and charts ask of it.
CREATE INDEX statuses_failed ON statuses (request, reason, later, written_at) WHERE reason IS NOT NULL;

-- What Twilio took and did not arrive (core/delivery/endings.py).
CREATE INDEX deliveries_failed ON deliveries (changed_at, request)
    WHERE word = 'undelivered' OR word = 'failed' OR word = 'busy' OR word = 'no-answer'
       OR word = 'partially_delivered' OR (word = 'canceled' AND cancelled_by_us = 0)
       OR (word = 'completed' AND key_pressed = 0
           AND (document_code IS NOT NULL OR SUBSTR(answered_by, 1, 7) = 'machine'
                OR SUBSTR(answered_by, 1, 3) = 'fax'))
       OR (given_up_at IS NOT NULL AND word <> 'sent' AND word <> 'delivered' AND word <> 'read'
           AND word <> 'completed' AND word <> 'canceled');
