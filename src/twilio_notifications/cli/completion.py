"""The arguments of `completion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.completion.shells import Shell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `completion`."""
    completion = commands.add_parser(
        "completion",
        help="prints a script that completes this program's command line",
        description="Prints the script with which bash, zsh or fish completes commands, options and their "
        "words. Where each shell looks for it: docs/how-to/install.md.",
    )
    shells = [str(shell) for shell in Shell]
    completion.add_argument("shell", choices=shells, metavar="SHELL", help=f"one of {', '.join(shells)}")
    completion.set_defaults(command=_completion)


def _completion(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    # Imported when it runs; the parser imports this module.
    from twilio_notifications.cli.root import parser  # noqa: PLC0415
    from twilio_notifications.commands import completion  # noqa: PLC0415
    from twilio_notifications.outline import outline  # noqa: PLC0415

    return completion.run(Shell(options.shell), outline(parser()))
