"""One line of `check`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The subject of a check, whether it works, and a sentence with the facts or the remedy."""

    subject: str
    works: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.works else 'FAIL'}  {self.subject:<13}  {self.sentence}"
