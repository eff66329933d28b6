"""The entry of the `twilio-notifications` command and of `python -m twilio_notifications`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    from twilio_notifications.cli import main as command_line  # noqa: PLC0415 - nothing happens at import

    sys.exit(command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
