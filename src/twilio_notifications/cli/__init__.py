"""The command line: arguments and exit codes, no logic.

Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration; 130 interrupted by Ctrl-C.
One file has the arguments of one command; the command itself is imported when it runs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.cli.root import parser
from twilio_notifications.config import find
from twilio_notifications.core.errors import ConfigurationError, ConnectorError, OutputLost

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["FAILED", "INTERRUPTED", "WRONG_USAGE", "main", "parser"]

FAILED = 1
WRONG_USAGE = 2
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells count."""


def main(arguments: Sequence[str]) -> int:
    """Runs one command; its exit code."""
    terminal.escape_what_does_not_fit()
    options = parser().parse_args(arguments)
    if "config" in options and options.config is None:
        options.config = find(os.environ)
    command: Callable[[argparse.Namespace, Mapping[str, str]], int] = options.command
    try:
        return command(options, os.environ)
    except KeyboardInterrupt:
        return _fail(["interrupted"], INTERRUPTED)
    except OutputLost as lost:
        # A reader such as `head` that has read enough is no failure.
        return 0 if lost.reader_left else _fail([str(lost)], FAILED)
    except ConfigurationError as error:
        return _fail(error.problems, WRONG_USAGE)
    except ConnectorError as error:
        return _fail([str(error)], FAILED)
    except BaseExceptionGroup as group:
        return _failed_together(group)


def _failed_together(group: BaseExceptionGroup[BaseException]) -> int:
    known, unknown = group.split(ConnectorError)
    if unknown is not None or known is None:
        raise group
    leaves = list(_leaves(known))
    wrong = [problem for leaf in leaves if isinstance(leaf, ConfigurationError) for problem in leaf.problems]
    return _fail(wrong, WRONG_USAGE) if wrong else _fail([str(leaf) for leaf in leaves], FAILED)


def _fail(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        terminal.complain(f"twilio-notifications: {sentence}")
    return code


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
