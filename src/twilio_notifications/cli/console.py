"""The arguments of `console`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli.options import add_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `console` and `console hash-password`."""
    console = commands.add_parser(
        "console",
        help="serves the web console",
        description="Serves the web console until Ctrl-C: what came in, what became of it, what waits and "
        "why, and orders to the connector. A process of its own, next to the connector or without one. "
        "Needs the extra 'console'. The log goes to standard error.",
    )
    add_config(console)
    console.set_defaults(command=_console)
    actions = console.add_subparsers(title="instead of serving", metavar="ACTION")
    hashing = actions.add_parser(
        "hash-password",
        help="prints the hash of a password",
        description="Asks for a password twice, or reads it as one line from standard input, and prints its "
        "hash for console.users or console.token_hash.",
    )
    hashing.set_defaults(command=_hash_password)


def _console(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import console  # noqa: PLC0415 - imported when it runs

    return console.console(options.config, environ=environ)


def _hash_password(_options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import console  # noqa: PLC0415 - imported when it runs

    return console.hash_password()
