"""`console`: serves the web console, or makes the hash of a password for it."""

from __future__ import annotations

import asyncio
import getpass
import os
import signal
import sys
from typing import TYPE_CHECKING

from twilio_notifications import serving, terminal
from twilio_notifications.adapters import log
from twilio_notifications.config import load_console
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.password_hash import MOST_CHARACTERS, SALT_BYTES, hash_of
from twilio_notifications.extras import console_extra
from twilio_notifications.ports.events import ConfigurationWarning, ConsoleReady, ConsoleStopped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.config import ConsoleFileSettings

FEWEST_CHARACTERS = 8
SETTING = "[console] listen"


def console(config: Path | None, *, environ: Mapping[str, str]) -> int:
    """Serves until SIGTERM or SIGINT, then returns 0."""
    settings = load_console(config, environ)
    without_secrets = {name: text for name, text in environ.items() if name not in settings.secret_variables}
    for name in settings.secret_variables:
        os.environ.pop(name, None)
    with console_extra(), asyncio.Runner() as runner:
        # Not uvloop, which would use io_uring from its start on: a confined process may not.
        runner.run(_serve(settings, config, environ=without_secrets))
    return 0


async def _serve(settings: ConsoleFileSettings, config: Path | None, *, environ: Mapping[str, str]) -> None:
    from twilio_notifications.bootstrap import console as wiring  # noqa: PLC0415 - needs the extra
    from twilio_notifications.console.server import serve  # noqa: PLC0415 - needs the extra

    events = log.configure(level=settings.log.level, form=settings.log.format)
    for warning in settings.warnings:
        events.tell(ConfigurationWarning(warning=warning))
    host, port = settings.console.listen
    listeners = serving.listening(host, port, setting=SETTING)
    stop, confined = asyncio.Event(), False
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def confine() -> None:
        nonlocal confined
        confined = wiring.confine(settings, config, environ=environ, events=events)

    def announce() -> None:
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{listeners[0].getsockname()[1]}"
        events.tell(ConsoleReady(address=url, confined=confined))
        terminal.say(f"console on {settings.console.public_url or url}  - Ctrl-C ends")

    application = wiring.console(settings, config, environ=environ, events=events)
    await serve(application, listeners, confine=confine, on_ready=announce, stop=stop)
    events.tell(ConsoleStopped())


def hash_password() -> int:
    """Prints the hash of a password, from the terminal twice or from standard input once; returns 0."""
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise ConfigurationError(["the passwords differ: nothing was printed, try again"])
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if not FEWEST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        sentence = f"a password must have {FEWEST_CHARACTERS} to {MOST_CHARACTERS} characters"
        raise ConfigurationError([f"{sentence}, and this one has {len(password)}"])
    terminal.say(str(hash_of(password, salt=os.urandom(SALT_BYTES))))
    return 0
