"""The arguments of `journal`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli import kinds
from twilio_notifications.cli.options import add_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from twilio_notifications.cli.options import Commands

    Command = Callable[[argparse.Namespace, Mapping[str, str]], int]

_STANDINGS = ("all", "waiting", "doubt", "unreported", "unknown", "failed")
_MOST_LISTED = 1_000_000


def add(commands: Commands) -> None:
    """Adds `journal` with its actions."""
    journal = commands.add_parser(
        "journal",
        help="reads and repairs the journal",
        description="Reads and repairs the journal of the configuration. list, show and acknowledge work "
        "next to a running connector; resolve, resend and purge need it to be stopped.",
    )
    actions = journal.add_subparsers(title="actions", metavar="ACTION", required=True)
    newest = _add_action(actions, "list", _list, "the newest requests, one line each")
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
    _add_number(_add_action(actions, "show", _show, "one request and its attempts"))
    _add_resolve(actions)
    _add_acknowledge(actions)
    _add_number(_add_action(actions, "resend", _resend, "sends a finished request once more"))
    purge = _add_action(actions, "purge", _purge, "removes reported requests")
    purge.add_argument(
        "--older-than",
        type=kinds.days,
        metavar="DAYS",
        help="how long ago their status was reported, at least (default: [journal] retention_seconds)",
    )


def _add_resolve(actions: Commands) -> None:
    resolve = _add_action(
        actions, "resolve", _resolve, "settles a request that was answered with OutcomeUnknown"
    )
    _add_number(resolve)
    answer = resolve.add_mutually_exclusive_group(required=True)
    answer.add_argument(
        "--sent", action="store_true", help="the request was sent; its new status is a success"
    )
    answer.add_argument(
        "--not-sent", action="store_true", help="the request was not sent; its new status is a failure"
    )
    resolve.add_argument(
        "--sid",
        type=kinds.sid,
        help="the SID of its text or call at Twilio, if you know it; only with --sent",
    )


def _add_acknowledge(actions: Commands) -> None:
    acknowledge = _add_action(
        actions, "acknowledge", _acknowledge, "ends an escalation: a person looks after it"
    )
    acknowledge.add_argument(
        "name", metavar="NUMBER|ID", help="the request's number, as `journal list` shows it, or its id"
    )
    acknowledge.add_argument(
        "--by", metavar="NAME", help="who looks after it (default: the user of the operating system)"
    )
    acknowledge.add_argument(
        "--wait",
        type=kinds.seconds,
        default=5.0,
        metavar="SECONDS",
        help="how long to wait for the connector (default: 5)",
    )


def _add_action(actions: Commands, name: str, command: Command, sentence: str) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}.")
    add_config(parser)
    parser.set_defaults(command=command)
    return parser


def _add_number(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "number",
        type=kinds.whole(1),
        metavar="NUMBER",
        help="the request's number, as `journal list` shows it",
    )


def _list(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.entries(options.config, only=options.only, limit=options.limit, environ=environ)


def _show(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.show(options.config, options.number, environ=environ)


def _resolve(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.resolve(
        options.config, options.number, sent=options.sent, sid=options.sid, environ=environ
    )


def _acknowledge(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.acknowledge(
        options.config, options.name, by=options.by, wait_seconds=options.wait, environ=environ
    )


def _resend(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.resend(options.config, options.number, environ=environ)


def _purge(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal  # noqa: PLC0415 - imported when it runs

    return journal.purge(options.config, days=options.older_than, environ=environ)
