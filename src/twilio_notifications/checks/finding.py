"""One line of `check`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was tried, whether it works, and what was found or is to be done."""

    subject: str
    works: bool
    sentence: str

    def __str__(self) -> str:
        return f"{'ok  ' if self.works else 'FAIL'}  {self.subject:<13}  {self.sentence}"
