-- What became of what Twilio accepted: one row for each followed SID, and what happened in rows that are only
-- added. Nothing of it is read on the way of a request to Twilio.

CREATE TABLE deliveries (
    request            INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    sid                TEXT    NOT NULL,
    begun_at           REAL    NOT NULL,                   -- when Twilio had accepted it
    look_at            REAL,                               -- when to ask Twilio next; NULL: not any more
    word               TEXT    NOT NULL,                   -- Twilio's, for the state
    changed_at         REAL    NOT NULL,                   -- since when it is that word
    code               INTEGER,                            -- Twilio's, of an error
    from_number        TEXT,                               -- Twilio's; NULL: the requested one
    to_number          TEXT,
    answered_by        TEXT,                               -- what machine detection says of a call
    key_pressed        INTEGER NOT NULL DEFAULT 0 CHECK (key_pressed BETWEEN 0 AND 1),
    document_code      INTEGER,                            -- the error of the voice document
    notification_looks INTEGER NOT NULL DEFAULT 0 CHECK (notification_looks >= 0),
    given_up_at        REAL,
    cancelled_by_us    INTEGER NOT NULL DEFAULT 0 CHECK (cancelled_by_us BETWEEN 0 AND 1),
    version            INTEGER NOT NULL DEFAULT 0          -- grows with each change
) STRICT;

-- A callback names the SID.
CREATE INDEX deliveries_sid ON deliveries (sid);
-- What is to be looked at; its cost does not grow with what has ended.
CREATE INDEX deliveries_due ON deliveries (look_at) WHERE look_at IS NOT NULL;

CREATE TABLE delivery_events (
    id        INTEGER PRIMARY KEY,
    request   INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    at        REAL    NOT NULL,
    happening TEXT    NOT NULL,                            -- core/delivery/followed.py
    source    TEXT    NOT NULL,
    word      TEXT    NOT NULL,
    code      INTEGER,
    result    TEXT                                         -- whom or what a call reached
) STRICT;

CREATE INDEX delivery_events_request ON delivery_events (request);

-- Of which the keys in the URLs of callbacks are made. At most one row.
CREATE TABLE callback_secret (secret BLOB NOT NULL) STRICT;
