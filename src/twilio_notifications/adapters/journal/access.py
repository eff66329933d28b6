"""How people's commands and the console get at a journal, next to a running connector or without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from twilio_notifications.adapters.journal.connection import Connection


class Access(Protocol):
    """Each call raises a JournalError that says what to do where the journal cannot be used."""

    @property
    def name(self) -> str:
        """How the journal is called in a sentence."""

    def reading(self, *, glance: bool = False) -> AbstractContextManager[Connection]:
        """One state of the journal, whatever is written meanwhile. Its rows have names; see Row.

        A `glance` goes to a journal that was read before: what was found in order is not looked at again.
        """

    def ordering(self) -> AbstractContextManager[Connection]:
        """One transaction, committed at the end, that adds rows of people's orders and changes no others."""

    def is_running(self) -> bool:
        """Whether a connector uses the journal."""

    def last_written(self) -> tuple[int, ...]:
        """Numbers that change with each change of the journal; 0: that may be so without a new number."""
