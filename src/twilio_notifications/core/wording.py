"""How values and names are shown to people, and what a message says about an unknown name."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_SHOWN = 200


def shown(value: object) -> str:
    """The value as a problem quotes it: one line, cut where it grows long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun, as in "1 text" and "2 texts"; the plural is the noun with an s by default."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


_RESEMBLANCE = 0.6
_TYPO = 0.85
"""difflib's measure: a letter or two of TwilioAuthTokenSecretArn are wrong, and not a word missing."""

_SECRET_NAME = re.compile(r"token|password|passwd|secret(?!.*arn)|api_?key(?!.*sid)", re.IGNORECASE)


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: the closest known one as a question, or all of them.

    A name that promises a secret is answered with the place where secrets are.
    """
    by_folded_name = {candidate.casefold(): candidate for candidate in known}
    is_secret = bool(_SECRET_NAME.search(name))
    cutoff = _TYPO if is_secret else _RESEMBLANCE
    close = get_close_matches(name.casefold(), by_folded_name, n=1, cutoff=cutoff)
    if close:
        return f"did you mean {by_folded_name[close[0]]}?"
    if is_secret:
        return (
            "no secret stands in a configuration. The auth token comes from the environment variable "
            "TWILIO_AUTH_TOKEN, or from where [secrets] source says"
        )
    return f"known are {', '.join(by_folded_name.values())}"
