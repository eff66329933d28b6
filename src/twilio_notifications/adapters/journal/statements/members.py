"""Statements of the connectors that share a journal."""

from __future__ import annotations

BEAT = "UPDATE members SET beat_at = :now, until = :until WHERE token = :token"

JOIN = """
INSERT INTO members (token, name, since, beat_at, until, share) VALUES (:token, :name, :now, :now, :until, 0)
"""

# The database's clock was set back, or another server has taken over whose clock is behind: a lease from
# before would outlive its connector by the difference.
BOUND_LEASES = "UPDATE members SET beat_at = :now, until = :until WHERE beat_at > :now"

IS_MEMBER = "SELECT 1 FROM members WHERE token = ?"

MEMBERS = """
SELECT members.token, name, since, beat_at, leadership.token IS NOT NULL AS leads, share
FROM members LEFT JOIN leadership ON leadership.token = members.token
ORDER BY since, members.token
"""

SHARE = "UPDATE members SET share = ? WHERE token = ?"

LEADER = "SELECT token FROM leadership"

LEADER_IS_LIVE = "SELECT 1 FROM members WHERE token = ? AND until > ?"

LEAD = "UPDATE leadership SET token = ?"

SOME_ENDED = "SELECT 1 FROM members WHERE until <= ? AND token <> ? LIMIT 1"

REMOVE_ENDED = "DELETE FROM members WHERE until <= ? AND token <> ? RETURNING name"

LEAVE = "DELETE FROM members WHERE token = ?"

GIVE_UP_LEAD = "UPDATE leadership SET token = NULL WHERE token = ?"

# What members have claimed that are members no more waits again. "state = 'WAITING'" would lead to all that
# waits.
FREE_CLAIMS = """
UPDATE states SET lease = NULL
WHERE state || '' = 'WAITING' AND lease IS NOT NULL AND lease NOT IN (SELECT token FROM members)
"""

# By their numbers: the index of those that have their turn leads to all that waits.
CLAIM_SOME = """
UPDATE states SET lease = ?
WHERE request IN (SELECT value FROM json_each(?)) AND turn + 0 = 1 AND lease IS NULL
RETURNING request, due_at, attempts, deferrals
"""

MAY_BE_CLAIMED = "SELECT 1 FROM states WHERE turn = 1 AND lease IS NULL LIMIT 1"

RELEASE_CLAIM = "UPDATE states SET lease = NULL WHERE request = ? AND state = 'WAITING' AND lease = ?"

HOLDERS = """
SELECT request, state, opened, lease,
       (SELECT 1 FROM evidence WHERE evidence.request = states.request AND sid IS NOT NULL LIMIT 1)
FROM json_each(?) AS chosen
CROSS JOIN states ON states.request = chosen.value
"""

KEEP_EVIDENCE = """
INSERT INTO evidence (request, attempt, outcome, sid, word, sender_number, phone_number, code, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (request, attempt) DO NOTHING
"""

# The settler need not wait for its next look.
HASTEN_SETTLING = "UPDATE states SET settle_at = MIN(settle_at, ?) WHERE request = ? AND state = 'IN_DOUBT'"

# A SID proves that the request was sent, whichever of its attempts has it.
EVIDENCE = """
SELECT outcome, sid, word, sender_number, phone_number, code, at FROM evidence
WHERE request = :request AND (attempt = :attempt OR sid IS NOT NULL)
ORDER BY CASE WHEN sid IS NULL THEN 1 ELSE 0 END, CASE WHEN attempt = :attempt THEN 0 ELSE 1 END, attempt
LIMIT 1
"""

SIDS_OF_EVIDENCE = "SELECT sid FROM evidence WHERE request = ? AND sid IS NOT NULL"

# It was closed as one that sent nothing.
CORRECT_ATTEMPT = """
UPDATE attempts SET outcome = 'ACCEPTED', reason = NULL, code = NULL, message = ?, sid = ?
WHERE request = ? AND number = ?
"""
