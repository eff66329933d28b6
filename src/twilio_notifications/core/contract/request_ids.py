"""The id under which a request is answered: as it came, or none."""

from __future__ import annotations

import math
from typing import Final

MAXIMUM_ID_CHARACTERS: Final = 1024
"""Of the id of a valid request, and of what a rejection echoes. A status has to fit through every broker that
let its request pass, and the id is the one part of a status that its sender chooses the length of."""

_INTEGERS: Final = range(-(2**63), 2**63)
"""What a database column holds, and most JSON readers."""


def echoed(value: object) -> str | int | float:
    """The id under which to answer: a bad one too, as long as every reader and the journal can hold it.

    A text is echoed up to its first 1,024 characters.
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
