"""The sentences of rejections, word for word as documented, and the exception that carries them.

The checks raise a `Flaw`, so that they read as a plain sequence; it never leaves this package.
"""

from __future__ import annotations

from enum import StrEnum


class Sentence(StrEnum):
    """The sentences of rejections, word for word as documented; `Flaw` fills in the braces."""

    TOO_LARGE = "Input message is {size} bytes long, the limit is {limit}"
    TOO_MANY_VALUES = "Input message holds {count} values, the limit is {limit}"
    NOT_JSON = "Input message is not valid JSON: {where}"
    NOT_AN_OBJECT = "{label} must be an object"
    IS_NONE = "{label} cannot be None"
    NOT_A_STRING = "{label} must be a string"
    NOT_UNICODE = "{label} must be valid Unicode text, it holds half of a surrogate pair"
    IS_EMPTY = "{label} cannot be empty"
    TOO_LONG = "{label} is {length} characters long, the limit is {limit}"
    ONE_RECIPIENT = "Only one recipient is supported"
    NOT_E164 = "{label} {value} is not a valid E.164 number"
    TEXT_TOO_LONG = "Message is {length} characters long, Twilio accepts {limit}"
    NOT_A_URL = "{label} is not an http or https URL"
    ONE_CONTENT = "Only one of message and voice_message_location can be specified"
    VOICE_ON_TEXT = "Voice messages are not supported on twilio/txt, use twilio/call"
    TEXT_ON_VOICE = "Text messages are not supported on twilio/call, use twilio/txt"
    WRONG_RETRIES = "Retries must be a non-negative integer"
    WRONG_PRIORITY = "Priority must be urgent, normal or low"
    WRONG_LIFETIME = "Valid for seconds must be a number from 1 to 86400"
    WRONG_SERVICE = "Messaging service SID must be MG and 32 hexadecimal digits"
    SERVICE_ON_CALL = "Messaging services are not supported on twilio/call, use from_number"
    NOT_CONFIGURED = "{label} {value} is not configured"
    ONE_PERSON = "Only contact, or name and phone_number, can be specified"
    WRONG_MEDIA = "Media URLs must be a list of http and https URLs"
    TOO_MANY_MEDIA = "Media URLs are {count}, Twilio accepts {limit}"
    MEDIA_ON_CALL = "Media URLs are not supported on twilio/call, use twilio/txt"
    ONE_VOICE = "Only one of voice_message_location, voice_message and twiml can be specified"
    NOTHING_TO_SPEAK = "Voice message has only spaces and control characters, so nothing can be heard"
    TOO_LONG_TO_SPEAK = "Voice message is {length} characters long as TwiML, Twilio accepts {limit}"
    WRONG_LANGUAGE = "Language must be a BCP 47 tag, such as en-US"
    WRONG_VOICE = "Voice must be the name of a voice of Twilio, such as Polly.Joanna"
    TWIML_TOO_LONG = "TwiML is {length} characters long, Twilio accepts {limit}"
    TWIML_NOT_XML = "TwiML is not well-formed XML: {where}"
    TWIML_ROOT = "TwiML must have Response as its root"
    NOTHING_NAMED = "Id or about must be specified"
    ONE_NAMED = "Only one of id and about can be specified"


class Flaw(Exception):
    """The request breaks a rule; `parse` turns this into a rejection."""

    def __init__(self, sentence: Sentence, **words: object) -> None:
        super().__init__(sentence)
        self.message = sentence.value.format(**words)
