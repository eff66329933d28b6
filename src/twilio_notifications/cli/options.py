"""What several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


def add_config(parser: argparse.ArgumentParser, *, default: str | None = argparse.SUPPRESS) -> None:
    """`--config`, which may stand before the command and after it; after it, it wins.

    A command has no default of its own, which would undo what stands before it.
    """
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=default,
        help="the configuration file (TOML); every key can also be set by environment. Left out: "
        "$TWILIO_NOTIFICATIONS_CONFIG, then ./twilio-notifications.toml, then "
        "/etc/twilio-notifications/twilio-notifications.toml",
    )
