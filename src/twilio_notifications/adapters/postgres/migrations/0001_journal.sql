-- The journal, as adapters/sqlite/migrations leaves it, in the words of PostgreSQL.
-- The CHECK constraints repeat core/lifecycle.py, so that a forbidden state cannot be stored at all.
-- Instants are seconds since the epoch. Flags are numbers, as the statements write them.

-- The version of these tables, in one row. It also says that they belong to a journal of this program.
CREATE TABLE journal (
    one     BIGINT PRIMARY KEY CHECK (one = 1),
    version BIGINT NOT NULL
);

-- After a connection was lost within a COMMIT, the number says whether that one was committed. Each connector
-- counts its transactions in a row of its own, so that none waits for another's.
CREATE TABLE writers (
    token   TEXT PRIMARY KEY,                               -- new at each start
    number  BIGINT NOT NULL,
    used_at TIMESTAMPTZ NOT NULL
);

-- Several connectors draw numbers at the same time, and none is given twice: those of requests, and the
-- positions of statuses.
CREATE SEQUENCE numbers_of_requests;
CREATE SEQUENCE numbers_of_statuses;

CREATE TABLE requests (
    id                    BIGINT PRIMARY KEY,               -- grows in the order of acceptance, never reused
    request_id            TEXT NOT NULL,                    -- the published `id`, as JSON
    channel               TEXT NOT NULL CHECK (channel IN ('SMS', 'CALL')),
    name                  TEXT,
    phone_number          TEXT,                             -- NULL for a rejection, like the rest of the content
    sender_number         TEXT,
    body                  TEXT,
    voice_location        TEXT,
    retries               BIGINT NOT NULL DEFAULT 0 CHECK (retries >= 0),
    accepted_at           DOUBLE PRECISION NOT NULL,
    origin                TEXT CHECK (origin IN ('local', 'iot_core')),
    digest                BYTEA,                            -- identifies a repeated PUBLISH
    media_urls            TEXT,
    spoken_text           TEXT,
    language              TEXT,
    voice                 TEXT,
    twiml                 TEXT,
    messaging_service_sid TEXT,
    about                 TEXT,
    escalation            TEXT,
    contact               TEXT,
    valid_for_seconds     DOUBLE PRECISION,
    chain                 BIGINT,
    tells_end             BIGINT NOT NULL DEFAULT 0,
    hint                  TEXT,
    resent_from           BIGINT,
    envelope              TEXT
);

CREATE INDEX requests_digest ON requests (digest) WHERE digest IS NOT NULL;
CREATE INDEX requests_chain ON requests (chain) WHERE chain IS NOT NULL;
CREATE INDEX requests_resent_from ON requests (resent_from) WHERE resent_from IS NOT NULL;

CREATE TABLE states (
    request         BIGINT PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    state           TEXT NOT NULL CHECK (state IN ('WAITING', 'OPEN', 'IN_DOUBT', 'FINISHED', 'REPORTED')),
    channel         TEXT NOT NULL,
    phone_number    TEXT,
    priority        BIGINT NOT NULL DEFAULT 1 CHECK (priority BETWEEN 0 AND 2),
    expires_at      DOUBLE PRECISION,
    due_at          DOUBLE PRECISION,                       -- when it may leave
    turn            BIGINT NOT NULL DEFAULT 0 CHECK (turn BETWEEN 0 AND 1),  -- first in its recipient's order
    attempts        BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),  -- those that count against retries
    deferrals       BIGINT NOT NULL DEFAULT 0 CHECK (deferrals >= 0),
    waiting_reason  TEXT,                                   -- NULL: for its turn, or a free place
    waiting_message TEXT,
    waiting_since   DOUBLE PRECISION,
    opened          BIGINT NOT NULL DEFAULT 0 CHECK (opened >= 0),  -- attempts so far; the number of the open one
    opened_at       DOUBLE PRECISION,
    clock_offset    DOUBLE PRECISION,                       -- Twilio's clock minus ours at the opening
    charges         TEXT,                                   -- what it uses of the operator's limits, as JSON
    cut_off         BIGINT NOT NULL DEFAULT 0 CHECK (cut_off BETWEEN 0 AND 1),  -- by our own end
    doubt_at        DOUBLE PRECISION,
    doubt           TEXT,                                   -- what left it in doubt
    settle_at       DOUBLE PRECISION,                       -- when to look into Twilio's records next
    finished_at     DOUBLE PRECISION,
    packet_id       BIGINT,                                 -- of the latest delivery of its PUBLISH
    delivered       BIGINT,                                 -- over which connection, counted over all runs
    about           TEXT,                                   -- of a request, not of a step of a chain
    recalled        TEXT CHECK (recalled = 'Cancelled' OR recalled = 'Superseded'),
    sender          BIGINT,                                 -- the paced sender; NULL: not paced
    amount          BIGINT NOT NULL DEFAULT 1,              -- what it takes of that one's rate
    lease           BIGINT,                                 -- the token of the member that has claimed or opened it

    CHECK ((state = 'WAITING') = (due_at IS NOT NULL)),
    CHECK ((state = 'WAITING') = (waiting_since IS NOT NULL)),
    CHECK (turn = 0 OR state = 'WAITING'),
    CHECK ((state = 'OPEN' OR state = 'IN_DOUBT') = (opened_at IS NOT NULL)),
    CHECK ((state = 'IN_DOUBT') = (settle_at IS NOT NULL)),
    CHECK ((settle_at IS NULL) = (doubt_at IS NULL) AND (settle_at IS NULL) = (doubt IS NULL)),
    CHECK ((state = 'FINISHED' OR state = 'REPORTED') = (finished_at IS NOT NULL)),
    -- A rejection has no recipient; all else can be sent.
    CHECK (finished_at IS NOT NULL OR (phone_number IS NOT NULL AND expires_at IS NOT NULL))
);

CREATE UNIQUE INDEX states_one_open ON states (channel, phone_number)
    WHERE state = 'OPEN' OR state = 'IN_DOUBT';
CREATE INDEX states_recipient ON states (channel, phone_number, request) WHERE state = 'WAITING';
CREATE UNIQUE INDEX states_turn ON states (channel, phone_number) WHERE turn = 1;
CREATE INDEX states_expiry ON states (expires_at, request) WHERE state = 'WAITING';
CREATE INDEX states_doubt ON states (settle_at, request) WHERE settle_at IS NOT NULL;
CREATE INDEX states_retention ON states (finished_at) WHERE state = 'REPORTED';
CREATE INDEX states_rejections ON states (finished_at) WHERE state = 'REPORTED' AND phone_number IS NULL;
CREATE INDEX states_about ON states (about, channel, phone_number) WHERE state = 'WAITING' AND about IS NOT NULL;
CREATE INDEX states_calls ON states (finished_at)
    WHERE channel = 'CALL' AND finished_at IS NOT NULL AND phone_number IS NOT NULL;
CREATE INDEX states_due ON states (priority, due_at, request) WHERE turn = 1 AND sender IS NULL;
CREATE INDEX states_sender_due ON states (sender, priority, due_at, request)
    WHERE turn = 1 AND sender IS NOT NULL;

CREATE TABLE attempts (
    request   BIGINT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    number    BIGINT NOT NULL,
    opened_at DOUBLE PRECISION NOT NULL,
    closed_at DOUBLE PRECISION NOT NULL,
    outcome   TEXT NOT NULL
              CHECK (outcome IN ('ACCEPTED', 'REFUSED', 'DEFERRED', 'FAILED', 'UNSENT', 'IN_DOUBT')),
    reason    TEXT,
    message   TEXT,
    code      BIGINT,
    sid       TEXT,

    PRIMARY KEY (request, number)
);

CREATE INDEX attempts_sid ON attempts (sid) WHERE sid IS NOT NULL;

CREATE TABLE waits (
    id       BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    request  BIGINT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    reason   TEXT,                                          -- NULL: for its turn, or a free place
    message  TEXT,
    begun_at DOUBLE PRECISION NOT NULL,
    due_at   DOUBLE PRECISION NOT NULL,                     -- until when it was to last
    ended_at DOUBLE PRECISION NOT NULL
);

CREATE INDEX waits_request ON waits (request);

CREATE TABLE statuses (
    position    BIGINT PRIMARY KEY,                         -- grows with each status
    request     BIGINT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    status      BYTEA NOT NULL,                             -- the published document, up to its id
    reason      TEXT,                                       -- NULL for success
    message     TEXT,
    code        BIGINT,
    sid         TEXT,
    written_at  DOUBLE PRECISION NOT NULL,
    reported_at DOUBLE PRECISION,
    suspicion   BIGINT NOT NULL DEFAULT 0 CHECK (suspicion >= 0),  -- points against it (core/suspicion.py)
    remark      TEXT,                                       -- what became of it, where it did not simply leave
    later       BIGINT NOT NULL DEFAULT 0,
    held        BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX statuses_request ON statuses (request);

CREATE INDEX statuses_outbox ON statuses (position) WHERE reported_at IS NULL;
CREATE INDEX statuses_suspects ON statuses (suspicion, position) WHERE reported_at IS NULL AND suspicion >= 2;
CREATE INDEX statuses_held ON statuses (request) WHERE held = 1;
CREATE INDEX statuses_failed ON statuses (request, reason, later, written_at) WHERE reason IS NOT NULL;

CREATE TABLE deliveries (
    request            BIGINT PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    sid                TEXT NOT NULL,
    begun_at           DOUBLE PRECISION NOT NULL,           -- when Twilio had accepted it
    look_at            DOUBLE PRECISION,                    -- when to ask Twilio next; NULL: not any more
    word               TEXT NOT NULL,                       -- Twilio's, for the state
    changed_at         DOUBLE PRECISION NOT NULL,           -- since when it is that word
    code               BIGINT,                              -- Twilio's, of an error
    from_number        TEXT,                                -- Twilio's; NULL: the requested one
    to_number          TEXT,
    answered_by        TEXT,                                -- what machine detection says of a call
    key_pressed        BIGINT NOT NULL DEFAULT 0 CHECK (key_pressed BETWEEN 0 AND 1),
    document_code      BIGINT,                              -- the error of the voice document
    notification_looks BIGINT NOT NULL DEFAULT 0 CHECK (notification_looks >= 0),
    given_up_at        DOUBLE PRECISION,
    cancelled_by_us    BIGINT NOT NULL DEFAULT 0 CHECK (cancelled_by_us BETWEEN 0 AND 1),
    version            BIGINT NOT NULL DEFAULT 0            -- grows with each change
);

CREATE INDEX deliveries_sid ON deliveries (sid);

CREATE INDEX deliveries_due ON deliveries (look_at, request) WHERE look_at IS NOT NULL;
CREATE INDEX deliveries_failed ON deliveries (changed_at, request)
    WHERE word = 'undelivered' OR word = 'failed' OR word = 'busy' OR word = 'no-answer'
       OR word = 'partially_delivered' OR (word = 'canceled' AND cancelled_by_us = 0)
       OR (word = 'completed' AND key_pressed = 0
           AND (document_code IS NOT NULL OR SUBSTR(answered_by, 1, 7) = 'machine'
                OR SUBSTR(answered_by, 1, 3) = 'fax'))
       OR (given_up_at IS NOT NULL AND word <> 'sent' AND word <> 'delivered' AND word <> 'read'
           AND word <> 'completed' AND word <> 'canceled');

CREATE TABLE delivery_events (
    id        BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    request   BIGINT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    at        DOUBLE PRECISION NOT NULL,
    happening TEXT NOT NULL,                                -- core/delivery/followed.py
    source    TEXT NOT NULL,
    word      TEXT NOT NULL,
    code      BIGINT,
    result    TEXT                                          -- whom or what a call reached
);

CREATE INDEX delivery_events_request ON delivery_events (request);

CREATE TABLE duplicates (
    id          BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    original    BIGINT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    accepted_at DOUBLE PRECISION NOT NULL,
    packet_id   BIGINT,
    digest      BYTEA,
    origin      TEXT CHECK (origin IN ('local', 'iot_core')),
    delivered   BIGINT NOT NULL,
    envelope    TEXT
);

CREATE INDEX duplicates_original ON duplicates (original);

CREATE TABLE chains (
    request         BIGINT PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    published_id    TEXT NOT NULL,                          -- the client's `id`, as JSON
    about           TEXT,
    configured_name TEXT NOT NULL,                          -- of the escalation
    began_at        DOUBLE PRECISION NOT NULL,
    look_at         DOUBLE PRECISION,                       -- when something of it is due
    hastened        BIGINT NOT NULL DEFAULT 0,              -- grows with what makes it due at once
    ended_at        DOUBLE PRECISION,
    ending          TEXT CHECK (ending IN ('acknowledged', 'unacknowledged', 'cancelled', 'superseded')),
    by              TEXT,                                   -- who acknowledged; NULL: not known
    door            TEXT,                                   -- how it was acknowledged

    CHECK ((ended_at IS NULL) = (ending IS NULL)),
    CHECK ((ended_at IS NULL) = (look_at IS NOT NULL))
);

CREATE INDEX chains_due ON chains (look_at, request) WHERE look_at IS NOT NULL;
CREATE INDEX chains_id ON chains USING hash (published_id) WHERE ended_at IS NULL;
CREATE INDEX chains_about ON chains (about) WHERE ended_at IS NULL AND about IS NOT NULL;

CREATE TABLE chain_steps (
    chain    BIGINT NOT NULL REFERENCES chains (request) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    at       DOUBLE PRECISION NOT NULL,
    first    BIGINT NOT NULL,                               -- its requests, by their numbers
    requests BIGINT NOT NULL CHECK (requests >= 0),         -- how many; none: it had nothing to say

    PRIMARY KEY (chain, position)
);

CREATE TABLE chain_numbers (
    chain        BIGINT NOT NULL REFERENCES chains (request) ON DELETE CASCADE,
    phone_number TEXT NOT NULL,
    code         BIGINT NOT NULL CHECK (code > 0),
    name         TEXT NOT NULL,
    notified_at  DOUBLE PRECISION,                          -- when the first attempt was opened

    PRIMARY KEY (chain, phone_number)
);

CREATE INDEX chain_numbers_number ON chain_numbers (phone_number);

CREATE TABLE replies (
    sid          TEXT PRIMARY KEY,
    phone_number TEXT NOT NULL,
    at           DOUBLE PRECISION NOT NULL,
    meaning      TEXT NOT NULL,
    chain        BIGINT REFERENCES chains (request) ON DELETE CASCADE
);

CREATE INDEX replies_chain ON replies (chain);

CREATE TABLE hangups (
    sid     TEXT PRIMARY KEY,
    request BIGINT NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    due_at  DOUBLE PRECISION NOT NULL,
    tries   BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX hangups_due ON hangups (due_at);

CREATE INDEX hangups_request ON hangups (request);

CREATE TABLE wishes (
    number         BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name           TEXT NOT NULL CHECK (name IN ('cancel', 'acknowledge')),
    request_id     TEXT,                                    -- as JSON
    about          TEXT,
    by             TEXT,
    at             DOUBLE PRECISION NOT NULL,
    up_to          BIGINT NOT NULL,                         -- the newest request when it came, and the last it ends
    passed_expiry  DOUBLE PRECISION NOT NULL,               -- how far it has looked through what waits,
    passed_request BIGINT NOT NULL,                         -- in the order of the expiry, the latest first
    unfinished     BIGINT NOT NULL DEFAULT 1,
    chains         BIGINT NOT NULL DEFAULT 0,               -- that it has ended so far
    requests       BIGINT NOT NULL DEFAULT 0,
    packet_id      BIGINT,
    digest         BYTEA,
    delivered      BIGINT NOT NULL                          -- over which connection to the broker
);

CREATE INDEX wishes_digest ON wishes (digest) WHERE digest IS NOT NULL;
CREATE INDEX wishes_unfinished ON wishes (number) WHERE unfinished = 1;
CREATE INDEX wishes_id ON wishes USING hash (request_id) WHERE unfinished = 1;
CREATE INDEX wishes_about ON wishes (about) WHERE unfinished = 1;
CREATE INDEX wishes_at ON wishes (at);

CREATE TABLE orders (
    number     BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    name       TEXT NOT NULL CHECK (name IN ('resend', 'cancel', 'resolve', 'acknowledge', 'pause', 'resume')),
    request    BIGINT REFERENCES requests (id) ON DELETE CASCADE,  -- NULL: about all requests
    parameters TEXT NOT NULL DEFAULT '{}',                  -- what it has beyond that, an object of JSON
    by         TEXT NOT NULL,                               -- who ordered
    door       TEXT NOT NULL DEFAULT 'command',             -- how
    at         DOUBLE PRECISION NOT NULL,
    bulk       BIGINT,                                      -- the first of the orders that were given with it
    done_at    DOUBLE PRECISION,                            -- NULL: not carried out yet
    result     TEXT,                                        -- what it has done
    refusal    TEXT,                                        -- why it was not carried out
    made       BIGINT,                                      -- the request that sends another one again

    CHECK ((request IS NULL) = (name IN ('pause', 'resume'))),
    CHECK ((done_at IS NULL) = (result IS NULL AND refusal IS NULL)),
    CHECK (result IS NULL OR refusal IS NULL)
);

CREATE INDEX orders_request ON orders (request);

CREATE INDEX orders_waiting ON orders (number) WHERE done_at IS NULL;

CREATE TABLE usage (
    scope TEXT NOT NULL,
    since DOUBLE PRECISION NOT NULL,                        -- when the window began
    used  BIGINT NOT NULL CHECK (used >= 0),

    PRIMARY KEY (scope, since)
);

CREATE INDEX usage_since ON usage (since);

CREATE TABLE senders (
    id           BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    number       TEXT NOT NULL,                             -- or the SID of a Messaging Service
    channel      TEXT NOT NULL CHECK (channel = 'SMS' OR channel = 'CALL'),
    unit         BIGINT,                                    -- microseconds that a segment or a call takes; NULL: not paced
    full_at      BIGINT NOT NULL DEFAULT 0,                 -- in microseconds: when all of its rate may leave at once again
    place        BIGINT NOT NULL DEFAULT 0 CHECK (place BETWEEN 0 AND 9),  -- the next one in its round of ten
    paused_until DOUBLE PRECISION NOT NULL DEFAULT 0,       -- its queue at Twilio is full until then

    UNIQUE (number, channel)
);

CREATE TABLE pauses (
    reason   TEXT NOT NULL,
    about    TEXT NOT NULL,                                 -- channel and sender, the limit or the window; '': the account
    message  TEXT NOT NULL,
    begun_at DOUBLE PRECISION NOT NULL,
    until    DOUBLE PRECISION,                              -- NULL: it is not known when it ends
    ended_at DOUBLE PRECISION,                              -- NULL: it lasts

    PRIMARY KEY (reason, about, begun_at)
);

CREATE INDEX pauses_lasting ON pauses (begun_at) WHERE ended_at IS NULL;

CREATE TABLE rules (
    fingerprint TEXT NOT NULL
);

CREATE TABLE facts (
    name       TEXT PRIMARY KEY CHECK (name IN ('connector', 'connection', 'credentials')),
    word       TEXT NOT NULL,                               -- how it stands
    about      TEXT NOT NULL,                               -- the version of the connector; the broker
    detail     TEXT NOT NULL,                               -- a sentence; '': there is none
    since      DOUBLE PRECISION NOT NULL,                   -- since when it stands so
    written_at DOUBLE PRECISION NOT NULL
);

CREATE TABLE broker (
    one          BIGINT PRIMARY KEY CHECK (one = 1),
    connection   BIGINT NOT NULL,                           -- the current one, counted over all runs
    acknowledged BIGINT NOT NULL,                           -- up to this request it has surely had each PUBACK
    too_large    BIGINT CHECK (too_large > 0),              -- bytes of a status over which it ended connections
    too_large_at DOUBLE PRECISION,

    CHECK ((too_large IS NULL) = (too_large_at IS NULL))
);

CREATE TABLE callback_secret (
    secret BYTEA NOT NULL
);

INSERT INTO broker (one, connection, acknowledged) VALUES (1, 1, 0);

-- Wakes the connector, which looks for orders now and then all the same.
CREATE FUNCTION tell_of_orders() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('twilio_notifications', 'orders');
    RETURN NULL;
END
$$;

CREATE TRIGGER orders_placed AFTER INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION tell_of_orders();
