"""The kinds of values a setting can have: how each is described, read from text, and checked.

A description is at once the phrase of the reference and of a problem, so that the two cannot differ.
Judges one value at a time and knows no setting by name; what two settings demand of each other is in
rules.py.
"""

from __future__ import annotations

import json
import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from twilio_notifications.config.urls import Wrong, read_broker_url, read_journal_url, read_web_url
from twilio_notifications.core.parameters import Unreadable, read_connector_arn
from twilio_notifications.core.policy import is_prefix
from twilio_notifications.core.wording import shown

if TYPE_CHECKING:
    from enum import StrEnum

SHORTEST = 0.001
LONGEST = 4_294_967_295  # the most that MQTT 5 can say (3.1.2.11.2): 136 years, and no instant overflows

_HIGHEST_PORT = 65_535
_DESTINATION = re.compile(r"\+[0-9?][0-9?*]*")


class Kind(ABC):
    """What a setting can hold. Pure: whether a file exists is looked up later."""

    __slots__ = ()
    is_shown: ClassVar[bool] = True
    """Whether a problem may quote the value."""

    @property
    @abstractmethod
    def description(self) -> str:
        """What the value must be."""

    @abstractmethod
    def accept(self, value: Any) -> object:
        """The value as the program uses it, `None` for "not set", or Wrong; a relative path stays so."""

    def from_text(self, text: str) -> object:
        """The value that a text from the environment stands for; where it is none, the text, for `accept`."""
        return text

    def mismatch(self, value: object) -> Wrong:
        instead = f", not {shown(value)}" if self.is_shown else ""
        return Wrong(demand=f"must be {self.description}{instead}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Kind):
    """One of a few words; the value is a member of `words`."""

    words: type[StrEnum]

    @property
    def description(self) -> str:
        return "one of " + ", ".join(f'"{word}"' for word in self.words)

    def accept(self, value: Any) -> object:
        known = isinstance(value, str) and value in set(self.words)
        return self.words(value) if known else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Kind):
    """On or off."""

    @property
    def description(self) -> str:
        return "true or false"

    def from_text(self, text: str) -> object:
        return {"true": True, "false": False}.get(text.strip().lower(), text)

    def accept(self, value: Any) -> object:
        return value if isinstance(value, bool) else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeNumber(Kind):
    minimum: int
    maximum: int

    @property
    def description(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    def from_text(self, text: str) -> object:
        return _number(text, int)

    def accept(self, value: Any) -> object:
        is_whole = isinstance(value, int) and not isinstance(value, bool)  # to Python, True is 1
        return value if is_whole and self.minimum <= value <= self.maximum else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds(Kind):
    """A duration. `whole` rounds a fraction up, for what a protocol counts in whole seconds."""

    minimum: float = SHORTEST
    maximum: float = LONGEST
    whole: bool = False

    @property
    def description(self) -> str:
        return f"a number of seconds from {self.minimum:g} to {self.maximum:.0f}"

    def from_text(self, text: str) -> object:
        return _number(text, int, float)

    def accept(self, value: Any) -> object:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # TOML knows nan and inf: neither lies between two bounds.
        if not is_number or not self.minimum <= value <= self.maximum:
            return self.mismatch(value)
        return math.ceil(value) if self.whole else float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextList(Kind):
    """A list of strings; the value is a tuple."""

    @property
    def description(self) -> str:
        return "a list of strings that are not empty"

    def from_text(self, text: str) -> object:
        if not text.lstrip().startswith("["):
            return [part.strip() for part in text.split(",")] if text.strip() else []
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text

    def accept(self, value: Any) -> object:
        fits = isinstance(value, list) and all(isinstance(entry, str) and entry for entry in value)
        return tuple(value) if fits else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations(TextList):
    """Countries, numbers and patterns of numbers; the value is a tuple."""

    @property
    def description(self) -> str:
        return (
            'a list of countries ("+49"), numbers ("+491701234567") and patterns ("+49170*", "+4917012345??")'
        )

    def accept(self, value: Any) -> object:
        patterns = TextList.accept(self, value)
        fits = isinstance(patterns, tuple) and all(_DESTINATION.fullmatch(pattern) for pattern in patterns)
        return patterns if fits else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceLocations(TextList):
    """Beginnings of URLs; the value is a tuple."""

    @property
    def description(self) -> str:
        return (
            'a list of beginnings of URLs ("https://example.com/voice/"), without user, password, query, '
            'fragment and ".."'
        )

    def accept(self, value: Any) -> object:
        prefixes = TextList.accept(self, value)
        fits = isinstance(prefixes, tuple) and all(map(is_prefix, prefixes))
        return prefixes if fits else self.mismatch(value)


class TextKind(Kind):
    """What is written as a string, and then means something of its own."""

    __slots__ = ()

    def accept(self, value: Any) -> object:
        if not isinstance(value, str):
            return self.mismatch(value)
        if "\0" in value:  # no system call, environment or MQTT string can carry it
            return Wrong(demand="must not hold a NUL character")
        return self.accept_text(value)

    @abstractmethod
    def accept_text(self, text: str) -> object:
        """As `accept`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(TextKind):
    may_be_empty: bool = False
    without: str = ""
    not_beginning: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        phrase = "a string" if self.may_be_empty else "a string that is not empty"
        if self.without:
            phrase += f", without {' and '.join(self.without)}"
        if self.not_beginning:
            phrase += f", that does not begin with {' or '.join(self.not_beginning)}"
        return phrase

    def accept_text(self, text: str) -> object:
        fits = (text or self.may_be_empty) and not set(self.without) & set(text)
        return text if fits and not text.startswith(self.not_beginning) else self.mismatch(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePath(TextKind):
    """A file; "" is none. With `must_exist` it has to be one that can be read, for the caller to see to."""

    must_exist: bool = True

    @property
    def description(self) -> str:
        return "the path of a file"

    def accept_text(self, text: str) -> object:
        return Path(text) if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorArn(TextKind):
    """The ARN of a version of the connector; the value is a ConnectorVersion, "" is none."""

    @property
    def description(self) -> str:
        return "the ARN of a version of the connector"

    def accept_text(self, text: str) -> object:
        if text == "":
            return None
        version = read_connector_arn(text)
        if isinstance(version, Unreadable):
            return Wrong(demand=f"cannot be used: {'; '.join(version.problems)}")
        return version


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeySid(TextKind):
    """The SID of a Twilio API key; "" is none."""

    is_shown: ClassVar[bool] = False  # where a key is copied from, its secret stands next to its SID

    @property
    def description(self) -> str:
        return "the SID of an API key, SK and 32 hexadecimal digits"

    def accept_text(self, text: str) -> object:
        if text == "":
            return None
        return text if re.fullmatch(r"SK[0-9a-fA-F]{32}", text) else self.mismatch(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUrl(TextKind):
    """The value is a BrokerAddress."""

    is_shown: ClassVar[bool] = False  # it may hold a password, whatever type it was written as

    @property
    def description(self) -> str:
        return "an mqtt:// or mqtts:// URL"

    def accept_text(self, text: str) -> object:
        return read_broker_url(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebUrl(TextKind):
    """The value is the URL without a slash at its end."""

    is_shown: ClassVar[bool] = False  # as above: it must not hold a password, but a user may try

    @property
    def description(self) -> str:
        return "an https:// or http:// URL"

    def accept_text(self, text: str) -> object:
        return read_web_url(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress(TextKind):
    """The value is a pair of host and port; "" is none."""

    @property
    def description(self) -> str:
        return 'HOST:PORT, as in "127.0.0.1:9464"'

    def accept_text(self, text: str) -> object:
        host, _, port = text.rpartition(":")
        if text == "":
            return None
        fits = host and re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= _HIGHEST_PORT
        return (host.strip("[]"), int(port)) if fits else self.mismatch(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalUrl(TextKind):
    """The value is the path of the database file."""

    @property
    def description(self) -> str:
        return "an sqlite:/// URL"

    def accept_text(self, text: str) -> object:
        return read_journal_url(text)


def _number(text: str, *readers: type[int | float]) -> object:
    for reader in readers:
        try:
            return reader(text)
        except ValueError:
            continue
    return text
