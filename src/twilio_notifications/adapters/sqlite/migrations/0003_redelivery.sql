-- What the broker may deliver again, statuses that it did not take, and requests that repeat another one.

-- The connection, counted over all runs, over which the request was last delivered.
ALTER TABLE requests ADD COLUMN delivered INTEGER;
-- Points against the status, from connections that ended while it was on its way (core/suspicion.py).
ALTER TABLE requests ADD COLUMN suspicion INTEGER NOT NULL DEFAULT 0 CHECK (suspicion >= 0);
-- What became of the status, where it did not simply leave: a sentence for people.
ALTER TABLE requests ADD COLUMN remark TEXT;

DROP INDEX requests_packet;
-- Equal payloads stand in it in the order of their ids.
CREATE INDEX requests_digest ON requests (digest) WHERE digest IS NOT NULL;
CREATE INDEX requests_suspects ON requests (suspicion, position) WHERE state = 'FINISHED' AND suspicion >= 2;

-- What is known of the broker, in one row.
CREATE TABLE broker (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    connection   INTEGER NOT NULL,                     -- the current one, counted over all runs
    acknowledged INTEGER NOT NULL,                     -- up to this request it has surely had each PUBACK
    too_large    INTEGER CHECK (too_large > 0),        -- bytes of a status over which it ended connections
    too_large_at REAL,

    CHECK ((too_large IS NULL) = (too_large_at IS NULL))
) STRICT;

INSERT INTO broker (one, connection, acknowledged)
SELECT 1, 1, MAX(0, COALESCE(MAX(id), 0) - 32767) FROM requests;

-- Requests that repeat one that has no outcome yet; they are answered together with it.
CREATE TABLE duplicates (
    id          INTEGER PRIMARY KEY,
    original    INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    accepted_at REAL    NOT NULL,
    packet_id   INTEGER,
    digest      BLOB,
    origin      TEXT CHECK (origin IN ('local', 'iot_core')),
    delivered   INTEGER NOT NULL
) STRICT;

CREATE INDEX duplicates_original ON duplicates (original);
