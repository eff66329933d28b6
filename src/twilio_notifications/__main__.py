"""The entry of the `twilio-notifications` command and of `python -m twilio_notifications`."""

from __future__ import annotations

import logging
import os
import sys


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    from twilio_notifications.cli import main as command_line  # noqa: PLC0415 - nothing happens at import

    code = command_line(sys.argv[1:])
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything of ours is closed, but the HTTP client's threads may still be taking leave. Measured: one in
    # three busy processes that let the interpreter take itself apart meanwhile ended with SIGABRT.
    os._exit(code)


if __name__ == "__main__":
    main()
