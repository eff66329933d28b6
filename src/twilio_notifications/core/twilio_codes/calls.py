"""Codes of calls that Twilio accepted: the voice document (11200 to 13999), the call and its network."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.twilio_codes.treatments import (
    ACCOUNT,
    CONTENT,
    NETWORK,
    SENDER,
    TwilioCode,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVER: Final = (
    "Check that the web server of voice_message_location runs and is reachable from the internet."
)
_CERTIFICATE: Final = "Renew or correct the certificate of the web server of voice_message_location."
_ADDRESS: Final = "Correct voice_message_location."
_TWIML: Final = "Correct the voice document: it must be TwiML with Response as its root."
_ANSWER: Final = "Check what the web server of voice_message_location answers."

CALLS: Final[Mapping[int, TwilioCode]] = MappingProxyType(
    {
        11100: TwilioCode("the URL of the voice document is not valid", _ADDRESS, CONTENT),
        11200: TwilioCode("Twilio could not fetch the voice document", _SERVER, CONTENT),
        11201: TwilioCode("the web server of the voice document did not answer", _SERVER, CONTENT),
        11202: TwilioCode("the web server of the voice document refused the connection", _SERVER, CONTENT),
        11203: TwilioCode("the web server of the voice document took too long", _SERVER, CONTENT),
        11205: TwilioCode(
            "Twilio could not connect to the web server of the voice document", _SERVER, CONTENT
        ),
        11206: TwilioCode(
            "the web server of the voice document does not speak HTTP correctly", _ANSWER, CONTENT
        ),
        11210: TwilioCode("the host name of the voice document does not exist", _ADDRESS, CONTENT),
        11215: TwilioCode("the URL of the voice document redirects too often", _ADDRESS, CONTENT),
        11220: TwilioCode(
            "Twilio could not open a TLS connection for the voice document", _CERTIFICATE, CONTENT
        ),
        11235: TwilioCode(
            "the certificate of the voice document's server is for another name", _CERTIFICATE, CONTENT
        ),
        11236: TwilioCode(
            "the certificate of the voice document's server has expired", _CERTIFICATE, CONTENT
        ),
        11237: TwilioCode(
            "the certificate of the voice document's server is not trusted", _CERTIFICATE, CONTENT
        ),
        11240: TwilioCode(
            "the URL of the voice document names an edge that does not exist", _ADDRESS, CONTENT
        ),
        11241: TwilioCode(
            "the URL of the voice document names an edge that is not supported", _ADDRESS, CONTENT
        ),
        11242: TwilioCode("the URL of the voice document asks for a private connection", _ADDRESS, CONTENT),
        11243: TwilioCode("the URL of the voice document has an unknown rule for retries", _ADDRESS, CONTENT),
        11251: TwilioCode("the web server of the voice document broke the protocol", _ANSWER, CONTENT),
        11300: TwilioCode("the URL of the voice document has a broken template", _ADDRESS, CONTENT),
        11310: TwilioCode("the URL of the voice document has a broken template", _ADDRESS, CONTENT),
        11320: TwilioCode("the URL of the voice document has a broken template", _ADDRESS, CONTENT),
        11750: TwilioCode("the voice document is larger than 64 kB", "Shorten the voice document.", CONTENT),
        11751: TwilioCode("a picture is too large for the carrier", "Send smaller pictures.", CONTENT),
        11770: TwilioCode("the web server answered with an empty voice document", _ANSWER, CONTENT),
        12100: TwilioCode("Twilio could not read the voice document as XML", _TWIML, CONTENT),
        12101: TwilioCode("the voice document has an unknown version", _TWIML, CONTENT),
        12102: TwilioCode("the voice document has no Response as its root", _TWIML, CONTENT),
        12200: TwilioCode(
            "the voice document has an element or attribute that TwiML does not know", _TWIML, CONTENT
        ),
        12300: TwilioCode(
            "the web server sends the voice document with a content type that Twilio cannot read",
            "Have the server send it as text/xml, or a recording as audio.",
            CONTENT,
        ),
        12301: TwilioCode("a file of the voice document has an unknown content type", _ANSWER, CONTENT),
        12400: TwilioCode(
            "Twilio failed while it read the voice document",
            "Request the call again. Ask Twilio's support if the code comes again.",
            NETWORK,
        ),
        13310: TwilioCode("an instruction to wait for keys is not valid", _TWIML, CONTENT),
        13320: TwilioCode("an instruction to wait for keys has a part that it may not have", _TWIML, CONTENT),
        13325: TwilioCode("a recording of the voice document has an unknown content type", _ANSWER, CONTENT),
        13410: TwilioCode("a recording is to be repeated with an invalid number", _TWIML, CONTENT),
        13420: TwilioCode(
            "a recording of the voice document has an unknown content type",
            "Have the server send the recording as audio/mpeg or audio/wav.",
            CONTENT,
        ),
        13510: TwilioCode("a spoken text is to be repeated with an invalid number", _TWIML, CONTENT),
        13511: TwilioCode(
            "Twilio does not have this voice", "Correct voice of the request or the document.", CONTENT
        ),
        13512: TwilioCode("Twilio does not speak this language", "Correct language of the request.", CONTENT),
        13520: TwilioCode(
            "the text to speak is empty or not valid", "Check voice_message of the request.", CONTENT
        ),
        13521: TwilioCode("the text to speak is too long", "Shorten voice_message of the request.", CONTENT),
        13805: TwilioCode(
            "this is a trial account, and its calls end after 10 minutes",
            "Upgrade the account in the Twilio Console, or make the call shorter.",
            ACCOUNT,
        ),
        13910: TwilioCode("a pause of the voice document has an invalid length", _TWIML, CONTENT),
        15000: TwilioCode(
            "Twilio failed while it reported the course of a call",
            "Look at the call in the Twilio Console.",
            NETWORK,
        ),
        15002: TwilioCode(
            "the call waited too long in Twilio's queue and was not made",
            "Request fewer calls at once, or set a rate for this sender in [[pace]].",
            SENDER,
        ),
        15003: TwilioCode(
            "the server for callbacks did not answer as it should",
            "Check public_url in [tracking], and what stands between Twilio and the connector.",
            ACCOUNT,
        ),
        32014: TwilioCode(
            "the call ended because no sound came from the recipient", "Request the call again.", NETWORK
        ),
        32015: TwilioCode(
            "the call ended because it reached its longest duration",
            "Raise time_limit_seconds in [calls] if the message is longer.",
            CONTENT,
        ),
        32016: TwilioCode(
            "the recipient's network did not answer in time",
            "Request the call again, or use another number of this person.",
            NETWORK,
        ),
        32017: TwilioCode(
            "the carrier blocked the call because of the sender number's reputation",
            "Use another sender number, and register this one with Twilio's Voice Integrity.",
            SENDER,
        ),
        32019: TwilioCode(
            "the call has TwiML and a URL, and Twilio used the URL",
            "This is a defect of the connector: report it with this sentence.",
            CONTENT,
        ),
    }
)
