"""Codes with which Twilio refuses to create a text or a call: its recipient, its sender or its content."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.twilio_codes.treatments import (
    ACCOUNT,
    CONTENT,
    OPTED_OUT,
    RECIPIENT,
    REFUSE,
    SENDER,
    SENDER_WAITS,
    TwilioCode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_CORRECT_NUMBER: Final = "Correct the recipient's number: +, country code, number."
_OTHER_WAY: Final = "Use another number of this person, or another channel."
_OWN_NUMBER: Final = "Use a number of this Twilio account as from_number or as the default."
_CONNECTOR: Final = "This is a defect of the connector: report it with this sentence."
_VERIFY: Final = "Verify the recipient's number in the Twilio Console, or upgrade the account."
_GEO_CALLS: Final = "Switch the country on in the Twilio Console: Voice, Settings, Geo permissions."
_GEO_TEXTS: Final = "Switch the country on in the Twilio Console: Messaging, Settings, Geo permissions."
_SERVICE_SENDERS: Final = "Add a number to the sender pool of the Messaging Service in the Twilio Console."

_RECIPIENTS: Final[Mapping[int, TwilioCode]] = {
    13223: TwilioCode("the recipient's number is not a phone number", _CORRECT_NUMBER, RECIPIENT, REFUSE),
    13224: TwilioCode("the number cannot be called, or does not exist", _CORRECT_NUMBER, RECIPIENT, REFUSE),
    13225: TwilioCode("Twilio blocks calls to this number", _OTHER_WAY, RECIPIENT, REFUSE),
    21201: TwilioCode("the call has no recipient", _CONNECTOR, RECIPIENT, REFUSE),
    21202: TwilioCode(
        "the number is a premium number, which Twilio does not call", _OTHER_WAY, RECIPIENT, REFUSE
    ),
    21211: TwilioCode(
        "the recipient's number is not a valid phone number", _CORRECT_NUMBER, RECIPIENT, REFUSE
    ),
    21214: TwilioCode("the number cannot be reached by a call", _OTHER_WAY, RECIPIENT, REFUSE),
    21216: TwilioCode("Twilio blocks calls to this number", _OTHER_WAY, RECIPIENT, REFUSE),
    21217: TwilioCode("the number does not look like a phone number", _CORRECT_NUMBER, RECIPIENT, REFUSE),
    21265: TwilioCode(
        "the recipient's number is a short code, which cannot get texts", _OTHER_WAY, RECIPIENT, REFUSE
    ),
    21266: TwilioCode(
        "the text would go to the number that sends it",
        "Correct recipient or from_number.",
        RECIPIENT,
        REFUSE,
    ),
    21268: TwilioCode("the number is a premium or information service", _OTHER_WAY, RECIPIENT, REFUSE),
    21604: TwilioCode("the text has no recipient", _CONNECTOR, RECIPIENT, REFUSE),
    21610: TwilioCode(
        "the recipient answered STOP to this sender and gets no texts from it",
        "Only the recipient can undo this, by sending START to the sender number. Calls are still possible.",
        RECIPIENT,
        OPTED_OUT,
    ),
    21612: TwilioCode(
        "Twilio has no way from this sender to this recipient",
        "Use a sender number that can send to the recipient's country, or call.",
        RECIPIENT,
        REFUSE,
    ),
    21614: TwilioCode(
        "the number is not a mobile number", "Call instead, or use a mobile number.", RECIPIENT, REFUSE
    ),
    21635: TwilioCode("the number is a landline, which gets no texts", "Call instead.", RECIPIENT, REFUSE),
}

_SENDERS: Final[Mapping[int, TwilioCode]] = {
    21210: TwilioCode("the account may not call from this number", _OWN_NUMBER, SENDER, REFUSE),
    21212: TwilioCode("from_number is not a valid sender", _OWN_NUMBER, SENDER, REFUSE),
    21213: TwilioCode("the call has no sender number", _CONNECTOR, SENDER, REFUSE),
    21264: TwilioCode("from_number is not verified for the account", _OWN_NUMBER, SENDER, REFUSE),
    21267: TwilioCode(
        "this is a trial account, and it may not send from a name instead of a number",
        _OWN_NUMBER,
        SENDER,
        REFUSE,
    ),
    21407: TwilioCode(
        "this kind of number cannot send texts", "Use a sender number that can send texts.", SENDER, REFUSE
    ),
    21603: TwilioCode("the text has no sender", _CONNECTOR, SENDER, REFUSE),
    21606: TwilioCode(
        "from_number is not of this account, or cannot send texts to this recipient",
        _OWN_NUMBER,
        SENDER,
        REFUSE,
    ),
    21607: TwilioCode(
        "this is a trial account, which sends from its trial number only",
        "Use the number that Twilio gave to the trial account, or upgrade the account.",
        SENDER,
        REFUSE,
    ),
    21611: TwilioCode(
        "as many texts wait at Twilio as this sender can send in 10 hours",
        "The connector waits. Send less, or use a Messaging Service with more numbers.",
        SENDER,
        SENDER_WAITS,
    ),
    21616: TwilioCode(
        "from_number fits several numbers of the account", "Write the number in full.", SENDER, REFUSE
    ),
    21621: TwilioCode(
        "from_number cannot send pictures", "Use a sender number that can send pictures.", SENDER, REFUSE
    ),
    21657: TwilioCode("the sender is not valid", _OWN_NUMBER, SENDER, REFUSE),
    21659: TwilioCode(
        "from_number is not a Twilio number or short code of this country", _OWN_NUMBER, SENDER, REFUSE
    ),
    21660: TwilioCode("from_number belongs to another Twilio account", _OWN_NUMBER, SENDER, REFUSE),
    21661: TwilioCode(
        "from_number cannot send texts", "Use a sender number that can send texts.", SENDER, REFUSE
    ),
    21701: TwilioCode("there is no such Messaging Service", "Check messaging_service_sid.", SENDER, REFUSE),
    21702: TwilioCode(
        "the Messaging Service cannot send now", "Look at the service in the Twilio Console.", SENDER, REFUSE
    ),
    21703: TwilioCode("the Messaging Service has no number for this text", _SERVICE_SENDERS, SENDER, REFUSE),
    21704: TwilioCode("the Messaging Service has no number", _SERVICE_SENDERS, SENDER, REFUSE),
    21705: TwilioCode("there is no such Messaging Service", "Check messaging_service_sid.", SENDER, REFUSE),
    21708: TwilioCode("the text needs a name as its sender", _SERVICE_SENDERS, SENDER, REFUSE),
    21709: TwilioCode("the Messaging Service may not send under this name", _SERVICE_SENDERS, SENDER, REFUSE),
    21711: TwilioCode("from_number is not in the Messaging Service", _SERVICE_SENDERS, SENDER, REFUSE),
    21712: TwilioCode(
        "from_number is in another Messaging Service",
        "Name that service, or move the number in the Console.",
        SENDER,
        REFUSE,
    ),
}

_CONTENTS: Final[Mapping[int, TwilioCode]] = {
    14107: TwilioCode(
        "too many texts went between these two numbers in a short time",
        "Look for a loop that sends them.",
        CONTENT,
        REFUSE,
    ),
    21205: TwilioCode(
        "the URL of the voice document is not valid",
        "Correct voice_message_location: it must be reachable from the internet.",
        CONTENT,
        REFUSE,
    ),
    21206: TwilioCode("the keys to press are not valid", _CONNECTOR, CONTENT, REFUSE),
    21208: TwilioCode("the ring time is not valid", "Check ring_seconds in [calls].", CONTENT, REFUSE),
    21234: TwilioCode(
        "the setting of machine detection is not valid",
        "Check machine_detection in [calls].",
        CONTENT,
        REFUSE,
    ),
    21262: TwilioCode("machine detection has no address for its result", _CONNECTOR, CONTENT, REFUSE),
    21263: TwilioCode(
        "the settings of machine detection are not valid",
        "Check machine_detection in [calls].",
        CONTENT,
        REFUSE,
    ),
    21602: TwilioCode("the text has no content", "Give a message, or a picture.", CONTENT, REFUSE),
    21605: TwilioCode("the text is longer than 160 characters", "Shorten the message.", CONTENT, REFUSE),
    21609: TwilioCode(
        "Twilio does not accept the address for callbacks",
        "Check public_url in [tracking]: it must be a public host, without an underscore in its name.",
        CONTENT,
        REFUSE,
    ),
    21617: TwilioCode("the text is longer than 1,600 characters", "Shorten the message.", CONTENT, REFUSE),
    21618: TwilioCode(
        "Twilio cannot send this text", "Change the wording, or remove unusual characters.", CONTENT, REFUSE
    ),
    21619: TwilioCode(
        "Twilio could not create the message", "Check the request, and send it again.", CONTENT, REFUSE
    ),
    21620: TwilioCode(
        "the URL of a picture is not valid", "Correct media_urls: each must be public.", CONTENT, REFUSE
    ),
    21623: TwilioCode("the text has too many pictures", "Send at most 10.", CONTENT, REFUSE),
    21624: TwilioCode(
        "the validity period is not valid", "Check valid_for_seconds of the request.", CONTENT, REFUSE
    ),
    21626: TwilioCode("an event for callbacks is not valid", _CONNECTOR, CONTENT, REFUSE),
    21653: TwilioCode("the text has more than one recipient", _CONNECTOR, CONTENT, REFUSE),
    21654: TwilioCode("the text has values for a template, and no template", _CONNECTOR, CONTENT, REFUSE),
    21655: TwilioCode("the template does not exist", _CONNECTOR, CONTENT, REFUSE),
    21656: TwilioCode("the values for the template are not valid", _CONNECTOR, CONTENT, REFUSE),
    21658: TwilioCode(
        "a value of the request is too long", "Shorten what the request contains.", CONTENT, REFUSE
    ),
    30010: TwilioCode(
        "the text costs more than the request allows",
        "Raise the limit, or shorten the text to fewer parts.",
        CONTENT,
        REFUSE,
    ),
    32018: TwilioCode(
        "the TwiML is longer than 4,000 characters", "Shorten the message to speak.", CONTENT, REFUSE
    ),
}

_PERMISSIONS: Final[Mapping[int, TwilioCode]] = {
    13227: TwilioCode("calls to this country are switched off for the account", _GEO_CALLS, ACCOUNT, REFUSE),
    21203: TwilioCode("international calls are switched off for the account", _GEO_CALLS, ACCOUNT, REFUSE),
    21215: TwilioCode("calls to this region are switched off for the account", _GEO_CALLS, ACCOUNT, REFUSE),
    21219: TwilioCode("this is a trial account, and the recipient is not verified", _VERIFY, ACCOUNT, REFUSE),
    21408: TwilioCode("texts to this country are switched off for the account", _GEO_TEXTS, ACCOUNT, REFUSE),
    21608: TwilioCode("this is a trial account, and the recipient is not verified", _VERIFY, ACCOUNT, REFUSE),
    21622: TwilioCode(
        "pictures are switched off for the account",
        "Ask Twilio's support to switch them on.",
        ACCOUNT,
        REFUSE,
    ),
}

REQUESTS: Final[Mapping[int, TwilioCode]] = MappingProxyType(
    {**_RECIPIENTS, **_SENDERS, **_CONTENTS, **_PERMISSIONS}
)
