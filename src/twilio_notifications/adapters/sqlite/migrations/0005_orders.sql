-- What people ordered: who, when, and what. A wrong word can be corrected while its status is not acknowledged.

CREATE TABLE orders (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    request INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    name    TEXT    NOT NULL CHECK (name IN ('resolve', 'resend')),
    detail  TEXT    NOT NULL,
    by      TEXT    NOT NULL,
    at      REAL    NOT NULL
) STRICT;

CREATE INDEX orders_request ON orders (request);
