"""Finds out whether Twilio takes the login: at the start, and whenever the secrets were read again.

Otherwise a wrong token would be noticed at the first alarm. It sends nothing and holds nothing up: a start
does not wait for it, and what Twilio refuses is refused to each request anyway.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.answers import refuses_login
from twilio_notifications.core.model import Answered
from twilio_notifications.ports.events import (
    Defect,
    LoginAccepted,
    LoginForTests,
    LoginRefused,
    LoginUnchecked,
)

if TYPE_CHECKING:
    from twilio_notifications.core.model import Answer
    from twilio_notifications.pipeline.alarm import Alarm
    from twilio_notifications.ports import Clock, Event, Events, Sender

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 300.0
"""Between two tries while Twilio does not answer, or refuses; each pause is twice the one before it."""

START_SECONDS: Final = 1.0
"""How long after the start: requests that wait in the journal and at the broker come first."""

DELAY_SECONDS: Final = 5.0
"""After the secrets were read again: in a rotation the new one is stored some moments before Twilio takes it,
or after."""

_OK: Final = 200
_TEST_CREDENTIALS: Final = 20_008
_FORBIDDEN: Final = 403


@dataclass(slots=True, kw_only=True)
class LoginCheck:
    """Asks at the start and after each ring of its bell, and again until Twilio takes the login."""

    sender: Sender
    clock: Clock
    events: Events
    bell: Alarm
    """Rung when the secrets were read again."""
    _told: type[Event] | None = field(init=False, default=None)
    """The kind of the last event: a state that lasts has one line."""

    async def run(self) -> None:
        """Checks until cancelled."""
        pause = FIRST_PAUSE_SECONDS
        await self.clock.sleep(START_SECONDS)
        while True:
            if await self._is_settled():
                pause = FIRST_PAUSE_SECONDS
                await self.bell.wait()
                await self.clock.sleep(DELAY_SECONDS)
            else:
                await self.bell.wait(self.clock.now() + pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _is_settled(self) -> bool:
        try:
            answer = await self.sender.verify()
        except Exception as error:  # noqa: BLE001 - a defect of ours; requests go on without this check
            self.events.tell(Defect(name="login_check_failed", error=error))
            return True
        return self._tell(answer)

    def _tell(self, answer: Answer) -> bool:
        """Tells what is news; whether there is nothing more to find out."""
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
                return False  # its rate, or a failure of its own
            case unanswered:
                self._tell_news(LoginUnchecked(error=unanswered.detail))
                return False
        return True

    def _tell_forbidden(self, answer: Answered) -> None:
        """The login exists, and may not read messages."""
        if answer.code == _TEST_CREDENTIALS:
            self._tell_news(LoginForTests())
        else:
            error = f"Twilio does not let this login read messages: HTTP 403 {answer.message or ''}".rstrip()
            self._tell_news(LoginUnchecked(error=error))

    def _tell_news(self, event: Event) -> None:
        """Tells an event of another kind than the last one."""
        before, self._told = self._told, type(event)
        if before is not self._told:
            self.events.tell(event)
