"""`completion`: prints the script with which a shell completes this program's command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.completion.scripts import script

if TYPE_CHECKING:
    from twilio_notifications.completion.shells import Shell
    from twilio_notifications.outline import Outline


def run(shell: Shell, whole: Outline) -> int:
    """Prints the script for this shell and this command line; returns 0."""
    terminal.say(*script(shell, whole).splitlines())
    return 0
