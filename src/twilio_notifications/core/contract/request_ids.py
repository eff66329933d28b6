"""The id under which a request is answered: as it came, or none."""

from __future__ import annotations

import math
from typing import Final

_INTEGERS: Final = range(-(2**63), 2**63)
"""What a database column holds, and most JSON readers."""


def echoed(value: object) -> str | int | float:
    """The id under which to answer: a bad one too, as long as every reader and the journal can hold it."""
    match value:
        case str():
            return value
        case int() if value in _INTEGERS:
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            return ""
