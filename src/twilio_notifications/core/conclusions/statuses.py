"""Composes the status of a request, and the step that ends it, from what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twilio_notifications.core import contract
from twilio_notifications.core.delivery import Tracking
from twilio_notifications.core.steps import AttemptOutcome, Finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.delivery import Followed
    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.escalation import ChainEnd
    from twilio_notifications.core.model import Accepted, Channel, Rejection
    from twilio_notifications.core.steps import Claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWriter:
    """Writes statuses in the configured detail."""

    extended: bool = False
    tracking: Tracking = field(default_factory=Tracking)
    """What is followed after the first status, and told."""

    def accepted(self, request: Claimed, accepted: Accepted, *, at: float, counted: bool = True) -> Finish:
        """The step that ends a request with success."""
        content = contract.Success(
            message_status=accepted.message_status,
            sender_number=accepted.sender_number,
            phone_number=accepted.phone_number,
            name=request.notification.recipient.name,
        )
        attempts = request.attempts + counted
        sid = accepted.sid or None  # a person may know that it was sent, and not its SID
        detail = self._detail(
            request.notification.channel,
            accepted_at=request.accepted_at,
            finished_at=at,
            attempts=attempts,
            sid=sid,
        )
        status = contract.render(content, request_id=request.notification.request_id, detail=detail)
        return Finish(
            id=request.id,
            at=at,
            status=status,
            reason=None,
            outcome=AttemptOutcome.ACCEPTED,
            sid=sid,
            counted=counted,
            follow=self.tracking.begin(request.notification, accepted, at=at),
            attempt=request.attempt,
        )

    def follow_up(
        self,
        followed: Followed,
        content: contract.Success | contract.LateFailure,
        *,
        at: float,
        code: int | None,
    ) -> bytes:
        """The status that tells what became of a delivery."""
        request = followed.request
        detail = self._detail(
            request.notification.channel,
            accepted_at=request.accepted_at,
            finished_at=at,
            attempts=request.attempts,
            sid=followed.sid,
            twilio_code=code,
        )
        return contract.render(content, request_id=request.notification.request_id, detail=detail)

    def failed(  # noqa: PLR0913 - what a status says, and what the step keeps
        self,
        request: Claimed,
        reason: Reason,
        message: str,
        *,
        at: float,
        outcome: AttemptOutcome | None,
        counted: bool,
        code: int | None = None,
    ) -> Finish:
        """The step that ends a request with failure; `outcome` is that of its open attempt, if it has one."""
        detail = self._detail(
            request.notification.channel,
            accepted_at=request.accepted_at,
            finished_at=at,
            attempts=request.attempts + counted,
            twilio_code=code,
        )
        status = contract.render(
            contract.Failure(reason=reason, message=message),
            request_id=request.notification.request_id,
            detail=detail,
        )
        return Finish(
            id=request.id,
            at=at,
            status=status,
            reason=reason,
            message=message,
            code=code,
            outcome=outcome,
            counted=counted,
            attempt=None if outcome is None else request.attempt,
        )

    def chain_end(self, request: Claimed, content: contract.StatusContent, end: ChainEnd) -> bytes:
        """The status that tells of the end of a chain; extended, with who acknowledged, how and when."""
        detail = self._detail(
            request.notification.channel,
            accepted_at=request.accepted_at,
            finished_at=end.at,
            attempts=request.attempts,
        )
        if detail is not None and end.acknowledged is not None:
            who = end.acknowledged
            detail = {
                **detail,
                "acknowledged_by": who.by,
                "acknowledged_how": who.door,
                "acknowledged_at": _instant(end.at),
            }
        return contract.render(content, request_id=request.notification.request_id, detail=detail)

    def rejected(self, rejection: Rejection, reason: Reason, *, channel: Channel, at: float) -> bytes:
        """The status of a request that was never attempted."""
        return contract.render(
            contract.Failure(reason=reason, message=rejection.message),
            request_id=rejection.request_id,
            detail=self._detail(channel, accepted_at=at, finished_at=at, attempts=0),
        )

    def _detail(
        self,
        channel: Channel,
        *,
        accepted_at: float,
        finished_at: float,
        attempts: int,
        sid: str | None = None,
        twilio_code: int | None = None,
    ) -> Mapping[str, object] | None:
        if not self.extended:
            return None
        return {
            "sid": sid,
            "attempts": attempts,
            "channel": channel,
            "twilio_code": twilio_code,
            "accepted_at": _instant(accepted_at),
            "finished_at": _instant(finished_at),
        }


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
