"""Checks whether Twilio accepts the login: at the start, and each time the secrets were read again.

Without the check, the first notification would reveal a wrong token. The check sends no notification and
delays none: a start does not wait for it, and requests notice a refused login by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.answers import refuses_login
from twilio_notifications.core.model import Answered
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.ports.events import (
    Defect,
    LoginAccepted,
    LoginForTests,
    LoginRefused,
    LoginUnchecked,
)

if TYPE_CHECKING:
    from twilio_notifications.core.model import Answer
    from twilio_notifications.ports import Clock, Event, Events, Sender

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 300.0
"""The longest pause between two checks while Twilio does not answer, or refuses; each pause is twice the
last."""

START_SECONDS: Final = 1.0
"""From the start to the first check: the requests that wait in the journal and at the broker come first."""

DELAY_SECONDS: Final = 5.0
"""From a reading of the secrets to the check: in a rotation, Twilio may accept a new secret some moments
after it is stored."""

_OK: Final = 200
_TEST_CREDENTIALS: Final = 20_008
_FORBIDDEN: Final = 403


@dataclass(slots=True, kw_only=True)
class LoginCheck:
    """Checks at the start and after each `wake`, and repeats the check until Twilio accepts the login."""

    sender: Sender
    clock: Clock
    events: Events
    _alarm: Alarm = field(init=False)
    _told: type[Event] | None = field(init=False, default=None)
    """The kind of the last event: each state has one line."""

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)

    def wake(self) -> None:
        """Starts a check, because the secrets were read again."""
        self._alarm.ring()

    async def run(self) -> None:
        """Checks until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        await self.clock.sleep(START_SECONDS)
        while True:
            if await self._is_settled():
                pause = FIRST_PAUSE_SECONDS
                await self._alarm.wait()
                await self.clock.sleep(DELAY_SECONDS)
            else:
                await self._alarm.wait(self.clock.now() + pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _is_settled(self) -> bool:
        try:
            answer = await self.sender.verify()
        except Exception as error:  # noqa: BLE001 - a defect of ours; requests go on without this check
            self.events.tell(Defect(name="login_check_failed", error=error))
            return True
        return self._tell(answer)

    def _tell(self, answer: Answer) -> bool:
        """Tells the result if it is news; returns False where the check must be repeated."""
        match answer:
            case Answered(http_status=status) if status == _OK:
                self._tell_news(LoginAccepted())
            case Answered(http_status=status) if status == _FORBIDDEN:
                self._tell_forbidden(answer)
            case Answered() if refuses_login(answer):
                error = "Twilio refuses the account SID or the secret: requests would wait, and then fail"
                self._tell_news(LoginRefused(error=error))
                return False
            case Answered():
                return False  # a limit or a failure of Twilio, which says nothing about the login
            case unanswered:
                self._tell_news(LoginUnchecked(error=unanswered.detail))
                return False
        return True

    def _tell_forbidden(self, answer: Answered) -> None:
        """Tells that the login exists, but may not read messages."""
        if answer.code == _TEST_CREDENTIALS:
            self._tell_news(LoginForTests())
        else:
            error = f"Twilio does not let this login read messages: HTTP 403 {answer.message or ''}".rstrip()
            self._tell_news(LoginUnchecked(error=error))

    def _tell_news(self, event: Event) -> None:
        """Tells the event, unless the last one was of the same kind."""
        before, self._told = self._told, type(event)
        if before is not self._told:
            self.events.tell(event)
