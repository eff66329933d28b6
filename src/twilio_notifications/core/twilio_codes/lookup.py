"""Looks codes up: the treatment of an answer to a creation, and the words for any code.

Twilio's lists of codes grow without notice, so a code that is not in the tables is classified by its family.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.twilio_codes.accounts import ACCOUNTS
from twilio_notifications.core.twilio_codes.calls import CALLS
from twilio_notifications.core.twilio_codes.deliveries import DELIVERIES
from twilio_notifications.core.twilio_codes.requests import REQUESTS
from twilio_notifications.core.twilio_codes.treatments import (
    ACCOUNT_WAITS,
    ADDRESS_WAITS,
    CREDENTIALS_WAIT,
    REFUSE,
    SENDER_WAITS,
    SETTLE,
    Concern,
    Treatment,
    TwilioCode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CODES: Final[Mapping[int, TwilioCode]] = MappingProxyType(
    dict(sorted({**ACCOUNTS, **REQUESTS, **DELIVERIES, **CALLS}.items()))
)
"""Every code that the tables name, in ascending order."""

# A 4xx answer is judged by its code, where the code is known; what is not listed is refused.
BY_CODE: Final[Mapping[int, Treatment]] = MappingProxyType(
    {code: row.creation for code, row in CODES.items() if row.creation is not None}
)

BY_STATUS: Final[Mapping[int, Treatment]] = MappingProxyType(
    {
        401: CREDENTIALS_WAIT,
        403: CREDENTIALS_WAIT,  # with a code from 21000 up it is about the request: see `treatment_of`
        404: ADDRESS_WAITS,  # every request goes to the account's own address, so no request is to blame
        # Twilio sends neither of these two: something in between does, and cannot know what Twilio did.
        408: SETTLE,
        425: SETTLE,
        429: ACCOUNT_WAITS,  # not carried out, says Twilio
    }
)

BY_CLASS: Final[Mapping[int, Treatment]] = MappingProxyType(
    {
        3: ADDRESS_WAITS,  # redirects are not followed, so nothing was carried out
        4: REFUSE,
    }
)
"""By the first digit of the HTTP status; what is not here (1xx, 5xx, no HTTP at all) needs settling."""

_CLIENT_ERROR: Final = 4

_FIRST_CODE_OF_A_REQUEST: Final = 21_000
"""Codes below are about accounts (10xxx), running calls (11xxx to 16xxx) and the API itself (20xxx)."""


def treatment_of(*, http_status: int, code: int | None) -> Treatment:
    """The treatment of an answer of Twilio's that is no success; `code` is None where it names none."""
    known = None if code is None else BY_CODE.get(code)
    about_the_request = code is not None and code >= _FIRST_CODE_OF_A_REQUEST
    match http_status:
        case 429 if known is SENDER_WAITS:
            return SENDER_WAITS  # one number's full queue is no matter of the whole account
        case 401 | 429:
            return BY_STATUS[http_status]  # whatever the code says, the request was not looked at
        case 403 | 404 if known is None and about_the_request:
            # One bad recipient must not stop every request, as refused credentials and a wrong address do.
            return REFUSE
        case status if status // 100 == _CLIENT_ERROR:
            return known or BY_STATUS.get(status, REFUSE)
        case status:
            return BY_CLASS.get(status // 100, SETTLE)


# The words.


@dataclass(frozen=True, slots=True)
class Family:
    """A range of Twilio's codes, and what those of its codes mean that the tables do not name."""

    codes: range
    concern: Concern
    means: str

    @property
    def words(self) -> TwilioCode:
        return TwilioCode(self.means, f"{_LOOK_UP} {_DO[self.concern]}", self.concern)


_LOOK_UP: Final = "Look the code up at https://www.twilio.com/docs/api/errors."

_DO: Final[Mapping[Concern, str]] = {
    Concern.RECIPIENT: "Check the recipient's number.",
    Concern.SENDER: "Check the sender number in the Twilio Console.",
    Concern.CONTENT: "Check what the request contains.",
    Concern.ACCOUNT: "Check the account in the Twilio Console.",
    Concern.NETWORK: "Try another channel if it is urgent.",
}


FAMILIES: Final = (
    Family(range(10_000, 11_000), Concern.ACCOUNT, "the account may not do this"),
    Family(range(11_000, 12_000), Concern.CONTENT, "Twilio could not fetch the voice document"),
    Family(range(12_000, 13_000), Concern.CONTENT, "Twilio could not read the voice document"),
    Family(range(13_000, 14_000), Concern.CONTENT, "Twilio could not follow the voice document"),
    Family(range(14_000, 15_000), Concern.CONTENT, "Twilio could not answer a text"),
    Family(range(15_000, 17_000), Concern.NETWORK, "something went wrong in the course of a call"),
    Family(range(20_000, 21_000), Concern.ACCOUNT, "Twilio's API refuses the request"),
    Family(range(21_000, 22_000), Concern.CONTENT, "Twilio does not accept a value of the request"),
    Family(range(22_000, 23_000), Concern.NETWORK, "Twilio could not make the call"),
    Family(range(30_000, 30_100), Concern.NETWORK, "the text was not delivered"),
    Family(range(30_100, 30_200), Concern.CONTENT, "Twilio could not shorten a link of the text"),
    Family(range(30_200, 30_440), Concern.NETWORK, "the text was not delivered"),
    Family(range(30_440, 30_450), Concern.SENDER, "the verification of the toll-free number was refused"),
    Family(
        range(30_450, 30_700), Concern.ACCOUNT, "Twilio's protection or the account's rules block the text"
    ),
    Family(range(30_700, 31_000), Concern.SENDER, "the registration of the sender in the USA was refused"),
    Family(range(31_000, 33_000), Concern.NETWORK, "the network could not carry the call"),
    Family(range(63_000, 64_000), Concern.NETWORK, "the message channel did not deliver the message"),
    Family(range(90_000, 91_000), Concern.ACCOUNT, "Twilio refuses the request"),
    Family(range(572_000, 573_000), Concern.ACCOUNT, "this is a trial account, and it may not do this"),
)

_UNKNOWN: Final = TwilioCode(
    "Twilio names a code that this version of the connector does not know", _LOOK_UP, Concern.NETWORK
)

_VOICE_DOCUMENT: Final = range(11_200, 14_000)


def explained(code: int) -> TwilioCode:
    """The words for `code`: its own, those of its family, or those for a code of no known family."""
    known = CODES.get(code)
    if known is not None:
        return known
    return next((family.words for family in FAMILIES if code in family.codes), _UNKNOWN)


def sentence(code: int) -> str:
    """The code, what it means, and what to do, for statuses, the log and people."""
    words = explained(code)
    return f"Twilio error {code}: {words.means}. {words.advice}"


def about_a_voice_document(code: int) -> bool:
    """Whether a call with this code among its notifications rang, and had nothing to say."""
    return code in _VOICE_DOCUMENT
