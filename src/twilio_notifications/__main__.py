"""The entry of the `twilio-notifications` command and of `python -m twilio_notifications`."""

from __future__ import annotations

import logging
import os
import sys

_STANDARD_ERROR = 2


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    _occupy_standard_descriptors()
    # Imported here, because nothing happens at import; these first, because the rest takes its time.
    from twilio_notifications.seclusion import seclude  # noqa: PLC0415

    seclude()
    from twilio_notifications.signals import EarlySignals, Stopped, is_run  # noqa: PLC0415

    signals = EarlySignals() if is_run(sys.argv[1:]) else None
    try:
        if signals is not None:
            signals.listen()
        from twilio_notifications.cli import main as command_line  # noqa: PLC0415

        code = command_line(sys.argv[1:], signals=signals)
    except Stopped:
        code = 0
    except KeyboardInterrupt:  # Ctrl-C before the command line is loaded, which then answers it itself
        code = _interrupted()
    except SystemExit as ended:  # argparse: help, version, wrong usage
        code = ended.code if isinstance(ended.code, int) else 0
    from twilio_notifications import terminal  # noqa: PLC0415 - nothing happens at import

    logging.shutdown()
    # Everything of ours is closed, but the HTTP client's threads may still be taking leave. Measured: one in
    # three busy processes that let the interpreter take itself apart meanwhile ended with SIGABRT.
    os._exit(code if terminal.flushed() else max(code, 1))


def _interrupted() -> int:
    from twilio_notifications import exit_codes, terminal  # noqa: PLC0415 - nothing happens at import

    terminal.complain("twilio-notifications: interrupted")
    return exit_codes.INTERRUPTED


def _occupy_standard_descriptors() -> None:
    """Opens the null device wherever standard input, output or error was closed by the caller.

    Otherwise the first file opened gets that number: the journal, for instance, and a library that prints a
    message of its own to descriptor 2 writes it into the journal.
    """
    opened = os.open(os.devnull, os.O_RDWR)
    while opened <= _STANDARD_ERROR:
        opened = os.open(os.devnull, os.O_RDWR)
    os.close(opened)


if __name__ == "__main__":
    main()
