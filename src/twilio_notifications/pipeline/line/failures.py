"""Tells the events of requests that end without success: a limited number in a minute, then a count.

Each event has the request's number in the journal, the id that the client gave, and the reason. It holds
no message text and no whole phone number, even if the sentence of the reason quotes them.
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
    from twilio_notifications.ports import Clock, Events, NewRejection, Unsuccessful

LINES_A_MINUTE: Final = 20
"""The most lines of each kind: a person reads no more, and a client's mistakes cannot fill the disk."""

LONGEST_ID: Final = 64

_NATIONAL_NUMBER: Final = re.compile(r"(?<!\w)[0-9](?:[ ().-]{0,2}[0-9]){8,}(?!\w)")
"""A number with at least nine digits. The log itself masks numbers that begin with "+"."""
_QUOTED_VALUE: Final = re.compile(r"(number) .* (is not a valid E\.164 number)", re.DOTALL)
_VISIBLE_DIGITS: Final = 4


@dataclass(slots=True, kw_only=True)
class Failures:
    """The failures of the whole connector: all stages share one limit."""

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
        """Tells at the end of each minute how many lines were left out. Runs until cancelled."""
        try:
            while True:
                await self._alarm.wait(self._next())
                if (due_at := self._next()) is not None and self.clock.now() >= due_at:
                    self._tell_counts()
        finally:
            self._tell_counts()

    def failed(self, request: Claimed, step: Finish | Unsuccessful) -> None:
        """Tells that the request has ended with this reason."""
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
        """Tells that the request was answered with a rejection."""
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
        if count := self._failed.take_count():
            self.events.tell(RequestsFailed(left_out=count))
        if count := self._rejected.take_count():
            self.events.tell(RequestsRejected(left_out=count))
        if count := self._undelivered.take_count():
            self.events.tell(DeliveriesFailed(left_out=count))


def _shortened(request_id: str) -> str:
    return request_id if len(request_id) <= LONGEST_ID else f"{request_id[:LONGEST_ID]}…"


def _masked(sentence: str) -> str:
    def hidden(number: re.Match[str]) -> str:
        return f"{'*' * (len(number[0]) - _VISIBLE_DIGITS)}{number[0][-_VISIBLE_DIGITS:]}"

    return _NATIONAL_NUMBER.sub(hidden, sentence)
