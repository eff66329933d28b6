"""Checks of single values, shared by all payloads; each returns the value or raises a Flaw."""

from __future__ import annotations

import re
from typing import Any, Final

from twilio_notifications.core.contract.sentences import Flaw, Sentence
from twilio_notifications.core.phone_numbers import is_e164

_LONGEST_QUOTATION: Final = 100  # characters of a wrong value repeated to its sender


def phone_number(value: Any, label: str) -> str:
    """An E.164 number."""
    number = string(value, label)
    if not is_e164(number):
        raise Flaw(Sentence.NOT_E164, label=label, value=quoted(number))
    return number


# urllib is not used: it drops newlines and raises for some hosts. Twilio judges what follows the host.
_URL: Final = re.compile(
    r"""https?://
        (?:[^\s/?#@\\]*@)?                      # user:password@
        (?:\[[0-9a-f:.]+\]|[^\s/?#@:\[\]\\]+)   # an address in brackets, or a name
        (?::[0-9]*)?
        (?:[/?#]\S*)?""",
    re.VERBOSE | re.IGNORECASE,
)
# Valid JSON, but it has no UTF-8, so that neither Twilio nor the journal can take it.
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def url(value: Any, label: str) -> str:
    """An absolute http or https URL."""
    address = filled(value, label)
    if not is_url(address):
        raise Flaw(Sentence.NOT_A_URL, label=label)
    return address


def is_url(text: str) -> bool:
    """Whether `text` is an absolute http or https URL without spaces and control characters."""
    return not (_CONTROL.search(text) or _HALF_PAIR.search(text)) and _URL.fullmatch(text) is not None


def quoted(value: str) -> str:
    """The value as a sentence repeats it to its sender."""
    return value if len(value) <= _LONGEST_QUOTATION else value[:_LONGEST_QUOTATION] + "…"


def json_object(value: Any, label: str) -> dict[str, Any]:
    """A JSON object."""
    if value is None:
        raise Flaw(Sentence.IS_NONE, label=label)
    if not isinstance(value, dict):
        raise Flaw(Sentence.NOT_AN_OBJECT, label=label)
    return value


def string(value: Any, label: str) -> str:
    """A string that has UTF-8."""
    if value is None:
        raise Flaw(Sentence.IS_NONE, label=label)
    if not isinstance(value, str):
        raise Flaw(Sentence.NOT_A_STRING, label=label)
    if _HALF_PAIR.search(value):
        raise Flaw(Sentence.NOT_UNICODE, label=label)
    return value


def filled(value: Any, label: str) -> str:
    """A string that is not empty."""
    text = string(value, label)
    if not text:
        raise Flaw(Sentence.IS_EMPTY, label=label)
    return text


def short(text: str, label: str, *, limit: int) -> str:
    """The text, if it has at most `limit` characters."""
    if len(text) > limit:
        raise Flaw(Sentence.TOO_LONG, label=label, length=len(text), limit=limit)
    return text
