"""Which treatment each error code and each HTTP status of Twilio's calls for.

The tables are all that this program knows about Twilio's codes; `treatment_of` looks them up.
A new code goes into `BY_CODE`. Creating a message is not idempotent, so a row says `Refuse` or `Wait` only
where Twilio has certainly not carried the request out; everything else is `Settle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import DeferralScope

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Twilio would say no again."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Certainly not carried out, and it may be later."""

    scope: DeferralScope
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """It may have been carried out: only Twilio's records can tell."""


Treatment = Refuse | Wait | Settle

REFUSE: Final = Refuse(reason=Reason.INVALID_PARAMETER)
OPTED_OUT: Final = Refuse(reason=Reason.RECIPIENT_OPTED_OUT)
ACCOUNT_WAITS: Final = Wait(scope=DeferralScope.ACCOUNT, reason=Reason.RATE_LIMITED)
SENDER_WAITS: Final = Wait(scope=DeferralScope.SENDER, reason=Reason.RATE_LIMITED)
ADDRESS_WAITS: Final = Wait(scope=DeferralScope.ADDRESS, reason=Reason.TWILIO_UNAVAILABLE)
CREDENTIALS_WAIT: Final = Wait(scope=DeferralScope.CREDENTIALS, reason=Reason.UNAUTHORIZED)
SETTLE: Final = Settle()

# A 4xx answer is judged by its code, where the code is known; what is not listed is refused.
BY_CODE: Final[Mapping[int, Treatment]] = MappingProxyType(
    {
        # The account is at a limit that time lifts.
        20429: ACCOUNT_WAITS,  # too many requests
        10004: ACCOUNT_WAITS,  # too many calls at once
        30023: ACCOUNT_WAITS,  # the brand's messages for this day are used up (10DLC)
        63018: ACCOUNT_WAITS,  # the channel's rate limit
        63038: ACCOUNT_WAITS,  # the account's messages for this day are used up
        # The queue of one sender number is full; other numbers go on.
        21611: SENDER_WAITS,  # texts: as many as the number can send in 10 hours are queued
        22005: SENDER_WAITS,  # calls: more than 24 hours of them are queued
        30001: SENDER_WAITS,  # a messaging service's queue is full
        # Nothing of this account will work until a person corrects it or a new secret comes.
        10001: CREDENTIALS_WAIT,  # the account is not active
        20003: CREDENTIALS_WAIT,  # user name or token is wrong, or may not do this
        20005: CREDENTIALS_WAIT,  # the account is not active
        20006: CREDENTIALS_WAIT,  # access denied
        20008: CREDENTIALS_WAIT,  # test credentials where live ones are needed
        20010: CREDENTIALS_WAIT,  # the action is disabled for the account
        20403: CREDENTIALS_WAIT,  # forbidden
        30002: CREDENTIALS_WAIT,  # the account is suspended
        90010: CREDENTIALS_WAIT,  # the account is not active
        # The address is not this account's place at Twilio: base_url, or the account's SID, is wrong.
        20004: ADDRESS_WAITS,  # nothing can be created there
        20404: ADDRESS_WAITS,  # there is nothing there
        # The recipient's number will not do.
        21610: OPTED_OUT,  # the recipient has answered STOP; only the recipient can take that back
        13223: REFUSE,  # calls: no phone number
        13224: REFUSE,  # calls: the number cannot be called
        13225: REFUSE,  # calls: the number is on Twilio's block list
        21211: REFUSE,  # `To` is no phone number
        21214: REFUSE,  # `To` cannot be reached
        21215: REFUSE,  # calls to that region are not switched on for the account
        21216: REFUSE,  # calls to that number are blocked by Twilio
        21217: REFUSE,  # `To` does not look like a phone number
        21219: REFUSE,  # trial account: `To` is not verified (calls)
        21408: REFUSE,  # texts to that region are not switched on for the account
        21608: REFUSE,  # trial account: `To` is not verified (texts)
        21612: REFUSE,  # there is no way from this sender to that recipient
        21614: REFUSE,  # `To` is no mobile number
        # The sender number will not do.
        21210: REFUSE,  # `From` does not belong to the account (calls)
        21212: REFUSE,  # `From` is no phone number
        21603: REFUSE,  # there is no `From`
        21606: REFUSE,  # `From` does not belong to the account, or cannot send texts there
        21607: REFUSE,  # trial account: `From` must be the trial number
        21616: REFUSE,  # `From` matches several numbers of the account
        21659: REFUSE,  # `From` is no number or short code of Twilio's in that country
        21660: REFUSE,  # `From` belongs to another account
        21703: REFUSE,  # the messaging service has no number for this text
        21704: REFUSE,  # the messaging service has no number at all
        21705: REFUSE,  # there is no such messaging service
        21712: REFUSE,  # the number belongs to another messaging service
        # The content will not do.
        21205: REFUSE,  # calls: the URL of the TwiML document is not valid
        21602: REFUSE,  # there is no `Body`
        21604: REFUSE,  # there is no `To`
        21605: REFUSE,  # the text is too long for the old endpoint
        21609: REFUSE,  # the status callback's URL is not valid
        21617: REFUSE,  # the text is longer than 1,600 characters
        21618: REFUSE,  # the text cannot be sent
        21619: REFUSE,  # the message cannot be made
        21620: REFUSE,  # a media URL is not valid
        21623: REFUSE,  # too many media files
        21654: REFUSE,  # content variables without a content SID
        21655: REFUSE,  # the content SID is not valid
        30010: REFUSE,  # the text costs more than the request allows; waiting makes it no cheaper
        90007: REFUSE,  # the validity period is not valid
        # Twilio failed, wherever the number appears: it may have failed after it had sent.
        20500: SETTLE,  # internal error
        20503: SETTLE,  # service unavailable
    }
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
