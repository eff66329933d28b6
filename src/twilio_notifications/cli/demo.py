"""The arguments of `demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `demo`."""
    demo = commands.add_parser(
        "demo",
        help="runs a broker, a simulated Twilio and the connector in one process",
        description="Starts an embedded broker, the Twilio simulator and the connector, sends the published "
        "examples and shows their statuses; then serves until Ctrl-C. Needs the extra 'demo'.",
    )
    demo.add_argument(
        "--once", action="store_true", help="end after the first text and the first call have succeeded"
    )
    demo.set_defaults(command=_demo)


def _demo(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import demo  # noqa: PLC0415 - imported when it runs

    return demo.demo(once=options.once)
