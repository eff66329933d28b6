"""The statements that PostgreSQL needs in words of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.journal.statements import arrivals, conditions, reading, work

if TYPE_CHECKING:
    from collections.abc import Mapping

# An entry of an index has at most 2,704 bytes, so a text of any length is found by its digest.
INDEX_REQUEST_IDS: Final = """
CREATE INDEX IF NOT EXISTS requests_original
ON requests (md5(request_id), channel, phone_number, accepted_at)
"""

_USAGE: Final = f"""
SELECT usage.scope, usage.since, used - CAST(COALESCE(unused, 0) AS BIGINT)
FROM {conditions.WINDOWS} JOIN usage ON usage.scope = wanted.scope AND usage.since >= wanted.since
LEFT JOIN (
    SELECT scope, since, SUM(unused) AS unused FROM reservations
    WHERE scope IN (SELECT scope FROM {conditions.WINDOWS}) GROUP BY scope, since
) AS ahead ON ahead.scope = usage.scope AND ahead.since = usage.since
WHERE used > COALESCE(unused, 0)
"""  # noqa: S608 - our own

_USED: Final = """
SELECT used - (
    SELECT CAST(COALESCE(SUM(unused), 0) AS BIGINT) FROM reservations WHERE scope = ?1 AND since = ?2)
FROM usage WHERE scope = ?1 AND since = ?2
"""

TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        arrivals.INDEX_REQUEST_IDS: INDEX_REQUEST_IDS,
        # Here a part of what is taken of a window may be reserved and not used yet.
        work.USAGE: _USAGE,
        reading.USED: _USED,
    }
)
"""By SQLite's text."""

FRAGMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        conditions.WHOLE_STATUS: """
CASE WHEN SUBSTR(status, GREATEST(LENGTH(status) - 5, 1)) = CONVERT_TO(',"id":', 'UTF8')
     THEN status || CONVERT_TO(request_id || '}', 'UTF8')
     ELSE status END
""",
        conditions.WANTED: """
(SELECT one.value ->> 0 AS channel, one.value ->> 1 AS phone_number
 FROM json_array_elements(CAST(:recipients AS JSON)) AS one (value)) AS wanted
""",
        conditions.WINDOWS: """
(SELECT one.value ->> 0 AS scope, CAST(one.value ->> 1 AS DOUBLE PRECISION) AS since
 FROM json_array_elements(CAST(:windows AS JSON)) AS one (value)) AS wanted
""",
        "request_id = ? AND channel = ? AND phone_number = ? AND accepted_at > ?": (
            "md5(request_id) = md5(?) AND channel = ? AND phone_number = ? AND accepted_at > ?"
        ),
    }
)
"""The same of parts of statements."""
