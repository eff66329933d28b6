"""What a text from a telephone that a chain has notified means: it can end a chain, and do nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

OPT_OUT_WORDS: Final = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "arret", "arrêt"}
)
OPT_IN_WORDS: Final = frozenset({"start", "yes", "unstop"})

TWILIOS_WORDS: Final = OPT_OUT_WORDS | OPT_IN_WORDS
"""Twilio acts on these itself, so none of them can acknowledge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The text names a code."""

    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """The text is one of the words that acknowledge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """The person gets no more texts of this sender: an operator must learn it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptIn:
    """The person gets texts of this sender again."""


Reply = Code | Word | OptOut | OptIn


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAt:
    """A chain that waits at one telephone: its number, its code there, and when it notified the telephone."""

    chain: int
    code: int
    notified_at: float


_LONGEST_REPLY: Final = 100  # characters; a longer text is a conversation
_CODE: Final = re.compile(r"#?([0-9]{1,6})")
_AROUND: Final = " \t\r\n.,;:!?\"'()"

_CLOCKS: Final = 1.0
"""Twilio dates texts in whole seconds, so that one may seem up to a second older than it is."""


def read_reply(body: str, *, words: Collection[str]) -> Reply | None:
    """What the text `body` means; None where it means nothing here. `words` acknowledge, in any case."""
    if len(body) > _LONGEST_REPLY:
        return None
    text = body.strip().casefold()
    if text in OPT_OUT_WORDS:
        return OptOut()
    if text in OPT_IN_WORDS:
        return OptIn()
    text = text.strip(_AROUND)
    folded = {word.casefold() for word in words}
    if text in folded:
        return Word()
    front, _, last = text.rpartition(" ")
    found = _CODE.fullmatch(last)
    # "ok 2" is code 2; any other text around a number is a conversation.
    return Code(code=int(found[1])) if found and front.strip(_AROUND) in {"", *folded} else None


def acknowledged_by(reply: Reply | None, waiting: Iterable[WaitingAt], *, at: float) -> WaitingAt | None:
    """The chain that a reply of the instant `at` acknowledges, of those that wait at its telephone.

    A code acknowledges its own chain, a word the newest one. A chain that notified the telephone only after
    the reply was written is not meant.
    """
    match reply:
        case Code(code=code):
            meant = [each for each in waiting if each.code == code]
            return newest(meant, at=at)
        case Word():
            return newest(waiting, at=at)
        case OptOut() | OptIn() | None:
            return None


def newest(waiting: Iterable[WaitingAt], *, at: float) -> WaitingAt | None:
    """The chain that notified the telephone last before `at`: what a call back at that instant means."""
    before = [each for each in waiting if each.notified_at <= at + _CLOCKS]
    return max(before, key=lambda each: (each.notified_at, each.chain), default=None)


def smallest_free(used: Collection[int]) -> int:
    """The code of a new chain at a telephone where the codes `used` belong to other waiting chains."""
    return next(code for code in count(1) if code not in used)
