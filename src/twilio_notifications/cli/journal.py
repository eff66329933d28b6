"""The arguments of `journal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli import journal_orders, journal_reading, kinds
from twilio_notifications.cli.options import add_action

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `journal` with its actions."""
    journal = commands.add_parser(
        "journal",
        help="reads the journal, and orders something of the connector",
        description="Reads the journal of the configuration, and orders something of its connector, which "
        "carries it out within a second. Only purge needs the connector to be stopped. Exit codes of "
        "orders: 0 carried out; 1 refused, with the reason; 3 written, and carried out at the next start.",
    )
    actions = journal.add_subparsers(title="actions", metavar="ACTION", required=True)
    journal_reading.add(actions)
    journal_orders.add(actions)
    purge = add_action(actions, "purge", _purge, "removes reported requests")
    purge.add_argument(
        "--older-than",
        type=kinds.days,
        metavar="DAYS",
        help="how long ago their status was reported, at least (default: [journal] retention_seconds)",
    )


def _purge(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.purge(options.config, days=options.older_than, environ=environ)
