"""The questions of `init`: each is about one setting or more, and judged as the configuration judges it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications.config.sections import SETTINGS
from twilio_notifications.config.sections.connector import PARAMETERS
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.core.phone_numbers import is_e164
from twilio_notifications.core.wording import shown

if TYPE_CHECKING:
    from collections.abc import Callable

_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `default` is what an empty answer means; None: an answer is needed.

    `settings` are the dotted names of the settings that get the answer, all of them the same value.
    """

    option: str
    asks: str
    settings: tuple[str, ...]
    default: str | None
    metavar: str
    judge: Callable[[str], Wrong | None] | None = None
    """For what the kind of the setting does not say; None: the kind says it all."""

    def value(self, text: str) -> object | Wrong:
        """The value for the file that this answer stands for, or what is wrong with the answer."""
        if self.judge is not None:
            return self.judge(text) or text
        kind = SETTINGS[self.settings[0]].kind
        value = kind.from_text(text)
        accepted = kind.accept(value)
        return accepted if isinstance(accepted, Wrong) else value


def _account_sid(text: str) -> Wrong | None:
    if _ACCOUNT_SID.fullmatch(text):
        return None
    # Not shown: a person may paste the token here by mistake.
    return Wrong(demand='must be "AC" and 32 hexadecimal digits, as on the first page of Twilio\'s console')


def _sender(text: str) -> Wrong | None:
    if not text or is_e164(text):
        return None
    return Wrong(
        demand=f"must be a number with + and the country's code, as in +15005550006, not {shown(text)}"
    )


BROKER: Final = Question(
    option="--broker",
    asks="Broker: mqtt://HOST or, encrypted, mqtts://HOST; with a user mqtts://USER@HOST",
    settings=("transport.url",),
    default="mqtt://127.0.0.1:1883",
    metavar="URL",
)

QUESTIONS: Final = (
    Question(
        option="--account-sid",
        asks="Account SID, from the first page of Twilio's console",
        settings=(PARAMETERS + PublishedParameter.ACCOUNT_SID,),
        default=None,
        metavar="SID",
        judge=_account_sid,
    ),
    Question(
        option="--from",
        asks="Sender number, bought from Twilio, as in +15005550006 (empty: each request names its own)",
        settings=(PARAMETERS + PublishedParameter.DEFAULT_SENDER_NUMBER,),
        default="",
        metavar="NUMBER",
        judge=_sender,
    ),
    BROKER,
    Question(
        option="--to",
        asks='Countries and numbers to which texts and calls may go, as in "+49, +15005550006" (empty: all)',
        settings=("limits.allowed_texts", "limits.allowed_calls"),
        default="",
        metavar="LIST",
    ),
    Question(
        option="--texts-per-day",
        asks="Texts a day at most (0: any number)",
        settings=("limits.texts_per_day",),
        default="200",
        metavar="N",
    ),
    Question(
        option="--calls-per-day",
        asks="Calls a day at most (0: any number)",
        settings=("limits.calls_per_day",),
        default="50",
        metavar="N",
    ),
)
"""In the order in which a person is asked."""
