"""What chains do and say: the step that is due, the requests that it becomes, and the status of the end.

The journal calls these functions within its transactions, so that the end of a chain and all that it ends are
one change. All of them are pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from twilio_notifications.core import delivery, escalation
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.escalation import Chain, ChainHistory, TakenStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.conclusions.statuses import StatusWriter
    from twilio_notifications.core.delivery import Delivery
    from twilio_notifications.core.escalation import ChainEnd, ChainStep, Next
    from twilio_notifications.core.model import Channel, Contact, Notification
    from twilio_notifications.core.steps import Claimed, Finish

_NO_CHAIN: Final = Chain(steps=())
"""What a chain goes on as that is configured no more: it waits for an acknowledgement, and ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What is known of one request of a chain."""

    request: int
    is_finished: bool
    reason: Reason | None
    """Why it failed before it was at Twilio; None: it did not."""
    delivery: Delivery | None
    """None: its delivery is not followed."""

    @property
    def failed(self) -> bool:
        """Whether it has finally failed. What may have been sent has not."""
        if not self.is_finished:
            return False
        if self.reason is not None:
            return self.reason is not Reason.OUTCOME_UNKNOWN
        end = None if self.delivery is None else delivery.ending(self.delivery)
        return end is not None and end.reason is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberStep:
    """A step that was taken; its requests, none where it had nothing to say."""

    at: float
    members: tuple[Member, ...]

    @property
    def failed(self) -> bool:
        return all(member.failed for member in self.members)

    @property
    def pending(self) -> bool:
        return not all(member.is_finished for member in self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningChain:
    """A chain that waits for an acknowledgement."""

    request: Claimed
    """The request that began it, as its client wrote it."""
    name: str
    """Of the configured escalation."""
    began_at: float
    began: Member
    taken: tuple[MemberStep, ...]
    hastened: int = 0
    """Grows with what makes it due at once."""

    @property
    def history(self) -> ChainHistory:
        return ChainHistory(
            began=TakenStep(at=self.began_at, failed=self.began.failed, pending=not self.began.is_finished),
            taken=tuple(
                TakenStep(at=step.at, failed=step.failed, pending=step.pending) for step in self.taken
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndStatus:
    """The status that tells of the end of a chain."""

    status: bytes
    reason: Reason | None
    """None for success."""
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainWriter:
    """Knows the configured chains and contacts, and writes what their ends say."""

    statuses: StatusWriter
    chains: Mapping[str, Chain]
    contacts: Mapping[str, Contact]
    default_sender_number: str | None
    takes_answers: bool = True
    """Whether a text back, a call back or a key acknowledges; not where deliveries are not followed."""

    def chain(self, name: str) -> Chain:
        """The configured chain; one without steps where the configuration knows it no more."""
        return self.chains.get(name, _NO_CHAIN)

    def hint(self, name: str, channel: Channel) -> str:
        """How to acknowledge, as a text or a call of this chain says it; "" where answers are not read."""
        return self.chain(name).hint(channel) if self.takes_answers else ""

    def next(self, running: RunningChain, *, now: float) -> Next:
        """What the chain does at `now`."""
        return escalation.next_step(self.chain(running.name), running.history, now=now)

    def requests(self, running: RunningChain, step: ChainStep) -> tuple[Notification, ...]:
        """The requests of a step; contacts that the configuration knows no more are left out."""
        known = tuple(name for name in step.contacts if name in self.contacts)
        return escalation.requests_of(
            replace(step, contacts=known),
            running.request.notification,
            contacts=self.contacts,
            default_sender_number=self.default_sender_number,
        )

    def end(self, request: Claimed, end: ChainEnd) -> EndStatus:
        """The status that tells of the end of the chain that `request` began."""
        content = escalation.report(end, request.notification)
        status = self.statuses.chain_end(request, content, end)
        return EndStatus(
            status=status,
            reason=getattr(content, "reason", None),
            message=getattr(content, "message", None),
        )

    def superseded(self, request: Claimed, *, at: float) -> Finish:
        """The end of a request in whose place a newer one came while it waited."""
        return self._ended(
            request, Reason.SUPERSEDED, "A newer request about the same took its place while it waited", at=at
        )

    def cancelled(self, request: Claimed, *, at: float) -> Finish:
        """The end of a request that was cancelled while it waited."""
        return self._ended(request, Reason.CANCELLED, "It was cancelled while it waited", at=at)

    def told(
        self, request: Claimed, end: ChainEnd, *, notified: Mapping[str, str], number: str | None
    ) -> tuple[Notification, ...]:
        """The texts that tell the others who has it; `number` is the telephone of that person, if known."""
        if end.acknowledged is None or not self.chain(request.notification.escalation or "").tell_others:
            return ()
        by = end.acknowledged.by
        # A person who is known by name alone gets no text either.
        others = {each: name for each, name in notified.items() if number is not None or name != by}
        texts = escalation.told(by, notified=others, number=number)
        return escalation.telling(
            texts,
            request.notification,
            names=notified,
            default_sender_number=self.default_sender_number,
        )

    def _ended(self, request: Claimed, reason: Reason, message: str, *, at: float) -> Finish:
        return self.statuses.failed(request, reason, message, at=at, outcome=None, counted=False)
