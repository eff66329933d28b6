"""What a person does with a call: pick up, let the voicemail answer, decline, ignore, hang up.

The functions are pure: a call and an act in, the changed call out. From that instant on, the act replaces the
plan of the call.
"""

from __future__ import annotations

from typing import Final, Literal, assert_never

import msgspec
from msgspec.structs import replace as planned

from twilio_notifications.simulator.errors import OrderRefused
from twilio_notifications.simulator.plans import call_talk
from twilio_notifications.simulator.resources import DIALLED, Call, Step, instant_of, replanned, status_at

Act = Literal["pick-up", "voicemail", "decline", "ignore", "hang-up"]

RINGING_ACTS: Final[tuple[Act, ...]] = ("pick-up", "voicemail", "decline", "ignore")
TALKING_ACTS: Final[tuple[Act, ...]] = ("hang-up",)

HELD_SECONDS: Final = 60.0
"""How long a call lasts that a person has picked up and does not end."""
VOICEMAIL_SECONDS: Final = 20.0
"""How long a voicemail listens, its greeting included."""


class HandOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An act of the person with the call `sid`."""

    sid: str
    act: Act


def possible_acts(call: Call, now: float) -> tuple[Act, ...]:
    """What a person can do with the call at this instant; nothing with a call from the telephone itself."""
    if call.order is None:
        return ()
    return {"ringing": RINGING_ACTS, "in-progress": TALKING_ACTS}.get(status_at(call, now), ())


def acted(call: Call, act: Act, *, now: float) -> Call:
    """The call after the act; raises OrderRefused where the call does not allow it at this instant."""
    if act not in possible_acts(call, now):
        raise OrderRefused(f"The call {call.sid} is {status_at(call, now)}: {act} is not possible")
    match act:
        case "pick-up":
            return _answered(call, "human", seconds=HELD_SECONDS, now=now)
        case "voicemail":
            return _answered(call, "machine", seconds=VOICEMAIL_SECONDS, now=now)
        case "decline":
            return replanned(call, call.plan, Step(now, "busy"), now=now)
        case "ignore":
            return _ignored(call, now=now)
        case "hang-up":
            return replanned(call, call.plan, Step(now, "completed"), now=now)
        case _:
            assert_never(act)


def _answered(call: Call, by: Literal["human", "machine"], *, seconds: float, now: float) -> Call:
    """The call with an answer now; what the plan says of the voice document still counts."""
    plan = planned(call.plan, end="completed", answered_by=by, keys="", talk_seconds=seconds)
    talk = call_talk(plan, limit_seconds=None if call.order is None else call.order.limit_seconds)
    return replanned(call, plan, Step(now, "in-progress"), Step(now + talk, "completed"), now=now)


def _ignored(call: Call, *, now: float) -> Call:
    """The call that rings for its whole ring time, with no answer."""
    begun = instant_of(call, DIALLED, now)
    assert call.order is not None, "only calls to the telephone ring"
    assert begun is not None, "it rings"
    return replanned(call, call.plan, Step(max(now, begun + call.order.ring_seconds), "no-answer"), now=now)
