"""The parser of the command line, put together from the arguments of each command.

The commands themselves are imported when they run, so that `run` starts without the simulator, and `--help`
without any of them.
"""

from __future__ import annotations

import argparse
from importlib.metadata import version

from twilio_notifications.cli import (
    check,
    completion,
    console,
    demo,
    init,
    journal,
    migrate,
    run,
    send,
    simulator,
    status,
)
from twilio_notifications.cli.options import add_config


def parser() -> argparse.ArgumentParser:
    """The whole command line; what it parses has `command`, the function to be called."""
    whole = argparse.ArgumentParser(
        prog="twilio-notifications",
        description="Texts and calls by MQTT: the open successor of Greengrass's Twilio Notifications.",
        epilog="Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration. "
        "Of orders also 3: written, and not carried out yet.",
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {version('twilio-notifications')}")
    add_config(whole, default=None)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (init, run, check, send, demo, simulator, status, journal, console, migrate, completion):
        command.add(commands)
    return whole
