"""What people see of numbers and names unless they ask for the whole ones."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.core.phone_numbers import masked, with_numbers_masked


@dataclass(frozen=True, slots=True, kw_only=True)
class Veil:
    """`is_lifted` where the caller asked for whole numbers, names and texts."""

    is_lifted: bool

    def number(self, number: str) -> str:
        """All of the phone number, or its last four digits."""
        return number if self.is_lifted else masked(number)

    def name(self, name: str) -> str:
        """All of the name, or its first character."""
        return name if self.is_lifted or not name else f"{name[0]}…"

    def sentence(self, text: str | None) -> str | None:
        """The sentence, whose numbers are masked like others."""
        return text if self.is_lifted or text is None else with_numbers_masked(text)
