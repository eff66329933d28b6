"""What becomes of a text or a call that is on its way when its telephone goes off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from twilio_notifications.simulator.deliveries import UNREACHABLE
from twilio_notifications.simulator.resources import INBOUND, Call, Step, TextMessage, replanned, status_at
from twilio_notifications.simulator.telephone.hands import acted

if TYPE_CHECKING:
    from twilio_notifications.simulator.resources import Resource


def cut_off(resource: Resource, *, now: float) -> Resource | None:
    """The resource as it goes on when its telephone is off from now on; None where that changes nothing."""
    if resource.direction == INBOUND:
        return None
    return _text(resource, now=now) if isinstance(resource, TextMessage) else _call(resource, now=now)


def _text(text: TextMessage, *, now: float) -> TextMessage | None:
    """A text that would still arrive ends undelivered instead, at the same instant."""
    last = text.timeline[-1]
    if last.at <= now or last.status != "delivered":
        return None
    lost = Step(last.at, "undelivered", UNREACHABLE.error_code, UNREACHABLE.error_message)
    return replace(text, timeline=(*text.timeline[:-1], lost))


def _call(call: Call, *, now: float) -> Call | None:
    """A call that rings goes on ringing without an answer; one in progress ends."""
    match status_at(call, now):
        case "ringing":
            return acted(call, "ignore", now=now)
        case "in-progress":
            return acted(call, "hang-up", now=now)
        case "queued" if call.order is not None and call.timeline[-1].status == "completed":
            rings = next(step for step in call.timeline if step.status == "ringing")
            ended = Step(rings.at + call.order.ring_seconds, "no-answer")
            return replanned(call, call.plan, rings, ended, now=now)
        case _:
            return None
