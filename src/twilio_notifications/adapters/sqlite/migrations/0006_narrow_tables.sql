-- What never changes of a request apart from what does, and what happened in rows that are only added.
-- adapters/sqlite/takeover.py moves the rows of the wide tables over, in the same transaction.
-- No condition here has the form IN (three or more): SQLite builds a table for such a list at each execution.

ALTER TABLE requests RENAME TO old_requests;
ALTER TABLE attempts RENAME TO old_attempts;
-- Their pages are used again for the new rows, so that the file hardly grows. Two of them lead the takeover.
DROP INDEX requests_one_open;
DROP INDEX requests_recipient;
DROP INDEX requests_turn;
DROP INDEX requests_due;
DROP INDEX requests_expiry;
DROP INDEX requests_retention;
DROP INDEX requests_rejections;
DROP INDEX requests_digest;
DROP INDEX requests_suspects;
DROP INDEX IF EXISTS requests_original;
DROP INDEX IF EXISTS requests_recipient_due;
DROP INDEX attempts_one_open;
DROP INDEX attempts_doubt;
DROP INDEX attempts_sid;

-- What a client asked for. Rows are added and removed, and never changed; but for the instant of acceptance
-- where the clock turns out to have been in the future.
CREATE TABLE requests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,  -- grows in the order of acceptance, never reused
    request_id     TEXT    NOT NULL,                   -- the published `id`, as JSON
    channel        TEXT    NOT NULL CHECK (channel IN ('SMS', 'CALL')),
    name           TEXT,
    phone_number   TEXT,                               -- NULL for a rejection, like the rest of the content
    sender_number  TEXT,
    body           TEXT,
    voice_location TEXT,
    retries        INTEGER NOT NULL DEFAULT 0 CHECK (retries >= 0),
    accepted_at    REAL    NOT NULL,
    origin         TEXT    CHECK (origin IN ('local', 'iot_core')),
    digest         BLOB                                -- identifies a repeated PUBLISH
) STRICT;

-- A repeated PUBLISH is looked for by its digest; equal payloads stand in the order of their ids.
CREATE INDEX requests_digest ON requests (digest) WHERE digest IS NOT NULL;

-- Where a request stands, and the attempt that is open. The CHECK constraints repeat core/lifecycle.py.
CREATE TABLE states (
    request         INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    state           TEXT    NOT NULL
                    CHECK (state = 'WAITING' OR state = 'OPEN' OR state = 'IN_DOUBT' OR state = 'FINISHED'
                           OR state = 'REPORTED'),
    channel         TEXT    NOT NULL,
    phone_number    TEXT,
    priority        INTEGER NOT NULL DEFAULT 1 CHECK (priority BETWEEN 0 AND 2),
    expires_at      REAL,
    due_at          REAL,                              -- when it may leave
    turn            INTEGER NOT NULL DEFAULT 0 CHECK (turn BETWEEN 0 AND 1),  -- first in its recipient's order
    attempts        INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),  -- those that count against retries
    deferrals       INTEGER NOT NULL DEFAULT 0 CHECK (deferrals >= 0),
    waiting_reason  TEXT,                              -- NULL: for its turn, or a free place
    waiting_message TEXT,
    waiting_since   REAL,
    opened          INTEGER NOT NULL DEFAULT 0 CHECK (opened >= 0),  -- attempts so far; the number of the open one
    opened_at       REAL,
    clock_offset    REAL,                              -- Twilio's clock minus ours at the opening
    charges         TEXT,                              -- what it uses of the operator's limits, as JSON
    cut_off         INTEGER NOT NULL DEFAULT 0 CHECK (cut_off BETWEEN 0 AND 1),  -- by our own end
    doubt_at        REAL,
    doubt           TEXT,                              -- what left it in doubt
    settle_at       REAL,                              -- when to look into Twilio's records next
    finished_at     REAL,
    packet_id       INTEGER,                           -- of the latest delivery of its PUBLISH
    delivered       INTEGER,                           -- over which connection, counted over all runs

    CHECK ((state = 'WAITING') = (due_at IS NOT NULL)),
    CHECK ((state = 'WAITING') = (waiting_since IS NOT NULL)),
    CHECK (turn = 0 OR state = 'WAITING'),
    CHECK ((state = 'OPEN' OR state = 'IN_DOUBT') = (opened_at IS NOT NULL)),
    CHECK ((state = 'IN_DOUBT') = (settle_at IS NOT NULL)),
    CHECK ((settle_at IS NULL) = (doubt_at IS NULL) AND (settle_at IS NULL) = (doubt IS NULL)),
    CHECK ((state = 'FINISHED' OR state = 'REPORTED') = (finished_at IS NOT NULL)),
    -- A rejection has no recipient; all else can be sent.
    CHECK (finished_at IS NOT NULL OR (phone_number IS NOT NULL AND expires_at IS NOT NULL))
) STRICT;

-- The promise, kept by the database itself: at most one open attempt for each channel and recipient.
CREATE UNIQUE INDEX states_one_open ON states (channel, phone_number)
    WHERE state = 'OPEN' OR state = 'IN_DOUBT';
-- The order of what waits for a recipient.
CREATE INDEX states_recipient ON states (channel, phone_number, request) WHERE state = 'WAITING';
-- At most one of them has the turn, and that one is found whatever waits behind it.
CREATE UNIQUE INDEX states_turn ON states (channel, phone_number) WHERE turn = 1;
-- What can be claimed: the cost does not grow with what waits behind.
CREATE INDEX states_due ON states (priority, due_at, request) WHERE turn = 1;
-- What expires while it waits, whether or not it has its turn.
CREATE INDEX states_expiry ON states (expires_at) WHERE state = 'WAITING';
-- What is to be looked up in Twilio's records.
CREATE INDEX states_doubt ON states (settle_at) WHERE settle_at IS NOT NULL;
-- What may be removed, oldest first; a rejection is kept for a shorter time.
CREATE INDEX states_retention ON states (finished_at) WHERE state = 'REPORTED';
CREATE INDEX states_rejections ON states (finished_at) WHERE state = 'REPORTED' AND phone_number IS NULL;

-- The attempts that were closed. The open one stands in its request's state until then.
CREATE TABLE attempts (
    request   INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    number    INTEGER NOT NULL,
    opened_at REAL    NOT NULL,
    closed_at REAL    NOT NULL,
    outcome   TEXT    NOT NULL
              CHECK (outcome = 'ACCEPTED' OR outcome = 'REFUSED' OR outcome = 'DEFERRED' OR outcome = 'FAILED'
                     OR outcome = 'UNSENT' OR outcome = 'IN_DOUBT'),
    reason    TEXT,
    message   TEXT,
    code      INTEGER,
    sid       TEXT,

    PRIMARY KEY (request, number)
) STRICT, WITHOUT ROWID;

-- Whether a record of Twilio's belongs to another attempt.
CREATE INDEX attempts_sid ON attempts (sid) WHERE sid IS NOT NULL;

-- Waits of more than a moment that have ended. The present one stands in its request's state.
CREATE TABLE waits (
    id       INTEGER PRIMARY KEY,
    request  INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    reason   TEXT,                                     -- NULL: for its turn, or a free place
    message  TEXT,
    begun_at REAL    NOT NULL,
    due_at   REAL    NOT NULL,                         -- until when it was to last
    ended_at REAL    NOT NULL
) STRICT;

CREATE INDEX waits_request ON waits (request);

-- The outbox, and what has left it. A request may have several statuses.
CREATE TABLE statuses (
    position    INTEGER PRIMARY KEY,                   -- grows with each status
    request     INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    status      BLOB    NOT NULL,                      -- the published document, up to its id
    reason      TEXT,                                  -- NULL for success
    message     TEXT,
    code        INTEGER,
    sid         TEXT,
    written_at  REAL    NOT NULL,
    reported_at REAL,
    suspicion   INTEGER NOT NULL DEFAULT 0 CHECK (suspicion >= 0),  -- points against it (core/suspicion.py)
    remark      TEXT                                   -- what became of it, where it did not simply leave
) STRICT;

CREATE INDEX statuses_request ON statuses (request);
-- What is to be published; its cost does not grow with what was reported.
CREATE INDEX statuses_outbox ON statuses (position) WHERE reported_at IS NULL;
CREATE INDEX statuses_suspects ON statuses (suspicion, position) WHERE reported_at IS NULL AND suspicion >= 2;
