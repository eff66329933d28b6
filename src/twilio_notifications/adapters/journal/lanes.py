"""What a transaction keeps other connectors out of, where several share a journal.

A transaction of the line has *lanes*: its recipients, the deliveries that a broker may hand to another
connector, the paced senders that it uses, and the limits of which it takes some ahead. Two transactions with
a lane in common follow each other; others are written at the same time. A transaction of any other kind has
the whole journal.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MEMBERS: Final = "members"
"""The lane of beats: the shares of the members are divided by one of them at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """None in its place means the whole journal."""

    names: frozenset[str] = frozenset()
    requests: frozenset[int] = field(default=frozenset())
    """Recorded requests whose recipients are lanes too."""
    of_senders: bool = False
    """The senders of these requests are lanes as well."""


NO_LANES: Final = Lanes()
"""Of what reads, or changes only rows that no other connector changes at the same time."""


class NeedsJournal(Exception):
    """A transaction has found something that takes the whole journal: it is written again, with all of it."""


def of_recipient(channel: str, phone_number: str) -> str:
    return f"recipient {channel} {phone_number}"


def of_sender(channel: str, number: str) -> str:
    return f"sender {channel} {number}"


def of_limit(scope: str) -> str:
    return f"limit {scope}"


def of_delivery(digest: bytes) -> str:
    return f"delivery {digest.hex()}"


def joined(every: Iterable[Lanes | None]) -> Lanes | None:
    """The lanes of a transaction of several parts."""
    names: set[str] = set()
    requests: set[int] = set()
    of_senders = False
    for lanes in every:
        if lanes is None:
            return None
        names |= lanes.names
        requests |= lanes.requests
        of_senders |= lanes.of_senders
    return Lanes(names=frozenset(names), requests=frozenset(requests), of_senders=of_senders)
