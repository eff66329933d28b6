"""The life of one request, as a table.

Rule 1: everything that changes a request's state goes through `TRANSITIONS`; nothing else knows which
change is allowed. Rule 2: the journal repeats the table as CHECK constraints and as the WHERE clause of
each update, so a forbidden change fails there too, in the same transaction. Rule 3: no clock, no I/O.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a request stands. Exactly one row of the journal, in exactly one of these."""

    WAITING = "WAITING"
    """Recorded; will be claimed when it is due and its turn has come."""
    OPEN = "OPEN"
    """An attempt is open: the POST may be under way. After a crash this becomes IN_DOUBT."""
    IN_DOUBT = "IN_DOUBT"
    """The attempt may or may not have been carried out; being settled against Twilio's records."""
    FINISHED = "FINISHED"
    """The status is written (the outbox), but the broker has not acknowledged it yet."""
    REPORTED = "REPORTED"
    """The broker has acknowledged the status. Kept for the retention time, then purged."""


class Move(StrEnum):
    """What can happen to a request."""

    OPEN_ATTEMPT = "open attempt"
    FINISH = "finish"
    POSTPONE = "postpone"
    DOUBT = "doubt"
    REPORT = "report"
    FOLLOW_UP = "follow up"
    """Another status tells what became of its delivery."""
    RESOLVE = "resolve"
    """A person says what Twilio's records could not; only where the status was OutcomeUnknown."""


TRANSITIONS: dict[State, dict[Move, State]] = {
    State.WAITING: {
        Move.OPEN_ATTEMPT: State.OPEN,
        Move.POSTPONE: State.WAITING,  # deferred before an attempt: its sender number pauses
        Move.FINISH: State.FINISHED,  # expired or refused before an attempt
    },
    State.OPEN: {
        Move.FINISH: State.FINISHED,
        Move.POSTPONE: State.WAITING,  # certainly not carried out: no network, 429, a full sender queue
        Move.DOUBT: State.IN_DOUBT,
    },
    State.IN_DOUBT: {
        Move.FINISH: State.FINISHED,  # found in Twilio's records, out of retries, or given to a person
        Move.POSTPONE: State.WAITING,  # surely absent from Twilio's records: made again
        Move.DOUBT: State.IN_DOUBT,  # looked up, not settled yet: look again
    },
    State.FINISHED: {
        Move.REPORT: State.REPORTED,
        Move.FOLLOW_UP: State.FINISHED,
        Move.RESOLVE: State.FINISHED,  # the status is replaced before it left
    },
    State.REPORTED: {
        Move.FOLLOW_UP: State.FINISHED,
        Move.RESOLVE: State.FINISHED,  # a second status for the same request: what is known now
    },
}

UNFINISHED = frozenset({State.WAITING, State.OPEN, State.IN_DOUBT})
"""The states in which a request holds its place in its recipient's order."""


class ForbiddenTransition(Exception):
    """A step that the table does not allow: a defect of the connector, never of a request."""


def apply(state: State, move: Move) -> State:
    """The state after `move`; raises ForbiddenTransition where the table has no such row."""
    try:
        return TRANSITIONS[state][move]
    except KeyError:
        raise ForbiddenTransition(f"a request that is {state} cannot {move}") from None


def sources(move: Move) -> frozenset[State]:
    """The states from which `move` is allowed."""
    return frozenset(state for state, row in TRANSITIONS.items() if move in row)
