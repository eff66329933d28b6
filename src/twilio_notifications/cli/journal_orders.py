"""The arguments of the actions of `journal` that order something of the connector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli import kinds
from twilio_notifications.cli.options import CHANNELS, add_action, add_number
from twilio_notifications.core.errors import ConfigurationError, Reason

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands
    from twilio_notifications.commands.journal_orders import Bulk

_WAIT_SECONDS = 5.0


def add(actions: Commands) -> None:
    """Adds the actions."""
    _add_resend(actions)
    _add_cancel(actions)
    _add_resolve(actions)
    _add_acknowledge(actions)
    pause = add_action(actions, "pause", _pause, "lets all requests wait until `journal resume`")
    pause.add_argument(
        "--for",
        dest="duration",
        type=kinds.duration,
        metavar="DURATION",
        help="the pause ends by itself after so long, such as 90s, 30m, 2h or 1d",
    )
    _add_wait(pause)
    _add_wait(add_action(actions, "resume", _resume, "ends the pause of `journal pause`"))


def _add_resend(actions: Commands) -> None:
    resend = add_action(
        actions, "resend", _resend, "sends a finished request once more, as a new one, or many that failed"
    )
    _add_selection(resend, only="failed", those="that failed and were not sent again since")
    resend.add_argument(
        "--reason",
        choices=[str(reason) for reason in Reason],
        metavar="REASON",
        help="with --only: those that failed for this reason, such as Expired",
    )


def _add_cancel(actions: Commands) -> None:
    cancel = add_action(
        actions, "cancel", _cancel, "ends a request that waits, its ringing call, and its escalation"
    )
    _add_selection(cancel, only="waiting", those="that wait")
    cancel.set_defaults(reason=None)


def _add_selection(parser: argparse.ArgumentParser, *, only: str, those: str) -> None:
    add_number(parser, is_required=False)
    parser.add_argument(
        "--only", choices=[only], help=f"in place of NUMBER: all requests {those}, after a preview"
    )
    parser.add_argument(
        "--since",
        type=kinds.duration,
        metavar="DURATION",
        help="with --only: those that were accepted at most so long ago, such as 30m, 1h or 2d",
    )
    parser.add_argument("--channel", choices=list(CHANNELS), help="with --only: texts or calls alone")
    parser.add_argument(
        "--to",
        type=kinds.phone_number,
        metavar="NUMBER",
        help="with --only: those to this telephone number",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    _add_wait(parser)


def _add_resolve(actions: Commands) -> None:
    resolve = add_action(
        actions, "resolve", _resolve, "settles a request that was answered with OutcomeUnknown"
    )
    add_number(resolve)
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
    _add_wait(resolve)


def _add_acknowledge(actions: Commands) -> None:
    acknowledge = add_action(
        actions, "acknowledge", _acknowledge, "ends an escalation: a person looks after it"
    )
    acknowledge.add_argument(
        "name", metavar="NUMBER|ID", help="the request's number, as `journal list` shows it, or its id"
    )
    acknowledge.add_argument(
        "--by",
        type=kinds.person,
        metavar="NAME",
        help="who looks after it (default: the user of the operating system)",
    )
    _add_wait(acknowledge)


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait",
        type=kinds.seconds,
        default=_WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for the connector to carry it out (default: 5)",
    )


def _resend(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_orders  # noqa: PLC0415 - imported when it runs

    return journal_orders.resend(
        options.config,
        options.number,
        bulk=_bulk(options),
        yes=options.yes,
        wait_seconds=options.wait,
        environ=environ,
    )


def _cancel(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_orders  # noqa: PLC0415 - imported when it runs

    return journal_orders.cancel(
        options.config,
        options.number,
        bulk=_bulk(options),
        yes=options.yes,
        wait_seconds=options.wait,
        environ=environ,
    )


def _bulk(options: argparse.Namespace) -> Bulk | None:
    """The requests of a bulk order; None: it is about a single one."""
    from twilio_notifications.commands.journal_orders import Bulk  # noqa: PLC0415 - imported when it runs

    narrowing = (options.reason, options.channel, options.to, options.since)
    if options.only is None:
        if options.number is None or any(each is not None for each in narrowing):
            raise ConfigurationError(["name one request by its NUMBER, or choose many by --only"])
        return None
    if options.number is not None:
        raise ConfigurationError(["NUMBER and --only exclude each other: one request, or many"])
    return Bulk(
        reason=None if options.reason is None else Reason(options.reason),
        channel=None if options.channel is None else CHANNELS[options.channel],
        phone_number=options.to,
        since_seconds=options.since,
    )


def _resolve(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_orders  # noqa: PLC0415 - imported when it runs

    return journal_orders.resolve(
        options.config,
        options.number,
        sent=options.sent,
        sid=options.sid,
        wait_seconds=options.wait,
        environ=environ,
    )


def _acknowledge(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_orders  # noqa: PLC0415 - imported when it runs

    return journal_orders.acknowledge(
        options.config, options.name, by=options.by, wait_seconds=options.wait, environ=environ
    )


def _pause(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_orders  # noqa: PLC0415 - imported when it runs

    return journal_orders.pause(
        options.config, seconds=options.duration, wait_seconds=options.wait, environ=environ
    )


def _resume(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import journal_orders  # noqa: PLC0415 - imported when it runs

    return journal_orders.resume(options.config, wait_seconds=options.wait, environ=environ)
