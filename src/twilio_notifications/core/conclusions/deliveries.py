"""What a look at a delivery, or a callback, means: the new state, the next look, the status that tells of it.

Poll and callback come through the same function, so that neither can go behind the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twilio_notifications.core import contract, delivery
from twilio_notifications.core.delivery import (
    Change,
    FollowUp,
    FollowUpStatus,
    Happened,
    Happening,
    LearnedFrom,
)
from twilio_notifications.core.pace import sender_of
from twilio_notifications.core.steps import Stall
from twilio_notifications.core.twilio_codes import SENDER_WAITS, treatment_of
from twilio_notifications.core.waits import QUEUE_OVERFLOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.conclusions.statuses import StatusWriter
    from twilio_notifications.core.delivery import Delivery, Followed, Sighting, Who


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers that Twilio names with a sighting; None: it names none."""

    sender_number: str | None = None
    phone_number: str | None = None


NO_NUMBERS = Numbers()


def conclude_sighting(
    followed: Followed,
    sighting: Sighting,
    *,
    source: LearnedFrom,
    statuses: StatusWriter,
    now: float,
    numbers: Numbers = NO_NUMBERS,
) -> Change | None:
    """The change by one look or callback. None: nothing new, and no other look to set."""
    before = followed.delivery
    after = delivery.advance(before, sighting)
    who = replace(
        followed.who,
        sender_number=numbers.sender_number or followed.who.sender_number,
        phone_number=numbers.phone_number or followed.who.phone_number,
    )
    happened = None
    if delivery.contradicts(before, sighting):
        happened = Happened(
            happening=Happening.CONTRADICTED, source=source, word=sighting.state, code=sighting.code
        )
    if source is LearnedFrom.CALLBACK and after == before and happened is None:
        return None
    return _change(followed, after, source=source, statuses=statuses, now=now, who=who, happened=happened)


def conclude_notices(
    followed: Followed, codes: Sequence[int], *, statuses: StatusWriter, now: float
) -> Change:
    """The change by a look at Twilio's notifications of a call, which name `codes`."""
    after = delivery.notifications_read(followed.delivery, codes)
    return _change(
        followed, after, source=LearnedFrom.NOTIFICATIONS, statuses=statuses, now=now, who=followed.who
    )


def conclude_nothing(followed: Followed, *, statuses: StatusWriter, now: float) -> Change:
    """The change by a look that saw nothing: the next look, or the end of following."""
    return _change(
        followed, followed.delivery, source=LearnedFrom.POLL, statuses=statuses, now=now, who=followed.who
    )


def _change(  # noqa: PLR0913 - everything that the change is made of
    followed: Followed,
    after: Delivery,
    *,
    source: LearnedFrom,
    statuses: StatusWriter,
    now: float,
    who: Who,
    happened: Happened | None = None,
) -> Change:
    before = followed.delivery
    look_at = _next(followed, after, source=source, statuses=statuses, now=now)
    if look_at is None and delivery.ending(after) is None:
        after, source = delivery.given_up(after, at=now), LearnedFrom.CONNECTOR
    mode = statuses.tracking.follow_up
    if followed.request.tells_end or (followed.request.is_step and mode is not FollowUp.ALL):
        mode = FollowUp.NONE  # a step of a chain publishes no status of its own, unless each change is to be
    content = delivery.follow_up(before, after, mode=mode, who=who)
    return Change(
        request=followed.request.id,
        version=followed.version,
        at=now,
        before=before,
        after=after,
        who=who,
        look_at=look_at,
        happened=happened or _happened(before, after, source),
        status=None if content is None else _status(followed, content, after, statuses=statuses, now=now),
        stall=_stall(followed, after, now=now),
    )


def _stall(followed: Followed, after: Delivery, *, now: float) -> Stall | None:
    """The sender, where Twilio's queue for it was full after all (30001)."""
    code = after.code
    has_failed = delivery.is_final(after) and not delivery.is_final(followed.delivery)
    if not has_failed or code is None or treatment_of(http_status=400, code=code) is not SENDER_WAITS:
        return None
    sender = sender_of(followed.request.notification)
    return Stall(sender_number=sender.number, channel=sender.channel, until=now + QUEUE_OVERFLOW_SECONDS)


def _next(
    followed: Followed, after: Delivery, *, source: LearnedFrom, statuses: StatusWriter, now: float
) -> float | None:
    """When to look next; None: not any more."""
    if delivery.ending(after) is not None:
        return None
    tracking = statuses.tracking
    if delivery.is_final(after):  # a call without a result: Twilio's notifications of it are to be read
        if now - followed.begun_at >= tracking.give_up_after and source is not LearnedFrom.CALLBACK:
            return None
        return delivery.next_notification_look(after, initial=tracking.initial)
    if source is LearnedFrom.CALLBACK:
        return followed.look_at
    return delivery.next_look(
        accepted_at=followed.begun_at,
        now=now,
        initial=tracking.initial,
        give_up_after=tracking.give_up_after,
        following=tracking.following,
    )


def _happened(before: Delivery, after: Delivery, source: LearnedFrom) -> Happened | None:
    is_over = delivery.ending(before) is None and delivery.ending(after) is not None
    if after == replace(before, notification_looks=after.notification_looks) and not is_over:
        return None
    if after.state != before.state:
        happening = Happening.CHANGED
    else:
        happening = Happening.LEARNED if after.given_up_at is None else Happening.GAVE_UP
    result = delivery.result(after)
    return Happened(
        happening=happening,
        source=source,
        word=after.state,
        code=after.document_code or after.code,
        result=result,
    )


def _status(
    followed: Followed,
    content: contract.Success | contract.LateFailure,
    after: Delivery,
    *,
    statuses: StatusWriter,
    now: float,
) -> FollowUpStatus:
    code = after.document_code or after.code
    status = statuses.follow_up(followed, content, at=now, code=code)
    if isinstance(content, contract.LateFailure):
        return FollowUpStatus(status=status, reason=content.reason, message=content.message, code=code)
    return FollowUpStatus(status=status, reason=None)
