-- How fast single senders may send: what each has used of its rate, so that a restart forgets nothing.

CREATE TABLE senders (
    id           INTEGER PRIMARY KEY,
    number       TEXT    NOT NULL,                           -- or the SID of a Messaging Service
    channel      TEXT    NOT NULL CHECK (channel = 'SMS' OR channel = 'CALL'),
    unit         INTEGER,                                    -- microseconds that a segment or a call takes; NULL: not paced
    full_at      INTEGER NOT NULL DEFAULT 0,                 -- in microseconds: when all of its rate may leave at once again
    place        INTEGER NOT NULL DEFAULT 0 CHECK (place BETWEEN 0 AND 9),  -- the next one in its round of ten
    paused_until REAL    NOT NULL DEFAULT 0,                 -- its queue at Twilio is full until then

    UNIQUE (number, channel)
) STRICT;

ALTER TABLE states ADD COLUMN sender INTEGER;                -- the paced sender that it leaves from; NULL: not paced
ALTER TABLE states ADD COLUMN amount INTEGER NOT NULL DEFAULT 1;  -- what it takes of that one's rate

DROP INDEX states_due;
CREATE INDEX states_due ON states (priority, due_at, request) WHERE turn = 1 AND sender IS NULL;
CREATE INDEX states_sender_due ON states (sender, priority, due_at, request)
    WHERE turn = 1 AND sender IS NOT NULL;
