"""The status at the end of a chain, which is published whatever `follow_up` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core import contract
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.escalation.chains import EndKind

if TYPE_CHECKING:
    from twilio_notifications.core.escalation.chains import ChainEnd
    from twilio_notifications.core.model import Notification

ACKNOWLEDGED: Final = "acknowledged"


def report(end: ChainEnd, request: Notification) -> contract.Success | contract.Failure:
    """The content of the status that ends the chain of `request`."""
    match end.kind:
        case EndKind.ACKNOWLEDGED:
            return contract.Success(
                message_status=ACKNOWLEDGED,
                sender_number=request.sender,
                phone_number=request.recipient.phone_number,
                name=request.recipient.name,
            )
        case EndKind.UNACKNOWLEDGED:
            return contract.Failure(
                reason=Reason.NOT_ACKNOWLEDGED,
                message="No one acknowledged the escalation in time. Look after it, and request it again.",
            )
        case EndKind.CANCELLED:
            return contract.Failure(reason=Reason.CANCELLED, message="The escalation was cancelled")
        case EndKind.SUPERSEDED:
            return contract.Failure(
                reason=Reason.SUPERSEDED, message="A newer request about the same took its place"
            )
        case _:
            assert_never(end.kind)
