"""Messages and calls as Twilio keeps them.

A resource never changes by itself. It has a timeline of instants, each with the status that begins there, and
the functions compute every changing property from the timeline and `now`; cancelling cuts the timeline short.
This module knows neither HTTP nor the store; `rendering` shows resources in Twilio's form.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from twilio_notifications.core.model import Channel
from twilio_notifications.core.twiml import flaw_of
from twilio_notifications.simulator import plans
from twilio_notifications.simulator.numbers import MAGIC_GOOD_SENDER
from twilio_notifications.simulator.plans import NO_PLAN, Plan

if TYPE_CHECKING:
    from twilio_notifications.simulator.orders import CallbackAddress, CallOrder, TextOrder
    from twilio_notifications.simulator.plans import Steps

API_VERSION = "2010-04-01"
OUTBOUND, INBOUND = "outbound-api", "inbound"

WAIT_IN_SERVICE = 1.0  # a Messaging Service chooses a sender before it queues the text
TOO_LATE = 30036
DOCUMENT_UNREADABLE = 12100

TEXT_FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})
CALL_FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
CHOSEN = frozenset({"queued"})
SENT = frozenset({"sent", "received"})
DIALLED = frozenset({"ringing"})
ANSWERED = frozenset({"in-progress"})


class Step(NamedTuple):
    """An instant, and what holds from there on: a status with Twilio's error, if it has one."""

    at: float
    status: str
    error_code: int | None = None
    error_message: str | None = None


Timeline = tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """One text. `timeline` is in ascending order, its first step at the create."""

    sid: str
    account_sid: str
    to: str
    sender: str | None
    messaging_service_sid: str | None
    body: str = field(repr=False)
    media_urls: tuple[str, ...] = field(default=(), repr=False)
    created_at: float
    timeline: Timeline
    callback: CallbackAddress | None = None
    direction: str = OUTBOUND
    channel = Channel.SMS
    finals = TEXT_FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Keys that the person pressed at an instant of the call."""

    at: float
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An error of a call in its notifications, visible from `at` on."""

    at: float
    code: int
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; `timeline` as for a text. `detected` is the instant and the result of machine detection.

    `order` and `plan` are those of its create; `order` is None for a call from outside.
    """

    sid: str
    account_sid: str
    to: str
    sender: str
    created_at: float
    timeline: Timeline
    order: CallOrder | None = None
    plan: Plan = NO_PLAN
    twiml: str | None = field(default=None, repr=False)
    callback: CallbackAddress | None = None
    detection_callback: CallbackAddress | None = None
    detected: tuple[float, str] | None = None
    presses: tuple[Press, ...] = ()
    notices: tuple[Notice, ...] = ()
    heard: tuple[str, ...] = field(default=(), repr=False)
    """What the answers to pressed keys say; they are not carried out."""
    direction: str = OUTBOUND
    channel = Channel.CALL
    finals = CALL_FINAL


Resource = TextMessage | Call


def new_message(order: TextOrder, *, sid: str, account_sid: str, now: float, plan: Plan) -> TextMessage:
    """The text that Twilio makes of an order."""
    return TextMessage(
        sid=sid,
        account_sid=account_sid,
        to=order.to,
        sender=order.sender,
        messaging_service_sid=order.messaging_service_sid,
        body=order.body,
        media_urls=order.media_urls,
        created_at=now,
        timeline=_text_timeline(order, plan=plan, now=now),
        callback=order.callback,
    )


def new_call(order: CallOrder, *, sid: str, account_sid: str, now: float, plan: Plan) -> Call:
    """The call that Twilio makes of an order."""
    steps = plans.call_steps(plan, ring_seconds=order.ring_seconds, limit_seconds=order.limit_seconds)
    call = Call(
        sid=sid,
        account_sid=account_sid,
        to=order.to,
        sender=order.sender,
        created_at=now,
        timeline=_timeline(steps, plan=plan, start=now),
        order=order,
        plan=plan,
        # Twilio ignores the TwiML of a call that has an address too.
        twiml=None if order.url else order.twiml,
        callback=order.callback,
        detection_callback=order.detection_callback,
    )
    return call if answered_at(call) is None else with_answer(call)


def answered_at(call: Call) -> float | None:
    """The instant at which the call is answered; None where its timeline has no answer."""
    return next((step.at for step in call.timeline if step.status in ANSWERED), None)


def with_answer(call: Call) -> Call:
    """The call with what its answer entails: the detection, the keys, the errors of its voice document."""
    order, plan, answered = call.order, call.plan, answered_at(call)
    if order is None or answered is None:
        return call
    presses = (Press(at=answered + plans.KEYS_AFTER, digits=plan.keys),) if plan.keys else ()
    return replace(
        call,
        detected=None if order.detection is None else _detection(order.detection, plan, answered=answered),
        presses=presses,
        notices=_document_notices(call, order.url or "", plan=plan),
    )


def _text_timeline(order: TextOrder, *, plan: Plan, now: float) -> Timeline:
    start = now if order.send_at is None else order.send_at
    before: Timeline = ()
    if order.send_at is not None:
        before = (Step(now, "scheduled"),)
    elif order.messaging_service_sid is not None:
        before = (Step(now, "accepted"),)
        start += WAIT_IN_SERVICE
    timeline = _timeline(plans.text_steps(plan), plan=plan, start=start)
    expires_at = start + order.validity_seconds
    if timeline[1].at > expires_at:
        late = Step(expires_at, "failed", TOO_LATE, "Validity Period Expired")
        timeline = (timeline[0], late)
    return before + timeline


def _timeline(steps: Steps, *, plan: Plan, start: float) -> Timeline:
    timeline = tuple(Step(start + age, status) for age, status in steps)
    at, status, *_ = timeline[-1]
    if status != plan.end:
        return timeline
    return (*timeline[:-1], Step(at, status, plan.error_code, plan.error_message))


def _detection(kind: str, plan: Plan, *, answered: float) -> tuple[float, str]:
    """The instant and the word of the detection; only `DetectMessageEnd` waits for the end of a greeting."""
    waits = kind == "DetectMessageEnd"
    word: str = plan.answered_by
    if word == "machine":
        word = "machine_end_beep" if waits else "machine_start"
    late = waits and word.startswith("machine")
    return answered + (plans.BEEP_AFTER if late else plans.DETECTED_AFTER), word


def _document_notices(call: Call, url: str, *, plan: Plan) -> tuple[Notice, ...]:
    code = plan.document_error
    if code is None and call.twiml is not None and flaw_of(call.twiml) is not None:
        code = DOCUMENT_UNREADABLE
    if code is None:
        return ()
    return (Notice(at=call.timeline[-1].at + plan.notified_after_seconds, code=code, url=url),)


def seen_at(resource: Resource, now: float, age_seconds: float | None) -> float:
    """The instant for which the resource is shown: `now`, or `age_seconds` after its create."""
    return now if age_seconds is None else resource.created_at + age_seconds


def step_at(resource: Resource, now: float) -> Step:
    """The step that holds at `now`; the first one if `now` lies before the create."""
    current = resource.timeline[0]
    for step in resource.timeline:
        if step.at > now:
            break
        current = step
    return current


def status_at(resource: Resource, now: float) -> str:
    """The status that holds at `now`."""
    return step_at(resource, now).status


def is_final_at(resource: Resource, now: float) -> bool:
    """Whether the resource has come to its end."""
    return status_at(resource, now) in resource.finals


def instant_of(resource: Resource, statuses: frozenset[str], now: float) -> float | None:
    """The instant at which the resource first took one of these statuses; None before it."""
    for step in resource.timeline:
        if step.at <= now and step.status in statuses:
            return step.at
    return None


def changed(resource: Resource, step: Step) -> Resource:
    """The same resource with this step as its last one, in place of later ones."""
    past = tuple(earlier for earlier in resource.timeline if earlier.at <= step.at)
    return replace(resource, timeline=(*past, step))


def replanned(call: Call, plan: Plan, *steps: Step, now: float) -> Call:
    """The call with these steps in place of all that was to come at `now`, and the plan that they follow.

    Where one of the steps is the answer, the call has what the answer entails too.
    """
    past = tuple(earlier for earlier in call.timeline if earlier.at <= now)
    call = replace(call, timeline=(*past, *steps), plan=plan)
    return with_answer(call) if any(step.status in ANSWERED for step in steps) else call


def sender_at(resource: Resource, now: float) -> str | None:
    """The sender as Twilio shows it: none while a Messaging Service has not chosen one."""
    if isinstance(resource, Call) or resource.messaging_service_sid is None:
        return resource.sender
    if instant_of(resource, CHOSEN, now) is None:
        return None
    return resource.sender or MAGIC_GOOD_SENDER


def is_on_the_line(call: Call, at: float) -> bool:
    """Whether the call had been answered at that instant, and had not ended."""
    return status_at(call, at) in ANSWERED


def answered_by(call: Call, now: float) -> str | None:
    """What machine detection has found; None without it, and before it has decided."""
    if call.detected is None or call.detected[0] > now or not is_on_the_line(call, call.detected[0]):
        return None
    return call.detected[1]
