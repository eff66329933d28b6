-- Connectors that share a journal: who they are, which one leads, and what each of them has claimed and opened.
-- A file has one owner, whose lock on it is the lease: here these tables and columns stay empty.

CREATE TABLE members (
    token    INTEGER PRIMARY KEY,                            -- opaque, and new whenever a connector joins
    name     TEXT    NOT NULL,
    since    REAL    NOT NULL,                               -- instants of this table are by the database's clock
    beat_at  REAL    NOT NULL,
    until    REAL    NOT NULL,                               -- the end of its lease
    share    INTEGER NOT NULL CHECK (share >= 0)             -- the attempts that it may make at once
) STRICT;

-- One row, so that the one that leads can be locked and replaced.
CREATE TABLE leadership (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    token INTEGER                                            -- of the member that leads; NULL: none has led yet
) STRICT;

INSERT INTO leadership (one, token) VALUES (1, NULL);

ALTER TABLE states ADD COLUMN lease INTEGER;                 -- the token of the member that has claimed or opened it

CREATE INDEX states_lease ON states (lease) WHERE lease IS NOT NULL;

-- What Twilio answered to an attempt whose lease had ended by then: it settles the doubt.
CREATE TABLE evidence (
    request       INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    attempt       INTEGER NOT NULL,
    outcome       TEXT    NOT NULL,
    sid           TEXT,
    word          TEXT,                                      -- Twilio's, for the state
    sender_number TEXT,
    phone_number  TEXT,
    code          INTEGER,
    at            REAL    NOT NULL,

    PRIMARY KEY (request, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX evidence_sid ON evidence (sid) WHERE sid IS NOT NULL;
