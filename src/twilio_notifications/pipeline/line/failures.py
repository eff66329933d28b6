"""Tells of requests that end without success: one line each, a limited number a minute, then a count.

A line names the request by its number in the journal and by its sender's own id, and says why. It holds no
message text and no whole phone number, whatever the sentence quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.line.limiter import Limiter
from twilio_notifications.ports.events import (
    DeliveriesFailed,
    DeliveryFailed,
    RequestFailed,
    RequestRejected,
    RequestsFailed,
    RequestsRejected,
)

if TYPE_CHECKING:
    from twilio_notifications.core.delivery import DeliveryEnd, Followed
    from twilio_notifications.core.steps import Claimed, Finish
    from twilio_notifications.ports import Clock, Events, NewRejection

LINES_A_MINUTE: Final = 20
"""Of each kind: a person reads no more, and no sender can fill a disk with its mistakes."""

LONGEST_ID: Final = 64

_NATIONAL_NUMBER: Final = re.compile(r"(?<!\w)[0-9](?:[ ().-]{0,2}[0-9]){8,}(?!\w)")
"""At least nine digits. Numbers that begin with "+" are masked by the log itself."""
_QUOTED_VALUE: Final = re.compile(r"(number) .* (is not a valid E\.164 number)", re.DOTALL)
_VISIBLE_DIGITS: Final = 4


@dataclass(slots=True, kw_only=True)
class Failures:
    """One for the whole connector, so that its stages share one allowance."""

    events: Events
    clock: Clock
    _failed: Limiter = field(init=False)
    _rejected: Limiter = field(init=False)
    _undelivered: Limiter = field(init=False)
    _alarm: Alarm = field(init=False)

    def __post_init__(self) -> None:
        self._failed = Limiter(clock=self.clock, most=LINES_A_MINUTE)
        self._rejected = Limiter(clock=self.clock, most=LINES_A_MINUTE)
        self._undelivered = Limiter(clock=self.clock, most=LINES_A_MINUTE)
        self._alarm = Alarm(self.clock)

    async def run(self) -> None:
        """Tells at the end of each minute how many lines were left out; until cancelled."""
        try:
            while True:
                await self._alarm.wait(self._next())
                if (due_at := self._next()) is not None and self.clock.now() >= due_at:
                    self._tell_counts()
        finally:
            self._tell_counts()

    def failed(self, request: Claimed, step: Finish) -> None:
        """The request has ended with the step's reason."""
        if self._may_tell(self._failed):
            self.events.tell(
                RequestFailed(
                    number=request.id,
                    id=_shortened(request.notification.request_id),
                    phone_number=request.notification.recipient.phone_number,
                    reason=step.reason,
                    error=_masked(step.message or ""),
                )
            )

    def rejected(self, rejection: NewRejection) -> None:
        """The request was answered without ever being one."""
        if self._may_tell(self._rejected):
            self.events.tell(
                RequestRejected(
                    id=_shortened(str(rejection.request_id)),
                    channel=rejection.channel,
                    reason=rejection.reason,
                    error=_masked(_QUOTED_VALUE.sub(r"\1 \2", rejection.message)),
                )
            )

    def undelivered(self, followed: Followed, state: str, end: DeliveryEnd) -> None:
        """What Twilio accepted did not arrive, for the reason of `end`."""
        if end.reason is not None and self._may_tell(self._undelivered):
            notification = followed.request.notification
            self.events.tell(
                DeliveryFailed(
                    number=followed.request.id,
                    id=_shortened(notification.request_id),
                    phone_number=notification.recipient.phone_number,
                    reason=end.reason,
                    state=state,
                    error=_masked(end.message),
                )
            )

    def _may_tell(self, limiter: Limiter) -> bool:
        due_at = limiter.count_due_at()
        if due_at is not None and self.clock.now() >= due_at:
            self._tell_counts()
        if limiter.admits():
            return True
        self._alarm.ring()
        return False

    @property
    def _limiters(self) -> tuple[Limiter, ...]:
        return self._failed, self._rejected, self._undelivered

    def _next(self) -> float | None:
        instants = [limiter.count_due_at() for limiter in self._limiters]
        return min((instant for instant in instants if instant is not None), default=None)

    def _tell_counts(self) -> None:
        if count := self._failed.taken_count():
            self.events.tell(RequestsFailed(left_out=count))
        if count := self._rejected.taken_count():
            self.events.tell(RequestsRejected(left_out=count))
        if count := self._undelivered.taken_count():
            self.events.tell(DeliveriesFailed(left_out=count))


def _shortened(request_id: str) -> str:
    return request_id if len(request_id) <= LONGEST_ID else f"{request_id[:LONGEST_ID]}…"


def _masked(sentence: str) -> str:
    def hidden(number: re.Match[str]) -> str:
        return f"{'*' * (len(number[0]) - _VISIBLE_DIGITS)}{number[0][-_VISIBLE_DIGITS:]}"

    return _NATIONAL_NUMBER.sub(hidden, sentence)
