"""The share of each live connector in what the account may do at once; the sum never exceeds the setting."""

from __future__ import annotations


def fair_share(maximum: int, *, members: int, rank: int) -> int:
    """The places of the member with this rank, from 0; the first ones have what cannot be divided."""
    return maximum // members + (rank < maximum % members)


def granted(*, fair: int, held: int, in_use: int, free: int) -> int:
    """The places that a member has from now on.

    `held` is what it has had, and `free` is what the other members leave of all places. A place in which an
    attempt is under way is not taken away, so a member gives up its places as they become empty.
    """
    return max(0, min(max(fair, min(held, in_use)), free))
