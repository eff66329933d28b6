"""The arguments of `simulator`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli import kinds

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `simulator`."""
    simulator = commands.add_parser(
        "simulator",
        help="serves a stand-in for Twilio's API",
        description="Serves a stand-in for Twilio's Messages and Calls until Ctrl-C. Needs the extra "
        "'simulator'.",
    )
    simulator.add_argument(
        "--listen",
        type=kinds.address,
        required=True,
        metavar="HOST:PORT",
        help="the address to serve; with port 0 the system chooses a free port",
    )
    simulator.add_argument(
        "--latency",
        type=kinds.seconds,
        default=0.0,
        metavar="SECONDS",
        help="how much later to send each answer (default: 0)",
    )
    simulator.add_argument(
        "--deliveries",
        type=kinds.delivery_seed,
        default=None,
        metavar="random:SEED",
        help="draws what becomes of each text and call, the same in each run with the same seed (default: "
        "each text is delivered, and a person answers each call)",
    )
    simulator.add_argument(
        "--keep",
        type=kinds.whole(1),
        default=None,
        metavar="N",
        help="how many texts, calls, creates and callbacks to remember, of each the latest (default: all)",
    )
    simulator.set_defaults(command=_simulator)


def _simulator(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import simulator  # noqa: PLC0415 - imported when it runs

    host, port = options.listen
    return simulator.simulator(
        host=host,
        port=port,
        latency_seconds=options.latency,
        delivery_seed=options.deliveries,
        keep=options.keep,
    )
