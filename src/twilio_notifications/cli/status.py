"""The arguments of `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.cli.journal_reading import add_forms_of_facts, display_of
from twilio_notifications.cli.options import add_action

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from twilio_notifications.cli.options import Commands


def add(commands: Commands) -> None:
    """Adds `status`."""
    status = add_action(commands, "status", _status, "the connector's state on one screen")
    status.description = (
        "How the connector and its journal stand: the connection, the credentials, what is paused, what "
        "waits and why, what is in doubt, what the limits have left. It reads the journal alone, also next "
        "to a running connector, and needs neither the account SID nor a token."
    )
    add_forms_of_facts(status)


def _status(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from twilio_notifications.commands import status  # noqa: PLC0415 - imported when it runs

    return status.status(options.config, display=display_of(options), environ=environ)
