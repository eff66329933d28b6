"""Codes about the account, its credentials, its limits, and Twilio's API itself."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.twilio_codes.treatments import (
    ACCOUNT,
    ACCOUNT_WAITS,
    ADDRESS_WAITS,
    CONTENT,
    CREDENTIALS_WAIT,
    NETWORK,
    REFUSE,
    SENDER,
    SENDER_WAITS,
    SETTLE,
    TwilioCode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACTIVATE: Final = "Open the Twilio Console: it says why, and how to activate the account again."
_CREDENTIALS: Final = "Check TWILIO_ACCOUNT_SID and the auth token, or the API key and its secret."
_UPGRADE: Final = "Upgrade the account in the Twilio Console."

ACCOUNTS: Final[Mapping[int, TwilioCode]] = MappingProxyType(
    {
        10001: TwilioCode("the account is not active", _ACTIVATE, ACCOUNT, CREDENTIALS_WAIT),
        10002: TwilioCode(
            "this is a trial account, and it does not have this feature", _UPGRADE, ACCOUNT, REFUSE
        ),
        10003: TwilioCode(
            "an incoming call was not taken, because the account is not active", _ACTIVATE, ACCOUNT
        ),
        10004: TwilioCode(
            "the account has as many calls at once as it may have",
            "The connector waits. Ask Twilio for a higher limit if this happens often.",
            ACCOUNT,
            ACCOUNT_WAITS,
        ),
        20001: TwilioCode(
            "Twilio does not know a parameter of the request",
            "Check base_url in [twilio], and update the connector.",
            ACCOUNT,
        ),
        20003: TwilioCode(
            "Twilio refuses the credentials, or they may not do this", _CREDENTIALS, ACCOUNT, CREDENTIALS_WAIT
        ),
        20004: TwilioCode(
            "nothing can be created at this address",
            "Check base_url in [twilio] and TWILIO_ACCOUNT_SID.",
            ACCOUNT,
            ADDRESS_WAITS,
        ),
        20005: TwilioCode("the account is not active", _ACTIVATE, ACCOUNT, CREDENTIALS_WAIT),
        20006: TwilioCode("these credentials have no access", _CREDENTIALS, ACCOUNT, CREDENTIALS_WAIT),
        20008: TwilioCode(
            "these are test credentials, and this needs live ones",
            "Use the live account SID and auth token from the Twilio Console.",
            ACCOUNT,
            CREDENTIALS_WAIT,
        ),
        20010: TwilioCode(
            "Twilio has switched this action off for the account",
            "Ask Twilio's support to switch it on.",
            ACCOUNT,
            CREDENTIALS_WAIT,
        ),
        20403: TwilioCode(
            "these credentials may not do this",
            "Give the API key the permission, or use the auth token of the account.",
            ACCOUNT,
            CREDENTIALS_WAIT,
        ),
        20404: TwilioCode(
            "Twilio has nothing at this address",
            "Check TWILIO_ACCOUNT_SID, and base_url in [twilio].",
            ACCOUNT,
            ADDRESS_WAITS,
        ),
        20429: TwilioCode(
            "the account makes too many requests at once",
            "The connector slows down by itself. Lower concurrency in [twilio] if this happens often.",
            ACCOUNT,
            ACCOUNT_WAITS,
        ),
        20500: TwilioCode(
            "Twilio failed, and may have carried the request out all the same",
            "Look at Twilio's status page; the connector looks the request up in Twilio's records.",
            NETWORK,
            SETTLE,
        ),
        20503: TwilioCode(
            "Twilio's service is not available",
            "Look at Twilio's status page; the connector looks the request up in Twilio's records.",
            NETWORK,
            SETTLE,
        ),
        22001: TwilioCode(
            "the call could not be made in time",
            "Request it again, or use another number of this person.",
            NETWORK,
        ),
        22005: TwilioCode(
            "calls for more than 24 hours wait at Twilio",
            "The connector waits. Request fewer calls, or ask Twilio for more calls per second.",
            SENDER,
            SENDER_WAITS,
        ),
        90007: TwilioCode(
            "Twilio does not accept the validity period",
            "Check valid_for_seconds of the request.",
            CONTENT,
            REFUSE,
        ),
        90010: TwilioCode("the account is not active", _ACTIVATE, ACCOUNT, CREDENTIALS_WAIT),
        572002: TwilioCode(
            "this is a trial account, and it may not send from this number",
            f"Use the number that Twilio gave to the trial account. {_UPGRADE}",
            ACCOUNT,
        ),
        572005: TwilioCode(
            "this is a trial account, and it may not send to this recipient",
            f"Verify the recipient's number in the Twilio Console. {_UPGRADE}",
            ACCOUNT,
        ),
        572006: TwilioCode(
            "this is a trial account, and it may only send Twilio's own templates", _UPGRADE, ACCOUNT
        ),
    }
)
