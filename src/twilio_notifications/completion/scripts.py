"""The script of each shell."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from twilio_notifications.completion import bash, fish, zsh
from twilio_notifications.completion.shells import Shell

if TYPE_CHECKING:
    from twilio_notifications.outline import Outline


def script(shell: Shell, whole: Outline) -> str:
    """The script that completes this command line in this shell."""
    match shell:
        case Shell.BASH:
            return bash.script(whole)
        case Shell.ZSH:
            return zsh.script(whole)
        case Shell.FISH:
            return fish.script(whole)
        case _:
            assert_never(shell)
