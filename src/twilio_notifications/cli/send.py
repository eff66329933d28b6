"""The arguments of `send`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli import kinds
from twilio_notifications.cli.options import add_config
from twilio_notifications.core.model import Priority

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `send txt` and `send call`."""
    send = commands.add_parser(
        "send",
        help="publishes one request and prints its status",
        description="Publishes one request through the configured transport, waits for its status and prints "
        "it. Exits with 0 when the status is a success, with 1 otherwise. A connector must be running.",
    )
    channels = send.add_subparsers(title="channels", metavar="CHANNEL", required=True)
    text = channels.add_parser("txt", help="a text", description="Sends one text and prints its status.")
    text.add_argument("--message", dest="content", required=True, metavar="TEXT", help="the text to send")
    call = channels.add_parser("call", help="a call", description="Makes one call and prints its status.")
    call.add_argument(
        "--voice-message-location",
        dest="content",
        required=True,
        metavar="URL",
        help="the URL from which Twilio fetches the TwiML document",
    )
    for channel, parser in (("txt", text), ("call", call)):
        _add_request(parser)
        add_config(parser)
        parser.set_defaults(command=_send, channel=channel)


def _add_request(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="NUMBER", help="the recipient, as in +12345000000")
    parser.add_argument("--name", required=True, help="the recipient's name")
    parser.add_argument(
        "--from", dest="sender", metavar="NUMBER", help="the sender number (default: DefaultFromPhoneNumber)"
    )
    parser.add_argument("--retries", type=int, metavar="N", help="attempts after the first one (default: 0)")
    parser.add_argument(
        "--priority",
        choices=[str(each) for each in Priority],
        help="which waiting requests it overtakes (default: normal)",
    )
    parser.add_argument(
        "--valid-for",
        type=kinds.seconds,
        metavar="SECONDS",
        help="how long the request may wait (default: [delivery] lifetime_seconds)",
    )
    parser.add_argument("--id", help="the request's id (default: a random one)")
    parser.add_argument(
        "--timeout",
        type=kinds.seconds,
        default=60.0,
        metavar="SECONDS",
        help="how long to wait for the status (default: 60); the request goes on afterwards",
    )


def _send(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import send  # noqa: PLC0415 - imported when it runs

    order = send.Order(
        channel=options.channel,
        phone_number=options.to,
        name=options.name,
        content=options.content,
        sender_number=options.sender,
        retries=options.retries,
        priority=options.priority,
        valid_for_seconds=options.valid_for,
        request_id=options.id,
    )
    return send.send(options.config, order, timeout_seconds=options.timeout, environ=environ)
