"""The life of a request: every state with every move, allowed or forbidden."""

from __future__ import annotations

import pytest

from twilio_notifications.core.lifecycle import (
    TRANSITIONS,
    UNFINISHED,
    ForbiddenTransition,
    Move,
    State,
    apply,
    sources,
)

W, O, D, F, R = State.WAITING, State.OPEN, State.IN_DOUBT, State.FINISHED, State.REPORTED  # noqa: E741 - a table
NO = None

TABLE: dict[Move, tuple[State | None, ...]] = {
    #                    W   O   D   F   R
    Move.OPEN_ATTEMPT: (O, NO, NO, NO, NO),
    Move.FINISH: (F, F, F, NO, NO),
    Move.POSTPONE: (W, W, W, NO, NO),
    Move.DOUBT: (NO, D, D, NO, NO),
    Move.REPORT: (NO, NO, NO, R, NO),
    Move.FOLLOW_UP: (NO, NO, NO, F, F),
    Move.RESOLVE: (NO, NO, NO, F, F),
}
PAIRS = [
    (state, move, after)
    for move, row in TABLE.items()
    for state, after in zip((W, O, D, F, R), row, strict=True)
]


def test_the_table_here_has_every_state_and_every_move() -> None:
    assert set(Move) == set(TABLE)
    assert len(State) * len(Move) == len(PAIRS)


@pytest.mark.parametrize(("state", "move", "after"), [pair for pair in PAIRS if pair[2] is not None])
def test_an_allowed_move_leads_to_its_state(state: State, move: Move, after: State) -> None:
    assert after is apply(state, move)
    assert state in sources(move)


@pytest.mark.parametrize(("state", "move"), [(s, e) for s, e, after in PAIRS if after is None])
def test_a_forbidden_move_says_what_was_tried(state: State, move: Move) -> None:
    with pytest.raises(ForbiddenTransition, match=f"a request that is {state} cannot {move}"):
        apply(state, move)
    assert state not in sources(move)


def test_a_request_holds_its_recipients_order_until_it_is_finished() -> None:
    assert {W, O, D} == UNFINISHED


def test_every_request_can_come_to_its_end() -> None:
    """From each state the broker's acknowledgement can be reached."""
    ends = {R}
    for _ in State:
        ends |= {state for state, row in TRANSITIONS.items() if ends & set(row.values())}
    assert set(State) == ends


def test_doubt_never_opens_another_attempt_by_itself() -> None:
    """Nothing is sent twice: an attempt in doubt is settled first, and then waits its turn."""
    assert Move.OPEN_ATTEMPT not in TRANSITIONS[D]
    assert {W} == sources(Move.OPEN_ATTEMPT)


def test_what_is_finished_is_never_sent_again() -> None:
    reachable, frontier = set[State](), {F}
    while frontier:
        reachable |= frontier
        frontier = {after for state in frontier for after in TRANSITIONS[state].values()} - reachable
    assert {F, R} == reachable
