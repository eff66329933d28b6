"""The parser of the command line, and the arguments of the commands that take few."""

from __future__ import annotations

import argparse
from importlib.metadata import version
from typing import TYPE_CHECKING

from twilio_notifications.cli import journal, kinds, migrate, send
from twilio_notifications.cli.options import add_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def parser() -> argparse.ArgumentParser:
    """The whole command line; what it parses has `command`, the function to be called."""
    whole = argparse.ArgumentParser(
        prog="twilio-notifications",
        description="Texts and calls by MQTT: the open successor of Greengrass's Twilio Notifications.",
        epilog="Exit codes: 0 done; 1 failed while running; 2 wrong usage or configuration.",
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {version('twilio-notifications')}")
    add_config(whole, default=None)
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    send.add(commands)
    _add_demo(commands)
    _add_simulator(commands)
    journal.add(commands)
    migrate.add(commands)
    return whole


def _add_run(commands: Commands) -> None:
    run = commands.add_parser(
        "run",
        help="runs the connector in the foreground",
        description="Runs the connector until SIGTERM or SIGINT; then it finishes the attempts under way and "
        "exits with 0. A second signal does not wait. The log goes to standard error.",
    )
    add_config(run)
    run.add_argument(
        "--greengrass",
        action="store_true",
        help="run as a component of Greengrass V2: the component's configuration wins over the file",
    )
    run.set_defaults(command=_run)


def _add_check(commands: Commands) -> None:
    check = commands.add_parser(
        "check",
        help="says what is wrong with the configuration and its surroundings",
        description="Says everything that is wrong with the configuration at once, then tries journal, "
        "secret, broker and Twilio, one line each. Sends nothing and changes nothing.",
    )
    add_config(check)
    check.add_argument("--offline", action="store_true", help="leave out what needs a network")
    check.set_defaults(command=_check)


def _add_demo(commands: Commands) -> None:
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


def _add_simulator(commands: Commands) -> None:
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
    simulator.set_defaults(command=_simulator)


# The commands' modules are imported when their command runs, so that `run` starts without the simulator
# and `--help` without anything.


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import run  # noqa: PLC0415

    return run.run(options.config, environ=environ, greengrass=options.greengrass, signals=options.signals)


def _check(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import check  # noqa: PLC0415

    return check.check(options.config, offline=options.offline, environ=environ)


def _demo(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import demo  # noqa: PLC0415

    return demo.demo(once=options.once)


def _simulator(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import simulator  # noqa: PLC0415

    host, port = options.listen
    return simulator.simulator(host=host, port=port, latency_seconds=options.latency)
