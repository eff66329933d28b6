"""Plans: what becomes of a text or a call, and the ages at which its states begin.

A plan comes from an order of the test, from the recipient's number, or from a draw; `deliveries` chooses it.
An age is in seconds after the create.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Final, Literal

import msgspec

TextEnd = Literal["delivered", "undelivered", "failed", "sent", "canceled"]
CallEnd = Literal["completed", "busy", "no-answer", "failed", "canceled"]
AnsweredBy = Literal[
    "human",
    "machine",
    "machine_start",
    "machine_end_beep",
    "machine_end_silence",
    "machine_end_other",
    "fax",
    "unknown",
]

Steps = tuple[tuple[float, str], ...]
"""Ages in ascending order, each with the status that begins there."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a resource goes on after its create. Each field that does not suit the channel is ignored.

    `end` is its last status; None, or an end of the other channel: `delivered` and `completed`. The error
    code and message come with that status. All states after the first begin `late_seconds` later than usual.
    """

    end: TextEnd | CallEnd | None = None
    error_code: int | None = None
    error_message: str | None = None
    late_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    speed: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """How many times faster than usual the states follow each other, lateness and ringing included."""
    answered_by: AnsweredBy = "human"
    """What machine detection finds, where the call asks for it; it names a `machine` more finely."""
    talk_seconds: Annotated[float, msgspec.Meta(ge=0)] = 6.0
    keys: Annotated[str, msgspec.Meta(pattern="^[0-9*#]{0,32}$")] = ""
    """The keys that the person presses, `KEYS_AFTER` seconds after the answer; "" for none."""
    document_error: Annotated[int, msgspec.Meta(ge=11_200, le=13_999)] | None = None
    """The code in the call's notifications, because Twilio could not fetch or read the voice document."""
    notified_after_seconds: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """The seconds from the call's end until its notifications show the error."""


NO_PLAN: Final = Plan()
"""What becomes of a resource that nothing else decides: it is delivered, or a person answers."""

CALL_ENDS_UNANSWERED: Final = frozenset({"busy", "no-answer", "failed", "canceled"})

# Twilio promises no durations; these are short enough to watch and long enough to see each state.
TEXT_STEPS = MappingProxyType(
    {
        "delivered": ((0.0, "queued"), (1.0, "sending"), (2.0, "sent"), (5.0, "delivered")),
        "undelivered": ((0.0, "queued"), (1.0, "sending"), (2.0, "sent"), (5.0, "undelivered")),
        "sent": ((0.0, "queued"), (1.0, "sending"), (2.0, "sent")),  # a carrier without receipts
        "failed": ((0.0, "queued"), (1.0, "failed")),
        "canceled": ((0.0, "queued"), (1.0, "canceled")),
    }
)

DIALLED_AFTER = 0.5
"""The age of the event `initiated`; the status stays `queued` until it rings."""
RINGS_AFTER = 1.0
ANSWERED_AFTER = 4.0
DETECTED_AFTER = 2.0
"""Seconds from the answer until machine detection has decided; `DetectMessageEnd` waits for the beep."""
BEEP_AFTER = 5.0
KEYS_AFTER = 3.0


def text_steps(plan: Plan) -> Steps:
    """The states of a text from the moment at which it is queued."""
    return _timed(TEXT_STEPS.get(plan.end or "delivered", TEXT_STEPS["delivered"]), plan)


def call_steps(plan: Plan, *, ring_seconds: float, limit_seconds: float | None) -> Steps:
    """The states of a call from its create. `limit_seconds` cuts the talk; None leaves it as planned."""
    queued, ringing = (0.0, "queued"), (RINGS_AFTER, "ringing")
    match plan.end:
        case "busy" | "canceled":
            steps: Steps = (queued, ringing, (ANSWERED_AFTER, plan.end))
        case "no-answer":
            steps = (queued, ringing, (RINGS_AFTER + ring_seconds, "no-answer"))
        case "failed":
            steps = (queued, (RINGS_AFTER, "failed"))
        case _:
            talk = call_talk(plan, limit_seconds=limit_seconds)
            steps = (queued, ringing, (ANSWERED_AFTER, "in-progress"), (ANSWERED_AFTER + talk, "completed"))
    return _timed(steps, plan)


def call_talk(plan: Plan, *, limit_seconds: float | None) -> float:
    """The seconds from the answer of a call to its end; `limit_seconds` None: as planned."""
    return plan.talk_seconds if limit_seconds is None else min(plan.talk_seconds, limit_seconds)


def _timed(steps: Steps, plan: Plan) -> Steps:
    return (steps[0], *(((age + plan.late_seconds) / plan.speed, status) for age, status in steps[1:]))
