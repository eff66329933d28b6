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

CREATE INDEX evidence_sid ON evidence (sid) WHERE sid IS NOT NULL;

-- Of connectors that take requests in together, by a shared subscription ([transport] shared_group): a part of
-- one connection to the broker; requests, duplicates and wishes name it in `delivered`.
CREATE TABLE periods (
    number     BIGINT PRIMARY KEY,                          -- drawn from broker.connection
    connection BIGINT NOT NULL,                             -- the first period of the same connection
    client     TEXT,                                        -- the client identifier; '': another time's, NULL: its session is gone
    token      BIGINT,                                      -- the lease of the connector; NULL: the file's lock is the lease
    sent_at    DOUBLE PRECISION,                            -- when all its PUBACKs had left; by the database's clock, as below
    ended_at   DOUBLE PRECISION                             -- when its connection had ended, or its connector was gone
);

CREATE INDEX periods_client ON periods (client);

-- Limits for the account ([limits] texts_per_hour and the like) that several connectors use up: each of them
-- takes some of a window ahead, so that its texts change a row of its own. What is taken is a part of
-- usage.used; what was really used is usage.used without what is here.

CREATE TABLE reservations (
    member BIGINT NOT NULL,                                 -- its token
    scope  TEXT NOT NULL,
    since  DOUBLE PRECISION NOT NULL,                       -- when the window began
    unused BIGINT NOT NULL CHECK (unused >= 0),

    PRIMARY KEY (scope, since, member)
);
