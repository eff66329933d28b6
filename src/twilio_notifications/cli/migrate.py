"""The arguments of `migrate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.cli import kinds
from twilio_notifications.core.parameters import VERSIONS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `migrate`."""
    migrate = commands.add_parser(
        "migrate",
        help="takes a connector of Greengrass V1 over",
        description="Reads definitions of Greengrass V1 in any form and order: output and input of the AWS "
        "CLI, its commands and a terminal's history, templates of CloudFormation, a device's group.json. "
        "Writes the configuration for a broker, the files for Greengrass V2, and a report, and says of each "
        "subscription what became of it. Overwrites nothing.",
    )
    migrate.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a file with definitions of Greengrass V1"
    )
    migrate.add_argument(
        "--output", type=Path, required=True, metavar="FOLDER", help="the folder to write into"
    )
    migrate.add_argument(
        "--to-version",
        type=int,
        choices=VERSIONS,
        metavar="N",
        help="the new version of the connector, 1 to 5 (default: the version that is found)",
    )
    migrate.add_argument(
        "--set",
        dest="given",
        type=kinds.assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value that the files do not hold, under the name by which the command asks for it",
    )
    migrate.add_argument("--dry-run", action="store_true", help="print the files and write nothing")
    migrate.set_defaults(command=_migrate)


def _migrate(options: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import migrate  # noqa: PLC0415 - imported when it runs

    return migrate.run(
        options.files,
        output=options.output,
        given=dict(options.given),
        to_version=options.to_version,
        dry_run=options.dry_run,
    )
