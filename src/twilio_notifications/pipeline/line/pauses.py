"""Tells when requests begin to wait, until when, and when they go on: one line for each beginning and end.

It decides nothing: it gets the dispatcher's decisions, and knows which lines the log already has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core import policy
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import DeferralScope
from twilio_notifications.core.wording import instant
from twilio_notifications.pipeline.line.limiter import Limiter
from twilio_notifications.ports.events import (
    CredentialsAccepted,
    CredentialsRefused,
    LimitFreeAgain,
    LimitUsedUp,
    SenderPaused,
    SenderResumed,
    SendingPaused,
    SendingResumed,
    TwilioReachable,
    TwilioUnreachable,
)

if TYPE_CHECKING:
    from twilio_notifications.core.model import Deferred
    from twilio_notifications.core.pace import PacedSender
    from twilio_notifications.ports import Clock, Events

LINES_A_MINUTE: Final = 6
"""The most lines about pauses for Twilio's rate: at full speed such pauses begin and end each second."""

MOST_TOLD: Final = 100
"""The most sender numbers, and the most limits, whose pauses have lines."""


@dataclass(slots=True, kw_only=True)
class Pauses:
    """The pauses that the log has told."""

    events: Events
    clock: Clock
    _limiter: Limiter = field(init=False)
    _account_until: float | None = field(init=False, default=None)
    _senders: dict[PacedSender, float] = field(init=False, default_factory=dict)
    _quotas: dict[str, float] = field(init=False, default_factory=dict)
    _is_elsewhere: bool = field(init=False, default=False)
    """Whether the log has said that another server than Twilio answers."""
    _is_refused: bool = field(init=False, default=False)
    """Whether the log has said that Twilio refuses the credentials."""

    def __post_init__(self) -> None:
        self._limiter = Limiter(clock=self.clock, most=LINES_A_MINUTE)

    def began(
        self,
        deferred: Deferred,
        *,
        before: policy.Pace,
        after: policy.Pace,
        sender: PacedSender,
        fails_at: float,
    ) -> None:
        """Tells that a deferral changed the pace. Requests with refused credentials fail at `fails_at`."""
        match deferred.scope:
            case DeferralScope.NETWORK:
                if not before.offline:
                    self.events.tell(TwilioUnreachable(error=deferred.message))
            case DeferralScope.ADDRESS:
                if not self._is_elsewhere:
                    self._is_elsewhere = True
                    until = instant(after.closed_until)
                    self.events.tell(TwilioUnreachable(until=until, error=deferred.message))
            case DeferralScope.CREDENTIALS:
                if before.refused_since is None:
                    self._is_refused = True
                    self.events.tell(
                        CredentialsRefused(
                            until=instant(fails_at),
                            error="Twilio refuses the account SID or the secret; requests wait for a new one",
                        )
                    )
            case DeferralScope.ACCOUNT:
                self._account(deferred, after)
            case DeferralScope.SENDER:
                self.sender_stalled(sender, until=after.senders.get(sender, 0.0), error=deferred.message)
            case _:
                assert_never(deferred.scope)

    def _account(self, deferred: Deferred, after: policy.Pace) -> None:
        until = after.closed_until
        if until <= max(self._account_until or 0.0, self.clock.now()) or not self._limiter.admits():
            return
        self._account_until = until
        self.events.tell(SendingPaused(until=instant(until), error=deferred.message))

    def sender_stalled(self, sender: PacedSender, *, until: float, error: str) -> None:
        """Tells that the queue of a sender at Twilio is full."""
        if sender not in self._senders:
            if len(self._senders) >= MOST_TOLD:
                return
            self.events.tell(SenderPaused(until=instant(until), error=error, sender_number=sender.number))
        self._senders[sender] = until

    def kept(self, verdict: policy.Verdict) -> None:
        """Tells that a request was not admitted because a limit is used up; each limit has one line."""
        match verdict:
            case policy.Defer(until=until, reason=Reason.QUOTA_EXCEEDED, message=sentence):
                if sentence not in self._quotas and len(self._quotas) < MOST_TOLD:
                    self._quotas[sentence] = until
                    self.events.tell(LimitUsedUp(until=instant(until), error=sentence))
            case _:
                pass

    def answered(self) -> None:
        """Tells the end of pauses after Twilio accepted or refused a request: the login works then."""
        self.reached()
        if self._is_refused:
            self._is_refused = False
            self.events.tell(CredentialsAccepted())

    def reached(self, *, was_offline: bool = False) -> None:
        """Tells that Twilio can be reached again."""
        if self._is_elsewhere or was_offline:
            self._is_elsewhere = False
            self.events.tell(TwilioReachable())

    def passed(self) -> None:
        """Tells the end of each pause whose time has passed."""
        now = self.clock.now()
        if self._account_until is not None and now >= self._account_until:
            self._account_until = None
            self.events.tell(SendingResumed())
        for sender in [sender for sender, until in self._senders.items() if now >= until]:
            del self._senders[sender]
            self.events.tell(SenderResumed(sender_number=sender.number))
        for sentence in [sentence for sentence, until in self._quotas.items() if now >= until]:
            del self._quotas[sentence]
            self.events.tell(LimitFreeAgain(limit=sentence))
