-- A journal of version 5, with requests in every state, as the program wrote it that had this version.
-- It came about by calls of the journal's port: attempts of every outcome, a wait behind another request, a
-- duplicate, a status with points against it, an order of each kind, and an attempt left open by the end of the
-- program. The file was then written out by sqlite3's iterdump, with its two numbers in front.
PRAGMA application_id = 1417105007;
PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE attempts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    request      INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    opened_at    REAL    NOT NULL,
    closed_at    REAL,
    outcome      TEXT    CHECK (outcome IN ('ACCEPTED', 'REFUSED', 'FAILED', 'DEFERRED', 'IN_DOUBT')),
    reason       TEXT,
    message      TEXT,
    code         INTEGER,
    sid          TEXT,
    charges      TEXT,                                 -- what it uses of the operator's limits, as JSON
    clock_offset REAL,                                 -- Twilio's clock minus ours at the opening
    cut_off      INTEGER NOT NULL DEFAULT 0 CHECK (cut_off IN (0, 1)),  -- by our own end
    doubt_at     REAL,
    settle_at    REAL,                                  -- when to look into Twilio's records next

    CHECK (closed_at IS NULL OR (outcome IS NOT NULL AND settle_at IS NULL)),
    CHECK (settle_at IS NULL OR (outcome = 'IN_DOUBT' AND doubt_at IS NOT NULL))
) STRICT;
INSERT INTO "attempts" VALUES(1,1,1700000001.0,1700000002.0,'DEFERRED','RateLimited','Twilio error 20429',20429,NULL,NULL,0.25,0,NULL,NULL);
INSERT INTO "attempts" VALUES(2,1,1700000003.0,1700000004.0,'ACCEPTED',NULL,NULL,NULL,'SM11111111111111111111111111111111',NULL,0.25,0,NULL,NULL);
INSERT INTO "attempts" VALUES(3,3,1700000006.0,1700000040.0,'IN_DOUBT','OutcomeUnknown','It failed',NULL,'CA33333333333333333333333333333333',NULL,NULL,0,1700000007.0,NULL);
INSERT INTO "attempts" VALUES(4,4,1700000009.0,1700000041.0,'IN_DOUBT','OutcomeUnknown','It failed',NULL,NULL,NULL,NULL,0,1700000010.0,NULL);
INSERT INTO "attempts" VALUES(5,6,1700000061.0,1700000062.0,'ACCEPTED',NULL,NULL,NULL,'SM66666666666666666666666666666666','[["all", 1700000060.0, 1]]',0.1,0,NULL,NULL);
INSERT INTO "attempts" VALUES(6,9,1700000066.0,NULL,'IN_DOUBT',NULL,'the connection was lost',NULL,NULL,'[["all", 1700000060.0, 2]]',0.5,0,1700000067.0,1700000070.0);
INSERT INTO "attempts" VALUES(7,11,1700000071.0,1700000072.0,'FAILED','TwilioUnavailable','HTTP 503',NULL,NULL,NULL,0.5,0,NULL,NULL);
INSERT INTO "attempts" VALUES(8,13,1700000075.0,NULL,NULL,NULL,NULL,NULL,NULL,'[["all", 1700000060.0, 1]]',0.5,0,NULL,NULL);
CREATE TABLE broker (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    connection   INTEGER NOT NULL,                     -- the current one, counted over all runs
    acknowledged INTEGER NOT NULL,                     -- up to this request it has surely had each PUBACK
    too_large    INTEGER CHECK (too_large > 0),        -- bytes of a status over which it ended connections
    too_large_at REAL,

    CHECK ((too_large IS NULL) = (too_large_at IS NULL))
) STRICT;
INSERT INTO "broker" VALUES(1,3,0,9000,1700000064.0);
CREATE TABLE duplicates (
    id          INTEGER PRIMARY KEY,
    original    INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    accepted_at REAL    NOT NULL,
    packet_id   INTEGER,
    digest      BLOB,
    origin      TEXT CHECK (origin IN ('local', 'iot_core')),
    delivered   INTEGER NOT NULL
) STRICT;
INSERT INTO "duplicates" VALUES(1,10,1700000069.0,8,X'64696765737420303030303030303038',NULL,3);
CREATE TABLE orders (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    request INTEGER NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    name    TEXT    NOT NULL CHECK (name IN ('resolve', 'resend')),
    detail  TEXT    NOT NULL,
    by      TEXT    NOT NULL,
    at      REAL    NOT NULL
) STRICT;
INSERT INTO "orders" VALUES(1,3,'resolve','sent CA33333333333333333333333333333333','darla',1700000050.0);
INSERT INTO "orders" VALUES(2,1,'resend','as request 5','darla',1700000051.0);
CREATE TABLE requests (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,  -- grows in the order of acceptance, never reused
    request_id     TEXT    NOT NULL,                   -- the published `id`, as JSON
    channel        TEXT    NOT NULL CHECK (channel IN ('SMS', 'CALL')),
    state          TEXT    NOT NULL
                   CHECK (state IN ('WAITING', 'OPEN', 'IN_DOUBT', 'FINISHED', 'REPORTED')),
    name           TEXT,
    phone_number   TEXT,
    sender_number  TEXT,
    body           TEXT,
    voice_location TEXT,
    retries        INTEGER NOT NULL DEFAULT 0 CHECK (retries >= 0),
    priority       INTEGER NOT NULL DEFAULT 1 CHECK (priority IN (0, 1, 2)),
    accepted_at    REAL    NOT NULL,
    expires_at     REAL,
    due_at         REAL,
    turn           INTEGER NOT NULL DEFAULT 0 CHECK (turn IN (0, 1)),  -- first in its recipient's order
    attempts       INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),   -- those that count against retries
    deferrals      INTEGER NOT NULL DEFAULT 0 CHECK (deferrals >= 0),
    waiting_reason TEXT,
    finished_at    REAL,
    reason         TEXT,                               -- NULL for success
    message        TEXT,
    code           INTEGER,
    sid            TEXT,
    status         BLOB,                               -- the published document, as it will leave
    position       INTEGER,                            -- its place in the outbox
    reported_at    REAL,
    packet_id      INTEGER,                            -- by these two a repeated PUBLISH is known again
    digest         BLOB, origin TEXT CHECK (origin IN ('local', 'iot_core')), delivered INTEGER, suspicion INTEGER NOT NULL DEFAULT 0 CHECK (suspicion >= 0), remark TEXT,

    CHECK ((state = 'WAITING') = (due_at IS NOT NULL)),
    CHECK (turn = 0 OR state = 'WAITING'),
    CHECK ((state IN ('FINISHED', 'REPORTED')) = (finished_at IS NOT NULL)),
    CHECK ((finished_at IS NOT NULL) = (status IS NOT NULL AND position IS NOT NULL)),
    CHECK ((state = 'REPORTED') = (reported_at IS NOT NULL)),
    -- a rejection has a status and no recipient; everything else can be sent
    CHECK (state IN ('FINISHED', 'REPORTED')
           OR (name IS NOT NULL AND phone_number IS NOT NULL AND sender_number IS NOT NULL
               AND expires_at IS NOT NULL AND (body IS NULL) <> (voice_location IS NULL)))
) STRICT;
INSERT INTO "requests" VALUES(1,'"id-1"','SMS','REPORTED','Darla','+15550000001','+19999999999','Text 1',NULL,2,1,1700000000.0,1700014400.0,NULL,0,1,1,'RateLimited',1700000004.0,NULL,NULL,NULL,'SM11111111111111111111111111111111',X'7B22726573706F6E7365223A7B22737461747573223A2273756363657373222C227061796C6F6164223A6E756C6C7D2C226964223A',1,1700000005.0,1,X'64696765737420303030303030303031',NULL,2,0,NULL);
INSERT INTO "requests" VALUES(2,'7','SMS','REPORTED',NULL,NULL,NULL,NULL,NULL,0,1,1700000004.0,NULL,NULL,0,0,0,NULL,1700000004.0,'InvalidParameter','Id must be a string',NULL,NULL,X'7B22726573706F6E7365223A7B22737461747573223A226661696C227D2C226964223A',2,1700000005.0,NULL,NULL,NULL,2,0,NULL);
INSERT INTO "requests" VALUES(3,'"id-2"','CALL','FINISHED','Darla','+15550000003','+19999999999',NULL,'https://example.com/voice.xml',2,1,1700000005.0,1700014405.0,NULL,0,1,0,NULL,1700000040.0,NULL,NULL,NULL,'CA33333333333333333333333333333333',X'7B22726573706F6E7365223A7B22737461747573223A2273756363657373222C227061796C6F6164223A6E756C6C7D2C226964223A2269642D33227D',1,NULL,2,X'64696765737420303030303030303032',NULL,2,0,NULL);
INSERT INTO "requests" VALUES(4,'"id-3"','SMS','REPORTED','Darla','+15550000004','+19999999999','Text 3',NULL,2,1,1700000008.0,1700014408.0,NULL,0,1,0,NULL,1700000041.0,'OutcomeUnknown','It failed',NULL,NULL,X'7B22726573706F6E7365223A7B22737461747573223A2273756363657373222C227061796C6F6164223A6E756C6C7D2C226964223A2269642D34227D',4,1700000042.0,3,X'64696765737420303030303030303033',NULL,2,0,NULL);
INSERT INTO "requests" VALUES(5,'"id-1"','SMS','WAITING','Darla','+15550000001','+19999999999','Text 1',NULL,2,1,1700000051.0,1700014451.0,1700000051.0,1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL);
INSERT INTO "requests" VALUES(6,'"id-4"','SMS','FINISHED','Darla','+15550000006','+19999999999','Text 4',NULL,2,1,1700000060.0,1700014460.0,NULL,0,1,0,NULL,1700000062.0,NULL,NULL,NULL,'SM66666666666666666666666666666666',X'7B22726573706F6E7365223A7B22737461747573223A2273756363657373222C227061796C6F6164223A6E756C6C7D2C226964223A2269642D36227D',2,NULL,4,X'64696765737420303030303030303034','iot_core',3,0,NULL);
INSERT INTO "requests" VALUES(7,'"id-5"','SMS','FINISHED','Darla','+15550000007','+19999999999','Text 5',NULL,2,1,1700000062.0,1700014462.0,NULL,0,0,0,NULL,1700000063.0,'NotAllowed','It failed',NULL,NULL,X'7B22726573706F6E7365223A7B22737461747573223A2273756363657373222C227061796C6F6164223A6E756C6C7D2C226964223A2269642D37227D',3,NULL,5,X'64696765737420303030303030303035',NULL,3,3,'the status is set aside');
INSERT INTO "requests" VALUES(8,'""','CALL','FINISHED',NULL,NULL,NULL,NULL,NULL,0,1,1700000064.0,NULL,NULL,0,0,0,NULL,1700000064.0,'InvalidParameter','Input message must be an object',NULL,NULL,X'7B22726573706F6E7365223A7B22737461747573223A226661696C227D2C226964223A',4,NULL,90,X'6469676573742072656A656374696F6E',NULL,3,0,NULL);
INSERT INTO "requests" VALUES(9,'"id-6"','SMS','IN_DOUBT','Darla','+15550000009','+19999999999','Text 6',NULL,2,1,1700000065.0,1700014465.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,6,X'64696765737420303030303030303036',NULL,3,0,NULL);
INSERT INTO "requests" VALUES(10,'"again"','SMS','WAITING','Darla','+15550000009','+19999999999','Text 7',NULL,2,1,1700000068.0,1700014468.0,1700000068.0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,7,X'64696765737420303030303030303037',NULL,3,0,NULL);
INSERT INTO "requests" VALUES(11,'"id-9"','SMS','WAITING','Darla','+15550000011','+19999999999','Text 9',NULL,2,2,1700000070.0,1700014470.0,1700000132.0,1,1,0,'TwilioUnavailable',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,9,X'64696765737420303030303030303039',NULL,3,0,NULL);
INSERT INTO "requests" VALUES(12,'"id-10"','SMS','WAITING','Darla','+15550000012','+19999999999','Text 10',NULL,2,0,1700000073.0,1700014473.0,1700000073.0,1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,10,X'64696765737420303030303030303130',NULL,3,0,NULL);
INSERT INTO "requests" VALUES(13,'"id-11"','SMS','OPEN','Darla','+15550000013','+19999999999','Text 11',NULL,2,1,1700000074.0,1700014474.0,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,11,X'64696765737420303030303030303131',NULL,3,0,NULL);
CREATE TABLE usage (
    scope TEXT    NOT NULL,
    since REAL    NOT NULL,                            -- when the window began
    used  INTEGER NOT NULL CHECK (used >= 0),

    PRIMARY KEY (scope, since)
) STRICT, WITHOUT ROWID;
INSERT INTO "usage" VALUES('all',1700000060.0,4);
CREATE UNIQUE INDEX requests_one_open ON requests (channel, phone_number)
    WHERE state IN ('OPEN', 'IN_DOUBT');
CREATE INDEX requests_recipient ON requests (channel, phone_number, id)
    WHERE state IN ('WAITING', 'OPEN', 'IN_DOUBT');
CREATE UNIQUE INDEX requests_turn ON requests (channel, phone_number) WHERE turn = 1;
CREATE INDEX requests_due ON requests (priority, due_at, id) WHERE state = 'WAITING' AND turn = 1;
CREATE INDEX requests_expiry ON requests (expires_at) WHERE state = 'WAITING';
CREATE INDEX requests_outbox ON requests (position) WHERE state = 'FINISHED';
CREATE INDEX requests_retention ON requests (finished_at) WHERE state = 'REPORTED';
CREATE INDEX attempts_request ON attempts (request);
CREATE UNIQUE INDEX attempts_one_open ON attempts (request) WHERE closed_at IS NULL;
CREATE INDEX attempts_doubt ON attempts (settle_at) WHERE settle_at IS NOT NULL;
CREATE INDEX attempts_sid ON attempts (sid) WHERE sid IS NOT NULL;
CREATE INDEX usage_since ON usage (since);
CREATE INDEX requests_digest ON requests (digest) WHERE digest IS NOT NULL;
CREATE INDEX requests_suspects ON requests (suspicion, position) WHERE state = 'FINISHED' AND suspicion >= 2;
CREATE INDEX duplicates_original ON duplicates (original);
CREATE INDEX requests_rejections ON requests (finished_at) WHERE state = 'REPORTED' AND phone_number IS NULL;
CREATE INDEX orders_request ON orders (request);
CREATE INDEX requests_original ON requests (request_id, channel, phone_number, accepted_at)
;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('requests',13);
INSERT INTO "sqlite_sequence" VALUES('attempts',8);
INSERT INTO "sqlite_sequence" VALUES('orders',2);
COMMIT;
