"""`python -m twilio_notifications.greengrasssdk`: arguments and exit codes of the runner, without logic.

The exit codes are those of the connector: 0 done; 1 failed while running; 2 wrong usage or configuration.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.config import CONFIG_VARIABLE
from twilio_notifications.core.errors import ConfigurationError, ConnectorError
from twilio_notifications.exit_codes import FAILED, WRONG_USAGE
from twilio_notifications.greengrasssdk import runner

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "python -m twilio_notifications.greengrasssdk"


def main(arguments: Sequence[str]) -> int:
    """Runs a function until a signal stops it; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.config:
        # The function's own calls look for the file there, also after a change of the working directory.
        os.environ[CONFIG_VARIABLE] = str(options.config.absolute())
    try:
        return runner.run(options.function, options.topic, environ=os.environ)
    except ConfigurationError as error:
        return _fail(error.problems, WRONG_USAGE)
    except ConnectorError as error:
        return _fail([str(error)], FAILED)


def _fail(sentences: Sequence[str], code: int) -> int:
    for sentence in sentences:
        terminal.complain(f"{PROGRAM}: {sentence}")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Runs a Lambda function of Greengrass V1: calls it with each message."
    )
    parser.add_argument(
        "function", metavar="MODULE.FUNCTION", help="the function to call, named as in V1's Executable"
    )
    parser.add_argument(
        "--topic",
        action="append",
        required=True,
        help="a topic whose messages the function gets; may be given several times",
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help=f"the connector's configuration file (default: the one that ${CONFIG_VARIABLE} names)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
