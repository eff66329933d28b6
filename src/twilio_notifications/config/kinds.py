"""The kinds of values a setting can have: how each is described, read from text, and checked.

A description is at once the phrase of the reference and of a problem, so that the two cannot differ.
Judges one value at a time and knows no setting by name; what two settings demand of each other is in
rules.py.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twilio_notifications.config.urls import Wrong, read_listen_address
from twilio_notifications.core.wording import shown, suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.config.keys import Key, Values

T_co = TypeVar("T_co", covariant=True)
Word = TypeVar("Word", bound=StrEnum)
Length = TypeVar("Length", int, float)

SHORTEST = 0.001
LONGEST = 4_294_967_295  # the most that MQTT 5 can say (3.1.2.11.2): 136 years, and no instant overflows


class Kind(ABC, Generic[T_co]):
    """What a setting can hold, and as which type. Pure: whether a file exists is looked up later."""

    __slots__ = ()

    @property
    def is_shown(self) -> bool:
        """Whether a problem may quote the value."""
        return True

    @property
    @abstractmethod
    def description(self) -> str:
        """What the value must be."""

    @abstractmethod
    def accept(self, value: Any) -> T_co | Wrong | None:
        """The value as the program uses it, `None` for "not set", or Wrong; a relative path stays so."""

    def from_text(self, text: str) -> object:
        """The value that a text from the environment stands for; where it is none, the text, for `accept`."""
        return text

    def mismatch(self, value: object) -> Wrong:
        instead = f", not {shown(value)}" if self.is_shown else ""
        return Wrong(demand=f"must be {self.description}{instead}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Kind[Word]):
    """One of a few words; the value is a member of `words`."""

    words: type[Word]

    @property
    def description(self) -> str:
        return "one of " + ", ".join(f'"{word}"' for word in self.words)

    def accept(self, value: Any) -> Word | Wrong:
        is_known = isinstance(value, str) and value in set(self.words)
        return self.words(value) if is_known else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Kind[bool]):
    """On or off."""

    description = "true or false"

    def from_text(self, text: str) -> object:
        return {"true": True, "false": False}.get(text.strip().lower(), text)

    def accept(self, value: Any) -> bool | Wrong:
        return value if isinstance(value, bool) else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeNumber(Kind[int]):
    minimum: int
    maximum: int

    @property
    def description(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    def from_text(self, text: str) -> object:
        return _number(text, int)

    def accept(self, value: Any) -> int | Wrong:
        is_whole = isinstance(value, int) and not isinstance(value, bool)  # to Python, True is 1
        return value if is_whole and self.minimum <= value <= self.maximum else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Kind[float]):
    """A number between two bounds, whole or fractional."""

    minimum: float
    maximum: float

    @property
    def description(self) -> str:
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def from_text(self, text: str) -> object:
        return _number(text, int, float)

    def accept(self, value: Any) -> float | Wrong:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # TOML knows nan and inf: neither lies between two bounds.
        return float(value) if is_number and self.minimum <= value <= self.maximum else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Kind[Length]):
    """A number of seconds between two bounds."""

    minimum: float = SHORTEST
    maximum: float = LONGEST

    @property
    def description(self) -> str:
        return f"a number of seconds from {self.minimum:g} to {self.maximum:.0f}"

    def from_text(self, text: str) -> object:
        return _number(text, int, float)

    def accept(self, value: Any) -> Length | Wrong:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # TOML knows nan and inf: neither lies between two bounds.
        fits = is_number and self.minimum <= value <= self.maximum
        return self.length(value) if fits else self.mismatch(value)

    @abstractmethod
    def length(self, seconds: float) -> Length:
        """The value as the program uses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds(Duration[float]):
    """A duration, whole or fractional."""

    def length(self, seconds: float) -> float:
        return float(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeSeconds(Duration[int]):
    """A duration that a protocol counts in whole seconds; a fraction is rounded up."""

    def length(self, seconds: float) -> int:
        return math.ceil(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextList(Kind[tuple[str, ...]]):
    """A list of strings, each of which `fits`; the value is a tuple."""

    description: str = "a list of strings that are not empty"
    fits: Callable[[str], object] = bool

    def from_text(self, text: str) -> object:
        if not text.lstrip().startswith("["):
            return [part.strip() for part in text.split(",")] if text.strip() else []
        return _json(text)

    def accept(self, value: Any) -> tuple[str, ...] | Wrong:
        fits = isinstance(value, list) and all(isinstance(each, str) and self.fits(each) for each in value)
        return tuple(value) if fits else self.mismatch(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables(Kind[tuple[T_co, ...]]):
    """A list of tables with these keys; `read` makes a value of each one, and its demand says what is wrong.

    `noun` is what a table stands for. Problems count the tables from 1.
    """

    noun: str
    keys: Mapping[str, Key]
    read: Callable[[Values], T_co | Wrong]

    @property
    def description(self) -> str:
        return f"a list of {self.noun}s, each a table"

    @property
    def is_shown(self) -> bool:
        return all(key.kind.is_shown for key in self.keys.values())

    def from_text(self, text: str) -> object:
        return _json(text)

    def accept(self, value: Any) -> tuple[T_co, ...] | Wrong:
        if not isinstance(value, list) or not all(isinstance(table, dict) for table in value):
            return self.mismatch(value)
        found, problems = [], []
        for number, table in enumerate(value, 1):
            wrong, values = self._accept_each(table)
            read = Wrong(demand="; ".join(wrong)) if wrong else self.read(values)
            if isinstance(read, Wrong):
                problems.append(f"{self.noun} {number}: {read.demand}")
            else:
                found.append(read)
        return Wrong(demand=f"cannot be used: {'; '.join(problems)}") if problems else tuple(found)

    def _accept_each(self, table: Mapping[str, Any]) -> tuple[list[str], Values]:
        """What is wrong with the keys of a table, and the values of the others."""
        wrong = [f"unknown key {key}: {suggestion(key, self.keys)}" for key in table if key not in self.keys]
        wrong += [
            f"{name} is missing" for name, key in self.keys.items() if key.is_required and name not in table
        ]
        values = {name: key.kind.accept(table[name]) for name, key in self.keys.items() if name in table}
        wrong += [f"{name} {each.demand}" for name, each in values.items() if isinstance(each, Wrong)]
        return wrong, dict.fromkeys(self.keys) | values


class TextKind(Kind[T_co]):
    """What is written as a string, and then means something of its own."""

    __slots__ = ()

    def accept(self, value: Any) -> T_co | Wrong | None:
        if not isinstance(value, str):
            return self.mismatch(value)
        if "\0" in value:  # no system call, environment or MQTT string can carry it
            return Wrong(demand="must not hold a NUL character")
        return self.accept_text(value)

    @abstractmethod
    def accept_text(self, text: str) -> T_co | Wrong | None:
        """As `accept`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(TextKind[str]):
    may_be_empty: bool = False
    without: str = ""
    not_beginning: tuple[str, ...] = ()
    maximum: int = 0
    """In characters; 0: any number."""

    @property
    def description(self) -> str:
        phrase = "a string" if self.may_be_empty else "a string that is not empty"
        if self.without:
            phrase += f", without {' and '.join(self.without)}"
        if self.not_beginning:
            phrase += f", that does not begin with {' or '.join(self.not_beginning)}"
        if self.maximum:
            phrase += f", of at most {self.maximum} characters"
        return phrase

    def accept_text(self, text: str) -> str | Wrong:
        if self.maximum and len(text) > self.maximum:
            return Wrong(demand=f"is {len(text)} characters long, the limit is {self.maximum}: shorten it")
        fits = (text or self.may_be_empty) and not set(self.without) & set(text)
        return text if fits and not text.startswith(self.not_beginning) else self.mismatch(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePath(TextKind[Path]):
    """A file; "" is none. With `must_exist` it has to be one that can be read, for the caller to see to."""

    must_exist: bool = True

    description = "the path of a file"

    def accept_text(self, text: str) -> Path | None:
        return Path(text) if text else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written(TextKind[T_co]):
    """A string that stands for something else, which `read` gets out of it; None from there is a mismatch.

    Where it `may_be_empty`, "" is not set.
    """

    description: str
    read: Callable[[str], T_co | Wrong | None]
    may_be_empty: bool = False
    is_shown: bool = True

    def accept_text(self, text: str) -> T_co | Wrong | None:
        if text == "" and self.may_be_empty:
            return None
        value = self.read(text)
        return self.mismatch(text) if value is None else value


LISTEN_ADDRESS = Written(
    description='HOST:PORT, as in "127.0.0.1:9464"', read=read_listen_address, may_be_empty=True
)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _number(text: str, *readers: type[int | float]) -> object:
    for reader in readers:
        try:
            return reader(text)
        except ValueError:
            continue
    return text
