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
    NOT_A_URL = "Voice message location is not an http or https URL"
    ONE_CONTENT = "Only one of message and voice_message_location can be specified"
    VOICE_ON_TEXT = "Voice messages are not supported on twilio/txt, use twilio/call"
    TEXT_ON_VOICE = "Text messages are not supported on twilio/call, use twilio/txt"
    WRONG_RETRIES = "Retries must be a non-negative integer"
    WRONG_PRIORITY = "Priority must be urgent, normal or low"
    WRONG_LIFETIME = "Valid for seconds must be a number from 1 to 86400"


class Flaw(Exception):
    """The request breaks a rule; `parse` turns this into a rejection."""

    def __init__(self, sentence: Sentence, **words: object) -> None:
        super().__init__(sentence)
        self.message = sentence.value.format(**words)
