-- Connectors that take requests in together, by a shared subscription ([transport] shared_group).

-- A part of one connection to the broker; requests, duplicates and wishes name it in `delivered`.
CREATE TABLE periods (
    number     INTEGER PRIMARY KEY,                         -- drawn from broker.connection
    connection INTEGER NOT NULL,                            -- the first period of the same connection
    client     TEXT,                                        -- the client identifier; '': another time's, NULL: its session is gone
    token      INTEGER,                                     -- the lease of the connector; NULL: the file's lock is the lease
    sent_at    REAL,                                        -- when all its PUBACKs had left
    ended_at   REAL                                         -- when its connection had ended, or its connector was gone
) STRICT;

CREATE INDEX periods_client ON periods (client);
