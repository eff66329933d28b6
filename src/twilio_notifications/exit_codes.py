"""The exit codes of the commands, and what a command says about the error that ends it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError, ConnectorError

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILED = 1
WRONG_USAGE = 2
NOT_CARRIED_OUT = 3
"""An order is written, and no connector has carried it out yet."""
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Sentences for people, and the exit code."""

    sentences: tuple[str, ...]
    exit_code: int


def understood(error: BaseException) -> Failure | None:
    """The sentences and the exit code for an error; None for a defect, whose trace is needed."""
    match error:
        case ConfigurationError():
            return Failure(sentences=tuple(error.problems), exit_code=WRONG_USAGE)
        case ConnectorError():
            return Failure(sentences=(str(error),), exit_code=FAILED)
        case BaseExceptionGroup():
            failures = [understood(leaf) for leaf in _leaves(error)]
            known = [failure for failure in failures if failure is not None]
            if len(known) < len(failures):
                return None
            worst = max(failure.exit_code for failure in known)
            told = [failure.sentences for failure in known if failure.exit_code == worst]
            return Failure(sentences=tuple(one for sentences in told for one in sentences), exit_code=worst)
        case _:
            return None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
