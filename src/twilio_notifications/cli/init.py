"""The arguments of `init`. No secret is one of them: other users of the machine can read arguments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.setup.questions import QUESTIONS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `init`."""
    init = commands.add_parser(
        "init",
        help="asks what is needed, and writes a configuration and a token file",
        description="Asks for account, token, sender number, broker and limits, writes a commented "
        "configuration and a file for the token that its owner alone may read, and says what to do next. "
        "What an option gives is not asked. Overwrites nothing and sends nothing.",
    )
    init.add_argument(
        "--folder",
        type=Path,
        metavar="FOLDER",
        help="where to write twilio-notifications.toml and twilio-auth-token (default: the working "
        "directory; with --service: /etc/twilio-notifications)",
    )
    init.add_argument(
        "--service",
        action="store_true",
        help="for a service of systemd: the journal in /var/lib/twilio-notifications, the log in JSON",
    )
    for question in QUESTIONS:
        default = f" (default: {question.default})" if question.default else ""
        init.add_argument(
            question.option,
            dest=question.option,
            metavar=question.metavar,
            help=f"{question.asks}{default}",
        )
    init.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help='the file to read the auth token from, or "-" for standard input (default: $TWILIO_AUTH_TOKEN; '
        "without it the token is asked for)",
    )
    init.add_argument(
        "--broker-password-file",
        type=Path,
        metavar="FILE",
        help='the file to read the password of the broker\'s user from, or "-" for standard input',
    )
    init.add_argument(
        "--yes", action="store_true", help="ask nothing: take the defaults for what no option gives"
    )
    init.set_defaults(command=_init)


def _init(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import init  # noqa: PLC0415 - imported when it runs

    given = {question: getattr(options, question.option) for question in QUESTIONS}
    order = init.Order(
        folder=options.folder,
        as_service=options.service,
        given={question: text for question, text in given.items() if text is not None},
        token_file=options.token_file,
        broker_password_file=options.broker_password_file,
        asks=not options.yes,
    )
    return init.init(order, environ=environ)
