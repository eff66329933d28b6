"""What several commands take."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from twilio_notifications.cli import kinds
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Command = Callable[[argparse.Namespace, Mapping[str, str]], int]
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - it has no public name


CHANNELS: Mapping[str, Channel] = MappingProxyType({"text": Channel.SMS, "call": Channel.CALL})
"""The channels by the words that people type."""


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


def add_action(actions: Commands, name: str, command: Command, sentence: str) -> argparse.ArgumentParser:
    """An action of a command, with `--config`; `sentence` says what it does."""
    parser = actions.add_parser(name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}.")
    add_config(parser)
    parser.set_defaults(command=command)
    return parser


def add_number(parser: argparse.ArgumentParser, *, is_required: bool = True) -> None:
    """The number of a request."""
    parser.add_argument(
        "number",
        nargs=None if is_required else "?",
        type=kinds.whole(1),
        metavar="NUMBER",
        help="the request's number, as `journal list` shows it",
    )
