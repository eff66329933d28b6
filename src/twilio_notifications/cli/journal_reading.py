"""The arguments of the actions of `journal` that read it."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.cli import kinds
from twilio_notifications.cli.options import CHANNELS, add_action, add_number
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.lifecycle import State

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands
    from twilio_notifications.ports.journal.reader import Search
    from twilio_notifications.reading.display import Display

ONLY = (
    "all",
    "waiting",
    "doubt",
    "unreported",
    "success",
    "failed",
    "unknown",
    "undelivered",
    "rejected",
    "unacknowledged",
)
"""The words of ports.journal.reader.Only, which is imported when a command needs it."""

_MOST_LISTED = 1_000_000
_MOST_HOURS = 24 * 31

_REASONS: Mapping[str, Reason | WaitReason] = {str(reason): reason for reason in (*Reason, *WaitReason)}


def add(actions: Commands) -> None:
    """Adds the actions."""
    newest = add_action(actions, "list", _list, "the newest requests, or those that match, a line each")
    _add_filters(newest)
    _add_limit(newest, default=50)
    _add_forms(newest, csv=True)
    newest.add_argument("--exit-code", action="store_true", help="end with 1 where no request matches")
    show = add_action(actions, "show", _show, "one request with all that happened to it, on one time line")
    add_number(show)
    _add_forms(show)
    tail = add_action(actions, "tail", _tail, "requests as they come and change, a line each, until Ctrl-C")
    _add_filters(tail)
    _add_limit(tail, default=10)
    _add_forms(tail)
    _add_stats(actions)
    _add_export(actions)


def _add_stats(actions: Commands) -> None:
    stats = add_action(actions, "stats", _stats, "how many requests came, succeeded and failed in each hour")
    stats.add_argument(
        "--hours",
        type=kinds.whole(1, _MOST_HOURS),
        default=24,
        metavar="N",
        help="how many hours, the current one included (default: 24)",
    )
    add_forms_of_facts(stats)


def _add_export(actions: Commands) -> None:
    export = add_action(
        actions,
        "export",
        _export,
        "all requests that match, as JSON with their time lines, or as CSV",
    )
    _add_filters(export)
    _add_limit(export, default=_MOST_LISTED)
    form = export.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as objects of JSON, one a line (the default)")
    form.add_argument("--csv", action="store_true", help="as CSV, without time lines")
    _add_reveal(export)
    export.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="into this new file, which only you may read (default: to standard output)",
    )


def _add_filters(parser: argparse.ArgumentParser) -> None:
    """What is looked for; all of it has to hold."""
    parser.add_argument(
        "--only",
        choices=ONLY,
        default="all",
        help="which requests to show (default: all)",
    )
    parser.add_argument("--id", metavar="ID", help="those with this id of their client")
    parser.add_argument("--contact", metavar="NAME", help="those to this contact of the configuration")
    parser.add_argument(
        "--to",
        type=kinds.phone_number,
        metavar="NUMBER",
        help="those to this telephone number, written whole, as in +12345000000",
    )
    parser.add_argument("--name", metavar="TEXT", help="those whose recipient's name holds this text")
    parser.add_argument("--state", choices=[str(state) for state in State], help="those in this state")
    parser.add_argument(
        "--reason",
        choices=list(_REASONS),
        metavar="REASON",
        help="those that failed for this reason, such as Expired, or wait for it, such as quiet_hours",
    )
    parser.add_argument("--channel", choices=list(CHANNELS), help="texts or calls alone")
    parser.add_argument(
        "--since",
        type=kinds.past_instant,
        metavar="WHEN",
        help="those that were accepted at most so long ago, such as 30m, 2h or 1d, or from this instant on, "
        "such as 2026-01-31T22:00",
    )
    parser.add_argument(
        "--until",
        type=kinds.past_instant,
        metavar="WHEN",
        help="those that were accepted at least so long ago, or before this instant",
    )


def _add_limit(parser: argparse.ArgumentParser, *, default: int) -> None:
    parser.add_argument(
        "--limit",
        type=kinds.whole(1, _MOST_LISTED),
        default=default,
        metavar="N",
        help=f"show at most N requests (default: {default})",
    )


def _add_forms(parser: argparse.ArgumentParser, *, csv: bool = False) -> None:
    add_forms_of_facts(parser, csv=csv)
    _add_reveal(parser)


def add_forms_of_facts(parser: argparse.ArgumentParser, *, csv: bool = False) -> None:
    """How it is shown, where nothing in it is masked."""
    parser.add_argument("--utc", action="store_true", help="show instants in UTC, not in local time")
    form = parser.add_mutually_exclusive_group() if csv else parser
    form.add_argument("--json", action="store_true", help="as objects of JSON, one a line")
    if csv:
        form.add_argument("--csv", action="store_true", help="as CSV, with a header")


def _add_reveal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reveal", action="store_true", help="whole numbers, names and texts; without it they are masked"
    )


def display_of(options: argparse.Namespace) -> Display:
    """How the options want it to be shown. An option that the command does not have is off."""
    from twilio_notifications.reading.display import Display, OutputForm  # noqa: PLC0415 - as below
    from twilio_notifications.reading.times import Calendar  # noqa: PLC0415 - as below

    chosen = vars(options)
    form = (
        OutputForm.JSON if chosen.get("json") else OutputForm.CSV if chosen.get("csv") else OutputForm.LINES
    )
    calendar = Calendar(zone=UTC if chosen.get("utc") else None)
    return Display(form=form, calendar=calendar, reveal=chosen.get("reveal", False))


def _search(options: argparse.Namespace) -> Search:
    from twilio_notifications.ports.journal.reader import Only, Search  # noqa: PLC0415 - as below

    return Search(
        only=Only(options.only),
        id=options.id,
        contact=options.contact,
        phone_number=options.to,
        name=options.name,
        state=None if options.state is None else State(options.state),
        reason=None if options.reason is None else _REASONS[options.reason],
        channel=None if options.channel is None else CHANNELS[options.channel],
        since=options.since,
        until=options.until,
        limit=options.limit,
    )


def _list(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_reading  # noqa: PLC0415 - imported when it runs

    return journal_reading.entries(
        options.config,
        _search(options),
        display=display_of(options),
        exit_code=options.exit_code,
        environ=environ,
    )


def _show(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_reading  # noqa: PLC0415 - imported when it runs

    return journal_reading.show(options.config, options.number, display=display_of(options), environ=environ)


def _tail(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_reading  # noqa: PLC0415 - imported when it runs

    journal_reading.tail(options.config, _search(options), display=display_of(options), environ=environ)


def _stats(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_reading  # noqa: PLC0415 - imported when it runs

    return journal_reading.stats(
        options.config, hours=options.hours, display=display_of(options), environ=environ
    )


def _export(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_reading  # noqa: PLC0415 - imported when it runs

    return journal_reading.export(
        options.config,
        _search(options),
        display=display_of(options),
        output=options.output,
        environ=environ,
    )
