-- The journal: one row for each request, one row for each attempt.
-- The CHECK constraints repeat core/lifecycle.py, so that a forbidden state cannot be stored at all.
-- Instants are seconds since the epoch.

CREATE TABLE requests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,  -- grows in the order of acceptance, never reused
    request_id     TEXT    NOT NULL,                   -- the published `id`, as JSON
    channel        TEXT    NOT NULL CHECK (channel IN ('SMS', 'CALL')),
    state          TEXT    NOT NULL
                   CHECK (state IN ('WAITING', 'OPEN', 'IN_DOUBT', 'FINISHED', 'REPORTED')),
    name           TEXT,
    phone_number   TEXT,
    sender_number  TEXT,
    body           TEXT,
    voice_location TEXT,
    retries        INTEGER NOT NULL DEFAULT 0 CHECK (retries >= 0),
    priority       INTEGER NOT NULL DEFAULT 1 CHECK (priority IN (0, 1, 2)),
    accepted_at    REAL    NOT NULL,
    expires_at     REAL,
    due_at         REAL,
    turn           INTEGER NOT NULL DEFAULT 0 CHECK (turn IN (0, 1)),  -- first in its recipient's order
    attempts       INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),   -- those that count against retries
    deferrals      INTEGER NOT NULL DEFAULT 0 CHECK (deferrals >= 0),
    waiting_reason TEXT,
    finished_at    REAL,
    reason         TEXT,                               -- NULL for success
    message        TEXT,
    code           INTEGER,
    sid            TEXT,
    status         BLOB,                               -- the published document, as it will leave
    position       INTEGER,                            -- its place in the outbox
    reported_at    REAL,
    packet_id      INTEGER,                            -- by these two a repeated PUBLISH is known again
    digest         BLOB,

    CHECK ((state = 'WAITING') = (due_at IS NOT NULL)),
    CHECK (turn = 0 OR state = 'WAITING'),
    CHECK ((state IN ('FINISHED', 'REPORTED')) = (finished_at IS NOT NULL)),
    CHECK ((finished_at IS NOT NULL) = (status IS NOT NULL AND position IS NOT NULL)),
    CHECK ((state = 'REPORTED') = (reported_at IS NOT NULL)),
    -- a rejection has a status and no recipient; everything else can be sent
    CHECK (state IN ('FINISHED', 'REPORTED')
           OR (name IS NOT NULL AND phone_number IS NOT NULL AND sender_number IS NOT NULL
               AND expires_at IS NOT NULL AND (body IS NULL) <> (voice_location IS NULL)))
) STRICT;

-- at most one open attempt per channel and recipient: the promise, kept by the database itself
CREATE UNIQUE INDEX requests_one_open ON requests (channel, phone_number)
    WHERE state IN ('OPEN', 'IN_DOUBT');
-- a recipient's order
CREATE INDEX requests_recipient ON requests (channel, phone_number, id)
    WHERE state IN ('WAITING', 'OPEN', 'IN_DOUBT');
-- at most one of them has the turn, and whoever has it is found whatever waits behind
CREATE UNIQUE INDEX requests_turn ON requests (channel, phone_number) WHERE turn = 1;
-- what can be claimed: its cost does not grow with what waits behind
CREATE INDEX requests_due ON requests (priority, due_at, id) WHERE state = 'WAITING' AND turn = 1;
CREATE INDEX requests_expiry ON requests (expires_at) WHERE state = 'WAITING';
CREATE INDEX requests_outbox ON requests (position) WHERE state = 'FINISHED';
CREATE INDEX requests_retention ON requests (finished_at) WHERE state = 'REPORTED';
CREATE INDEX requests_packet ON requests (packet_id) WHERE packet_id IS NOT NULL;

CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    request      INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    opened_at    REAL    NOT NULL,
    closed_at    REAL,
    outcome      TEXT    CHECK (outcome IN ('ACCEPTED', 'REFUSED', 'FAILED', 'DEFERRED', 'IN_DOUBT')),
    reason       TEXT,
    message      TEXT,
    code         INTEGER,
    sid          TEXT,
    charges      TEXT,                                 -- what it uses of the operator's limits, as JSON
    clock_offset REAL,                                 -- Twilio's clock minus ours at the opening
    cut_off      INTEGER NOT NULL DEFAULT 0 CHECK (cut_off IN (0, 1)),  -- by our own end
    doubt_at     REAL,
    settle_at    REAL,                                  -- when to look into Twilio's records next

    CHECK (closed_at IS NULL OR (outcome IS NOT NULL AND settle_at IS NULL)),
    CHECK (settle_at IS NULL OR (outcome = 'IN_DOUBT' AND doubt_at IS NOT NULL))
) STRICT;

CREATE INDEX attempts_request ON attempts (request);
CREATE UNIQUE INDEX attempts_one_open ON attempts (request) WHERE closed_at IS NULL;
CREATE INDEX attempts_doubt ON attempts (settle_at) WHERE settle_at IS NOT NULL;
CREATE INDEX attempts_sid ON attempts (sid) WHERE sid IS NOT NULL;

-- What was used of the operator's limits: a restart must not forget it.
CREATE TABLE usage (
    scope TEXT    NOT NULL,
    since REAL    NOT NULL,                            -- when the window began
    used  INTEGER NOT NULL CHECK (used >= 0),

    PRIMARY KEY (scope, since)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_since ON usage (since);
