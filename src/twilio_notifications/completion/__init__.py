"""Scripts with which a shell completes the command line, made from its outline.

Each script knows the commands, the options and the words that an option takes. Where an option takes a file
or a folder, the shell completes its name.
"""

from __future__ import annotations

from twilio_notifications.completion.scripts import Shell, script

__all__ = ["Shell", "script"]
