-- Connectors that take requests in together, by a shared subscription ([transport] shared_group).

-- A part of one connection to the broker; requests, duplicates and wishes name it in `delivered`.
CREATE TABLE periods (
    number     BIGINT PRIMARY KEY,                          -- drawn from broker.connection
    connection BIGINT NOT NULL,                             -- the first period of the same connection
    client     TEXT,                                        -- the client identifier; '': another time's, NULL: its session is gone
    token      BIGINT,                                      -- the lease of the connector; NULL: the file's lock is the lease
    sent_at    DOUBLE PRECISION,                            -- when all its PUBACKs had left; by the database's clock, as below
    ended_at   DOUBLE PRECISION                             -- when its connection had ended, or its connector was gone
);

CREATE INDEX periods_client ON periods (client);
