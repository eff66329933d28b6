"""The arguments of `check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli.options import add_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `check`."""
    check = commands.add_parser(
        "check",
        help="reports mistakes in the configuration and in its surroundings",
        description="Reports all mistakes in the configuration at once, then tries journal, secret, broker "
        "and Twilio, one line each. Sends nothing and changes nothing.",
    )
    add_config(check)
    check.add_argument("--offline", action="store_true", help="leave out what needs a network")
    check.set_defaults(command=_check)


def _check(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import check  # noqa: PLC0415 - imported when it runs

    return check.check(options.config, offline=options.offline, environ=environ)
