"""Codes of texts that Twilio accepted and could not deliver (30xxx), and of other channels (63xxx)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.twilio_codes.treatments import (
    ACCOUNT,
    ACCOUNT_WAITS,
    CONTENT,
    CREDENTIALS_WAIT,
    NETWORK,
    RECIPIENT,
    SENDER,
    SENDER_WAITS,
    TwilioCode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_AGAIN: Final = "Send it again after some minutes, then choose another way."
_SUPPORT: Final = "Send it again. Ask Twilio's support if the code comes again."
_REGISTER_US: Final = "Register the sender number for the USA (10DLC) in the Twilio Console."
_TOMORROW: Final = "Wait until the next day, or have the brand's limit raised. Call if it is urgent."

DELIVERIES: Final[Mapping[int, TwilioCode]] = MappingProxyType(
    {
        30001: TwilioCode(
            "the sender's queue at Twilio was full",
            "Send it again later. Send less, or use a Messaging Service with more numbers.",
            SENDER,
            SENDER_WAITS,
        ),
        30002: TwilioCode(
            "the account was suspended before the text was sent",
            "Open the Twilio Console: it says why, and how to activate the account again.",
            ACCOUNT,
            CREDENTIALS_WAIT,
        ),
        30003: TwilioCode(
            "the telephone is off or out of reach, or cannot take texts",
            "Try again in half an hour. If it is urgent, call or try the next person now.",
            RECIPIENT,
        ),
        30004: TwilioCode(
            "the recipient or the carrier blocks texts from this sender",
            "Use another sender number, or call.",
            RECIPIENT,
        ),
        30005: TwilioCode(
            "the number does not exist, or the telephone is not known to its network",
            "Correct the recipient's number.",
            RECIPIENT,
        ),
        30006: TwilioCode(
            "the number is a landline, or its carrier takes no texts",
            "Call instead, or use a mobile number.",
            RECIPIENT,
        ),
        30007: TwilioCode(
            "Twilio or the carrier filtered the text as unwanted",
            "Do not send the same text again: change its wording and remove short links, or call. "
            "Check that the sender number is registered.",
            CONTENT,
        ),
        30008: TwilioCode("the carrier did not deliver the text and gave no reason", _AGAIN, NETWORK),
        30009: TwilioCode(
            "a part of a text from outside is missing", "Ask its sender to send it again.", NETWORK
        ),
        30011: TwilioCode(
            "the recipient's number takes no pictures", "Send the text without pictures, or call.", RECIPIENT
        ),
        30012: TwilioCode(
            "the validity period is too short", "Check valid_for_seconds of the request.", CONTENT
        ),
        30013: TwilioCode(
            "the validity period is too long", "Check valid_for_seconds of the request.", CONTENT
        ),
        30014: TwilioCode(
            "the recipient's number is not valid", "Correct the recipient's number.", RECIPIENT
        ),
        30016: TwilioCode(
            "this sender cannot send to this kind of recipient",
            "Use a telephone number as the sender.",
            SENDER,
        ),
        30017: TwilioCode("the carrier's network is overloaded", _AGAIN, NETWORK),
        30018: TwilioCode(
            "the recipient's carrier needs a sender name that is registered",
            "Register a sender name for this country in the Twilio Console, or call.",
            SENDER,
        ),
        30019: TwilioCode(
            "the text or a picture is too large for the carrier", "Send less, or smaller pictures.", CONTENT
        ),
        30020: TwilioCode("Twilio failed while it scheduled the text", _SUPPORT, NETWORK),
        30021: TwilioCode("Twilio failed while the Messaging Service chose a sender", _SUPPORT, NETWORK),
        30022: TwilioCode(
            "the sender sends faster than its registration in the USA (10DLC) allows",
            "Send it again later, and set a lower rate for this sender in [[pace]].",
            SENDER,
        ),
        30023: TwilioCode(
            "the texts of this day to a carrier in the USA are used up (10DLC)",
            _TOMORROW,
            ACCOUNT,
            ACCOUNT_WAITS,
        ),
        30024: TwilioCode(
            "the recipient's carrier needs a sender number that is registered",
            "Register the number for this country in the Twilio Console, or call.",
            SENDER,
        ),
        30025: TwilioCode(
            "half of the texts of this day to T-Mobile in the USA are used up", "Send less today.", ACCOUNT
        ),
        30026: TwilioCode(
            "70 % of the texts of this day to T-Mobile in the USA are used up", "Send less today.", ACCOUNT
        ),
        30027: TwilioCode(
            "the texts of this day to T-Mobile in the USA are used up (10DLC)", _TOMORROW, ACCOUNT
        ),
        30032: TwilioCode(
            "the toll-free sender number is not verified",
            "Verify the number in the Twilio Console; until then, use another sender number.",
            SENDER,
        ),
        30033: TwilioCode(
            "the sender's registration in the USA (10DLC) is suspended",
            "Look at the campaign in the Twilio Console; until then, use another sender number, or call.",
            SENDER,
        ),
        30034: TwilioCode(
            "the sender number is not registered for texts to the USA (10DLC)",
            f"{_REGISTER_US} Until then no text from it arrives there: call, or use another sender number.",
            SENDER,
        ),
        30035: TwilioCode(
            "the registration of the sender number in the USA (10DLC) is not finished",
            "Wait until the Twilio Console says that the number is registered; until then, call.",
            SENDER,
        ),
        30036: TwilioCode(
            "the text waited at Twilio until its validity period was over, and was not sent",
            "Send less at once, or set a rate for this sender in [[pace]].",
            CONTENT,
        ),
        30037: TwilioCode(
            "texts are switched off for the account", "Ask Twilio's support to switch them on.", ACCOUNT
        ),
        30038: TwilioCode(
            "Twilio filtered the text, because it looks like a one-time password",
            "Change the wording: leave out numbers that look like a code to type in.",
            CONTENT,
        ),
        30039: TwilioCode(
            "Twilio stopped a loop of texts between machines", "Look for a loop of answers.", NETWORK
        ),
        30400: TwilioCode("a value of the request is not valid", "Check the request.", CONTENT),
        30404: TwilioCode(
            "Twilio does not have this message", "Look for its SID in the Twilio Console.", NETWORK
        ),
        30409: TwilioCode(
            "the message cannot be cancelled, because it is not scheduled any more",
            "The text may still arrive: look at its delivery.",
            NETWORK,
        ),
        30410: TwilioCode(
            "the carrier did not answer in time, and Twilio does not send the text again",
            "Use another channel rather than the same text: it may still arrive.",
            NETWORK,
        ),
        30450: TwilioCode(
            "Twilio's protection against fraud blocks this destination for now",
            "Look at SMS pumping protection in the Twilio Console. Call if it is urgent.",
            ACCOUNT,
        ),
        30453: TwilioCode(
            "Twilio's protection against fraud blocks this text",
            "Look at SMS pumping protection in the Twilio Console. Call if it is urgent.",
            ACCOUNT,
        ),
        30454: TwilioCode(
            "this is a trial account, and all of its texts are used up",
            "Upgrade the account in the Console.",
            ACCOUNT,
        ),
        30500: TwilioCode("Twilio failed", _SUPPORT, NETWORK),
        30610: TwilioCode(
            "Twilio's own quiet hours block this text",
            "Switch them off for alarms, in the settings of the Messaging Service in the Twilio Console.",
            ACCOUNT,
        ),
        30640: TwilioCode(
            "Twilio blocks this recipient as a known litigator",
            "Look at the compliance settings of the Messaging Service in the Twilio Console.",
            ACCOUNT,
        ),
        63001: TwilioCode(
            "the channel refuses the credentials", "Connect the channel again in the Console.", ACCOUNT
        ),
        63003: TwilioCode("the recipient does not use this channel", "Send a text, or call.", RECIPIENT),
        63005: TwilioCode(
            "the channel does not accept this content", "Change the text, or send it as a text.", CONTENT
        ),
        63007: TwilioCode(
            "the account has no sender for this channel", "Set the sender up in the Console.", SENDER
        ),
        63009: TwilioCode("the channel's provider failed", _AGAIN, NETWORK),
        63010: TwilioCode("Twilio failed", _SUPPORT, NETWORK),
        63012: TwilioCode("the channel's provider failed", _AGAIN, NETWORK),
        63013: TwilioCode(
            "the text breaks the channel's rules", "Change the text, or send it as a text.", CONTENT
        ),
        63014: TwilioCode("the recipient blocks this sender", "Send a text, or call.", RECIPIENT),
        63015: TwilioCode(
            "the recipient has not joined the sandbox", "Have the recipient join, or call.", RECIPIENT
        ),
        63016: TwilioCode(
            "the recipient has not written for a day, so WhatsApp takes only templates",
            "Use a template, or send a text.",
            CONTENT,
        ),
        63018: TwilioCode(
            "the channel's rate limit is reached", "The connector waits.", ACCOUNT, ACCOUNT_WAITS
        ),
        63019: TwilioCode(
            "a picture could not be fetched", "Check media_urls: each must be public.", CONTENT
        ),
        63021: TwilioCode(
            "the channel does not accept this content", "Change the text, or send it as a text.", CONTENT
        ),
        63024: TwilioCode(
            "the recipient is not valid for this channel", "Correct the number, or call.", RECIPIENT
        ),
        63033: TwilioCode("the recipient blocks this sender", "Send a text, or call.", RECIPIENT),
        63036: TwilioCode("the number cannot be reached over RCS", "Send a text, or call.", RECIPIENT),
        63038: TwilioCode(
            "the account's texts of this day are used up",
            "Wait until the next day, or ask Twilio for a higher limit. Call if it is urgent.",
            ACCOUNT,
            ACCOUNT_WAITS,
        ),
    }
)
