"""Values of the core and of the ports, complete and valid, of which a test names only what it is about.

Nothing here is random and nothing looks at a clock: two calls with the same arguments give equal values.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from twilio_notifications.core.delivery import (
    Change,
    Delivery,
    Followed,
    FollowUpStatus,
    Happened,
    Happening,
    LearnedFrom,
    Who,
)
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import (
    Answered,
    Channel,
    Content,
    Notification,
    Priority,
    Recipient,
    Text,
)
from twilio_notifications.core.steps import AttemptOutcome, Claimed, Doubt, Doubtful, Finish, Postpone
from twilio_notifications.ports import Envelope, Mark, NewRejection, NewRequest, Origin

START = 1_700_000_000.0
"""When the hand-turned clock begins."""
SENDER_NUMBER = "+19999999999"
DARLA = "+12345000000"
DIGEST = b"sixteen bytes..!"


def a_notification(
    phone_number: str = DARLA,
    *,
    request_id: str = "request123",
    channel: Channel = Channel.SMS,
    name: str = "Darla",
    content: Content = Text(body="Hello from the edge"),  # noqa: B008 - a frozen value
    sender_number: str = SENDER_NUMBER,
    retries: int = 0,
    priority: Priority = Priority.NORMAL,
    messaging_service_sid: str | None = None,
    about: str | None = None,
    escalation: str | None = None,
    contact: str | None = None,
    valid_for_seconds: float | None = None,
) -> Notification:
    """The text of the published example."""
    return Notification(
        request_id=request_id,
        channel=channel,
        recipient=Recipient(name=name, phone_number=phone_number),
        content=content,
        sender_number=sender_number,
        retries=retries,
        priority=priority,
        messaging_service_sid=messaging_service_sid,
        about=about,
        escalation=escalation,
        contact=contact,
        valid_for_seconds=valid_for_seconds,
    )


def a_request(
    phone_number: str = DARLA,
    *,
    accepted_at: float = START,
    lifetime: float = 14_400.0,
    mark: Mark | None = None,
    redelivered: bool = False,
    origin: Origin | None = None,
    envelope: Envelope | None = None,
    may_leave: bool = False,
    if_full: NewRejection | None = None,
    **notification: Any,
) -> NewRequest:
    """A notification as the intake hands it to the journal; further arguments are those of a_notification."""
    return NewRequest(
        notification=a_notification(phone_number, **notification),
        accepted_at=accepted_at,
        expires_at=accepted_at + lifetime,
        mark=mark,
        redelivered=redelivered,
        origin=origin,
        envelope=envelope,
        may_leave=may_leave,
        if_full=if_full,
    )


def a_rejection(
    *,
    request_id: str | float = "request123",
    accepted_at: float = START,
    status: bytes = b'{"response":{"status":"fail"}}',
    mark: Mark | None = None,
    redelivered: bool = False,
    origin: Origin | None = None,
    envelope: Envelope | None = None,
) -> NewRejection:
    """An answer without an attempt, as the intake hands it to the journal."""
    return NewRejection(
        channel=Channel.SMS,
        request_id=request_id,
        accepted_at=accepted_at,
        reason=Reason.INVALID_PARAMETER,
        message="Message cannot be empty",
        status=status,
        mark=mark,
        redelivered=redelivered,
        origin=origin,
        envelope=envelope,
    )


def claimed(notification: Notification, id_: int = 1, *, accepted_at: float = START) -> Claimed:
    """This request, whose turn has come for the first time."""
    return Claimed(
        id=id_,
        notification=notification,
        accepted_at=accepted_at,
        expires_at=accepted_at + 14_400.0,
        due_at=accepted_at,
    )


def a_claimed(id_: int = 1, *, accepted_at: float = START, **notification: Any) -> Claimed:
    """A request whose turn has come for the first time."""
    return claimed(a_notification(**notification), id_, accepted_at=accepted_at)


def a_doubtful(
    request: Claimed | None = None,
    *,
    opened_at: float = START,
    doubt_at: float = START + 30.0,
    clock_offset: float | None = 0.0,
    cut_off: bool = False,
) -> Doubtful:
    """A request whose attempt timed out."""
    return Doubtful(
        request=request or a_claimed(),
        opened_at=opened_at,
        doubt_at=doubt_at,
        clock_offset=clock_offset,
        cut_off=cut_off,
        message="operation timed out",
    )


def a_mark(packet_id: int = 1, *, digest: bytes = DIGEST) -> Mark:
    return Mark(packet_id=packet_id, digest=digest)


def a_success(
    id_: int,
    *,
    at: float = START,
    sid: str | None = None,
    status: bytes | None = None,
    attempt: int | None = None,
) -> Finish:
    """The step that ends an open attempt with acceptance."""
    sid = f"SM{id_:032x}" if sid is None else sid
    return Finish(
        id=id_,
        at=at,
        status=status or b'{"id":%d}' % id_,
        reason=None,
        outcome=AttemptOutcome.ACCEPTED,
        sid=sid,
        attempt=attempt,
    )


def a_failure(
    id_: int,
    *,
    at: float = START,
    reason: Reason = Reason.EXPIRED,
    outcome: AttemptOutcome | None = None,
    message: str = "It failed",
    counted: bool = False,
    attempt: int | None = None,
) -> Finish:
    """The step that ends a request without success."""
    return Finish(
        id=id_,
        at=at,
        status=b'{"id":%d}' % id_,
        reason=reason,
        message=message,
        outcome=outcome,
        counted=counted,
        attempt=attempt,
    )


def a_postponement(
    id_: int,
    *,
    due_at: float,
    at: float = START,
    reason: WaitReason = WaitReason.ACCOUNT_SLOWED,
    outcome: AttemptOutcome | None = None,
    counted: bool = False,
    attempt: int | None = None,
) -> Postpone:
    """The step that lets a request wait."""
    return Postpone(
        id=id_,
        at=at,
        due_at=due_at,
        reason=reason,
        message="It waits",
        code=20429,
        outcome=outcome,
        counted=counted,
        attempt=attempt,
    )


def a_doubt(
    id_: int, *, at: float = START, settle_at: float = START + 5, attempt: int | None = None
) -> Doubt:
    """The step that leaves an attempt in doubt."""
    return Doubt(id=id_, at=at, settle_at=settle_at, message="Twilio did not answer", attempt=attempt)


def accepted(sid: str = "SM0123456789abcdef0123456789abcdef", *, message_status: str = "queued") -> Answered:
    """Twilio took it."""
    return Answered(http_status=201, sid=sid, message_status=message_status)


def refused(code: int = 21_211, *, http_status: int = 400, retry_after: float | None = None) -> Answered:
    """Twilio said no, with a code of its own."""
    return Answered(http_status=http_status, code=code, message=f"No: {code}", retry_after=retry_after)


def too_many(*, retry_after: float | None = None) -> Answered:
    """HTTP 429: Twilio did not look at it."""
    return refused(20_429, http_status=429, retry_after=retry_after)


def unauthorized() -> Answered:
    """HTTP 401: Twilio does not know these credentials."""
    return refused(20_003, http_status=401)


def a_followed(
    request: Claimed | None = None, *, word: str = "queued", look_at: float | None = START + 5
) -> Followed:
    """A text that Twilio has accepted, as it is followed."""
    request = request or a_claimed()
    notification = request.notification
    return Followed(
        request=request,
        sid=f"SM{request.id:032x}",
        begun_at=START,
        look_at=look_at,
        delivery=Delivery(channel=notification.channel, state=word, changed_at=START),
        who=Who(
            sender_number=notification.sender_number,
            phone_number=notification.recipient.phone_number,
            name=notification.recipient.name,
        ),
    )


def a_change(
    followed: Followed,
    word: str = "sent",
    *,
    at: float = START + 10,
    look_at: float | None = START + 20,
    status: FollowUpStatus | None = None,
) -> Change:
    """Twilio's word for a delivery is another one since a look at it."""
    return Change(
        request=followed.request.id,
        version=followed.version,
        at=at,
        before=followed.delivery,
        after=replace(followed.delivery, state=word, changed_at=at),
        who=followed.who,
        look_at=look_at,
        happened=Happened(happening=Happening.CHANGED, source=LearnedFrom.POLL, word=word),
        status=status,
    )


def a_payload(
    phone_number: str = DARLA, *, request_id: str = "request123", message: str = "Hello", **request: Any
) -> bytes:
    """The published example for `twilio/txt`, as bytes; further arguments are properties of `request`."""
    recipient = {"name": "Darla", "phone_number": phone_number, "message": message}
    return json.dumps({"request": {"recipient": recipient, **request}, "id": request_id}).encode()
