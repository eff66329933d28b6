"""The command line: arguments and exit codes, without logic.

Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration; 3 an order that is not carried out
yet; 130 interrupted by Ctrl-C.
One file has the arguments of one command; the command itself is imported when it runs.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.cli.root import parser
from twilio_notifications.config import find
from twilio_notifications.core.errors import ConnectorError, OutputLost
from twilio_notifications.exit_codes import FAILED, INTERRUPTED, WRONG_USAGE, understood

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.signals import EarlySignals

__all__ = ["FAILED", "INTERRUPTED", "WRONG_USAGE", "main", "parser"]


def main(arguments: Sequence[str], *, signals: EarlySignals | None = None) -> int:
    """Runs one command; returns its exit code. `run` takes `signals` over."""
    terminal.escape_what_does_not_fit()
    options = parser().parse_args(arguments, argparse.Namespace(signals=signals))
    if "config" in options and options.config is None:
        options.config = find(os.environ)
    command: Callable[[argparse.Namespace, Mapping[str, str]], int] = options.command
    try:
        return command(options, os.environ)
    except KeyboardInterrupt:
        return _fail(["interrupted"], INTERRUPTED)
    except OutputLost as lost:
        # A reader such as `head` that ends early is no failure.
        return 0 if lost.reader_left else _fail([str(lost)], FAILED)
    except (ConnectorError, BaseExceptionGroup) as error:
        failure = understood(error)
        if failure is None:
            raise
        return _fail(failure.sentences, failure.exit_code)


def _fail(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        terminal.complain(f"twilio-notifications: {sentence}")
    return code
