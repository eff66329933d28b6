-- Everything that people order is carried out by the connector, and has a result. A request that sends another
-- one again says which.

ALTER TABLE requests ADD COLUMN resent_from INTEGER;         -- the request that it sends again; it may be gone
CREATE INDEX requests_resent_from ON requests (resent_from) WHERE resent_from IS NOT NULL;

CREATE TABLE new_orders (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL
               CHECK (name IN ('resend', 'cancel', 'resolve', 'acknowledge', 'pause', 'resume')),
    request    INTEGER REFERENCES requests (id) ON DELETE CASCADE,  -- NULL: about all requests
    parameters TEXT    NOT NULL DEFAULT '{}',                -- what it has beyond that, an object of JSON
    by         TEXT    NOT NULL,                             -- who ordered
    door       TEXT    NOT NULL DEFAULT 'command',           -- how
    at         REAL    NOT NULL,
    bulk       INTEGER,                                      -- the first of the orders that were given with it
    done_at    REAL,                                         -- NULL: not carried out yet
    result     TEXT,                                         -- what it has done
    refusal    TEXT,                                         -- why it was not carried out
    made       INTEGER,                                      -- the request that sends another one again

    CHECK ((request IS NULL) = (name IN ('pause', 'resume'))),
    CHECK ((done_at IS NULL) = (result IS NULL AND refusal IS NULL)),
    CHECK (result IS NULL OR refusal IS NULL)
) STRICT;

INSERT INTO new_orders (number, name, request, by, at, done_at, result, refusal, made)
SELECT number, name, request, by, at, done_at,
       CASE WHEN done_at IS NULL OR refusal IS NOT NULL THEN NULL
            WHEN name = 'acknowledge' THEN 'acknowledged'
            ELSE detail END,
       refusal,
       CASE WHEN detail LIKE 'as request %' THEN CAST(SUBSTR(detail, 12) AS INTEGER) END
FROM orders;

UPDATE requests SET resent_from = (SELECT request FROM new_orders WHERE made = requests.id)
WHERE id IN (SELECT made FROM new_orders WHERE made IS NOT NULL);

-- A number is never given twice, also where the newest orders are gone.
DELETE FROM sqlite_sequence WHERE name = 'new_orders';
INSERT INTO sqlite_sequence (name, seq) SELECT 'new_orders', seq FROM sqlite_sequence WHERE name = 'orders';

DROP TABLE orders;
ALTER TABLE new_orders RENAME TO orders;
CREATE INDEX orders_request ON orders (request);
CREATE INDEX orders_waiting ON orders (number) WHERE done_at IS NULL;
