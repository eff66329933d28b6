"""Which step of a chain is due, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from twilio_notifications.core.escalation.chains import Chain, ChainHistory, ChainStep


_SHORTEST_PAUSE: Final = 1.0
"""Seconds between two looks at a chain that waits for its own requests to leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """The step is due now. `position` counts the steps of all rounds from 0, without step 0 of the chain."""

    position: int
    step: ChainStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """Nothing is due before this instant, unless something happens."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfChain:
    """Every step was taken, and no one acknowledged in time: the chain ends now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The chain has ended: nothing of it is due any more."""


Next = Take | Until | EndOfChain | Over


def next_step(chain: Chain, history: ChainHistory, *, now: float) -> Next:
    """What the chain does at `now`. After a `Take` it is asked again: several steps may be due at once."""
    if history.end is not None:
        return Over()
    position = len(history.taken)
    due = _due(chain, history)
    if due > now:
        return Until(at=due)
    if position >= chain.length:
        if any(step.pending for step in (history.began, *history.taken)):
            # After a power cut that lasted longer than the wait, the last texts are still to be sent. An end
            # now would cancel them, and one soon after would leave no time to answer. The lifetime of the
            # requests bounds the delay.
            return Until(at=now + max(chain.wait_seconds, _SHORTEST_PAUSE))
        return EndOfChain()
    return Take(position=position, step=chain.steps[position % len(chain.steps)])


def _due(chain: Chain, history: ChainHistory) -> float:
    """The instant of the next step, or that of the end of the chain."""
    position = len(history.taken)
    began, last = history.began, history.taken[-1] if history.taken else history.began
    if position >= chain.length:
        return last.at + chain.wait_seconds
    round_, index = divmod(position, len(chain.steps))
    if round_ and not index:
        # A new round waits, also where all failed: else a telephone that is off would use up every round.
        return last.at + chain.wait_seconds
    if began.failed and all(step.failed for step in history.taken):
        return last.at
    if not round_:
        return began.at + chain.steps[index].after_seconds
    # The first step of a later round begins it, and the others keep their distance to it.
    first = history.taken[round_ * len(chain.steps)]
    return first.at + chain.steps[index].after_seconds - chain.steps[0].after_seconds
