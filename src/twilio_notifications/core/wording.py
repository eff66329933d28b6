"""Shows values, numbers, instants and unknown names in messages to people."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST_SHOWN = 200


def shown(value: object) -> str:
    """The value as messages quote it: its `repr`, at most 200 characters and an ellipsis."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def counted(number: int, noun: str, plural: str = "") -> str:
    """The number with its noun, as in "1 text" and "2 texts"; without `plural`, the noun with an s."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def instant(at: float) -> str:
    """The instant, given as seconds since the epoch, in UTC and whole seconds: "2026-01-31T12:00:00Z"."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


_RESEMBLANCE = 0.6
_TYPO = 0.85
"""Similarity by difflib: one or two letters of TwilioAuthTokenSecretArn are wrong, but no word is missing."""

_SECRET_NAME = re.compile(r"token|password|passwd|secret(?!.*arn)|api_?key(?!.*sid)", re.IGNORECASE)


def suggestion(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: a question with the closest known name, or a list of all known names.

    For a name that looks like a secret, the sentence says where secrets belong.
    """
    by_folded_name = {candidate.casefold(): candidate for candidate in known}
    is_secret = bool(_SECRET_NAME.search(name))
    cutoff = _TYPO if is_secret else _RESEMBLANCE
    close = get_close_matches(name.casefold(), by_folded_name, n=1, cutoff=cutoff)
    if close:
        return f"did you mean {by_folded_name[close[0]]}?"
    if is_secret:
        return (
            "a configuration never holds secrets. Give the auth token in the environment variable "
            "TWILIO_AUTH_TOKEN, or in the place that [secrets] source names"
        )
    return f"known are {', '.join(by_folded_name.values())}"
