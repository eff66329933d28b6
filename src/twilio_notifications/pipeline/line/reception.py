"""Makes of what a transport delivered what the journal records: a request, or a rejection with its status."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import contract
from twilio_notifications.core.conclusions import NOT_SENT
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Channel, Notification, Rejection
from twilio_notifications.core.steps import Claimed
from twilio_notifications.ports.journal import Mark, NewRejection, NewRequest, NewWish

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.conclusions import ChainWriter, StatusWriter
    from twilio_notifications.ports import Clock, Inbound
    from twilio_notifications.ports.journal import Arrival

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Knows the contract and the defaults of the configuration."""

    clock: Clock
    statuses: StatusWriter
    default_sender_number: str | None
    lifetime_seconds: float
    extensions: contract.Extensions
    writer: ChainWriter

    def arrival(self, inbound: Inbound, channel: Channel, *, admits: Callable[[Claimed], bool]) -> Arrival:
        """The request, or the rejection that says how it breaks the contract.

        `admits` says whether a request may leave at once; its `id` is 0, as the journal gives numbers later.
        """
        match self._parse(inbound, channel):
            case Notification() as parsed:
                now = self.clock.now()
                ends = now + (parsed.valid_for_seconds or self.lifetime_seconds)
                request = Claimed(id=0, notification=parsed, accepted_at=now, expires_at=ends, due_at=now)
                name = parsed.escalation
                return NewRequest(
                    notification=parsed,
                    accepted_at=now,
                    expires_at=ends,
                    # The journal gives a chain its code at the telephone, which its text is to name.
                    may_leave=name is None and admits(request),
                    hint="" if name is None else self.writer.hint(name, channel),
                    writer=self.writer,
                    mark=_mark(inbound),
                    redelivered=inbound.redelivered,
                    origin=inbound.origin,
                    envelope=inbound.envelope,
                )
            case Rejection() as rejection:
                return self._reject(inbound, rejection, Reason.INVALID_PARAMETER, channel=channel)
            case never:
                assert_never(never)

    def wish(self, inbound: Inbound, *, cancels: bool) -> NewWish | NewRejection | Rejection:
        """What a client wants on the topics for cancellations and acknowledgements.

        A payload that breaks the rules is rejected, with a status to publish; where it has no id to answer,
        the rejection alone says which rule.
        """
        parse = contract.parse_cancellation if cancels else contract.parse_acknowledgement
        size = inbound.passed_over
        wish = contract.too_large(size) if size else parse(inbound.payload)
        if not isinstance(wish, Rejection):
            return NewWish(
                wish=wish,
                at=self.clock.now(),
                writer=self.writer,
                mark=_mark(inbound),
                redelivered=inbound.redelivered,
                origin=inbound.origin,
            )
        if wish.request_id == "":
            return wish
        # No channel is meant; a rejection has to have one.
        return self._reject(inbound, wish, Reason.INVALID_PARAMETER, channel=Channel.SMS)

    def defect(self, inbound: Inbound, channel: Channel, *, request_id: str | float = "") -> NewRejection:
        """The answer to a request on which the connector itself fails."""
        rejection = Rejection(request_id=request_id, message=NOT_SENT)
        return self._reject(inbound, rejection, Reason.INTERNAL_ERROR, channel=channel)

    def with_refusal(self, inbound: Inbound, request: NewRequest) -> NewRequest:
        """The request with the answer that is recorded in its place where the journal has no room for it.

        In the same commit, so that acknowledgements leave in the order of arrival (MQTT 5, 4.6).
        """
        rejection = Rejection(
            request_id=request.notification.request_id,
            message="The journal is full: too many requests wait already",
        )
        channel = request.notification.channel
        return replace(request, if_full=self._reject(inbound, rejection, Reason.QUEUE_FULL, channel=channel))

    def _parse(self, inbound: Inbound, channel: Channel) -> Notification | Rejection:
        if inbound.passed_over:
            return contract.too_large(inbound.passed_over)
        default = self.default_sender_number
        return contract.parse(
            inbound.payload, channel=channel, default_sender_number=default, extensions=self.extensions
        )

    def _reject(
        self, inbound: Inbound, rejection: Rejection, reason: Reason, *, channel: Channel
    ) -> NewRejection:
        now = self.clock.now()
        return NewRejection(
            channel=channel,
            request_id=rejection.request_id,
            accepted_at=now,
            reason=reason,
            message=rejection.message,
            status=self.statuses.rejected(rejection, reason, channel=channel, at=now),
            mark=_mark(inbound),
            redelivered=inbound.redelivered,
            origin=inbound.origin,
            envelope=inbound.envelope,
        )


def _mark(inbound: Inbound) -> Mark | None:
    if inbound.packet_id is None:
        return None
    # The size is all that is known of a payload that was passed over.
    known = f"{inbound.topic}\0{inbound.passed_over or ''}\0".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(known + inbound.payload, digest_size=_DIGEST_BYTES)
    return Mark(packet_id=inbound.packet_id, digest=digest.digest())
