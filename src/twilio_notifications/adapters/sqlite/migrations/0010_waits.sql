-- Why requests wait: a closed list of reasons, what lasts and keeps many of them waiting, and the rules by which
-- they were judged last.

-- The reasons of waits were those of failures.
UPDATE states SET waiting_reason = CASE waiting_reason
    WHEN 'RateLimited' THEN IIF(waiting_message LIKE '%queue%', 'sender_queue_full', 'account_slowed')
    WHEN 'QuotaExceeded' THEN 'quota_used_up'
    WHEN 'Unauthorized' THEN 'credentials_refused'
    WHEN 'TwilioUnavailable' THEN IIF(attempts > 0, 'retry', 'twilio_unreachable')
    ELSE NULL END
WHERE waiting_reason IS NOT NULL;

UPDATE waits SET reason = CASE reason
    WHEN 'RateLimited' THEN IIF(message LIKE '%queue%', 'sender_queue_full', 'account_slowed')
    WHEN 'QuotaExceeded' THEN 'quota_used_up'
    WHEN 'Unauthorized' THEN 'credentials_refused'
    WHEN 'TwilioUnavailable' THEN IIF(message LIKE '%records%', 'retry', 'twilio_unreachable')
    ELSE NULL END
WHERE reason IS NOT NULL;

-- States that last. One row says it for all requests that wait meanwhile.
CREATE TABLE pauses (
    reason   TEXT NOT NULL,
    about    TEXT NOT NULL,                                  -- channel and sender, the limit or the window; '': the account
    message  TEXT NOT NULL,
    begun_at REAL NOT NULL,
    until    REAL,                                           -- NULL: it is not known when it ends
    ended_at REAL,                                           -- NULL: it lasts

    PRIMARY KEY (reason, about, begun_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX pauses_lasting ON pauses (begun_at) WHERE ended_at IS NULL;

-- The limits and quiet hours by which waiting requests were judged last.
CREATE TABLE rules (fingerprint TEXT NOT NULL) STRICT;
