"""Chooses the id in the status of a request: the request's own id, or none."""

from __future__ import annotations

import math
from typing import Final

MAXIMUM_ID_CHARACTERS: Final = 1024
"""The longest id of a valid request, and the longest id that a rejection echoes. Every broker that passed the
request must also pass its status, and the client alone chooses the length of the id."""

_INTEGERS: Final = range(-(2**63), 2**63)
"""The integers that a database column and most JSON readers can hold."""


def echoed(value: object) -> str | int | float:
    """The id for the status, cut to 1,024 characters; `""` where not every reader or the journal can hold it.

    An id that breaks the contract is echoed too.
    """
    match value:
        case str():
            return value[:MAXIMUM_ID_CHARACTERS]
        case int() if value in _INTEGERS:
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            return ""
