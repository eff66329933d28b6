"""The arguments of `journal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli import journal_orders, kinds
from twilio_notifications.cli.options import add_action, add_number

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands

_STANDINGS = ("all", "waiting", "doubt", "unreported", "unknown", "failed")
_MOST_LISTED = 1_000_000


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
    newest = add_action(actions, "list", _list, "the newest requests, one line each")
    newest.add_argument(
        "--only", choices=_STANDINGS, default="all", help="which requests to show (default: all)"
    )
    newest.add_argument(
        "--limit",
        type=kinds.whole(1, _MOST_LISTED),
        default=50,
        metavar="N",
        help="show at most N requests (default: 50)",
    )
    add_number(add_action(actions, "show", _show, "one request and its attempts"))
    journal_orders.add(actions)
    purge = add_action(actions, "purge", _purge, "removes reported requests")
    purge.add_argument(
        "--older-than",
        type=kinds.days,
        metavar="DAYS",
        help="how long ago their status was reported, at least (default: [journal] retention_seconds)",
    )


def _list(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.entries(options.config, only=options.only, limit=options.limit, environ=environ)


def _show(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.show(options.config, options.number, environ=environ)


def _purge(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.purge(options.config, days=options.older_than, environ=environ)
