"""`completion`: prints the script with which a shell completes this program's command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications import completion, terminal

if TYPE_CHECKING:
    from twilio_notifications.completion import Shell
    from twilio_notifications.outline import Outline


def run(shell: Shell, whole: Outline) -> int:
    """Prints the script for this shell and this command line; returns 0."""
    terminal.say(*completion.script(shell, whole).splitlines())
    return 0
