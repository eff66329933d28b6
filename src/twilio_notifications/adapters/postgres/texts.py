"""The statements that PostgreSQL needs in words of its own."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.journal.statements import arrivals, care, conditions

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEEP_NUMBER: Final = """
INSERT INTO newest_numbers (name, number) SELECT '{table}', COALESCE(MAX({column}), 0) FROM {table}
ON CONFLICT (name) DO UPDATE SET number = GREATEST(newest_numbers.number, excluded.number)
"""

_NEWEST_NUMBER: Final = """
SELECT GREATEST((SELECT MAX({column}) FROM {table}),
                COALESCE((SELECT number FROM newest_numbers WHERE name = '{table}'), 0))
"""

# An entry of an index has at most 2,704 bytes, so a text of any length is found by its digest.
INDEX_REQUEST_IDS: Final = """
CREATE INDEX IF NOT EXISTS requests_original
ON requests (md5(request_id), channel, phone_number, accepted_at)
"""

TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        care.LATEST_REQUEST: _NEWEST_NUMBER.format(column="id", table="requests"),
        care.LATEST_POSITION: _NEWEST_NUMBER.format(column="position", table="statuses"),
        # Here no table keeps the numbers of its deleted rows by itself.
        care.KEEP_POSITION[0]: _KEEP_NUMBER.format(column="id", table="requests"),
        care.KEEP_POSITION[1]: _KEEP_NUMBER.format(column="position", table="statuses"),
        arrivals.INDEX_REQUEST_IDS: INDEX_REQUEST_IDS,
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
