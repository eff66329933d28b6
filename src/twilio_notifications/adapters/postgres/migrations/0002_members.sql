-- Connectors that share a journal: who they are, which one leads, and what each of them has claimed and opened.

CREATE TABLE members (
    token    BIGINT PRIMARY KEY,                            -- opaque, and new whenever a connector joins
    name     TEXT NOT NULL,
    since    DOUBLE PRECISION NOT NULL,                     -- instants of this table are by the database's clock
    beat_at  DOUBLE PRECISION NOT NULL,
    until    DOUBLE PRECISION NOT NULL,                     -- the end of its lease
    share    BIGINT NOT NULL CHECK (share >= 0)             -- the attempts that it may make at once
);

-- One row, so that the one that leads can be locked and replaced.
CREATE TABLE leadership (
    one   BIGINT PRIMARY KEY CHECK (one = 1),
    token BIGINT                                            -- of the member that leads; NULL: none has led yet
);

INSERT INTO leadership (one, token) VALUES (1, NULL);

ALTER TABLE states ADD COLUMN lease BIGINT;                 -- the token of the member that has claimed or opened it

CREATE INDEX states_lease ON states (lease) WHERE lease IS NOT NULL;

-- What Twilio answered to an attempt whose lease had ended by then: it settles the doubt.
CREATE TABLE evidence (
    request       BIGINT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    attempt       BIGINT NOT NULL,
    outcome       TEXT NOT NULL,
    sid           TEXT,
    word          TEXT,                                     -- Twilio's, for the state
    sender_number TEXT,
    phone_number  TEXT,
    code          BIGINT,
    at            DOUBLE PRECISION NOT NULL,

    PRIMARY KEY (request, attempt)
);

-- Each connector counts its transactions in a row of its own, so that none waits for another's.
DROP TABLE writer;
CREATE TABLE writers (
    token   TEXT PRIMARY KEY,                               -- new at each start
    number  BIGINT NOT NULL,
    used_at TIMESTAMPTZ NOT NULL
);
