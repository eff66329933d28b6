"""The arguments of `run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli.options import add_config

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `run`."""
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


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications import huge_pages  # noqa: PLC0415 - imported when it runs

    huge_pages.forgo()  # before the HTTP client is imported, which takes its first memory then
    from twilio_notifications.commands import run  # noqa: PLC0415

    return run.run(options.config, environ=environ, greengrass=options.greengrass, signals=options.signals)
