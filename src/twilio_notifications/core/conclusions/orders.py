"""What people's orders make of requests, and the sentences that say so.

The journal calls these functions within the transaction that carries an order out. All of them are pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core.delivery import first_word
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.core.model import Accepted, Channel
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.core.wording import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.conclusions.chains import ChainWriter
    from twilio_notifications.core.model import Notification
    from twilio_notifications.core.orders import PauseOrder, ResolveOrder
    from twilio_notifications.core.steps import Claimed, Finish

SENT_STATUS: Final = "sent"
"""The `message_status` of a request that a person reports as sent."""

UNREADABLE_ORDER: Final = "its parameters cannot be read: no part of this program wrote it"
DEFECTIVE_ORDER: Final = (
    "the connector failed on this order, and did not carry it out; its log has the details"
)
JOURNAL_IS_FULL: Final = "the journal is at its limit, and takes no request more"
NOT_KEPT: Final = "it was rejected when it came, and its content was not kept; its status says why"
NO_CHAIN: Final = "it belongs to no escalation"
CHAIN_HAS_ENDED: Final = "its escalation has ended already"
NOT_PAUSED: Final = "requests are not paused"
ACKNOWLEDGED: Final = "acknowledged"
RESUMED: Final = "requests leave again"

_SID_PREFIXES = {Channel.SMS: ("SM", "MM"), Channel.CALL: ("CA",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWriter:
    """Knows what orders mean for requests."""

    chains: ChainWriter
    lifetime_seconds: float
    """Of a request without one of its own."""

    def again(self, request: Claimed, *, at: float) -> tuple[Notification, float]:
        """What a new request says that sends this one again, and when that expires.

        Its own lifetime, where it has one, counts from now. Its chain does not begin again: the person who
        sends a request again looks after it.
        """
        notification = replace(request.notification, escalation=None)
        own = notification.valid_for_seconds
        return notification, at + (self.lifetime_seconds if own is None else own)

    def resolved(self, request: Claimed, order: ResolveOrder, *, at: float) -> Finish:
        """The end of a request as a person says that it was."""
        statuses = self.chains.statuses
        if not order.sent:
            message = "A person settled it: nothing was sent"
            reason, outcome = Reason.TWILIO_UNAVAILABLE, AttemptOutcome.FAILED
            return statuses.failed(request, reason, message, at=at, outcome=outcome, counted=False)
        accepted = Accepted(
            sid=order.sid or "",
            message_status=SENT_STATUS,
            sender_number=request.notification.sender_number,
            phone_number=request.notification.recipient.phone_number,
        )
        step = statuses.accepted(request, accepted, at=at, counted=False)
        if step.follow is None:
            return step
        # Twilio's own words come with the looks. What the person says is none of them.
        follow = replace(step.follow, word=first_word(request.notification.channel))
        return replace(step, follow=follow)


def resend_refusal(state: State) -> str | None:
    """Why a request in this state cannot be sent again; None: it can."""
    match state:
        case State.WAITING:
            return "it waits still, and is sent by itself"
        case State.OPEN | State.IN_DOUBT:
            return "it is in doubt: Twilio may have it. Sent again now, it might arrive twice"
        case State.FINISHED | State.REPORTED:
            return None
        case _:
            assert_never(state)


def may_arrive_twice(state: State, reason: Reason | None) -> bool:
    """Whether a request was sent, or may have been: a person is asked before it is sent again."""
    return state not in UNFINISHED and reason in {None, Reason.OUTCOME_UNKNOWN}


def resolve_refusal(state: State) -> str:
    """Why the outcome of a request in this state is not for a person to say."""
    if state in UNFINISHED:
        return "it has no outcome yet: Twilio's records are looked up before a person is asked"
    return (
        f"it was not answered with {Reason.OUTCOME_UNKNOWN}, or what a person said of it has been "
        "acknowledged already: there is nothing to resolve. "
        "See: twilio-notifications journal list --only unknown"
    )


def sid_refusal(order: ResolveOrder, channel: Channel) -> str | None:
    """Why the SID of the order is none of this request; None: it may be, or there is none."""
    if order.sid is None:
        return None
    if not order.sent:
        return "what was not sent has no SID"
    prefixes = _SID_PREFIXES[channel]
    if order.sid.startswith(prefixes):
        return None
    return f"{order.sid} does not fit: give this request's own SID, which begins with {' or '.join(prefixes)}"


def used_sid_refusal(order: ResolveOrder, *, owner: int) -> str:
    """Why the SID of the order is none of its request: it is that of the request `owner`."""
    return (
        f"{order.sid} is the SID of request {owner} already: look again in Twilio's console which text or "
        f"call belongs to request {order.request}"
    )


def resolve_result(order: ResolveOrder) -> str:
    """What an order to resolve has done."""
    return f"sent {order.sid or ''}".rstrip() if order.sent else "not sent"


def cancel_result(*, chain: bool, waited: bool, attempted: bool, calls: bool) -> str | None:
    """What an order to cancel has ended; None: nothing."""
    ended: Sequence[str] = [
        sentence
        for sentence, holds in (
            ("its escalation has ended", chain),
            ("it waits no more, and is not sent", waited),
            ("its attempt is under way, and is the last one", attempted),
            ("Twilio is asked to end its call", calls),
        )
        if holds
    ]
    return "; ".join(ended) or None


def cancel_refusal(state: State) -> str:
    """Why nothing of a request in this state can be cancelled."""
    if state in UNFINISHED:
        return "it is cancelled already"
    return "it is finished, and nothing of it waits: what is at Twilio cannot be taken back"


def pause_refusal(order: PauseOrder, *, at: float) -> str | None:
    """Why the pause does not begin; None: it does."""
    if order.until is None or order.until > at:
        return None
    return f"the pause would have ended at {instant(order.until)}, before it could begin"


def pause_result(order: PauseOrder) -> str:
    """What an order to pause has done."""
    if order.until is None:
        return "all requests wait until: twilio-notifications journal resume"
    return f"all requests wait until {instant(order.until)}"


def pause_message(*, by: str) -> str:
    """What the pause says of itself, in the journal and in the log."""
    return f"all requests wait by an order of {by}"
