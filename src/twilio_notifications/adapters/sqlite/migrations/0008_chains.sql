-- What requests may have beyond the published properties, chains that go on until a person acknowledges, and
-- what people and clients want of requests that are under way.

ALTER TABLE requests ADD COLUMN media_urls TEXT;             -- pictures of a text, as a JSON list
ALTER TABLE requests ADD COLUMN spoken_text TEXT;            -- what Twilio speaks in a call
ALTER TABLE requests ADD COLUMN language TEXT;
ALTER TABLE requests ADD COLUMN voice TEXT;
ALTER TABLE requests ADD COLUMN twiml TEXT;
ALTER TABLE requests ADD COLUMN messaging_service_sid TEXT;
ALTER TABLE requests ADD COLUMN about TEXT;
ALTER TABLE requests ADD COLUMN escalation TEXT;
ALTER TABLE requests ADD COLUMN contact TEXT;
ALTER TABLE requests ADD COLUMN valid_for_seconds REAL;
ALTER TABLE requests ADD COLUMN chain INTEGER;               -- the request that began the chain it belongs to
ALTER TABLE requests ADD COLUMN tells_end INTEGER NOT NULL DEFAULT 0; -- of its chain: who has acknowledged
ALTER TABLE requests ADD COLUMN hint TEXT;                   -- the last line of the text, how to acknowledge

-- In the narrow table too, where its index holds only what waits: a newer request about the same is compared
-- with these, and a cancellation ends them.
ALTER TABLE states ADD COLUMN about TEXT;                    -- of a request, not of a step of a chain
CREATE INDEX states_about ON states (about, channel, phone_number) WHERE state = 'WAITING' AND about IS NOT NULL;
-- Why it is to end if it comes back to waiting: it was cancelled or superseded during an attempt.
ALTER TABLE states ADD COLUMN recalled TEXT CHECK (recalled = 'Cancelled' OR recalled = 'Superseded');
-- Calls that Twilio may be asked to end. Texts do not pay for it.
CREATE INDEX states_calls ON states (finished_at)
    WHERE channel = 'CALL' AND finished_at IS NOT NULL AND phone_number IS NOT NULL;
CREATE INDEX requests_chain ON requests (chain) WHERE chain IS NOT NULL;

-- Statuses that follow the one that answers the request: of its delivery, or of the end of its chain.
ALTER TABLE statuses ADD COLUMN later INTEGER NOT NULL DEFAULT 0;
-- Such a status waits, unpublished, until the request has been answered.
ALTER TABLE statuses ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
CREATE INDEX statuses_held ON statuses (request) WHERE held = 1;

-- A chain, by the request that began it.
CREATE TABLE chains (
    request    INTEGER PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    published_id    TEXT NOT NULL,                           -- the client's `id`, as JSON
    about      TEXT,
    configured_name TEXT NOT NULL,                           -- of the escalation
    began_at   REAL    NOT NULL,
    look_at    REAL,                                         -- when something of it is due
    hastened   INTEGER NOT NULL DEFAULT 0,                   -- grows with what makes it due at once
    ended_at   REAL,
    ending     TEXT    CHECK (ending IN ('acknowledged', 'unacknowledged', 'cancelled', 'superseded')),
    by         TEXT,                                         -- who acknowledged; NULL: not known
    door       TEXT,                                         -- how it was acknowledged

    CHECK ((ended_at IS NULL) = (ending IS NULL)),
    CHECK ((ended_at IS NULL) = (look_at IS NOT NULL))
) STRICT;

CREATE INDEX chains_due ON chains (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX chains_id ON chains (published_id) WHERE ended_at IS NULL;
CREATE INDEX chains_about ON chains (about) WHERE ended_at IS NULL AND about IS NOT NULL;

-- The steps that were taken, without step 0. Rows are only added.
CREATE TABLE chain_steps (
    chain    INTEGER NOT NULL REFERENCES chains (request) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    at       REAL    NOT NULL,
    first    INTEGER NOT NULL,                               -- its requests, by their numbers
    requests INTEGER NOT NULL CHECK (requests >= 0),         -- how many; none: it had nothing to say

    PRIMARY KEY (chain, position)
) STRICT, WITHOUT ROWID;

-- The telephones of a chain, and its code at each.
CREATE TABLE chain_numbers (
    chain        INTEGER NOT NULL REFERENCES chains (request) ON DELETE CASCADE,
    phone_number TEXT    NOT NULL,
    code         INTEGER NOT NULL CHECK (code > 0),
    name         TEXT    NOT NULL,
    notified_at  REAL,                                       -- when the first attempt was opened

    PRIMARY KEY (chain, phone_number)
) STRICT, WITHOUT ROWID;

CREATE INDEX chain_numbers_number ON chain_numbers (phone_number);

-- Texts and calls that came back and meant something, each carried out once.
CREATE TABLE replies (
    sid          TEXT    PRIMARY KEY,
    phone_number TEXT    NOT NULL,
    at           REAL    NOT NULL,
    meaning      TEXT    NOT NULL,
    chain        INTEGER REFERENCES chains (request) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX replies_chain ON replies (chain);

-- Calls that Twilio is to end while they wait or ring.
CREATE TABLE hangups (
    sid     TEXT    PRIMARY KEY,
    request INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    due_at  REAL    NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE INDEX hangups_due ON hangups (due_at);
CREATE INDEX hangups_request ON hangups (request);

-- What clients wanted on the topics for cancellations and acknowledgements. A wish that ends much goes on
-- over several transactions.
CREATE TABLE wishes (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL CHECK (name IN ('cancel', 'acknowledge')),
    request_id TEXT,                                         -- as JSON
    about      TEXT,
    by         TEXT,
    at         REAL    NOT NULL,
    up_to      INTEGER NOT NULL,                             -- the newest request when it came, and the last it ends
    passed_expiry  REAL    NOT NULL,                         -- how far it has looked through what waits,
    passed_request INTEGER NOT NULL,                         -- in the order of the expiry, the latest first
    unfinished INTEGER NOT NULL DEFAULT 1,
    chains     INTEGER NOT NULL DEFAULT 0,                   -- that it has ended so far
    requests   INTEGER NOT NULL DEFAULT 0,
    packet_id  INTEGER,
    digest     BLOB,
    delivered  INTEGER NOT NULL                              -- over which connection to the broker
) STRICT;

CREATE INDEX wishes_digest ON wishes (digest) WHERE digest IS NOT NULL;
-- Few rows, and mostly none.
CREATE INDEX wishes_unfinished ON wishes (number) WHERE unfinished = 1;
CREATE INDEX wishes_id ON wishes (request_id) WHERE unfinished = 1;
CREATE INDEX wishes_about ON wishes (about) WHERE unfinished = 1;
CREATE INDEX wishes_at ON wishes (at);

-- Orders may wait for the connector now, and have a result.
CREATE TABLE new_orders (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    request INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    name    TEXT    NOT NULL CHECK (name IN ('resolve', 'resend', 'acknowledge')),
    detail  TEXT    NOT NULL,
    by      TEXT    NOT NULL,
    at      REAL    NOT NULL,
    done_at REAL,                                            -- NULL: not carried out yet
    refusal TEXT                                             -- NULL: carried out as ordered
) STRICT;

INSERT INTO new_orders (number, request, name, detail, by, at, done_at)
SELECT number, request, name, detail, by, at, at FROM orders;

DROP TABLE orders;
ALTER TABLE new_orders RENAME TO orders;
CREATE INDEX orders_request ON orders (request);
CREATE INDEX orders_waiting ON orders (number) WHERE done_at IS NULL;
